"""Scripts that are there already are proposed one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.kernel.errors import LoomError
from loom.science.metrics import get
from loom.science.search.nodes import Challenge, Node, Proposal, Try, View
from loom.search.replay import Replay


def seen(count: int, folds: int = 3) -> View:
    """What is known after so many proposals."""
    nodes = tuple(Node(number, Proposal("draft", f"n{number}", "x = 1")) for number in range(count))
    return View(Challenge("binary", get("auc"), 100, {"x": "number"}, folds=folds), nodes, 0.5)


def folder(tmp_path: Path, **scripts: str | bytes) -> Path:
    for name, code in scripts.items():
        content = code if isinstance(code, bytes) else code.encode()
        (tmp_path / f"{name}.py").write_bytes(content)
    return tmp_path


def test_each_script_is_taken_up_once_on_all_folds_in_the_order_of_names(tmp_path: Path) -> None:
    replay = Replay.of(folder(tmp_path, b="two = 2", a="one = 'é'"))
    (tmp_path / "notes.txt").write_text("no script")
    steps = [replay.next(seen(count)) for count in range(3)]
    assert steps[2] is None
    assert all(isinstance(step, Try) and step.folds == (0, 1, 2) for step in steps[:2])
    assert [step.proposal.family for step in steps if isinstance(step, Try)] == ["a", "b"]
    assert [step.proposal.code for step in steps if isinstance(step, Try)] == ["one = 'é'", "two = 2"]


def test_what_is_known_of_the_tree_changes_nothing(tmp_path: Path) -> None:
    replay = Replay.of(folder(tmp_path, a="1", b="2"))
    assert replay.next(seen(1)) == replay.next(seen(1))
    assert isinstance(replay.next(seen(1, folds=1)), Try)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_folder_without_scripts_is_refused(tmp_path: Path, is_there: bool) -> None:
    place = tmp_path if is_there else tmp_path / "candidates"
    with pytest.raises(LoomError, match="there is nothing to replay") as refused:
        Replay.of(place)
    assert refused.value.why == f"{place} holds no Python file"
    assert refused.value.fix == f"mkdir -p {place}"


@pytest.mark.parametrize(
    ("content", "what", "why"),
    [
        (b"x" * ((1 << 20) + 1), "is no candidate", "it is larger than 1 MB"),
        (b"\xff\xfe\x00", "is not Python", "it is no text"),
    ],
)
def test_what_is_no_script_is_refused_by_its_name(
    tmp_path: Path, content: bytes, what: str, why: str
) -> None:
    with pytest.raises(LoomError, match=what) as refused:
        Replay.of(folder(tmp_path, a="x = 1", odd=content))
    assert str(tmp_path / "odd.py") in refused.value.what
    assert refused.value.why == why


def test_a_script_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere")
    with pytest.raises(LoomError, match="cannot be read") as refused:
        Replay.of(tmp_path)
    assert refused.value.why == "no such file or directory"
