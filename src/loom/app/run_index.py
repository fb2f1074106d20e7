"""What tools may know of other runs: the journal of this home, and behind it the runs that Metaflow keeps."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from loom.app.history import EVERY, Run, open_history
from loom.core.index import RunFacts
from loom.kernel.errors import LoomError

CANDIDATE_FLOW = "EvalCandidate"
FromElsewhere = Callable[[str], RunFacts | None]


@dataclass(frozen=True, slots=True)
class JournalIndex:
    """The runs of one home. A run that asks does not find itself."""

    environ: Mapping[str, str]
    asking: str | None = None
    """Loom's own name of the run that asks."""

    elsewhere: FromElsewhere | None = None
    """Where else a run may be that this home does not know."""

    def runs(
        self, *, flow: str | None = None, experiment: str | None = None, limit: int | None = None
    ) -> list[RunFacts]:
        """The newest first; those of one flow or experiment, where one is named."""
        with open_history(self.environ) as history:
            names = {
                run.record.run_id: run
                for run in history.runs(EVERY, experiment=experiment, candidates=flow == CANDIDATE_FLOW)
            }
        found = (facts_of(run) for name, run in names.items() if name != self.asking)
        wanted = [facts for facts in found if flow is None or facts.flow == flow]
        return wanted if limit is None else wanted[:limit]

    def kept_by(self, pathspec: str) -> Mapping[str, Any]:
        """The records of the files that a run kept, by name; none where there is no such run."""
        with open_history(self.environ) as history:
            try:
                found: Mapping[str, Any] = history.find(pathspec).document.get("kept") or {}
            except LoomError:
                return {}
        return found

    def run(self, pathspec: str) -> RunFacts:
        """One run; a LoomError that names near ones where there is none of that name."""
        with open_history(self.environ) as history:
            try:
                return facts_of(history.find(pathspec))
            except LoomError:
                found = self.elsewhere(pathspec) if self.elsewhere is not None else None
                if found is None:
                    raise
                return found


def facts_of(run: Run) -> RunFacts:
    """What others may know of a run."""
    record, document = run.record, run.document
    request = document.get("request") or {}
    return RunFacts(
        name=run.name,
        verb=record.process,
        status=run.status,
        pathspec=record.pathspec,
        flow=record.pathspec.partition("/")[0] if record.pathspec else None,
        verdict=record.verdict,
        experiment_id=record.experiment_id,
        started=record.started,
        seconds=run.seconds,
        parent=document.get("parent"),
        inputs=request.get("inputs") or {},
        summary=document.get("summary") or {},
        reasons=tuple(document.get("reasons") or ()),
        error=document.get("error"),
        reads=run.reads,
        made={name: value for name, value in _made(document) if value is not None},
    )


def _made(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "loom", document.get("loom")
    yield "process", (document.get("process") or {}).get("version")
    yield "seed", (document.get("request") or {}).get("seed")


def run_index(environ: Mapping[str, str], asking: str | None, keeping: str) -> JournalIndex:
    """The index for the tools of a run: runs that Metaflow keeps are looked up there when the home knows none."""
    return JournalIndex(environ, asking, _kept_by_metaflow if keeping == "metaflow" else None)


def _kept_by_metaflow(pathspec: str) -> RunFacts | None:
    # loading Metaflow takes longer than most answers
    found: Any = importlib.import_module("loom.dataio.metaflow_runs").facts_of_run(pathspec)
    return None if found is None else RunFacts.from_json(found)
