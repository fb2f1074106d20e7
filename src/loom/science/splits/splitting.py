"""What a splitting is: folds of row numbers, and why they were made so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Kind = Literal["time+group", "time", "group", "stratified", "kfold"]


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Rows to learn from and rows to test, and how many were left out so that the two share nothing.

    `purged` rows have an interval that reaches into the test block, `embargoed` ones follow it too closely, `kin`
    are of an entity that is tested.
    """

    train: Ints = field(repr=False)
    test: Ints = field(repr=False)
    purged: int = 0
    embargoed: int = 0
    kin: int = 0

    def as_json(self) -> dict[str, int]:
        """The counts of the fold."""
        return {
            "train": len(self.train),
            "test": len(self.test),
            "purged": self.purged,
            "embargoed": self.embargoed,
            "kin": self.kin,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Splitting:
    """Folds that fit the data, with the reason for their kind.

    `horizon` and `embargo` are as a person writes them (`7d`, or a number in the unit of the time column), and none
    where rows have no time. `crowded` says that equal rows could not be kept together, because most rows are equal
    to another. `notes` say where less was possible than was asked for.
    """

    kind: Kind
    why: str
    folds: tuple[Fold, ...]
    horizon: str | float | None = None
    horizon_assumed: bool = False
    embargo: str | float | None = None
    crowded: bool = False
    notes: tuple[str, ...] = ()

    @property
    def n_purged(self) -> int:
        """Rows purged, over all folds."""
        return sum(fold.purged for fold in self.folds)

    @property
    def tested(self) -> Ints:
        """The rows that some fold tests, in order."""
        return np.unique(np.concatenate([fold.test for fold in self.folds]))

    def as_json(self) -> dict[str, Any]:
        """All but the row numbers, as plain data."""
        return {
            "kind": self.kind,
            "why": self.why,
            "horizon": self.horizon,
            "horizon_assumed": self.horizon_assumed,
            "embargo": self.embargo,
            "n_purged": self.n_purged,
            "n_embargoed": sum(fold.embargoed for fold in self.folds),
            "crowded": self.crowded,
            "folds": [fold.as_json() for fold in self.folds],
            "notes": list(self.notes),
        }
