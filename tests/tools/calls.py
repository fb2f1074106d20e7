"""Calls of tools as a run makes them, and small tools to call."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from loom.tools.builtin import builtin_tools
from loom.tools.invoke import CallPolicy, invoke
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

BUILTIN = {tool.name: tool for tool in builtin_tools()}
ANYTHING: dict[str, Any] = {"type": "object"}


def call(
    tool: str | Tool, args: dict[str, Any], ctx: ToolContext | None = None, policy: CallPolicy | None = None
) -> ToolResult:
    """One call, with its checks, from outside any event loop."""
    found = BUILTIN[tool] if isinstance(tool, str) else tool
    return asyncio.run(invoke(found, args, ctx or ToolContext(), policy))


def content_of(folder: Path) -> dict[str, str]:
    """Every file below a folder with the hash of its content; links by where they lead."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def difference(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The files that were written, made or removed."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


class FakeTool(Tool):
    """A tool that does what a test says, and counts how often."""

    name = "fake"
    description = "Does what a test says."
    parameters = ANYTHING

    def __init__(
        self,
        work: Callable[[dict[str, Any], ToolContext], Any | Awaitable[Any]],
        *,
        mutating: bool = False,
        effects: frozenset[Effect] | None = None,
        **declared: Any,
    ) -> None:
        self._work, self._mutating, self._effects = work, mutating, effects
        self._declared = declared
        self.calls = 0

    @property
    def is_mutating(self) -> bool:
        return self._mutating

    @property
    def effects(self) -> frozenset[Effect]:
        return super().effects if self._effects is None else self._effects

    @property
    def mutation_target_arg_keys(self) -> tuple[str, ...]:
        return tuple(self._declared.get("targets", ()))

    @property
    def timeout_seconds(self) -> float:
        return float(self._declared.get("timeout_seconds", 60))

    @property
    def supported_execution_surfaces(self) -> tuple[str, ...]:
        return tuple(self._declared.get("surfaces", ("tui", "api", "cli")))

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        self.calls += 1
        answer = self._work(args, ctx)
        return await answer if isinstance(answer, Awaitable) else answer
