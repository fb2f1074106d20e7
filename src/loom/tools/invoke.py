"""Call a tool within its bounds: whatever it does, what comes back is a result.

Before: arguments, surface, paths and sealed files are checked. During: a deadline. After: sizes are capped,
secrets taken out, and the files it says it changed compared with what really changed.
"""

from __future__ import annotations

import asyncio
import contextvars
import copy
import json
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from loom.kernel.redact import redact
from loom.tools.context import ToolContext
from loom.tools.failures import failure_of
from loom.tools.paths import PathRefusedError, resolve_read_path
from loom.tools.results import MAX_ERROR, ToolResult, cut
from loom.tools.schema import argument_errors
from loom.tools.snapshot import Snapshot, take_snapshot
from loom.tools.threads import in_thread
from loom.tools.tool import EFFECTS, Effect, Tool

MAX_ARGS = 8 * 1024 * 1024
MAX_DATA = 4 * 1024 * 1024
MAX_BLOCKS = 16 * 1024 * 1024
MAX_READ_OUTPUT = 1024 * 1024
MAX_SAID = 5
WATCHED_FILES = 2_000
GRACE_SECONDS = 0.5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """What a run allows one call, beyond what its context says."""

    timeout_seconds: float | None = None
    """How long the call may take, as the phase declares it; the tool's own limit when empty."""

    sealed: Collection[str] = ()
    """Files and folders, relative to the workspace, that must stay as they are."""

    reseal: Callable[[tuple[str, ...]], None] | None = None
    """Told which files were changed, so that seals and provenance follow."""

    max_data_bytes: int = MAX_DATA


@dataclass(frozen=True, slots=True)
class Raised:
    """What foreign code raised, as a value."""

    error: BaseException


def attempt(call: Callable[[], T]) -> T | Raised:
    """Run code that is not ours; whatever it raises comes back as a value."""
    try:
        return call()
    except BaseException as error:  # noqa: BLE001
        return Raised(error)


async def invoke(
    tool: Tool, args: Mapping[str, Any], ctx: ToolContext, policy: CallPolicy | None = None
) -> ToolResult:
    """Call a tool and answer with its result; only a cancellation by the caller is raised."""
    try:
        return await _invoke(tool, args, ctx, policy or CallPolicy())
    except (Exception, SystemExit) as error:  # noqa: BLE001
        return failure_of(error, tool, ctx)


def call_effects(tool: Tool, args: Mapping[str, Any]) -> frozenset[Effect]:
    """What one call may do; everything, where the tool does not say or says what nobody knows."""
    declared = attempt(lambda: frozenset(tool.effects_of(args)))
    return EFFECTS if isinstance(declared, Raised) or not declared <= EFFECTS else declared


def writes(tool: Tool, args: Mapping[str, Any]) -> bool:
    """Whether one call may write to the workspace."""
    effects = call_effects(tool, args)
    return bool(tool.is_mutating) if effects == EFFECTS else "writes" in effects


async def _invoke(tool: Tool, args: Mapping[str, Any], ctx: ToolContext, policy: CallPolicy) -> ToolResult:
    if wrong := _misfit(tool, args):
        return ToolResult.fail(f"the arguments do not fit {tool.name}: {wrong}", kind="contract")
    if ctx.execution_surface not in tool.supported_execution_surfaces:
        where = ", ".join(tool.supported_execution_surfaces)
        return ToolResult.fail(f"{tool.name} can be called from {where} only", kind="contract")
    before = None
    if writes(tool, args):
        targets = _targets(tool, args, ctx, policy)
        root = ctx.resolve(".")
        before = await in_thread(lambda _: take_snapshot(root, WATCHED_FILES, also=targets))
    result = await _within(_seconds(tool, policy), tool, copy.deepcopy(dict(args)), ctx)
    if not isinstance(result, ToolResult):
        return ToolResult.fail(
            f"{tool.name} answered {type(result).__name__}, not a ToolResult", kind="contract"
        )
    result = _verified(result, before, ctx, policy)
    if result.files_changed and policy.reseal is not None and result.error_kind != "safety":
        policy.reseal(tuple(result.files_changed))
    return _bounded(result, tool, policy)


