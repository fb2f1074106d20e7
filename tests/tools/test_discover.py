"""Loading the tools of a package from their source."""

from __future__ import annotations

import logging
import os
import py_compile
import sys
from pathlib import Path

import pytest

from loom.kernel.errors import LoomError
from loom.tools.discover import load_tools, register_tools
from loom.tools.registry import ToolRegistry
from tests.tools.calls import call

HEAD = """
from loom.tools.registry import Tool, ToolContext, ToolResult


class _Say(Tool):
    description = "Says it."
    parameters = {"type": "object"}

    async def execute(self, args, ctx):
        return ToolResult.ok(self.said)


"""


def _package(folder: Path, **files: str) -> Path:
    (folder / "tools").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / "tools" / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def _say(name: str, said: str = "hello") -> str:
    return HEAD + f'class Say{name.title()}(_Say):\n    name = "{name}"\n    said = "{said}"\n'


def test_every_tool_of_a_file_counts_and_files_that_start_with_an_underscore_do_not(tmp_path: Path) -> None:
    two = _say("one") + 'class Another(_Say):\n    name = "two"\n    said = "again"\n'
    package = _package(tmp_path, both=two, _hidden=_say("hidden"), other="from .both import Another, _Say\n")
    found = load_tools(package)
    assert [(each.tool.name, each.file) for each in found] == [
        ("one", "tools/both.py"),
        ("two", "tools/both.py"),
    ]
    assert found[0].line < found[1].line
    assert call(found[1].tool, {}).output == "again"


def test_a_package_without_tools_has_none(tmp_path: Path) -> None:
    assert load_tools(tmp_path) == () and load_tools(_package(tmp_path)) == ()


def test_siblings_are_imported_relatively_and_two_packages_never_meet(tmp_path: Path) -> None:
    tool = HEAD + "from ._words import SAID\n\nclass A(_Say):\n    name = 'a'\n    said = SAID\n"
    one = _package(tmp_path / "one", a=tool, _words="SAID = 'from one'")
    two = _package(tmp_path / "two", a=tool, _words="SAID = 'from two'")
    said = [call(load_tools(each)[0].tool, {}).output for each in (one, two)]
    assert said == ["from one", "from two"]
    assert "_words" not in sys.modules and str(one / "tools") not in sys.path


def test_what_runs_is_the_source_as_it_is_and_no_bytecode_is_written(tmp_path: Path) -> None:
    package = _package(tmp_path, a=_say("a", "stale"))
    source = package / "tools/a.py"
    compiled = Path(py_compile.compile(str(source), doraise=True) or "")
    times = source.stat()
    source.write_text(_say("a", "fresh"), encoding="utf-8")
    os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert call(load_tools(package)[0].tool, {}).output == "fresh"
    compiled.unlink()
    compiled.parent.rmdir()
    source.write_text(_say("a", "later"), encoding="utf-8")
    assert call(load_tools(package)[0].tool, {}).output == "later"
    assert list(package.rglob("*.pyc")) == []


def test_a_dataclass_in_a_tool_file_works(tmp_path: Path) -> None:
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n" + _say("a")
    package = _package(
        tmp_path, a=text + "\n@dataclass\nclass Point:\n    x: int\n    y: list[int] | None = None\n"
    )
    assert load_tools(package)[0].tool.name == "a"


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ("x = 1\ndef broken(:\n", "tools/a.py, line 2", "SyntaxError"),
        ("import json\n\nimport surely_not_installed\n", "tools/a.py, line 3", "ModuleNotFoundError"),
        ("x = 1\nraise KeyError('gone')\n", "tools/a.py, line 2", "KeyError"),
        ("import sys\nsys.exit(3)\n", "tools/a.py, line 2", "SystemExit"),
        (
            HEAD + "class A(_Say):\n    name = 'a'\n    def __init__(self):\n        1 / 0\n",
            "tools/a.py, line",
            "Zero",
        ),
        ("from loom.tools.registry import Tool\nclass A(Tool):\n    name = 'a'\n", "line 2", "abstract"),
        (HEAD + "class A(_Say):\n    name = 'bad name'\n", "tools/a.py, line 13", "letters"),
        (
            HEAD + "class A(_Say):\n    name = 'a'\n    parameters = {'type': 'objekt'}\n",
            "line 13",
            "JSON Schema",
        ),
        (
            HEAD
            + "class A(_Say):\n    name = 'a'\n    parameters = {'type': 'object', 'properties': {'x': 3}}\n",
            "line 13",
            "parameters",
        ),
        (
            HEAD + "class A(_Say):\n    name = 'a'\n"
            "    parameters = {'type': 'object', 'properties': {'x': {'$ref': 'https://example.org/x'}}}\n",
            "line 13",
            "not in it",
        ),
    ],
)
def test_a_file_that_cannot_be_loaded_is_an_error_with_file_and_line(
    tmp_path: Path, text: str, place: str, why: str
) -> None:
    with pytest.raises(LoomError) as raised:
        load_tools(_package(tmp_path, a=text))
    assert place in raised.value.what and why in raised.value.why
    assert "\n" not in raised.value.why


def test_a_mistake_in_a_sibling_is_placed_there(tmp_path: Path) -> None:
    package = _package(tmp_path, a="from ._b import x\n", _b="y = 1\nx = y.missing\n")
    with pytest.raises(LoomError, match=r"tools/_b\.py, line 2"):
        load_tools(package)


def test_a_missing_dependency_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(LoomError) as raised:
        load_tools(_package(tmp_path, a="import surely_not_installed.part\n"))
    assert "surely_not_installed" in raised.value.fix and "dependencies" in raised.value.fix


def test_a_link_to_a_file_elsewhere_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text(_say("outside"), encoding="utf-8")
    package = _package(tmp_path / "package")
    (package / "tools/a.py").symlink_to(tmp_path / "outside.py")
    with pytest.raises(LoomError, match=r"tools/a\.py"):
        load_tools(package)


def test_a_link_inside_the_package_is_loaded_and_a_folder_of_tools_elsewhere_is_not(tmp_path: Path) -> None:
    package = _package(tmp_path / "package")
    (package / "shared.py").write_text(_say("shared"), encoding="utf-8")
    (package / "tools/a.py").symlink_to("../shared.py")
    assert load_tools(package)[0].tool.name == "shared"
    other = tmp_path / "other"
    other.mkdir()
    (other / "tools").symlink_to(package / "tools")
    with pytest.raises(LoomError, match="outside the package"):
        load_tools(other)


def test_names_that_are_taken_are_left_out_across_and_within_packages(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    registry = ToolRegistry()
    one, two = (_package(tmp_path / name, a=_say("same"), b=_say("same")) for name in ("one", "two"))
    with caplog.at_level(logging.WARNING):
        assert register_tools(registry, one) == ("same",)
        assert register_tools(registry, two) == ()
    assert [record.getMessage().split(" conflicts")[0] for record in caplog.records] == [
        "Bundled tool 'same' from one/tools/b.py",
        "Bundled tool 'same' from two/tools/a.py",
        "Bundled tool 'same' from two/tools/b.py",
    ]
