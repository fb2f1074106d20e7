"""Tools are read from their source, without importing it, waiting for it or trusting it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loom.process import bundled
from loom.process.bundled import UnreadableError, read_inside, read_tools

FULL = '''
from loom.tools.registry import Tool, ToolContext, ToolResult

OPERATIONS = ["mean", "median"]
SCHEMA = {
    "type": "object",
    "properties": {"operation": {"type": "string", "enum": OPERATIONS}, "least": {"type": "integer", "minimum": -1}},
    "required": ["operation"],
}


class Summarise(Tool):
    """Summarises a column."""

    TARGETS = ("output_path",)

    @property
    def name(self) -> str:
        """Its name."""
        return "summarise_column"

    @property
    def parameters(self) -> dict:
        return SCHEMA

    @property
    def is_mutating(self) -> bool:
        return True

    @property
    def mutation_target_arg_keys(self) -> tuple[str, ...]:
        return self.TARGETS

    @property
    def auth_requirements(self):
        return [{"provider": "acme", "source": "api"}]

    async def execute(self, args, ctx):
        return ToolResult.ok("done")
'''


def write(folder: Path, **files: str) -> Path:
    (folder / "tools").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / "tools" / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def test_a_folder_without_tools_has_none(tmp_path: Path) -> None:
    assert read_tools(tmp_path) == ((), ())
    assert read_tools(tmp_path / "missing") == ((), ())


def test_everything_a_tool_declares_as_a_literal_is_known(tmp_path: Path) -> None:
    (tool,), bad = read_tools(write(tmp_path, summarise=FULL))
    assert not bad
    assert (tool.name, tool.file, tool.line) == ("summarise_column", "tools/summarise.py", 12)
    assert tool.parameters is not None
    assert tool.parameters["properties"]["operation"]["enum"] == ["mean", "median"]
    assert tool.parameters["properties"]["least"]["minimum"] == -1
    assert tool.is_mutating
    assert tool.target_arg_keys == ("output_path",)
    assert tool.auth_requirements == ({"provider": "acme", "source": "api"},)


def test_reading_a_tool_never_runs_its_code(tmp_path: Path) -> None:
    trap = f"open({str(tmp_path / 'ran')!r}, 'w')\nraise SystemExit\n"
    (tool,), _ = read_tools(write(tmp_path, trap=trap + "class T(Tool):\n    name = 'trap'\n"))
    assert tool.name == "trap"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("class A(Tool):\n    name = 'a'", ["a"]),
        ("class A(Tool):\n    name: str = 'a'", ["a"]),
        ("import registry\nclass A(registry.Tool):\n    name = 'a'", ["a"]),
        ("from loom.tools.registry import Tool as T\nclass A(T):\n    name = 'a'", ["a"]),
        ("class B(Tool):\n    pass\nclass A(B):\n    name = 'a'", ["a"]),
        ("class B(Tool):\n    name = 'b'\nclass A(B):\n    name = 'a'", ["b", "a"]),
        ("try:\n    x = 1\n    class A(Tool):\n        name = 'a'\nexcept ImportError:\n    pass", ["a"]),
        ("NAME = 'a'\nclass A(Tool):\n    @property\n    def name(self):\n        return NAME", ["a"]),
        ("class A(Tool):\n    def name(self):\n        raise NotImplementedError", []),
        ("class A(Tool):\n    @property\n    def name(self):\n        return f'{1}'", []),
        (
            "class A(Tool):\n    def name(self):\n        if x:\n            return 'b'\n        return 'a'",
            [],
        ),
        ("class A(Toolbox):\n    name = 'a'", []),
        ("class A(A):\n    name = 'a'", []),
        ("class A(B):\n    name = 'a'\nclass B(A):\n    pass", []),
        ("class A(Tool):\n    name = ''", []),
        ("", []),
    ],
)
def test_a_tool_is_a_subclass_of_tool_with_a_constant_name(
    tmp_path: Path, source: str, names: list[str]
) -> None:
    tools, bad = read_tools(write(tmp_path, one=source))
    assert [tool.name for tool in tools] == names
    assert not bad


@pytest.mark.parametrize(
    "parameters",
    [
        "make()",
        "{**OTHER}",
        "{1: 2}",
        "[1]",
        "A\nA = B\nB = A",
        "0x" + "f" * 5000,
        "{'a': " * 60 + "1" + "}" * 60,
        "[" + "[1]," * 6000 + "]",
    ],
)
def test_parameters_that_are_not_a_plain_mapping_are_unknown(tmp_path: Path, parameters: str) -> None:
    (tool,), bad = read_tools(
        write(tmp_path, one=f"class T(Tool):\n    name = 't'\n    parameters = SHAPE\nSHAPE = {parameters}\n")
    )
    assert tool.parameters is None
    assert not bad


def test_a_mapping_may_be_spread_into_another(tmp_path: Path) -> None:
    source = "P = {'a': 1}\nclass T(Tool):\n    name = 't'\n    parameters = {**P, 'b': None}\n"
    (tool,), _ = read_tools(write(tmp_path, one=source))
    assert tool.parameters == {"a": 1, "b": None}


def test_computed_targets_are_unknown_rather_than_absent(tmp_path: Path) -> None:
    source = "class T(Tool):\n    name = 't'\n    mutation_target_arg_keys = keys()\n"
    (tool,), _ = read_tools(write(tmp_path, one=source))
    assert tool.target_arg_keys is None


def test_private_and_foreign_files_are_skipped(tmp_path: Path) -> None:
    write(tmp_path, _private="syntax error (")
    (tmp_path / "tools" / "notes.txt").write_text("no Python")
    (tmp_path / "tools" / ".hidden.py").write_text("syntax error (")
    assert read_tools(tmp_path) == ((), ())


def test_a_file_with_a_warning_in_it_is_read(tmp_path: Path) -> None:
    tools, bad = read_tools(write(tmp_path, one="x = '\\d'\nclass T(Tool):\n    name = 't'\n"))
    assert [tool.name for tool in tools] == ["t"]
    assert not bad


def test_files_that_cannot_be_read_are_named_with_the_line(tmp_path: Path) -> None:
    write(tmp_path, broken="x = 1\ndef (:\n", nul="x = '\0'", deep="(" * 5000)
    (tmp_path / "tools" / "latin.py").write_bytes(b"# ok\n# caf\xe9\n")
    (tmp_path / "tools" / "large.py").write_bytes(b"#" * (bundled.MAX_BYTES + 1))
    (tmp_path / "tools" / "folder.py").mkdir()
    os.mkfifo(tmp_path / "tools" / "pipe.py")
    (tmp_path / "tools" / "gone.py").symlink_to("nowhere.py")
    (tmp_path / "tools" / "loop.py").symlink_to("loop.py")
    _, bad = read_tools(tmp_path)
    why = {each.file.removeprefix("tools/"): (each.line, each.why) for each in bad}
    assert sorted(why) == [
        "broken.py",
        "deep.py",
        "folder.py",
        "gone.py",
        "large.py",
        "latin.py",
        "loop.py",
        "nul.py",
        "pipe.py",
    ]
    assert why["broken.py"][0] == 2
    assert why["latin.py"] == (2, "it is not UTF-8 text")
    assert why["pipe.py"] == (1, "it is not a regular file")
    assert why["folder.py"][1].startswith("it is")
    assert "larger than" in why["large.py"][1]


def test_a_link_out_of_the_package_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("class T(Tool):\n    name = 't'\n")
    package = tmp_path / "package"
    package.mkdir()
    write(package, inside="class T(Tool):\n    name = 'inside'\n")
    (package / "tools" / "link.py").symlink_to(tmp_path / "secret.py")
    (package / "tools" / "other.py").symlink_to("inside.py")
    tools, bad = read_tools(package)
    assert [tool.file for tool in tools] == ["tools/inside.py", "tools/other.py"]
    assert [(each.file, each.why) for each in bad] == [
        ("tools/link.py", "it is a link to a place outside the package")
    ]


def test_a_package_reached_through_a_link_is_read_as_usual(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    write(tmp_path / "real", one="class T(Tool):\n    name = 't'\n")
    (tmp_path / "link").symlink_to("real")
    assert [tool.name for tool in read_tools(tmp_path / "link").tools] == ["t"]


def test_the_number_of_files_and_classes_and_bytes_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "MAX_FILES", 2)
    monkeypatch.setattr(bundled, "MAX_CLASSES", 3)
    monkeypatch.setattr(bundled, "MAX_TOTAL", 60)
    many = "".join(f"class C{n}: pass\n" for n in range(4))
    _, bad = read_tools(write(tmp_path, a=many, b="x = 1", c="x = 2"))
    assert [(each.file, each.why) for each in bad] == [
        ("tools", "it holds 3 files; the limit is 2"),
        ("tools/a.py", "it declares 4 classes; the limit is 3"),
        ("tools/b.py", "the files before it already hold 60 bytes"),
    ]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, one="class T(Tool):\n    name = 'before'\n")
    assert [tool.name for tool in read_tools(tmp_path).tools] == ["before"]
    write(tmp_path, one="class T(Tool):\n    name = 'after'\n")
    assert [tool.name for tool in read_tools(tmp_path).tools] == ["after"]


def test_a_missing_file_of_a_package_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="no such file"):
        read_inside(tmp_path, "README.md")
