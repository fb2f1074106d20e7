"""A solution that somebody brings: a candidate of an earlier run or a file, run closed in and without a network."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from loom.dataio.files import digest_of
from loom.kernel.errors import LoomError
from loom.sandbox.policy import Completed, Limits, Policy
from loom.sandbox.roots import import_root, search_path
from loom.sandbox.run import run
from loom.science.resources import environment
from loom.science.validation import Candidate, Ended
from loom.science.validation.candidate import Run
from loom.tools.registry import PathRefusedError, ToolContext

KEPT = "solution"
SECONDS = 900.0
_MOST = 1024 * 1024
_RUN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}/[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}")


def candidate_of(given: str, metric: str, ctx: ToolContext) -> Candidate:
    """The contender behind `--solution`; a LoomError where there is none."""
    named, content = _read(given, ctx)
    try:
        code = content.decode("utf-8")
    except UnicodeDecodeError:
        raise LoomError(f"{named} is not Python", "it is no text", f"file {named}") from None
    source = named if named != given else f"{named} ({digest_of(content)[:19]})"
    folder = ctx.scratch_dir or ctx.resolve(".")
    return Candidate(source, code, _closed_in(ctx), folder, metric, SECONDS)


def _read(given: str, ctx: ToolContext) -> tuple[str, bytes]:
    """What a solution is called, and its bytes. A pathspec reads as a path of the caller's folder."""
    cwd = Path(ctx.services["cwd"])
    path = Path(given)
    within = path.relative_to(cwd).as_posix() if path.is_relative_to(cwd) else given
    if not path.exists() and _RUN.fullmatch(within):
        facts = ctx.services["runs"].run(within)
        return within, ctx.services["kept"].open(f"{facts.pathspec or within}/{KEPT}").read()
    try:
        place = ctx.resolve_read(path)
        if place.stat().st_size > _MOST:
            raise LoomError(f"{within} is no solution", "it is larger than 1 MB", f"ls -l {within}")
        return within, place.read_bytes()
    except PathRefusedError as error:
        raise LoomError(f"{within} cannot be read", str(error), f"ls -l {within}") from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LoomError(f"{within} cannot be read", why, f"ls -l {within}") from None


def _closed_in(ctx: ToolContext) -> Run:
    """Runs a module of Loom that sees this Python, Loom and one folder; it has no network."""

    def start(argv: Sequence[str], folder: Path, seconds: float) -> Ended:
        if not ctx.permissions.processes:
            raise LoomError("a solution cannot be run here", "this run may start no programs", "loom doctor")
        home = os.path.realpath(folder)
        own = {"PYTHONPATH": import_root(), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        variables = {**environment(), **own, "PATH": search_path(), "HOME": home, "TMPDIR": home}
        policy = Policy(
            minimum=ctx.permissions.sandbox,
            read=(Path(os.path.realpath(import_root())) / "loom",),
            write=(Path(home),),
            processes=True,
            set_env=tuple(variables.items()),
            limits=Limits(wall_s=seconds, output_bytes=4096),
        )
        done = run([sys.executable, "-P", "-m", *argv], policy, cwd=folder)
        return Ended(done.ok, _why(done), done.timed_out)

    return start


def _why(done: Completed) -> str:
    if done.stopped_by == "memory":
        return "it takes more than 4 GB of memory"
    if done.stopped_by is not None:
        return f"it was stopped ({done.stopped_by})"
    if done.signal is not None:
        return f"its process ended by signal {done.signal}"
    return "" if done.ok else f"its process ended with code {done.exit_code}"
