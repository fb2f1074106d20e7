"""What was run here: the journal read back, for people and for machines."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from loom.kernel.diagnostics import suggest
from loom.kernel.errors import LoomError
from loom.runtime.journal import FILE_NAME, Journal, RunRecord
from loom.runtime.owner import is_alive
from loom.settings.layers import loom_home

EVENT_VERSION = 1
SCHEMA_VERSION = 1
EVERY = 1_000_000_000
CANDIDATE = "eval-candidate"
"""The verb of runs that a search makes of what it tried."""

NEAR = 5
COMPLETED = 200
# what a phase gave is for the phases after it; what it said is for `logs`
_LEFT_OUT = ("data", "output", "summary", "verdict", "items")
# whoever holds these of a run may act for it
_SECRET = ("clearance", "grant")


@dataclass(frozen=True)
class Run:
    """One run of the journal, with what follows from its record."""

    record: RunRecord
    now: float

    @property
    def name(self) -> str:
        """What to type to mean it."""
        return self.record.pathspec or self.record.run_id

    @property
    def document(self) -> Mapping[str, Any]:
        """What the run itself wrote down."""
        return self.record.document

    @cached_property
    def is_running(self) -> bool:
        """Whether a process carries it out right now."""
        return self.record.status == "running" and is_alive(self.document.get("owner") or {})

    @property
    def status(self) -> str:
        """How it stands: a run whose process is gone was interrupted, whatever it could write down."""
        is_gone = self.record.status == "running" and not self.is_running
        return "interrupted" if is_gone else self.record.status

    @property
    def seconds(self) -> float | None:
        """How long it took, so far or until it was last heard of; None where it was never heard of again."""
        record = self.record
        end = record.finished or (self.now if self.is_running else record.heartbeat)
        return round(end - record.started, 3) if end > record.started else None

    @property
    def reads(self) -> tuple[str, ...]:
        """The runs whose results it used, by pathspec."""
        return tuple(str(each) for each in self.document.get("reads") or ())

    @property
    def folder(self) -> Path | None:
        """Its own folder, if it has one."""
        return Path(self.document["folder"]) if self.document.get("folder") else None

    def as_json(self) -> dict[str, Any]:
        """The run in a list."""
        record = self.record
        return {
            "run": record.run_id,
            "pathspec": record.pathspec,
            "verb": record.process,
            "experiment_id": record.experiment_id,
            "status": self.status,
            "verdict": record.verdict,
            "started": moment(record.started),
            "finished": moment(record.finished) if record.finished else None,
            "seconds": self.seconds,
            "parent": self.document.get("parent"),
        }

    def in_full(self) -> dict[str, Any]:
        """What ran, on what, under which policy, and what came of it."""
        document = self.document
        request = _without(document.get("request") or {}, _SECRET)
        phases = [_without(phase, _LEFT_OUT) for phase in document.get("phases") or ()]
        about = {key: document.get(key) for key in ("process", "loom", "tier", "plan", "folder", "card_path")}
        answer = {key: document.get(key) for key in ("summary", "error", "card")}
        lists = {key: list(document.get(key) or ()) for key in ("reads", "reasons", "next")}
        head = {"schema_version": SCHEMA_VERSION, **self.as_json(), **about}
        return {**head, "request": request, "phases": phases, **answer, **lists}


@dataclass(frozen=True)
class Lineage:
    """How runs follow from each other: what each used, and what used it."""

    runs: Mapping[str, Run]
    """By the name that is typed for it."""

    def above(self, name: str) -> list[str]:
        """What a run used."""
        return list(self.runs[name].reads) if name in self.runs else []

    def below(self, name: str) -> list[str]:
        """What used a run, oldest first."""
        return [other for other, run in self.runs.items() if name in run.reads and other != name]

    def told(self, name: str) -> dict[str, Any]:
        """What is known of a run, in a line."""
        run = self.runs.get(name)
        return {
            "run": name,
            "verb": run.record.process if run else None,
            "status": run.status if run else None,
            "verdict": run.record.verdict if run else None,
            "experiment_id": run.record.experiment_id if run else None,
        }

    def as_json(self, name: str) -> dict[str, Any]:
        """Everything before and after a run; `of` says which run each is next to."""
        return {"upstream": self._walk(name, self.above), "downstream": self._walk(name, self.below)}

    def _walk(self, name: str, step: Callable[[str], list[str]]) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        pending = [(each, name) for each in step(name)]
        for each, beside in pending:
            if each in found:
                found[each]["of"].append(beside)
            elif each != name:
                found[each] = {**self.told(each), "of": [beside]}
                pending += [(further, each) for further in step(each)]
        return list(found.values())


class History:
    """The journal of one home, for reading. Where nothing was run yet there is none, and it stays so."""

    def __init__(self, journal: Journal | None, home: Path, clock: Callable[[], float] = time.time) -> None:
        self.journal = journal
        self.home = home
        self._clock = clock

    def runs(
        self,
        limit: int = EVERY,
        verb: str | None = None,
        experiment: str | None = None,
        *,
        candidates: bool = False,
    ) -> list[Run]:
        """The latest runs, newest first; a search has hundreds of candidates, which are listed only on demand."""
        if self.journal is None:
            return []
        now, without = self._clock(), None if candidates or verb == CANDIDATE else CANDIDATE
        return [Run(record, now) for record in self.journal.runs(limit, verb, experiment, without)]

    def find(self, reference: str) -> Run:
        """The run that a pathspec, a run's own name or `last` means; a LoomError that names near ones."""
        wanted = reference.strip()
        if wanted == "last":
            # a run within another is never what somebody did last
            mine = next((run for run in self.runs() if not run.document.get("parent")), None)
            if mine is None:
                raise LoomError("there is no last run", "nothing was run here yet", "loom verbs")
            return mine
        # the address of a step or of an artifact is also one of its run
        for name in dict.fromkeys((wanted, "/".join(wanted.split("/")[:2]))):
            try:
                if self.journal is not None:
                    return Run(self.journal.find(name), self._clock())
            except KeyError:
                continue
        raise self._unknown(wanted)

    def lineage(self) -> Lineage:
        """How all runs follow from each other."""
        return Lineage({run.name: run for run in reversed(self.runs())})

    def events(self, run: Run) -> Iterator[dict[str, Any]]:
        """The events of a run as they were told while it went on."""
        assert self.journal is not None  # the run came from there
        for event in self.journal.events(run.record.run_id):
            at = moment(event.at)
            head = {"schema_version": EVENT_VERSION, "seq": event.seq, "at": at, "run": event.run_id}
            yield {**head, "kind": event.kind, **event.body}

    def said(self, run: Run) -> dict[str, str]:
        """What each phase of a run said, as far as it was kept."""
        phases = list(run.document.get("phases") or ())
        if not phases and run.folder is not None:
            phases = list(_outcomes_in(run.folder / "tasks"))
        return {str(phase.get("phase")): str(phase.get("output") or "") for phase in phases}

    def completions(self, kind: Literal["pathspec", "experiment"]) -> list[tuple[str, str]]:
        """Names that may be typed, each with what it is; newest first."""
        found: dict[str, str] = {}
        for run in self.runs(COMPLETED):
            name = run.record.pathspec if kind == "pathspec" else run.record.experiment_id
            if name:
                found.setdefault(name, f"{run.record.process} {run.record.verdict or run.status}")
        return list(found.items())

    def _unknown(self, wanted: str) -> LoomError:
        runs = self.runs(COMPLETED)
        names = {name: run.name for run in runs for name in (run.record.run_id, run.record.pathspec) if name}
        meant = suggest(wanted, names)
        flow = wanted.partition("/")[0]
        same_flow = [run.name for run in runs if (run.record.pathspec or "").partition("/")[0] == flow]
        near = [*([names[meant]] if meant else []), *same_flow, *(run.name for run in runs)]
        near = list(dict.fromkeys(near))[:NEAR]
        why = f"there are {', '.join(near)}" if near else "nothing was run here yet"
        shown = wanted if len(wanted) <= 80 else wanted[:79] + "…"
        fix = f"loom show {shlex.quote(near[0])}" if meant else "loom runs" if near else "loom verbs"
        return LoomError(f"no run is called {shown}", why, fix)


@contextmanager
def open_history(environ: Mapping[str, str], clock: Callable[[], float] = time.time) -> Iterator[History]:
    """The history of the home that is in force; creates nothing."""
    home = loom_home(environ)
    path = home / FILE_NAME
    journal = Journal(path) if path.is_file() else None
    try:
        yield History(journal, home, clock)
    finally:
        if journal is not None:
            journal.close()


def moment(seconds: float) -> str:
    """A point in time as text that sorts."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _without(data: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in keys}


def _outcomes_in(folder: Path) -> Iterator[Mapping[str, Any]]:
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            stored = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue  # a log with a gap is better than none
        outcome = stored.get("outcome") if isinstance(stored, dict) else None
        if isinstance(outcome, dict):
            yield outcome
