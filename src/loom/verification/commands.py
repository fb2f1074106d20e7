"""Runs the commands of gates in the sandbox of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from loom.tools.context import ToolContext
from loom.tools.programs import Ended, run_program
from loom.verification.gates import RunCommand


def command_runner(ctx: ToolContext, cwd: Path) -> RunCommand:
    """What `evaluate_gates` needs to run commands in a folder of the workspace."""

    async def run(argv: Sequence[str], seconds: float) -> Ended:
        return await run_program(argv, cwd, ctx, seconds)

    return run
