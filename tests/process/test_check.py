"""From bytes to findings: what a check looks at, and what it leaves alone."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import pytest

from loom.process.check import check_file, check_text, kind_of

GOOD = "name: note\nschema_version: 2\nrisk_level: low\nphases:\n  - {id: a, description: Write it.}\n"
TOOL = """
raise SystemExit("imported")
from loom.tools.registry import Tool


class Count(Tool):
    name = "count"
    parameters = {"type": "object", "properties": {"rows": {"type": "integer"}}, "additionalProperties": False}
"""
CALL = GOOD.replace("Write it.}", "Write it., run: {tool: count, args: {rwos: 3}}}")


def test_a_folder_stands_for_its_process_file(tmp_path: Path) -> None:
    (tmp_path / "process.yaml").write_text(GOOD)
    checked = check_file(tmp_path)
    assert checked.package is not None and checked.package.name == "note"
    assert checked.report.source.name == str(tmp_path / "process.yaml")


def test_a_folder_without_one_is_unreadable(tmp_path: Path) -> None:
    checked = check_file(tmp_path)
    assert checked.unreadable and checked.package is None
    assert "directory" in checked.report.diagnostics[0].detail


def test_what_is_broken_is_not_unreadable(tmp_path: Path) -> None:
    (tmp_path / "process.yaml").write_text("{")
    checked = check_file(tmp_path)
    assert checked.package is None and checked.report.errors and not checked.unreadable


def test_tools_beside_the_file_are_read_and_never_executed(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "count.py").write_text(TOOL)
    (tmp_path / "process.yaml").write_text(CALL)
    before = set(sys.modules)
    found = check_file(tmp_path).report.diagnostics
    assert any("rwos" in d.detail for d in found if d.code.startswith("LM7"))
    assert not [name for name in set(sys.modules) - before if "count" in name]


def test_a_file_under_another_name_stands_alone(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "broken.py").write_text("def (")
    (tmp_path / "process.yaml").write_text(GOOD)
    (tmp_path / "other.yaml").write_text(GOOD)
    assert any("broken.py" in d.detail for d in check_file(tmp_path / "process.yaml").report.diagnostics)
    assert not any("broken.py" in d.detail for d in check_file(tmp_path / "other.yaml").report.diagnostics)


def test_warnings_can_be_left_out_and_errors_cannot() -> None:
    text = GOOD.replace("Write it.", "Write it., depends_on: [b]").encode()
    with_warnings = check_text(text, "x").report
    without = check_text(text, "x", warnings=False).report
    assert with_warnings.warnings > without.warnings
    assert [d for d in with_warnings.diagnostics if d.severity == "error"] == [
        d for d in without.diagnostics if d.severity == "error"
    ]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "process.yaml")
    assert check_file(tmp_path).unreadable


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(enabled: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        check_text(GOOD.encode(), "x")
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()


def test_the_kind_of_a_path_is_told_without_ever_failing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nothing")
    assert kind_of(tmp_path) == "folder"
    assert kind_of(tmp_path / "file") == "file"
    assert kind_of(tmp_path / "missing") is None
    assert kind_of(tmp_path / "dangling") is None
    assert kind_of(tmp_path / "file" / "below") is None
    # what may be there is left for reading to explain
    for unclear in (tmp_path / ("x" * 300), tmp_path / "loop", Path("\0")):
        assert kind_of(unclear) == "file"
        assert check_file(unclear).unreadable
