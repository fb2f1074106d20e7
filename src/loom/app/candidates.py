"""Makes every candidate of a search a run of its own: its code, what it printed and what it scored can be shown."""

from __future__ import annotations

import importlib
import secrets
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import loom
from loom.app.envelope import Envelope
from loom.app.history import CANDIDATE
from loom.app.kept_files import SOLUTION
from loom.app.run_index import CANDIDATE_FLOW
from loom.app.services import Keeping
from loom.dataio.blobs import BlobStore, DirectoryStore
from loom.dataio.files import FileRef
from loom.flows.run_ids import next_run_id
from loom.runtime.journal import FILE_NAME, Journal
from loom.search.outcome import CandidateFacts
from loom.tools import card

READER = "loom.science.serving.solution:source_of"
OBJECTS = "objects"
_SHOWN, _PRINTED = 100_000, 8_000
_PHASE = {"ok": "accepted", "failed": "rejected", "interrupted": "cancelled"}


@dataclass(frozen=True, slots=True)
class CandidateRuns:
    """Where the candidates of one search are kept: where its own run is."""

    home: Path
    keeping: Keeping
    parent: str
    """Loom's own name of the run that searches."""

    experiment_id: str
    reads: tuple[str, ...]

    def keep(self, candidates: Iterable[CandidateFacts]) -> Iterator[str]:
        """Keep candidates that are settled, in their order; gives the pathspec of each as soon as it has one."""
        path = self.home / FILE_NAME
        store = self._store()
        with closing(Journal(path)) as journal:
            for facts in candidates:
                file = FileRef.put(facts.code.encode(), READER, store)
                envelope = self._envelope(facts)
                pathspec = self._place(facts, file, envelope)
                self._write_down(journal, pathspec, facts, file, envelope)
                yield pathspec

    def _store(self) -> BlobStore:
        if self.keeping == "folder":
            return DirectoryStore(self.home / OBJECTS / "blobs")
        store: BlobStore = importlib.import_module("loom.dataio.metaflow_store").MetaflowStore.of(
            CANDIDATE_FLOW
        )
        return store

    def _place(self, facts: CandidateFacts, file: FileRef, envelope: Envelope) -> str:
        """The pathspec of a candidate, under which all it left can be found."""
        if self.keeping == "folder":
            return f"{CANDIDATE_FLOW}/{next_run_id(self.home / OBJECTS / CANDIDATE_FLOW)}"
        keep_run = importlib.import_module("loom.flows.recording").keep_run
        artifacts = {
            SOLUTION: file,
            "summary": dict(facts.summary),
            "loom_card": {"envelope": envelope.as_json(), "phases": [], "card": _page(facts)},
            "loom_request": self._request(),
        }
        pathspec: str = keep_run(CANDIDATE_FLOW, artifacts, {"stdout": facts.stdout, "stderr": facts.stderr})
        return pathspec

    def _write_down(
        self, journal: Journal, pathspec: str, facts: CandidateFacts, file: FileRef, envelope: Envelope
    ) -> None:
        run = f"run-{secrets.token_hex(5)}"
        document = {
            "request": self._request(),
            "process": {"name": CANDIDATE, "version": loom.__version__},
            "command": CANDIDATE,
            "loom": loom.__version__,
            "reads": list(self.reads),
            "parent": self.parent,
            "pathspec": pathspec,
            "kept": {SOLUTION: file.record()},
            "summary": dict(facts.summary),
            "error": envelope.error,
            "next": [f"loom show {pathspec} --file {SOLUTION}"],
            "card": _page(facts, with_texts=False),  # the script is kept, and what was printed is below
            "phases": [
                {
                    "phase": "candidate",
                    "status": _PHASE[facts.ended],
                    "output": facts.printed[-_PRINTED:],
                }
            ],
        }
        journal.begin(run, CANDIDATE, document, self.experiment_id)
        journal.locate(run, pathspec)
        journal.conclude(run, facts.ended, envelope.verdict)

    def _envelope(self, facts: CandidateFacts) -> Envelope:
        return Envelope(
            CANDIDATE,
            "OK" if facts.ended == "ok" else "FAIL" if facts.ended == "failed" else "ERROR",
            facts.ended == "ok",
            summary=dict(facts.summary),
            ended=facts.ended,
        )

    def _request(self) -> dict[str, Any]:
        return {"experiment_id": self.experiment_id, "inputs": {}}


def _page(facts: CandidateFacts, *, with_texts: bool = True) -> dict[str, Any]:
    """What its page shows: scores, the script, and what it printed."""
    told = facts.summary
    low, high = told["ci"] or (None, None)
    numbers = [
        card.number(f"{told['metric']}, search", told["search"], note=f"folds: {len(told['scores'])}"),
        card.number(
            f"{told['metric']}, sealed",
            "not opened" if told["seal"] is None else told["seal"],
            note=None if low is None or high is None else f"{low:.4g} to {high:.4g}",
        ),
        card.number("made by", told["operator"], note=told["note"] or None),
        card.number("seconds", told["seconds"], note="for one fit with its predictions"),
    ]
    if told["why"]:
        numbers.insert(0, card.number("failed", told["why"].replace("_", " "), tone="bad"))
    texts = code_sections(facts.code, facts.printed) if with_texts else []
    return card.card(numbers=numbers, sections=texts)


def code_sections(script: str, printed: str) -> list[card.Block]:
    """The script of a candidate and what it printed, as its page shows them."""
    shown = [card.code("Script", script[:_SHOWN])]
    return shown + ([card.code("Printed", printed[-_PRINTED:])] if printed.strip() else [])
