"""The folder that a candidate works from: rows to learn from, rows to predict, and what is asked of it.

`train.parquet` and `test.parquet` are what counts: `train.csv` and `test.csv` hold the same rows for scripts that
want them, but a CSV has no types, so that pandas reads `00501` as a number, `NA` as a missing cell, an empty text as
one too, and dates as text. A folder appears whole or not at all, and nothing in it can be written.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.kernel.errors import LoomError
from loom.science.columns import plain, spelled
from loom.science.metrics import Metric
from loom.science.search.keys import Key, key_of
from loom.science.splits import Fold
from loom.science.validation.problem import Problem

Ints = NDArray[np.int64]

CHECKED_ROWS = 200
_FILE, _FOLDER = 0o444, 0o555
_NONE: Ints = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Given:
    """What all input folders of a search are made from."""

    problem: Problem
    metric: Metric
    secret: bytes
    """Known to the host alone; ids are drawn from it."""

    seed: int = 0
    threads: int = 1
    test: pl.DataFrame | None = None
    """The rows that predictions are wanted for; they may lack the answer and the ids."""

    def with_seed(self, seed: int) -> Given:
        """The same under another seed: other ids, another order, and another seed for the candidate."""
        return replace(self, seed=seed)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Columns of the training rows that the real test rows do not have, and so are no features."""
        if self.test is None or self.problem.transformer is not None:
            return ()
        there = set(self.test.columns)
        return tuple(name for name in self.problem.used if name not in there)

    def key(self, train: Ints, search: Ints, seal: Ints, shuffled: int | None = None) -> Key:
        """The key of a folder, without a folder."""
        problem = self.problem
        learned = hashlib.blake2b(train.tobytes(), digest_size=16).hexdigest()
        return key_of(
            search, seal, 0 if self.test is None else self.test.height, task=problem.task,
            classes=problem.classes, taken=(*self.features, problem.target), secret=self.secret,
            drawn_for=f"{self.seed} {shuffled} {learned}", left_out=self.left_out,
        )  # fmt: skip

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that candidates are given."""
        transformer = self.problem.transformer
        if transformer is not None:
            return transformer.features
        found = tuple(name for name in self.problem.used if name not in self.left_out)
        if not found:
            raise LoomError(
                "there is nothing to learn from",
                "the rows to be predicted have none of the columns that the training rows have",
                "loom datasets",
            )
        return found


def write_inputs(folder: Path, given: Given, fold: Fold, seal: Ints) -> Key:
    """The folder of a fold: learn from its training rows, predict its test, the seal and the real test; and its key.

    A folder that is there already and holds the same is left as it is.
    """
    return _written(folder, given, fold.train, given.key(fold.train, fold.test, seal), None)


def with_shuffled_answers(folder: Path, given: Given, fold: Fold, seal: Ints, *, seed: int = 0) -> Key:
    """The folder of a fold whose training answers stand in the wrong rows: nothing can be learned from it.

    Features that are learned from answers are learned from these.
    """
    return _written(folder, given, fold.train, given.key(fold.train, fold.test, seal, seed), seed)


def write_final(folder: Path, given: Given, train: Ints | None = None) -> Key:
    """The folder of the last fit: all known rows to learn from, and the real test rows to predict.

    Where there are none, some rows that were learned from are predicted, as `search`, so that the fit can be checked.
    """
    rows = given.problem.known if train is None else train
    step = max(1, len(rows) // CHECKED_ROWS)
    checked = rows[::step][:CHECKED_ROWS] if given.test is None else _NONE
    return _written(folder, given, rows, given.key(rows, checked, _NONE), None)


def discard(folder: Path) -> None:
    """Remove a folder that nothing could be written to."""
    if not folder.is_dir():
        return
    folder.chmod(0o755)
    shutil.rmtree(folder)


def _written(folder: Path, given: Given, train: Ints, key: Key, shuffled: int | None) -> Key:
    features = list(given.features)
    asked = json.dumps(_asked(given, key, features), indent=1).encode()
    sample = _sample(key)
    if _is_same(folder, {"ctx.json": asked, "sample_submission.csv": sample}):
        return key
    part = folder.with_name(f"{folder.name}.part")
    for old in (part, folder):
        discard(old)
    part.mkdir(parents=True)
    known, asked_for = _tables(given, train, key, features, shuffled)
    for name, table in (("train", known), ("test", asked_for)):
        _readable(table).write_csv(part / f"{name}.csv")
        _stored(table).write_parquet(part / f"{name}.parquet", compression="lz4", statistics=False)
    (part / "ctx.json").write_bytes(asked)
    (part / "sample_submission.csv").write_bytes(sample)
    for each in part.iterdir():
        each.chmod(_FILE)
    part.rename(folder)
    folder.chmod(_FOLDER)
    return key


def _tables(
    given: Given, train: Ints, key: Key, features: Sequence[str], shuffled: int | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows to learn from with their answers, and those to predict under their ids, in types that agree."""
    problem = given.problem
    answers = problem.train.get_column(problem.target).gather(train)
    if shuffled is not None:
        answers = answers.gather(np.random.default_rng(shuffled).permutation(len(train)))
    own = problem.train[np.concatenate([key.search, key.seal])]
    others = [own] if given.test is None else [own, given.test]
    prepared = problem.prepared(train, others, None if shuffled is None else answers)
    columns, rows = [], []
    for name in features:
        parts = [_cells(each.get_column(name)) for each in (prepared.train, *prepared.others)]
        parts = _agreed(parts)
        columns.append(parts[0])
        rows.append(pl.concat(parts[1:]).gather(key.order))
    answer = _cells(answers).alias(problem.target)
    return pl.DataFrame([*columns, answer]), pl.DataFrame([pl.Series(key.id, key.ids, pl.String), *rows])


