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
        "for; programs it leaves in the background are ended. A code other than 0 is a failure."
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
    mutation_target_arg_keys = ("cwd",)
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
        try:
            ended = await run_program(argv, cwd, ctx, seconds)
        except (FileNotFoundError, PermissionError):
            return ToolResult.fail(f"{argv[0]} cannot be started: no such program, or not executable")
        after = await in_thread(lambda _: take_snapshot(root))
        data = {
            "command": command if isinstance(command, str) else shlex.join(command),
            "exit_code": ended.exit_code,
            "stdout": ended.stdout,
            "stderr": ended.stderr,
            "started_at": ended.started_at,
            "finished_at": ended.finished_at,
            "seconds": ended.seconds,
            "sandbox": ended.sandbox,
            "changes_complete": before.complete and after.complete,
        }
        changed = changes(before, after)
        if ended.exit_code == 0:
            return ToolResult.ok(ended.text, data=data, files_changed=changed, truncated=ended.truncated)
        why = f"exit code {ended.exit_code}" if not ended.timed_out else f"stopped after {seconds:g} s"
        return ToolResult.fail(
            why,
            data,
            output=ended.text,
            files_changed=changed,
            kind="timeout" if ended.timed_out else "tool",
            truncated=ended.truncated,
        )
