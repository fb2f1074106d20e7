"""What a search has done so far, on disk: killed at any moment, it goes on with the same tree and tries nothing twice."""

from __future__ import annotations

import fcntl
import io
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError
from loom.runtime.database import Database
from loom.science.search.nodes import Again, Node, Proposal, Step, Trial, Try

Floats = npt.NDArray[np.float64]

FILE_NAME = "search.db"
FORMAT = 1
_SAID = "said"
_LOCK = "lock"
_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE steps (number INTEGER PRIMARY KEY, node INTEGER NOT NULL, folds TEXT NOT NULL, proposal TEXT);
CREATE TABLE trials (node INTEGER NOT NULL, fold INTEGER NOT NULL, trial TEXT NOT NULL, PRIMARY KEY (node, fold))
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken: the node it is about, and the folds it is to be tried on."""

    number: int
    node: int
    folds: tuple[int, ...]
    proposal: Proposal | None
    """Of a step that made the node; none of one that tries it further."""


class SearchJournal:
    """The steps of one search and what came of them, in a folder that only its host may read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._db = Database(folder / FILE_NAME, _SCHEMA, FORMAT)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    # facts

    def fact(self, name: str) -> Any:
        """Something that was written down once; none where it was not."""
        rows = self._db.rows("SELECT value FROM facts WHERE name = ?", name)
        return json.loads(rows[0][0]) if rows else None

    def state(self, name: str, value: Any) -> None:
        """Write a fact down, in place of what stood there."""
        self._db.write("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, json.dumps(value, allow_nan=False))

    def secret(self) -> str:
        """What nobody else can guess: opaque ids are made of it. The same one for the whole search."""
        known = self.fact("secret")
        if known is None:
            known = secrets.token_hex(16)
            self.state("secret", known)
        return str(known)

    # steps

    def steps(self) -> tuple[Taken, ...]:
        """The steps in the order in which they were taken."""
        rows = self._db.rows("SELECT number, node, folds, proposal FROM steps ORDER BY number")
        return tuple(
            Taken(
                number, node, tuple(json.loads(folds)), Proposal.from_json(json.loads(told)) if told else None
            )
            for number, node, folds, told in rows
        )

    def take(self, number: int, step: Step, node: int) -> Taken:
        """Write a step down before anything of it is carried out."""
        proposal = step.proposal if isinstance(step, Try) else None
        folds = (step.fold,) if isinstance(step, Again) else step.folds
        told = None if proposal is None else json.dumps(proposal.as_json(), allow_nan=False)
        self._db.write("INSERT INTO steps VALUES (?, ?, ?, ?)", number, node, json.dumps(list(folds)), told)
        return Taken(number, node, folds, proposal)

    # trials

    def trials(self) -> tuple[Trial, ...]:
        """Every trial that is over."""
        rows = self._db.rows("SELECT trial FROM trials ORDER BY node, fold")
        return tuple(Trial(**json.loads(trial)) for (trial,) in rows)

    def keep(self, trial: Trial, said: Mapping[str, Floats] | None, spent: float) -> None:
        """Write down what came of a trial, what it predicted first; `spent` is the time used up so far."""
        if said is not None:
            whole = io.BytesIO()
            np.savez(whole, **dict(said.items()))  # type: ignore[arg-type]
            write_atomically(self._said(trial.node, trial.fold), whole.getvalue())
        with self._db.transaction():
            told = json.dumps(trial.as_json(), allow_nan=False)
            self._db.write("INSERT OR REPLACE INTO trials VALUES (?, ?, ?)", trial.node, trial.fold, told)
            self.state("spent", spent)

    def said(self, node: int, fold: int) -> dict[str, Floats]:
        """What a trial predicted, by part."""
        with np.load(self._said(node, fold), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    @property
    def spent(self) -> float:
        """The seconds of the budget that are used up."""
        return float(self.fact("spent") or 0.0)

    def _said(self, node: int, fold: int) -> Path:
        folder = self.folder / _SAID
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{node}-{fold}.npz"


def nodes_of(steps: tuple[Taken, ...], trials: tuple[Trial, ...]) -> tuple[Node, ...]:
    """The tree that steps and their trials make."""
    by_node: dict[int, list[Trial]] = {}
    for trial in trials:
        by_node.setdefault(trial.node, []).append(trial)
    return tuple(
        Node(taken.node, taken.proposal, tuple(by_node.get(taken.node, ())))
        for taken in steps
        if taken.proposal is not None
    )


@contextmanager
def held(folder: Path, named: str) -> Iterator[None]:
    """Within it no other process works on the search; LoomError where one does."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LoomError(
                f"the search of {named} is under way", "another process carries it out", "loom runs"
            ) from None
        yield
    finally:
        os.close(handle)
