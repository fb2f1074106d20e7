"""Run a command in the workspace."""

from __future__ import annotations

import shlex
from typing import Any

from loom.tools.context import ToolContext
from loom.tools.programs import STREAM_LIMIT, TERM_SECONDS, run_program
from loom.tools.results import ToolResult
from loom.tools.schema import number, takes, text
from loom.tools.snapshot import changes, take_snapshot
from loom.tools.threads import in_thread
from loom.tools.tool import DEFAULT_TIMEOUT, LONGEST_TIMEOUT, Effect, Tool

_MARGIN = 10 * TERM_SECONDS


class ShellExecute(Tool):
    """Runs a command to its end; what it started is gone afterwards, and what it changed is listed."""

    name = "shell_execute"
    description = (
        "Run a command in the workspace. A list of words is run as it is; a single text is read by `sh`, with "
        "pipes and redirections. It has no input, few environment variables, and 60 seconds unless more is asked "
        "for; it writes nowhere but in the workspace, and programs it leaves in the background are ended. A code "
        "other than 0 is a failure."
    )
    parameters = takes(
        {
            "command": {
                "description": "A list of words, or one line for the shell.",
                "anyOf": [
                    {"type": "string", "minLength": 1, "maxLength": 20_000},
                    {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 1_000},
                ],
            },
            "cwd": text("Folder of the workspace to run in; its top when left out."),
            "timeout_seconds": number("Seconds it may take.", exclusiveMinimum=0, maximum=LONGEST_TIMEOUT),
        },
        required=("command",),
    )
    is_mutating = True
    effects: frozenset[Effect] = frozenset({"reads", "writes", "network", "process"})
    timeout_seconds = LONGEST_TIMEOUT + _MARGIN
    max_output_bytes = STREAM_LIMIT

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """What the command printed, its exit code, and the files that are different now."""
        command = args["command"]
        argv = ["/bin/sh", "-c", command] if isinstance(command, str) else command
        if any("\0" in word for word in argv) or not argv[0]:
            return ToolResult.fail("the command holds a NUL, or no program", kind="contract")
        root = ctx.resolve(".")
        cwd = ctx.resolve(args.get("cwd") or ".")
        if not cwd.is_dir():
            return ToolResult.fail(f"{args['cwd']} is not a folder")
        seconds = args.get("timeout_seconds", DEFAULT_TIMEOUT)
        before = await in_thread(lambda _: take_snapshot(root))
        ended = await run_program(argv, cwd, ctx, seconds)
        if not ended.found:
            why = f"{argv[0]} cannot be started: no such program in the sandbox, or not executable"
            return ToolResult.fail(why, sandbox=ended.sandbox)
        after = await in_thread(lambda _: take_snapshot(root))
        data = {
            "command": command if isinstance(command, str) else shlex.join(command),
            **ended.as_json(),
            "stdout": ended.stdout,
            "stderr": ended.stderr,
            "changes_complete": before.complete and after.complete,
        }
        if ended.exit_code == 0:
            return ToolResult.ok(
                ended.text,
                data,
                files_changed=changes(before, after),
                truncated=ended.completed.truncated,
                sandbox=ended.sandbox,
            )
        return ToolResult.fail(
            ended.why,
            data,
            output=ended.text,
            files_changed=changes(before, after),
            kind="timeout" if ended.timed_out else "tool",
            truncated=ended.completed.truncated,
            sandbox=ended.sandbox,
        )
