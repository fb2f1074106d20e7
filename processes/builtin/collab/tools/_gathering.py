"""Which runs a bundle is about: the one that was named or those of an experiment, and all that they rest on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from loom.core.commands import command
from loom.core.index import RunFacts, RunIndex
from loom.kernel.errors import LoomError

_OWN = "collab"
_MOST = 1_000
_PLACES = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Subject:
    """Runs in the order of their names, the one that they are about, and what is not there any more."""

    name: str
    """The run or the experiment, as it was asked for."""

    is_run: bool
    runs: tuple[RunFacts, ...]
    gone: tuple[str, ...]
    """What some of them used and nobody knows any more."""

    running: int
    """How many of its runs are no part of it, because they have not ended."""

    @property
    def head(self) -> RunFacts:
        """The run whose verdict counts: the newest validation, else the run that was named, else the newest."""
        judged = [run for run in self.runs if run.verb == "validate" and run.verdict]
        named = [run for run in self.runs if run.name == self.name]
        return max(judged or named or self.runs, key=lambda run: (run.started, _order(run.name)))


def gather(index: RunIndex, run: str | None, experiment: str | None) -> Subject:
    """The runs to share; a LoomError where nothing can be shared."""
    if bool(run) == bool(experiment):
        which = "neither" if not run else "both"
        fix = command("collab", run=run or "ReportFlow/1")
        raise LoomError(f"{which} of --run and --experiment was given", "a bundle is about one of them", fix)
    if run:
        first = index.run(run)
        if first.status == "running":
            raise LoomError(
                f"{first.name} is still running", "a bundle holds what is finished", f"loom show {first.name}"
            )
        if first.verb == _OWN:
            raise LoomError(f"{first.name} is a bundle itself", "a bundle is about other runs", "loom runs")
        start = [first]
    else:
        start = index.runs(experiment=experiment)
        if not any(_is_shared(each) for each in start):
            why = "it has no run that is finished" if start else "no run belongs to it"
            raise LoomError(f"{(experiment or '')[:80]} cannot be shared", why, "loom runs")
    found, gone = _followed(index, [each for each in start if _is_shared(each)])
    runs = tuple(sorted(found, key=lambda each: _order(each.name)))
    running = sum(each.status == "running" for each in start)
    return Subject(
        start[0].name if run else str(experiment),
        bool(run),
        runs,
        tuple(sorted(gone, key=_order)),
        running,
    )


def _followed(index: RunIndex, start: Iterable[RunFacts]) -> tuple[list[RunFacts], list[str]]:
    """The runs and everything that they rest on."""
    found = {each.name: each for each in start}
    pending = [name for each in found.values() for name in each.reads]
    seen, gone = set(found), []
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            run = index.run(name)
        except LoomError:
            gone.append(name)
            continue
        if _is_shared(run) and run.name not in found:
            found[run.name] = run
            pending += run.reads
        if len(found) > _MOST:
            raise LoomError(
                f"more than {_MOST:,} runs would have to be shared",
                "a bundle is meant to be looked at",
                "name one of them: loom collab --run ReportFlow/1",
            )
    return list(found.values()), gone


def _is_shared(run: RunFacts) -> bool:
    return run.status != "running" and run.verb != _OWN


def _order(name: str) -> tuple[str, int, str]:
    """`EdaFlow/9` comes before `EdaFlow/10`."""
    number = _PLACES.search(name.partition("/")[2])
    return name.partition("/")[0], int(number[0]) if number else 0, name
