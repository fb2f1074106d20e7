"""A search with a model as somebody would type it who has no key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Loom

NO_KEY = """\
error: there is no key for anthropic
  why: ANTHROPIC_API_KEY is not set
  fix: choose another with --model-provider, or: export ANTHROPIC_API_KEY=KEY
"""


@pytest.mark.parametrize("verb", ["run", "optimize"])
def test_without_a_key_there_are_three_lines_and_nothing_is_asked_or_written(
    verb: str, loom: Loom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    answer = loom(verb, "--dataset", "IngestDataset/1", "--proposer", "anthropic", "--mlops", "local")
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err == NO_KEY
    assert [path.name for path in (tmp_path / "home").iterdir() if path.is_dir()] == []
    # the journal is there, but no run stands in it
    assert loom("runs").out.startswith("no runs yet")
    assert list((tmp_path / "here").iterdir()) == []
