"""Attempts to judge, and processes to judge them by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from loom.process.resolve import ResolvedProcess
from loom.process.spec.verification import Rule
from loom.tools.results import ToolResult
from loom.verification.attempt import Attempt, Call
from tests.process.checking import HEAD, check

PHASES = [
    {
        "id": "draft",
        "description": "Draft.",
        "deliverables": ["draft.md — the text", "data.csv — the numbers"],
    },
    {"id": "review", "description": "Review.", "depends_on": ["draft"]},
]


def process_of(
    verification: dict[str, Any] | None = None, phases: list[dict[str, Any]] | None = None
) -> ResolvedProcess:
    """A sound process with this verification."""
    data = {"phases": phases or PHASES, "verification": verification or {}}
    checked = check(HEAD + yaml.safe_dump(data, allow_unicode=True))
    assert checked.package is not None and not [
        d for d in checked.report.diagnostics if d.severity == "error"
    ]
    return ResolvedProcess(checked.package)


def rule_of(**keys: Any) -> Rule:
    """One rule, as a package writes it."""
    written = {"name": "the-rule", "type": "regex", "check": "TBD", **keys}
    return process_of({"rules": [written]}).package.spec.verification.rules[0]


def worked(tool: str = "read_file", data: dict[str, Any] | None = None, **args: Any) -> Call:
    """A call that worked."""
    return Call(tool, ToolResult.ok("done", data), args)


def broke(
    tool: str = "read_file", data: dict[str, Any] | None = None, *, kind: Any = "tool", **args: Any
) -> Call:
    """A call that did not."""
    return Call(tool, ToolResult.fail("it broke", data, kind=kind), args)


def attempt_in(workspace: Path, *calls: Call, **more: Any) -> Attempt:
    """An attempt with everything that `draft` delivers, unless it is there already."""
    for name, content in (("draft.md", "# Draft\n"), ("data.csv", "a,b\n1,2\n")):
        if not (workspace / name).exists():
            (workspace / name).write_text(content)
    return Attempt(workspace, calls, **more)
