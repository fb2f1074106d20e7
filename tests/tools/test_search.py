"""Looking through folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.tools.search import Found, PatternError, Wanted, search
from loom.tools.threads import GivenUpError, Stop


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    top = tmp_path.resolve() / "tree"
    for name, text in {
        "a.py": "import os\nx = 1\n",
        "docs/b.md": "# Title\nneedle here\n",
        "docs/deep/c.md": "Needle\n",
        ".hidden/d.md": "needle\n",
        ".e.md": "needle\n",
        "node_modules/f.md": "needle\n",
        "g+h.md": "x\n",
    }.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    (top / "binary.md").write_bytes(b"needle\0")
    (tmp_path / "outside.md").write_text("needle\n")
    (top / "link.md").symlink_to(tmp_path / "outside.md")
    (top / "linked").symlink_to(tmp_path)
    return top


def _search(tree: Path, glob: str, content: str | None = None, **more: object) -> Found:
    return search([("", tree)], Wanted(glob, content, **more), Stop())  # type: ignore[arg-type]


def _paths(found: Found) -> list[object]:
    return [match["path"] for match in found.matches]


@pytest.mark.parametrize(
    ("glob", "paths"),
    [
        ("*.py", ["a.py"]),
        ("*.md", ["binary.md", "g+h.md", "docs/b.md", "docs/deep/c.md"]),
        ("docs/*.md", ["docs/b.md"]),
        ("docs/**/*.md", ["docs/b.md", "docs/deep/c.md"]),
        ("**/deep/*", ["docs/deep/c.md"]),
        ("?.py", ["a.py"]),
        ("g+h.*", ["g+h.md"]),
        ("nothing", []),
    ],
)
def test_a_glob_without_a_slash_is_about_the_name_and_one_with_is_about_the_path(
    tree: Path, glob: str, paths: list[str]
) -> None:
    assert _paths(_search(tree, glob)) == paths


def test_lines_that_match_are_shown_with_their_number(tree: Path) -> None:
    found = _search(tree, "*", "needle")
    assert found.matches == [{"path": "docs/b.md", "line": 2, "text": "needle here"}]
    assert found.skipped == 1 and not found.stopped
    assert _paths(_search(tree, "*", "needle", ignore_case=True)) == ["docs/b.md", "docs/deep/c.md"]


def test_hidden_files_are_looked_at_when_asked_for_caches_and_links_never(tree: Path) -> None:
    assert _paths(_search(tree, "*", "needle", hidden=True)) == [".e.md", ".hidden/d.md", "docs/b.md"]


def test_a_long_line_is_shown_around_the_match(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x" * 5_000 + "needle" + "y" * 5_000)
    (match,) = _search(tmp_path, "f", "needle").matches
    assert "needle" in str(match["text"]) and len(str(match["text"])) == 300


def test_a_search_ends_at_its_number_of_matches_and_says_so(tree: Path) -> None:
    found = _search(tree, "*", ".", limit=2)
    assert len(found.matches) == 2 and found.stopped == "2 matches"


def test_a_pattern_that_takes_for_ever_ends_at_the_deadline(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("a" * 5_000 + "b\n")
    found = _search(tmp_path, "f", "(a|aa)+$", seconds=0.1)
    assert found.stopped == "0.1 s"


def test_a_pattern_that_cannot_be_read_is_an_error(tree: Path) -> None:
    with pytest.raises(PatternError):
        _search(tree, "*", "(")


def test_a_search_that_nobody_waits_for_ends(tree: Path) -> None:
    stop = Stop()
    stop.set()
    with pytest.raises(GivenUpError):
        search([("", tree)], Wanted("*"), stop)


def test_a_root_may_be_a_file_and_nothing_is_shown_twice(tree: Path) -> None:
    found = search([("alias.md", tree / "docs/b.md"), ("", tree)], Wanted("b.md"), Stop())
    assert _paths(found) == ["alias.md"]
