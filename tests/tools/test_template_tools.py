"""The tools of the data template do what they say."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path
from typing import Any

import pytest

from loom.app.new import create_package
from loom.tools.discover import load_tools
from loom.tools.registry import ToolContext, ToolResult


@pytest.fixture
def tools(tmp_path: Path) -> dict[str, Any]:
    """The tools of a package made from the data template, by name."""
    folder = create_package("price-watch", "data", tmp_path / "packages")
    return {loaded.tool.name: loaded.tool for loaded in load_tools(folder)}


def _call(tool: Any, args: dict[str, Any], context: ToolContext) -> ToolResult:
    result = asyncio.run(tool.execute(args, context))
    assert isinstance(result, ToolResult)
    return result


def test_the_bundled_sample_passes_by_default_and_fails_a_stricter_limit(
    tools: dict[str, Any], tmp_path: Path
) -> None:
    context = ToolContext(tmp_path)
    profile = _call(tools["price_watch_profile"], {"table": None}, context)
    assert profile.success and profile.data == {
        "rows": 5,
        "missing": {"customer": 0.0, "plan": 0.2, "months": 0.0},
    }
    verdict = tools["price_watch_verdict"]
    args = {"profile": profile.data, "output_path": "findings.md"}
    passed = _call(verdict, {**args, "max_missing": 0.2}, context)
    assert passed.data == {"verdict": "PASS", "rows": 5, "incomplete": []}
    failed = _call(verdict, {**args, "max_missing": 0}, context)
    assert failed.data == {"verdict": "FAIL", "rows": 5, "incomplete": ["plan"]}
    assert failed.files_changed == ["findings.md"]
    assert "| plan | 20.0% |" in (tmp_path / "findings.md").read_text(encoding="utf-8")


def test_an_attached_table_is_read_under_its_alias(tools: dict[str, Any], tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.csv"
    with elsewhere.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["a", "b"], ["1"], ["", "2", "too much"]])
    context = ToolContext(tmp_path / "run", read_path_map={"input": elsewhere})
    result = _call(tools["price_watch_profile"], {"table": "input"}, context)
    assert result.data == {"rows": 2, "missing": {"a": 0.5, "b": 0.5}}


@pytest.mark.parametrize("content", [None, ""])
def test_a_table_that_cannot_be_read_fails_and_never_raises(
    tools: dict[str, Any], tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "table.csv").write_text(content, encoding="utf-8")
    assert not _call(tools["price_watch_profile"], {"table": "table.csv"}, ToolContext(tmp_path)).success


@pytest.mark.parametrize("args", [{}, {"profile": 1, "max_missing": 1, "output_path": "f.md"}])
def test_missing_or_wrong_arguments_fail_and_never_raise(
    tools: dict[str, Any], tmp_path: Path, args: dict[str, Any]
) -> None:
    assert not _call(tools["price_watch_verdict"], args, ToolContext(tmp_path)).success


def test_a_target_outside_the_workspace_is_refused(tools: dict[str, Any], tmp_path: Path) -> None:
    profile = {"rows": 1, "missing": {"a": 0.0}}
    args = {"profile": profile, "max_missing": 0.5, "output_path": "../findings.md"}
    assert not _call(tools["price_watch_verdict"], args, ToolContext(tmp_path / "run")).success
