"""Which opaque id stands for which row: known to the host, and told by nothing that a candidate sees.

Ids and their order are drawn from a stream of SHAKE-256 that begins with a secret of the search. Neither the place of
a row nor its id says where it comes from, and the same secret gives the same key again, so that none has to be kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from loom.science.columns import distinct_names
from loom.science.targets import Task

Ints = NDArray[np.int64]

ID = "row_id"
PREDICTION = "prediction"
_SIGNS = 16


@dataclass(frozen=True, eq=False)
class Key:
    """What stands behind the rows of one `test.csv`: rows that steer the search, sealed ones, and those to be predicted.

    `search` and `seal` are row numbers of the training table, `test` counts the real test rows, which keep the order
    in which they came. `order` has, for each row of the file, its place among search, seal and test in a row.
    """

    id: str
    columns: tuple[str, ...]
    """The columns of a submission behind the id: one, or one for each class."""

    task: Task
    classes: tuple[str, ...]
    search: Ints = field(repr=False)
    seal: Ints = field(repr=False)
    test: int
    ids: tuple[str, ...] = field(repr=False)
    order: Ints = field(repr=False)
    left_out: tuple[str, ...] = ()
    """Columns that the real test rows do not have, so that nobody is given them."""

    @property
    def rows(self) -> int:
        """How many rows are to be predicted."""
        return len(self.ids)

    @cached_property
    def sample(self) -> float:
        """What the sample submission says of every row."""
        if self.task == "regression":
            return 0.0
        return 0.5 if self.task == "binary" else 1 / len(self.columns)


def key_of(
    search: Ints, seal: Ints, test: int, *, task: Task, classes: tuple[str, ...], taken: tuple[str, ...],
    secret: bytes, drawn_for: str, left_out: tuple[str, ...] = (),
) -> Key:  # fmt: skip
    """The key of some rows; `taken` are names of columns that the id may not have.

    Whatever it is `drawn_for` besides these rows makes it another one.
    """
    columns = classes if task == "multiclass" else (PREDICTION,)
    name = distinct_names([*taken, *columns, ID])[-1]
    rows = len(search) + len(seal) + test
    told = hashlib.blake2b(digest_size=32)
    for part in (secret, drawn_for.encode(), search.tobytes(), seal.tobytes(), str(test).encode()):
        told.update(len(part).to_bytes(8, "little") + part)
    order = np.argsort(_stream(told.digest() + b"order", rows), kind="stable").astype(np.int64)
    again = 0
    while True:
        text = _bytes(told.digest() + b"ids%d" % again, rows).hex()
        # a letter first, or a column of ids might be taken for one of numbers
        ids = tuple(f"r{text[at : at + _SIGNS]}" for at in range(0, _SIGNS * rows, _SIGNS))
        if len(set(ids)) == rows:
            return Key(name, columns, task, classes, search, seal, test, ids, order, left_out)
        again += 1


def _bytes(begin: bytes, count: int) -> bytes:
    return hashlib.shake_256(begin).digest(8 * count)


def _stream(begin: bytes, count: int) -> NDArray[np.uint64]:
    return np.frombuffer(_bytes(begin, count), "<u8").astype(np.uint64)