def _cells(column: pl.Series) -> pl.Series:
    """A column in a type that files keep: as a solution is given it wherever it is used."""
    return spelled(plain(column.to_frame()).to_series())


def _agreed(parts: list[pl.Series]) -> list[pl.Series]:
    """The parts of a column in one type; where they differ, the number, the moment or the text that all can be."""
    types = {part.dtype for part in parts if part.dtype != pl.Null}
    if len(types) < 2:
        wanted = next(iter(types), pl.Null())
    elif all(each.is_numeric() or each == pl.Boolean for each in types):
        whole = all(each.is_integer() for each in types)
        wanted = pl.Int64() if whole and pl.UInt64 not in types else pl.Float64()
    elif all(each == pl.Date or isinstance(each, pl.Datetime) for each in types):
        return [part.cast(pl.Datetime("us")) for part in parts]
    else:
        wanted = pl.String()
    return [part.cast(wanted) for part in parts]


def _readable(table: pl.DataFrame) -> pl.DataFrame:
    """What a CSV can hold: lengths of time as seconds."""
    lengths = [column for column in table if column.dtype == pl.Duration]
    return table.with_columns(
        [(column.dt.total_microseconds() / 1e6).alias(column.name) for column in lengths]
    )


def _stored(table: pl.DataFrame) -> pl.DataFrame:
    """What pandas reads as moments; plain dates it would take for objects."""
    days = [column for column in table if column.dtype == pl.Date]
    return table.with_columns([column.cast(pl.Datetime("ms")) for column in days])


def _asked(given: Given, key: Key, features: Sequence[str]) -> Mapping[str, Any]:
    problem = given.problem
    there = set(features)
    return {
        "target": problem.target,
        "task": problem.task,
        "classes": list(problem.classes),
        "features": list(features),
        "metric": given.metric.name,
        "direction": given.metric.direction,
        "seed": given.seed,
        "threads": given.threads,
        "time": [name for name in problem.time if name in there],
        "group": problem.group if problem.group in there else None,
        "id": key.id,
    }


def _sample(key: Key) -> bytes:
    """A submission that says the same of every row."""
    columns = {name: pl.repeat(key.sample, key.rows, eager=True, dtype=pl.Float64) for name in key.columns}
    return pl.DataFrame({key.id: pl.Series(key.ids, dtype=pl.String), **columns}).write_csv().encode()


def _is_same(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Whether a folder is there, whole, for the same key and under the same orders."""
    if not folder.is_dir() or folder.is_symlink():
        return False
    try:
        return all((folder / name).read_bytes() == content for name, content in files.items())
    except OSError:
        return False