def _misfit(tool: Tool, args: Any) -> str:
    """Why the arguments cannot be given to the tool; empty when they can."""
    if not isinstance(args, Mapping):
        return f"a mapping is needed, not {type(args).__name__}"
    try:
        size = len(json.dumps(args))
    except (TypeError, ValueError, RecursionError) as error:
        return f"they are not JSON ({type(error).__name__})"
    if size > MAX_ARGS:
        return f"they take {size:,} bytes; the limit is {MAX_ARGS:,}"
    found = [line[:300] for line in argument_errors(dict(args), tool.parameters)]
    more = f"; {len(found) - MAX_SAID} more" if len(found) > MAX_SAID else ""
    return "; ".join(found[:MAX_SAID]) + more


def _targets(tool: Tool, args: Mapping[str, Any], ctx: ToolContext, policy: CallPolicy) -> list[str]:
    """What the call is about to write, relative to the workspace; PathRefusedError where it may not."""
    root = ctx.resolve(".")
    names = []
    for key in tool.mutation_target_arg_keys or ("path",):
        value = args.get(key)
        for raw in value if isinstance(value, list | tuple) else (value,):
            if not isinstance(raw, str) or not raw.strip():
                continue
            path = ctx.resolve(raw)
            name = path.relative_to(root).as_posix()
            if sealed := _sealed_by(name, policy.sealed):
                raise PathRefusedError(f"{key}: {name} is sealed ({sealed}); write to another file")
            if _hides_attached(raw, path, ctx):
                raise PathRefusedError(f"{key}: {name} is attached for reading; write to another file")
            names.append(name)
    return names


def _sealed_by(name: str, sealed: Collection[str]) -> str | None:
    """The sealed file or folder that writing this name would touch."""
    target = PurePosixPath(name)
    for each in sealed:
        entry = PurePosixPath(each)
        if target.is_relative_to(entry) or entry.is_relative_to(target):
            return each
    return None


def _hides_attached(raw: str, path: Path, ctx: ToolContext) -> bool:
    """Whether a write would only seem to change an attached file, and leave two behind one name."""
    if not ctx.read_path_map:
        return False
    read = resolve_read_path(raw, ctx.workspace, (), ctx.read_path_map)
    return read != path and read.exists()


def _seconds(tool: Tool, policy: CallPolicy) -> float:
    own = float(tool.timeout_seconds)
    return max(0.0, own if policy.timeout_seconds is None else policy.timeout_seconds)


async def _within(seconds: float, tool: Tool, args: dict[str, Any], ctx: ToolContext) -> object:
    # a package's tool may block without awaiting; only a thread of its own can be left behind
    foreign = not type(tool).__module__.startswith("loom.")
    deadline = asyncio.timeout(seconds)
    try:
        async with deadline:
            return await (_in_own_thread(tool, args, ctx) if foreign else tool.execute(args, ctx))
    except TimeoutError:
        if not deadline.expired():
            raise
        message = f"{tool.name} was stopped after {seconds:g} s"
        return ToolResult.fail(message, kind="timeout")


async def _in_own_thread(tool: Tool, args: dict[str, Any], ctx: ToolContext) -> object:
    """Run a tool in a loop and a thread of its own, and give both up when the caller does."""
    loop = asyncio.get_running_loop()
    finished: asyncio.Future[object] = loop.create_future()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def run() -> object:
        task = asyncio.current_task()
        assert task is not None
        running.append((asyncio.get_running_loop(), task))
        return await tool.execute(args, ctx)

    def settle(outcome: object) -> None:
        if not finished.done():
            finished.set_result(outcome)

    def work() -> None:
        outcome = attempt(lambda: asyncio.run(run()))
        attempt(lambda: loop.call_soon_threadsafe(settle, outcome))  # the loop may be gone by now

    threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True, name=tool.name).start()
    try:
        outcome = await asyncio.shield(finished)
    except asyncio.CancelledError:
        for inner, task in running:
            attempt(lambda inner=inner, task=task: inner.call_soon_threadsafe(task.cancel))  # type: ignore[misc]
        await asyncio.wait([finished], timeout=GRACE_SECONDS)
        raise
    if isinstance(outcome, Raised):
        return failure_of(outcome.error, tool, ctx)
    return outcome


