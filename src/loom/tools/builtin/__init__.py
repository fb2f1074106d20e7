"""The tools that come with Loom, one per file. A tool is imported when it is first asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial

from loom.tools.registry import ToolRegistry
from loom.tools.tool import Tool

_CLASSES = {
    "calculator": "Calculator",
    "document_write": "DocumentWrite",
    "fact_checker": "FactChecker",
    "read_file": "ReadFile",
    "search_files": "SearchFiles",
    "shell_execute": "ShellExecute",
    "spreadsheet": "Spreadsheet",
    "verification_helper": "VerificationHelper",
    "web_fetch": "WebFetch",
    "web_search": "WebSearch",
    "write_file": "WriteFile",
}
"""The class of each tool; its file has the tool's name."""

BUILTIN_NAMES = tuple(_CLASSES)


def builtin_tool(name: str) -> Tool:
    """A fresh instance of one of the tools that come with Loom; KeyError for any other name."""
    make: Callable[[], Tool] = getattr(importlib.import_module(f"{__name__}.{name}"), _CLASSES[name])
    return make()


def builtin_tools() -> tuple[Tool, ...]:
    """A fresh instance of every tool that comes with Loom."""
    return tuple(map(builtin_tool, BUILTIN_NAMES))


def builtin_registry() -> ToolRegistry:
    """A registry that knows every tool that comes with Loom, and loads each when it is first asked for."""
    registry = ToolRegistry()
    for name in BUILTIN_NAMES:
        registry.register_later(name, partial(builtin_tool, name))
    return registry
