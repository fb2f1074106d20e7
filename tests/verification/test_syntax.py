from __future__ import annotations

from pathlib import Path

import pytest

from loom.verification.syntax import check_syntax

GOOD = {
    "a.py": "x = '\\d'\n",
    "a.json": '{"a": [1, null, "é"]}',
    "a.yaml": "a: &one [1]\nb: *one\n---\nc: 2\n",
    "a.yml": "a: 1\n",
    "a.csv": ',b\n1,"2\n3"\n\n4,5\n',
    "b.csv": "a;b\n1,5;2,5\n",
    "c.csv": '\n"a;b;c",d\n1,2\n',
    "a.tsv": "a\tb\n1\t2\n",
    "A.JSON": "1",
    "a.txt": "{",
    "a.rb": "def (",
}
BAD = {
    "a.py": ("x = 1\ndef (:\n", 2, "not Python"),
    "a.json": ('{"a": 1,\n "b": }', 2, "not JSON"),
    "b.json": ('{"a": NaN}', None, "NaN"),
    "c.json": ("{" * 1, 1, "not JSON"),
    "d.json": ("[" * 100_000, None, "nested too deeply"),
    "a.yaml": ("a: 1\nb: [1\n", 3, "not YAML"),
    "a.yml": ("a: *none\n", 1, "not YAML"),
    "a.csv": ("a,b\n1,2\n3\n", 3, "1 cells, and 2 in the first line"),
    "b.csv": ('a,b\n1,"2\n', 2, "not a table"),
    "c.csv": ("a;b\n1;2;3\n", 2, "3 cells, and 2"),
    "d.csv": ("a\n1,5\n", 2, "2 cells, and 1"),
    "a.tsv": ("a\tb\n1,2\n", 2, "1 cells, and 2"),
    "A.JSON": ("nope", 1, "not JSON"),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_can_be_read_as_what_it_is_called_is_not_mentioned(name: str, tmp_path: Path) -> None:
    assert list(check_syntax(name, GOOD[name].encode(), tmp_path)) == []


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_named_with_its_line(name: str, tmp_path: Path) -> None:
    content, line, said = BAD[name]
    (wrong,) = check_syntax(name, content.encode(), tmp_path)
    assert said in str(wrong) and wrong.line == line


@pytest.mark.parametrize("name", ["a.py", "a.json", "a.csv", "a.yaml"])
def test_bytes_that_are_no_text_are_wrong_everywhere(name: str, tmp_path: Path) -> None:
    assert len(list(check_syntax(name, b"# \xff\xfe\x00\n", tmp_path))) == 1


DEAD = [
    "[a](gone.md)",
    "![a](gone.png)",
    "see [a](<gone file.md> 'title') and more",
    "[a](gone.md#part)",
    "[a](gone%20file.md)",
    "[a]: gone.md",
    "[a][b] and [c](gone(1).md)",
    "[a](../outside.md)",
    "[a](/etc/passwd)",
    "[![badge](there.md)](gone.md)",
]
ALIVE = [
    "[a](there.md)",
    "[a](there.md#part)",
    "[a](#part)",
    '[a](sub/other%20file.md "title")',
    "[a](sub/)",
    "[a](https://example.org/gone.md)",
    "[a](mailto:me@example.org)",
    "[a](//example.org/gone.md)",
    "`[a](gone.md)` and ``[b](gone.md)``",
    "[a]: there.md",
    "[a] (gone.md)",
    "no link at all ](gone.md)",
]


def _links(line: str, workspace: Path, name: str = "docs/page.md") -> list[tuple[int | None, str]]:
    folder = workspace / "docs"
    (folder / "sub").mkdir(parents=True)
    (folder / "there.md").write_text("x")
    (folder / "sub/other file.md").write_text("x")
    (workspace.parent / "outside.md").write_text("x")
    return [
        (wrong.line, str(wrong)) for wrong in check_syntax(name, f"# Page\n\n{line}\n".encode(), workspace)
    ]


@pytest.mark.parametrize("line", DEAD)
def test_a_link_to_a_file_that_is_not_there_is_dead(line: str, tmp_path: Path) -> None:
    found = _links(line.replace("../outside", "../../outside"), tmp_path / "ws")
    assert len(found) == 1 and found[0][0] == 3 and "leads nowhere" in found[0][1]


@pytest.mark.parametrize("line", ALIVE)
def test_other_links_are_left_alone(line: str, tmp_path: Path) -> None:
    assert _links(line, tmp_path / "ws") == []


def test_what_stands_in_a_code_block_is_no_link(tmp_path: Path) -> None:
    assert _links("```\n[a](gone.md)\n~~~\n[a](gone.md)\n```", tmp_path / "a") == []
    assert [line for line, _ in _links("```\nx\n```\n[a](gone.md)", tmp_path / "b")] == [6]


def test_a_document_that_would_take_long_to_search_does_not(tmp_path: Path) -> None:
    text = "[" * 5_000 + "](" * 5_000 + "a(" * 5_000
    assert list(check_syntax("a.md", text.encode(), tmp_path)) == []
