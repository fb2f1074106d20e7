"""Calling a tool within its bounds."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from loom.kernel.errors import LoomError
from loom.tools.invoke import CallPolicy, call_effects, invoke, writes
from loom.tools.registry import EFFECTS, PathRefusedError, ToolContext, ToolResult
from tests.tools.calls import FakeTool, call

WRITES = frozenset({"writes"})


def _raising(error: BaseException) -> FakeTool:
    def work(args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        raise error

    return FakeTool(work)


def _writer(*claimed: str, made: tuple[str, ...] = (), **declared: Any) -> FakeTool:
    """A tool that writes some files and claims to have changed others."""

    def work(args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        for name in made:
            ctx.resolve(name).write_text("new")
        return ToolResult.ok("done", files_changed=list(claimed))

    return FakeTool(work, mutating=True, effects=WRITES, **declared)


class TestArguments:
    @pytest.mark.parametrize(
        "args", [{}, {"n": "1"}, {"n": True}, {"n": 1.0}, {"n": 1, "extra": 1}, {"n": object()}]
    )
    def test_arguments_that_do_not_fit_are_refused_before_anything_is_executed(
        self, args: dict[str, Any]
    ) -> None:
        class Strict(FakeTool):
            parameters = {  # noqa: RUF012
                "type": "object",
                "properties": {"n": {"type": "integer"}},
                "required": ["n"],
                "additionalProperties": False,
            }

        tool = Strict(lambda args, ctx: ToolResult.ok("done"))
        result = call(tool, args)
        assert (result.success, result.error_kind, tool.calls) == (False, "contract", 0)
        assert call(tool, {"n": 1}).success

    def test_arguments_are_no_mapping_or_too_large(self) -> None:
        tool = FakeTool(lambda args, ctx: ToolResult.ok("done"))
        assert call(tool, ["n"]).error_kind == "contract"  # type: ignore[arg-type]
        assert "limit" in (call(tool, {"x": "y" * 9_000_000}).error or "")
        assert tool.calls == 0

    def test_a_tool_cannot_change_the_arguments_of_its_caller(self) -> None:
        given: dict[str, Any] = {"rows": [1]}
        call(FakeTool(lambda args, ctx: args["rows"].append(2) or ToolResult.ok("")), given)
        assert given == {"rows": [1]}

    def test_a_tool_is_not_called_from_a_surface_it_does_not_support(self) -> None:
        tool = FakeTool(lambda args, ctx: ToolResult.ok(""), surfaces=("tui",))
        assert call(tool, {}).error_kind == "contract" and tool.calls == 0
        assert call(tool, {}, ToolContext(execution_surface="tui")).success


class TestFailures:
    @pytest.mark.parametrize(
        ("error", "kind", "said"),
        [
            (KeyError("row of Ada Lovelace"), "tool", "KeyError"),
            (ValueError("Ada"), "tool", "ValueError"),
            (RecursionError(), "tool", "RecursionError"),
            (SystemExit(3), "tool", "SystemExit"),
            (StopIteration(), "tool", "unexpected"),
            (PathRefusedError("../x is outside the workspace"), "safety", "../x is outside the workspace"),
            (FileNotFoundError(2, "No such file", "/secret/place/f.txt"), "io", "f.txt: no such file"),
            (TimeoutError(), "timeout", "too long"),
            (LoomError("no key", "it is not set", "set it"), "tool", "no key: it is not set; set it"),
        ],
    )
    def test_an_exception_is_a_failed_result_with_its_kind_and_no_word_of_its_text(
        self, error: BaseException, kind: str, said: str
    ) -> None:
        result = call(_raising(error), {})
        assert not result.success and result.error_kind == kind
        assert said in (result.error or "")
        shown = json.dumps(result.as_json())
        assert "Ada" not in shown and "Traceback" not in shown and "/secret/place" not in shown

    def test_the_place_of_an_unexpected_exception_is_kept_for_the_log_without_secrets(self) -> None:
        secret = "sk-" + "a1" * 20
        result = call(_raising(ValueError(f"token={secret}")), {})
        assert "Traceback" in (result.fault or "") and "test_invoke.py" in (result.fault or "")
        assert secret not in (result.fault or "")

    @pytest.mark.parametrize("answer", [None, "text", {"success": True}])
    def test_anything_but_a_result_breaks_the_contract(self, answer: Any) -> None:
        result = call(FakeTool(lambda args, ctx: _later(answer)), {})
        assert result.error_kind == "contract"

    def test_a_property_that_raises_is_a_failed_result(self) -> None:
        class Broken(FakeTool):
            @property
            def timeout_seconds(self) -> float:
                raise RuntimeError

        assert call(Broken(lambda args, ctx: ToolResult.ok("")), {}).error_kind == "tool"

    def test_a_failure_without_a_reason_gets_one(self) -> None:
        result = call(FakeTool(lambda args, ctx: ToolResult(success=False)), {})
        assert result.error and result.error_kind == "tool"


async def _later(value: Any) -> Any:
    return value


class TestTime:
    def test_a_call_that_waits_is_stopped_at_its_deadline_and_told(self) -> None:
        stopped = threading.Event()

        async def wait(args: dict[str, Any], ctx: ToolContext) -> ToolResult:
            try:
                await asyncio.Event().wait()
            finally:
                stopped.set()
            return ToolResult.ok("never")

        result = call(FakeTool(wait), {}, policy=CallPolicy(timeout_seconds=0.02))
        assert (result.error_kind, result.retryable) == ("timeout", True)
        assert stopped.wait(5)

    def test_a_call_that_blocks_without_awaiting_is_left_behind(self) -> None:
        release = threading.Event()

        def block(args: dict[str, Any], ctx: ToolContext) -> ToolResult:
            release.wait(30)
            return ToolResult.ok("late")

        result = call(FakeTool(block), {}, policy=CallPolicy(timeout_seconds=0.02))
        release.set()
        assert result.error_kind == "timeout"

    def test_the_caller_can_give_up_and_only_that_is_raised(self) -> None:
        async def main() -> None:
            async def wait(args: dict[str, Any], ctx: ToolContext) -> ToolResult:
                await asyncio.Event().wait()
                return ToolResult.ok("never")

            task = asyncio.ensure_future(invoke(FakeTool(wait), {}, ToolContext()))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(main())

    @pytest.mark.parametrize(
        ("declared", "asked", "granted"),
        [(60, None, 60), (60, 600, 600), (60, 5, 5), (900, None, 900), (900, 1200, 1200)],
    )
    def test_a_phase_may_declare_more_or_less_time_than_its_tool(
        self, declared: float, asked: float | None, granted: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[float] = []
        real = asyncio.timeout
        module = sys.modules["loom.tools.invoke"].asyncio  # type: ignore[attr-defined]
        monkeypatch.setattr(module, "timeout", lambda seconds: seen.append(seconds) or real(seconds))
        tool = FakeTool(lambda args, ctx: ToolResult.ok(""), timeout_seconds=declared)
        call(tool, {}, policy=CallPolicy(timeout_seconds=asked))
        assert seen[0] == granted


class TestSizes:
    def test_output_is_cut_at_a_quarter_of_a_megabyte_and_marked(self) -> None:
        result = call(FakeTool(lambda args, ctx: ToolResult.ok("é" * 400_000)), {})
        assert result.truncated and len(result.output.encode()) <= 256 * 1024 and "left out" in result.output
        assert not call(FakeTool(lambda args, ctx: ToolResult.ok("short")), {}).truncated

    @pytest.mark.parametrize(
        "data", [{"x": "y" * 2000}, {"x": float("nan")}, {"x": {1, 2}}, {"x": object()}, [1]]
    )
    def test_data_that_is_too_large_or_no_json_breaks_the_contract(self, data: Any) -> None:
        result = call(
            FakeTool(lambda args, ctx: ToolResult.ok("", data=data)),
            {},
            policy=CallPolicy(max_data_bytes=1000),
        )
        assert result.error_kind == "contract" and result.data is None

    def test_data_arrives_as_it_would_from_another_process(self) -> None:
        result = call(
            FakeTool(lambda args, ctx: ToolResult.ok("", data={"pair": (1, 2), "by": {3: "x"}})), {}
        )
        assert result.data == {"pair": [1, 2], "by": {"3": "x"}}

    def test_secrets_are_taken_out_of_what_a_model_reads(self) -> None:
        secret = "ghp_" + "A1b2" * 9
        said = call(FakeTool(lambda args, ctx: ToolResult.ok(f"token {secret}")), {})
        failed = call(FakeTool(lambda args, ctx: ToolResult.fail(f"token {secret}")), {})
        assert secret not in said.output and secret not in (failed.error or "")


class TestWriting:
    def test_files_that_really_changed_are_reported_relative_to_the_workspace(
        self, ctx: ToolContext, workspace: Path
    ) -> None:
        (workspace / "old.txt").write_text("old")
        tool = _writer("./a.txt", str(workspace / "old.txt"), "a.txt", made=("a.txt", "old.txt"))
        result = call(tool, {}, ctx)
        assert result.success and result.files_changed == ["a.txt", "old.txt"]

    @pytest.mark.parametrize(
        "claim", ["folder", "untouched.txt", "never.txt", "../outside.txt", "/etc/passwd"]
    )
    def test_a_claim_that_is_not_true_breaks_the_contract(
        self, ctx: ToolContext, workspace: Path, claim: str
    ) -> None:
        (workspace / "folder").mkdir()
        (workspace / "untouched.txt").write_text("old")
        result = call(_writer("a.txt", claim, made=("a.txt",)), {}, ctx)
        assert (result.error_kind, result.files_changed) == ("contract", ["a.txt"])

    def test_a_file_that_was_removed_was_changed(self, ctx: ToolContext, workspace: Path) -> None:
        (workspace / "gone.txt").write_text("old")

        def remove(args: dict[str, Any], ctx: ToolContext) -> ToolResult:
            ctx.resolve("gone.txt").unlink()
            return ToolResult.ok("", files_changed=["gone.txt"])

        assert call(FakeTool(remove, mutating=True, effects=WRITES), {}, ctx).files_changed == ["gone.txt"]

    def test_a_tool_that_says_it_does_not_write_and_does_breaks_the_contract(self, ctx: ToolContext) -> None:
        tool = FakeTool(
            lambda args, ctx: ToolResult.ok("", files_changed=["a"]), effects=frozenset({"reads"})
        )
        assert call(tool, {}, ctx).error_kind == "contract"

    @pytest.mark.parametrize(
        "target", ["../x", "/etc/x", "link/x", "sealed.md", "folder/kept.md", "folder", "."]
    )
    @pytest.mark.parametrize("as_list", [False, True])
    def test_targets_outside_and_sealed_ones_are_refused_before_anything_is_executed(
        self, ctx: ToolContext, workspace: Path, target: str, as_list: bool
    ) -> None:
        (workspace / "link").symlink_to("..")
        tool = _writer(targets=("out",))
        policy = CallPolicy(sealed={"sealed.md", "folder/kept.md"})
        result = call(tool, {"out": [target] if as_list else target}, ctx, policy)
        assert (result.error_kind, tool.calls) == ("safety", 0)
        assert call(tool, {"out": "fine.md"}, ctx, policy).success

    def test_without_declared_targets_path_is_looked_at(self, ctx: ToolContext) -> None:
        tool = _writer()
        assert call(tool, {"path": "../x"}, ctx).error_kind == "safety" and tool.calls == 0

    def test_a_sealed_file_that_was_written_all_the_same_is_a_failure_and_is_not_resealed(
        self, ctx: ToolContext, workspace: Path
    ) -> None:
        told: list[tuple[str, ...]] = []
        policy = CallPolicy(sealed={"kept.md"}, reseal=told.append)
        result = call(_writer("kept.md", made=("kept.md",)), {}, ctx, policy)
        assert result.error_kind == "safety" and "kept.md" in (result.error or "") and told == []

    def test_what_changed_is_told_so_that_seals_can_follow(self, ctx: ToolContext) -> None:
        told: list[tuple[str, ...]] = []
        call(_writer("a.txt", made=("a.txt",)), {}, ctx, CallPolicy(reseal=told.append))
        call(_writer(), {}, ctx, CallPolicy(reseal=told.append))
        assert told == [("a.txt",)]

    def test_a_write_that_would_hide_an_attached_file_is_refused(
        self, workspace: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "attached").mkdir()
        (tmp_path / "attached/a.csv").write_text("")
        ctx = ToolContext(workspace, [], {"data": tmp_path / "attached"})
        tool = _writer(targets=("out",))
        assert call(tool, {"out": "data/a.csv"}, ctx).error_kind == "safety" and tool.calls == 0
        assert call(tool, {"out": "data/b.csv"}, ctx).success

    def test_a_tool_that_writes_needs_a_workspace(self) -> None:
        assert call(_writer(), {}).error_kind == "safety"


class TestEffects:
    def test_what_is_not_declared_or_not_known_may_do_anything(self) -> None:
        assert call_effects(FakeTool(lambda args, ctx: ToolResult.ok("")), {}) == EFFECTS
        odd = FakeTool(lambda args, ctx: ToolResult.ok(""), effects=frozenset({"telepathy"}))  # type: ignore[arg-type]
        assert call_effects(odd, {}) == EFFECTS

    def test_a_tool_whose_effects_cannot_be_asked_may_do_anything(self) -> None:
        class Broken(FakeTool):
            def effects_of(self, args: Any) -> Any:
                raise KeyError

        assert call_effects(Broken(lambda args, ctx: ToolResult.ok("")), {}) == EFFECTS

    def test_an_old_tool_writes_if_it_says_so(self) -> None:
        for mutating in (False, True):
            assert writes(FakeTool(lambda args, ctx: ToolResult.ok(""), mutating=mutating), {}) is mutating
