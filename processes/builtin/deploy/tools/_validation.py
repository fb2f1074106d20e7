"""The validation that a deployment rests on, and the model it kept. Nothing is measured anew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loom.core.commands import command
from loom.core.index import RunFacts, RunIndex
from loom.kernel.errors import LoomError
from loom.science.serving.model import Served
from loom.science.serving.solution import FUNCTIONS, functions_of
from loom.tools.registry import ToolContext

VERB = "validate"
_PATHSPEC = re.compile(r"[A-Za-z]\w*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True, slots=True)
class Found:
    """A validation, or why there is none that counts."""

    asked: str
    facts: RunFacts | None = None
    why_not: str = ""

    @property
    def summary(self) -> Mapping[str, Any]:
        """What it found; nothing where there is none."""
        return {} if self.facts is None else self.facts.summary

    @property
    def reference(self) -> str | None:
        """What to type for it."""
        return None if self.facts is None else self.facts.pathspec or self.facts.name


def validation_of(validate: str | None, solution: str | None, ctx: ToolContext) -> Found:
    """The validation that is named, or the newest one of a solution that came to a verdict."""
    index: RunIndex = ctx.services["runs"]
    if validate is None and solution is None:
        passed = (run.name for run in index.runs() if (run.verb, run.verdict) == (VERB, "PASS"))
        known = next(passed, None)
        fix = command("deploy", validate=known) if known else "loom runs"
        raise LoomError(
            "nobody said what to deploy", "a model is known by its validation or its solution", fix
        )
    if validate is not None:
        found = _named(validate, index)
        if found.facts is not None and solution is not None and not _judged(found.facts, solution, ctx):
            judged = found.summary.get("model_source") or "something else"
            return Found(validate, None, f"{validate} judged {judged}, not {solution}")
        return found
    for run in index.runs():
        if (run.verb, run.status) == (VERB, "ok") and _judged(run, str(solution), ctx):
            return Found(str(solution), run)
    return Found(str(solution), None, f"no validation of {solution} has come to a verdict")


def _judged(run: RunFacts, solution: str, ctx: ToolContext) -> bool:
    """Whether a validation judged a solution: a run by its name wherever it was typed, a file by its place."""
    given = run.inputs.get("solution")
    if given is None:
        return False
    if _PATHSPEC.fullmatch(solution) and run.summary.get("model_source") == solution:
        return True
    here = Path(ctx.services.get("cwd") or Path.cwd())
    return str(given) in (solution, str((here / Path(solution).expanduser()).absolute()))


def _named(reference: str, index: RunIndex) -> Found:
    try:
        run = index.run(reference)
    except LoomError as error:
        return Found(reference, None, f"{error.what}: {error.why}")
    if run.verb != VERB:
        return Found(reference, None, f"{reference} is a run of {run.verb}, not of {VERB}")
    if run.status != "ok":
        ended = "it has not ended yet" if run.status == "running" else f"it ended as {run.status}"
        return Found(reference, None, f"{reference} came to no verdict: {ended}")
    return Found(reference, run)


def model_of(reference: str, ctx: ToolContext) -> Served:
    """The model that a validation kept; a LoomError where it cannot be opened."""
    served = ctx.services["kept"].open(reference).load()
    if not isinstance(served, Served):
        raise LoomError(f"{reference} is no model", "it holds something else", "loom runs")
    return served


def cannot_serve(served: Served) -> str:
    """Why a model cannot answer by itself; empty where it can."""
    if served.solution is not None:
        missing = [name for name in FUNCTIONS if name not in functions_of(served.solution.source)]
        named = " and ".join(f"`{name}`" for name in missing)
        return f"the solution is a plain script: it does not define {named}" if missing else ""
    if not served.members or not all(name in served.members for name in served.weights):
        return "the model was kept without the parts that answer"
    return ""