def _verified(
    result: ToolResult, before: Snapshot | None, ctx: ToolContext, policy: CallPolicy
) -> ToolResult:
    """The result with the files that really changed; one that claims more, or too much, fails."""
    claimed: object = result.files_changed
    if not isinstance(claimed, list | tuple) or not all(isinstance(name, str) for name in claimed):
        return _broken(replace(result, files_changed=[]), [], "files_changed is not a list of texts")
    if not claimed:
        return replace(result, files_changed=[])
    if before is None:
        return _broken(result, [], "a call that does not write says that it changed files")
    changed: list[str] = []
    untrue: list[str] = []
    for raw in claimed:
        try:
            path = ctx.resolve(raw)
        except PathRefusedError:
            untrue.append(str(raw))
            continue
        name = path.relative_to(before.root).as_posix()
        true = not path.is_dir() and (before.differs(name) or not before.knows(name))
        (changed if true else untrue).append(name)
    changed = list(dict.fromkeys(changed))
    if sealed := [name for name in changed if _sealed_by(name, policy.sealed)]:
        wrong = f"sealed files were changed: {', '.join(sealed[:MAX_SAID])}"
        return replace(_broken(result, changed, wrong), error_kind="safety")
    if untrue and result.success:
        return _broken(
            result, changed, f"files_changed names what did not change: {', '.join(untrue[:MAX_SAID])}"
        )
    return replace(result, files_changed=changed)


def _broken(result: ToolResult, changed: list[str], why: str) -> ToolResult:
    return replace(result, success=False, error=why, error_kind="contract", files_changed=changed)


def _bounded(result: ToolResult, tool: Tool, policy: CallPolicy) -> ToolResult:
    """The result in plain JSON, within its sizes, without secrets in what a model reads."""
    texts: tuple[object, object] = (result.output, result.error or "")
    if not all(isinstance(each, str) for each in texts):
        bare = replace(result, output="", data=None, blocks=[])
        return _broken(bare, result.files_changed, "output and error are not texts")
    limit = min(tool.max_output_bytes, MAX_READ_OUTPUT)
    output, was_cut = cut(redact(cut(result.output, 2 * limit)[0]), limit)
    error = None if result.error is None else cut(redact(result.error), MAX_ERROR)[0]
    if not result.success and error is None:
        error = f"{tool.name} failed and did not say why"
    kept = replace(
        result,
        output=output,
        error=error,
        error_kind=None if result.success else result.error_kind or "tool",
        truncated=result.truncated or was_cut,
    )
    try:
        data = _plain(result.data, policy.max_data_bytes, "data")
        blocks = _plain(result.blocks, MAX_BLOCKS, "blocks")
    except ValueError as wrong:
        return _broken(replace(kept, data=None, blocks=[]), kept.files_changed, str(wrong))
    if not isinstance(data, dict | None) or not isinstance(blocks, list):
        return _broken(replace(kept, data=None, blocks=[]), kept.files_changed, "data is not a mapping")
    return replace(kept, data=data, blocks=blocks)


def _plain(value: Any, limit: int, what: str) -> Any:
    """A value as it would arrive from another process; ValueError when it is no JSON, or too large."""
    if not value:
        return value
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{what} is not plain JSON: {str(error)[:200]}") from None
    if len(text) > limit:
        raise ValueError(f"{what} takes {len(text):,} bytes; the limit is {limit:,}: write a file instead")
    return json.loads(text)
