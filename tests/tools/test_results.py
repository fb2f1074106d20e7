"""What a tool answers."""

from __future__ import annotations

import pytest

from loom.tools.results import ToolResult, cut


def test_the_three_constructors_take_what_packages_pass_them() -> None:
    ok = ToolResult.ok("text", data={"a": 1}, files_changed=["f"])
    assert ok.success and (ok.output, ok.data, ok.files_changed, ok.error) == ("text", {"a": 1}, ["f"], None)
    failed = ToolResult.fail("why")
    assert not failed.success and failed.error == "why" and failed.error_kind == "tool"
    block = {"type": "image", "data": "..."}
    seen = ToolResult.multimodal("text", [block])
    assert seen.success and seen.blocks == [block]


@pytest.mark.parametrize(
    ("kind", "retryable"), [("tool", False), ("io", True), ("timeout", True), ("safety", False)]
)
def test_a_failure_says_whether_trying_again_can_help(kind: str, retryable: bool) -> None:
    assert ToolResult.fail("why", kind=kind).retryable is retryable  # type: ignore[arg-type]
    assert ToolResult.fail("why", kind=kind, retryable=not retryable).retryable is not retryable  # type: ignore[arg-type]


def test_one_file_as_text_is_one_file_and_not_its_letters() -> None:
    assert ToolResult.ok("", files_changed="report.md").files_changed == ["report.md"]


def test_a_result_survives_the_way_to_another_process_and_the_fault_stays_behind() -> None:
    result = ToolResult.fail("why", {"a": [1]}, output="seen", files_changed=["f"], kind="io", fault="frames")
    there = ToolResult.from_json(result.as_json())
    assert there.as_json() == result.as_json() and there.fault is None
    assert "frames" not in repr(result)
    with pytest.raises(TypeError):
        ToolResult.from_json({"success": True, "unheard_of": 1})


@pytest.mark.parametrize("text", ["short", "x" * 1000, "é" * 1000, "\ud800" * 1000])
def test_a_cut_text_is_within_its_bytes_and_keeps_both_ends(text: str) -> None:
    kept, was_cut = cut(text, 200)
    assert len(kept.encode()) <= 200
    assert was_cut == (len(text) > 100)
    if was_cut:
        assert "left out" in kept and kept[0] == kept[-1]
