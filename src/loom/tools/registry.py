"""The tools of a run by name, and the names that packages import to write tools of their own."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator

from loom.kernel.errors import LoomError
from loom.tools.context import SURFACES, Permissions, RunAuthContext, Surface, ToolContext
from loom.tools.paths import PathRefusedError, logical_path, resolve_path, resolve_read_path
from loom.tools.results import ToolResult
from loom.tools.tool import EFFECTS, Effect, Tool

__all__ = [
    "EFFECTS",
    "SURFACES",
    "Effect",
    "PathRefusedError",
    "Permissions",
    "RunAuthContext",
    "Surface",
    "Tool",
    "ToolContext",
    "ToolRegistry",
    "ToolResult",
    "_resolve_path",
    "_resolve_read_path",
    "logical_path",
]

_log = logging.getLogger(__name__)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")

_resolve_path = resolve_path
_resolve_read_path = resolve_read_path


class ToolRegistry:
    """Tools by name. The first that takes a name keeps it."""

    def __init__(self, tools: Iterable[Tool] = ()) -> None:
        self._tools: dict[str, Tool | Callable[[], Tool]] = {}
        for tool in tools:
            self.register(tool)

    def register(self, tool: Tool) -> None:
        """Add a tool of Loom's own; ValueError when it is not well formed or its name is taken."""
        if wrong := shape_errors(tool):
            raise ValueError(f"{type(tool).__name__}: {'; '.join(wrong)}")
        if tool.name in self._tools:
            raise ValueError(f"{tool.name} is registered already, by {_class_of(self[tool.name])}")
        self._tools[tool.name] = tool

    def register_later(self, name: str, load: Callable[[], Tool]) -> None:
        """Add a tool of Loom's own that is loaded when it is first asked for; ValueError for a name that is taken."""
        if name in self._tools:
            raise ValueError(f"{name} is registered already, by {_class_of(self[name])}")
        self._tools[name] = load

    def register_bundled(self, tool: Tool, origin: str) -> bool:
        """Add a tool that a package brings along. A name that is taken leaves it out, with a warning."""
        taken = self.get(tool.name)
        if taken is not None:
            _log.warning(
                "Bundled tool '%s' from %s conflicts with existing tool class %s; skipping bundled tool",
                tool.name,
                origin,
                _class_of(taken),
            )
            return False
        self.register(tool)
        return True

    def get(self, name: str) -> Tool | None:
        """The tool of that name, or None."""
        return self[name] if name in self._tools else None

    def __getitem__(self, name: str) -> Tool:
        found = self._tools[name]
        if isinstance(found, Tool):
            return found
        loaded = self._tools[name] = found()
        return loaded

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    def __iter__(self) -> Iterator[Tool]:
        return (self[name] for name in self.names())

    def __len__(self) -> int:
        return len(self._tools)

    def names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(sorted(self._tools))

    def for_surface(self, surface: Surface, excluded: Iterable[str] = ()) -> tuple[Tool, ...]:
        """The tools that may be called from a surface, less those a process goes without."""
        without = frozenset(excluded)
        return tuple(
            tool for tool in self if surface in tool.supported_execution_surfaces and tool.name not in without
        )

    def require(self, process: str, required: Iterable[str], surface: Surface | None = None) -> None:
        """Refuse to start a process whose tools are not all there, or not on this surface."""
        missing = [name for name in dict.fromkeys(required) if not self._offers(name, surface)]
        if not missing:
            return
        elsewhere = [name for name in missing if name in self._tools]
        why = "no tool of that name is installed, or its package was not loaded"
        if elsewhere:
            why = f"{', '.join(elsewhere)} cannot be called from {surface}"
        raise LoomError(
            f"Process '{process}' requires missing tool(s): {', '.join(missing)}",
            why,
            "install or enable the tools, or take them off `tools.required`",
        )

    def _offers(self, name: str, surface: Surface | None) -> bool:
        if surface is None or name not in self._tools:
            return name in self._tools
        return surface in self[name].supported_execution_surfaces


def shape_errors(tool: Tool) -> list[str]:
    """What is wrong with the declarations of a tool, as far as it can be seen without its schema."""
    wrong = []
    if not isinstance(tool.name, str) or not _NAME.match(tool.name):
        wrong.append(f"name {tool.name!r} is not letters, digits, - and _, at most 64, a letter first")
    if not isinstance(tool.description, str) or not tool.description.strip():
        wrong.append("description is empty")
    if not isinstance(tool.parameters, dict) or tool.parameters.get("type") != "object":
        wrong.append("parameters is not a JSON Schema of type object")
    surfaces: object = tool.supported_execution_surfaces
    if not _texts(surfaces) or not surfaces or not set(tool.supported_execution_surfaces) <= set(SURFACES):
        wrong.append(f"supported_execution_surfaces is not a choice of {', '.join(SURFACES)}")
    if not _texts(tool.mutation_target_arg_keys):
        wrong.append("mutation_target_arg_keys is not a tuple of argument names")
    return wrong


def _texts(value: object) -> bool:
    return isinstance(value, tuple | list) and all(isinstance(each, str) for each in value)


def _class_of(tool: Tool) -> str:
    return f"{type(tool).__module__}.{type(tool).__qualname__}"
