"""`loom show RUN --file NAME`: what a run kept, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loom.dataio.files import FileRef
from tests.app.past import Past
from tests.cli.conftest import Loom

READER = "loom.science.serving.solution:source_of"


@pytest.fixture
def past(here: Path, tmp_path: Path) -> Past:
    """What was run in the home of this test."""
    return Past(tmp_path / "home")


Keep = Callable[..., str]


@pytest.fixture
def keep(past: Past) -> Keep:
    """Write down a run that kept files, by name."""

    def kept(pathspec: str, **files: bytes) -> str:
        records: dict[str, Any] = {}
        for name, content in files.items():
            key = past.blob(content)
            records[name] = FileRef(None, key, len(content), key, READER).record()  # type: ignore[arg-type]
        return past.run(pathspec, "optimize", kept=records)

    return kept


def test_a_file_is_printed_as_it_is(keep: Keep, loom: Loom) -> None:
    content = "x = 'é'\r\n\tif x: \x1b[31m\0"
    keep("OptimizeFlow/1", solution=content.encode(), model=b"other")
    answer = loom("show", "OptimizeFlow/1", "--file", "solution")
    assert (answer.code, answer.out, answer.err) == (0, content, "")
    assert loom("show", "last", "--file", "model").out == "other"


def test_a_file_that_a_run_did_not_keep_is_refused_with_those_it_kept(keep: Keep, loom: Loom) -> None:
    keep("OptimizeFlow/1", solution=b"x", model=b"y")
    answer = loom("show", "OptimizeFlow/1", "--file", "solutions")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "error: OptimizeFlow/1 kept no file called solutions\n"
        "  why: it kept model, solution\n"
        "  fix: loom show OptimizeFlow/1 --file model\n"
    )


def test_a_run_that_kept_nothing_says_so(past: Past, loom: Loom) -> None:
    past.run("EdaFlow/1")
    answer = loom("show", "EdaFlow/1", "--file", "solution")
    assert answer.code == 2
    assert "why: it kept none" in answer.err and "fix: loom show EdaFlow/1\n" in answer.err


def test_a_file_of_no_run_is_refused_as_any_other(past: Past, loom: Loom) -> None:
    answer = loom("show", "EdaFlow/9", "--file", "solution")
    assert answer.code == 2
    assert answer.err.startswith("error: no run is called EdaFlow/9\n")


def test_a_file_whose_bytes_are_gone_is_an_error_in_three_lines(past: Past, keep: Keep, loom: Loom) -> None:
    keep("OptimizeFlow/1", solution=b"x")
    for blob in (past.home / "objects" / "blobs").glob("*/*"):
        blob.unlink()
    answer = loom("show", "OptimizeFlow/1", "--file", "solution")
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 3)
