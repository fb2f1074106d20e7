"""Runs as they may leave: what is on the list, in its shape, and a count of everything else."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loom.core.index import RunFacts
from loom.kernel.errors import LoomError
from loom.kernel.ids import is_experiment_id
from loom.kernel.redact import redact

from . import _words as words
from ._allowed import INPUTS, REASONS, SUMMARIES
from ._gathering import Subject
from ._ledger import Ledger
from ._nested import keyed
from ._shapes import OUT, At, cleaned, ref, word

Record = dict[str, Any]
_NAMELESS = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What is left of the runs, and what was taken out."""

    about: Mapping[str, str]
    runs: tuple[Record, ...]
    head: str
    """The run whose verdict counts."""

    redactions: Mapping[str, int]


def clean(subject: Subject) -> Cleaned:
    """Every run, less all that is not on the list."""
    ledger = Ledger()
    at = At(ledger, frozenset(run.name for run in subject.runs))
    for _ in range(subject.running):
        ledger.note("runs")
    runs = tuple(_record(run, at) for run in subject.runs)
    for name in subject.gone:
        cleaned(name, ref, at)
    return Cleaned(_about(subject, at), runs, subject.head.name, ledger.counts)


def name_of(about: Mapping[str, str]) -> str:
    """What the bundle is called: by its run or its experiment."""
    return _NAMELESS.sub("-", about.get("run") or about.get("experiment") or "experiment")


def file_of(record: Mapping[str, Any]) -> str:
    """Where a run lies in the bundle."""
    return f"runs/{_NAMELESS.sub('-', str(record['run']))}.json"


def _about(subject: Subject, at: At) -> dict[str, str]:
    if subject.is_run:
        return {"run": subject.name}
    if is_experiment_id(subject.name):
        return {"experiment": subject.name}
    at.ledger.leave(subject.name)
    return {}


def _record(run: RunFacts, at: At) -> Record:
    """One run: what it was asked, how it ended, what it found, and what it used."""
    told = {
        "verb": cleaned(run.verb, word(*words.VERBS), at),
        "status": cleaned(run.status, word(*words.STATUSES), at),
        "verdict": cleaned(run.verdict, word(*words.VERDICTS), at),
        "inputs": cleaned(run.inputs, INPUTS, at),
        "summary": cleaned(run.summary, SUMMARIES.get(run.verb) or keyed(), at),
        "reasons": cleaned(list(run.reasons), REASONS, at),
        "reads": [each for name in run.reads if (each := cleaned(name, ref, at)) is not OUT],
    }
    at.ledger.leave(run.error)
    return {"run": run.name, **{key: value for key, value in told.items() if value is not OUT}}


def digests_of(record: Mapping[str, Any]) -> dict[str, str]:
    """The digests that say what a run was about: its data, its features, the sealed rows, the model."""
    summary = record.get("summary") or {}
    found = {
        "data": summary.get("digest") if record.get("verb") == "ingest" else None,
        "features": summary.get("fingerprint"),
        "holdout": (summary.get("holdout") or {}).get("digest"),
        "model": (summary.get("model") or {}).get("digest"),
        "plan": summary.get("digest") if record.get("verb") == "deploy" else None,
    }
    return {name: each for name, each in found.items() if each}


def json_bytes(value: Any) -> bytes:
    """The same value as the same bytes."""
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False, sort_keys=False) + "\n").encode()


def refuse_if_dirty(files: Mapping[str, bytes], places: Sequence[Path], head: str) -> None:
    """Look at everything once more, as it will leave; a LoomError where a secret or this machine shows."""
    for name, content in files.items():
        text = content.decode()
        found = [str(place) for place in places if len(str(place)) > 1 and str(place) in text]
        if found or redact(text) != text:
            raise LoomError(
                "the bundle is not clean",
                f"{name} still holds {'a place on this machine' if found else 'what looks like a secret'}",
                f"nothing was written; look at what the run says: loom show {shlex.quote(head)} --json",
            )
