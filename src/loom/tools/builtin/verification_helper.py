"""Carry out a check: tests, a build, a service, a page, or a report of those."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from loom.tools.checks.commands import run_build_check, run_test_suite
from loom.tools.checks.expectations import EXPECT
from loom.tools.checks.outcome import Outcome
from loom.tools.checks.report import RESULT, render_verification_report
from loom.tools.checks.services import http_assert, probe_suite, serve_static
from loom.tools.checks.session import STEP, browser_assert, browser_session
from loom.tools.context import ToolContext
from loom.tools.results import ToolResult
from loom.tools.schema import many, number, takes, text
from loom.tools.tool import LONGEST_TIMEOUT, Effect, Tool

Check = Callable[[Mapping[str, Any], ToolContext], Awaitable[Outcome]]

HELPERS: dict[str, Check] = {
    "run_test_suite": run_test_suite,
    "run_build_check": run_build_check,
    "serve_static": serve_static,
    "http_assert": http_assert,
    "probe_suite": probe_suite,
    "browser_assert": browser_assert,
    "browser_session": browser_session,
    "render_verification_report": render_verification_report,
}
_PROGRAM: frozenset[Effect] = frozenset({"reads", "writes", "network", "process"})
_WRITTEN = ("output_path", "screenshot_path")
_COMMAND = {
    "anyOf": [
        {"type": "string", "minLength": 1, "maxLength": 10_000},
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 500},
    ]
}
_PROBE = {
    "type": "object",
    "properties": {"name": text("What it shows."), "url": text("Address or path."), "expect": EXPECT},
    "required": ["url"],
    "additionalProperties": False,
}


class VerificationHelper(Tool):
    """Runs a check for real and reports whether the product passed, failed, or could not be checked."""

    name = "verification_helper"
    description = (
        "Carry out one check. run_test_suite and run_build_check run the project's own command, found by itself or "
        "given as `command`. serve_static serves the folder `target` and probes it. http_assert and probe_suite fetch "
        "addresses, of a service that `start` starts if it is given. browser_assert loads a page, browser_session "
        "walks through `steps` in a browser where there is one. render_verification_report puts `results` on a page."
    )
    parameters = takes(
        {
            "helper": text("Which check.", enum=list(HELPERS)),
            "target": text("Folder, file or address to check.", maxLength=8_000),
            "command": {**_COMMAND, "description": "Command of a test or build runner; no shell reads it."},
            "start": {**_COMMAND, "description": "Command that starts the service to check."},
            "timeout_seconds": number(
                "Seconds a test or build may take.", exclusiveMinimum=0, maximum=LONGEST_TIMEOUT
            ),
            "expect": EXPECT,
            "probes": many(_PROBE, "Addresses to fetch, with what is expected.", minItems=1, maxItems=100),
            "steps": many(STEP, "What to do on the page, in order.", maxItems=100),
            "engine": text("Which browser.", enum=["auto", "static", "playwright"]),
            "screenshot_path": text("File for a picture of the last page, where one is drawn."),
            "results": many(RESULT, "Results to report.", maxItems=500),
            "title": text("Title of the report.", maxLength=200),
            "output_path": text("File to write the report to."),
        },
        required=("helper",),
    )
    is_mutating = True
    mutation_target_arg_keys = _WRITTEN
    effects = _PROGRAM
    timeout_seconds = LONGEST_TIMEOUT + 30.0

    def effects_of(self, args: Mapping[str, Any]) -> frozenset[Effect]:
        """Programs are started by tests, builds, browsers and `start`; the rest looks, or writes its page."""
        helper = args.get("helper")
        if helper in ("run_test_suite", "run_build_check", "browser_session") or args.get("start"):
            return _PROGRAM
        page: frozenset[Effect] = frozenset({"writes"} if args.keys() & set(_WRITTEN) else ())
        return page if helper == "render_verification_report" else page | {"reads", "network"}

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The outcome of the check, with what was run and when."""
        started_at = _now()
        outcome = await HELPERS[args["helper"]](args, ctx)
        data = {
            "helper": args["helper"],
            "passed": outcome.state == "passed",
            "outcome": outcome.state,
            "summary": outcome.summary,
            "started_at": started_at,
            "finished_at": _now(),
            **outcome.data,
        }
        if outcome.state == "passed":
            return ToolResult.ok(
                f"{outcome.summary}\n{outcome.output}".strip(),
                data=data,
                files_changed=outcome.files_changed,
                truncated=outcome.truncated,
                sandbox=outcome.sandbox,
            )
        why = outcome.summary if outcome.state == "failed" else f"could not be checked: {outcome.summary}"
        return ToolResult.fail(
            f"{args['helper']}: {why}",
            data,
            output=outcome.output,
            files_changed=outcome.files_changed,
            truncated=outcome.truncated,
            sandbox=outcome.sandbox,
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
