"""The tools a run can call: those its package brings along, and those of Loom it asks for."""

from __future__ import annotations

from loom.process.bundled import tools_of
from loom.process.lint.tools import BUILTIN
from loom.process.package import Package
from loom.process.plan import plan
from loom.tools.builtin import builtin_registry
from loom.tools.discover import register_tools
from loom.tools.registry import ToolRegistry


def toolbox(package: Package) -> ToolRegistry:
    """A registry with everything the phases of a package may call. Loom's own tools keep their names."""
    registry = builtin_registry()
    if package.folder is not None:
        register_tools(registry, package.folder)
    return registry


def missing_tools(package: Package) -> list[str]:
    """Tools that phases call and nobody has."""
    declared = {tool.name for tool in tools_of(package).tools} | BUILTIN
    missing = [name for name in plan(package).tools if name not in declared]
    # a tool may compute its name; loading the code is the only way to know
    return [name for name in missing if name not in toolbox(package)] if missing else []
