"""What an eda run found about leaks. A run that cannot be used is an error, never the same as no run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loom.core.commands import command
from loom.core.index import RunFacts, RunIndex
from loom.kernel.errors import LoomError
from loom.tools.registry import ToolContext

VERB = "eda"
FLOW = "EdaFlow"


@dataclass(frozen=True, slots=True)
class Findings:
    """The data object and the target that a run looked at, the columns it flagged, and those it only suspects."""

    run: str
    dataset: str
    target: str | None
    flags: tuple[Mapping[str, Any], ...]
    suspects: tuple[Mapping[str, Any], ...]


def findings_of(run: str | None, dataset: str, target: str | None, ctx: ToolContext) -> Findings | None:
    """The findings of a run, none where no run is named; one that found nothing out is a LoomError."""
    if run is None:
        return None
    again = command(VERB, dataset=dataset, target=target)
    index: RunIndex = ctx.services["runs"]
    try:
        facts = index.run(run)
    except LoomError as error:
        raise LoomError(f"--from {run}: {error.what}", error.why, again) from None
    if facts.verb != VERB:
        raise LoomError(f"--from {run} is no eda run", f"it is a run of {facts.verb}", again)
    if facts.status != "ok":
        ended = "it has not ended yet" if facts.status == "running" else f"it ended as {facts.status}"
        raise LoomError(f"--from {run} found nothing out", ended, again)
    found = _read(facts)
    if found is None:
        raise LoomError(f"the findings of {run} cannot be read", "they are not those of an eda run", again)
    return found


def earlier(dataset: str, target: str | None, ctx: ToolContext) -> str | None:
    """The newest eda run that looked at this data object and this target."""
    for facts in ctx.services["runs"].runs(flow=FLOW):
        if facts.verb == VERB and facts.status == "ok" and facts.pathspec:
            found = _read(facts)
            if found is not None and (found.dataset, found.target) == (dataset, target):
                return str(facts.pathspec)
    return None


def _read(facts: RunFacts) -> Findings | None:
    """What the summary tells; None where it is not the summary of an eda."""
    told = facts.summary
    dataset, target = told.get("dataset_ref"), told.get("target")
    lists = [told.get("leakage_flags"), told.get("leakage_suspects")]
    named = target.get("name") if isinstance(target, Mapping) else None
    if not isinstance(dataset, str) or not (target is None or isinstance(named, str)):
        return None
    if not all(isinstance(found, list) and all(map(_is_finding, found)) for found in lists):
        return None
    # what is said of the table as a whole names no column
    flags, suspects = (tuple(one for one in found or () if one["column"] is not None) for found in lists)
    return Findings(facts.pathspec or facts.name, dataset, named, flags, suspects)


def _is_finding(one: object) -> bool:
    return (
        isinstance(one, Mapping)
        and isinstance(one.get("column"), str | None)
        and "column" in one
        and isinstance(one.get("reason"), str)
    )
