"""Puts the results of checks on one page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loom.tools.checks.outcome import Outcome
from loom.tools.context import ToolContext
from loom.tools.files import write_bytes
from loom.tools.schema import flag, text

RESULT: dict[str, Any] = {
    "type": "object",
    "description": "One result, as a helper gave it.",
    "properties": {
        "helper": text("Which check it was."),
        "name": text("What the check is called."),
        "passed": flag("Whether it passed."),
        "outcome": text("How it ended.", enum=["passed", "failed", "unavailable"]),
        "summary": text("What came of it."),
    },
}
_MARKS = {"passed": "pass", "failed": "FAIL", "unavailable": "not checked"}


async def render_verification_report(args: Mapping[str, Any], ctx: ToolContext) -> Outcome:
    """A table of results in Markdown, written to a file if a path is given."""
    results = args.get("results", [])
    states = [_state(each) for each in results]
    verdict = "FAIL" if "failed" in states else "PASS" if "passed" in states else "NOT CHECKED"
    lines = [
        f"# {_cell(args.get('title') or 'Verification')}: {verdict}",
        "",
        f"{states.count('passed')} passed, {states.count('failed')} failed, {states.count('unavailable')} not checked.",
        "",
        "| check | result | what came of it |",
        "|---|---|---|",
    ]
    for each, state in sorted(
        zip(results, states, strict=True), key=lambda pair: list(_MARKS).index(pair[1]) != 1
    ):
        name = each.get("name") or each.get("helper") or "check"
        said = each.get("summary") or each.get("command") or ""
        lines.append(f"| {_cell(name)} | {_MARKS[state]} | {_cell(said)} |")
    page = "\n".join(lines) + "\n"
    changed: list[str] = []
    if args.get("output_path"):
        path = ctx.resolve(args["output_path"])
        if write_bytes(path, page.encode("utf-8", "replace")):
            changed = [ctx.relative(path)]
    data = {"verdict": verdict, "counts": {state: states.count(state) for state in _MARKS}}
    return Outcome("passed", f"report: {verdict}", page, data, changed)


def _state(result: Mapping[str, Any]) -> str:
    if "outcome" in result:
        return str(result["outcome"])
    if "passed" in result:
        return "passed" if result["passed"] else "failed"
    # a result that does not say how it ended is no proof of anything
    return "unavailable"


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")[:300]
