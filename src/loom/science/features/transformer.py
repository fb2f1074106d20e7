"""Fitted features as a thing of their own: applied to any rows, refitted on others, written to bytes and read again.

The bytes are a NumPy archive: one JSON text and plain arrays. Reading them never runs anything.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from loom.kernel.errors import LoomError
from loom.science.binning import Floats, Ints, numbers
from loom.science.columns import Columns, Source, columns_of
from loom.science.features.fingerprint import row_words, spread
from loom.science.features.levels import FOLDS, as_text
from loom.science.features.operations import HUGE, OPERATIONS, Answers, Step
from loom.science.reading import Reading
from loom.science.twins import Words, nth_of_its_kind

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Transformer:
    """What `features` learned from the training part: steps in order, and what a training row's fold depends on.

    `inputs` are the columns that tell rows apart, `keep` those that are passed through where they are there. Text
    is read as dates in the ways it was `written`, or as numbers where none is named. Rows that are equal are in one
    fold, unless the table is `crowded` with equal rows; entities are, where `group` is set.
    """

    steps: tuple[Step, ...]
    recipe: str
    target: str
    task: str
    classes: tuple[str, ...]
    inputs: tuple[str, ...]
    keep: tuple[str, ...]
    group: str | None
    written: Mapping[str, tuple[str, ...]]
    crowded: bool
    seed: int
    fingerprint: str

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features, in order."""
        return tuple(name for step in self.steps for name in step.names)

    @property
    def created(self) -> tuple[dict[str, Any], ...]:
        """Each feature: its name, the columns it comes from, the operation, and whether anything was learned."""
        return tuple(
            {"name": name, "from": list(step.source), "op": step.op, "stateful": step.stateful}
            for step in self.steps
            for name in step.names
        )

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns without which the features cannot be made."""
        return tuple(dict.fromkeys(name for step in self.steps for name in step.source))

    def transform(self, frame: Source, *, training: bool = False) -> pl.DataFrame:
        """The features of any rows, and the columns passed through; `training` says they are the rows it was fitted on.

        Training rows get their encodings of the target out of fold; all others get what all training rows taught.
        """
        table = columns_of(frame)
        _demand(table, self.reads)
        folds = self._folds(table) if training else None
        return self._frame(
            table, {place: self.steps[place].apply(columns, folds) for place, columns in self._fed(table)}
        )

    def refit(self, train: Source) -> Transformer:
        """The same features learned anew from other rows: what a fold of a validation needs."""
        table = columns_of(train)
        answers = self._answers(table, None)
        fitted = {place: self.steps[place].fitted(columns, answers) for place, columns in self._fed(table)}
        return replace(self, steps=tuple(fitted[place] for place in range(len(fitted))))

    def learn(self, train: Source, words: Words | None = None) -> tuple[Transformer, pl.DataFrame]:
        """`refit`, and `transform` of the same rows, in one pass; the words of the rows, where they are known already."""
        table = columns_of(train)
        answers = self._answers(table, words)
        fitted, made = {}, {}
        for place, columns in self._fed(table):
            step = fitted[place] = self.steps[place].fitted(columns, answers)
            made[place] = step.apply(columns, answers.folds)
        return replace(self, steps=tuple(fitted[at] for at in range(len(fitted)))), self._frame(table, made)

    def _frame(self, table: Columns, made: Mapping[int, list[pl.Series]]) -> pl.DataFrame:
        """The features in their order, then the columns passed through."""
        kept = table.each([name for name in self.keep if name in table.names])
        every = [*(series for place in range(len(made)) for series in made[place]), *kept]
        return pl.DataFrame({series.name: series for series in every})

    @property
    def _encodes(self) -> bool:
        """Whether a step takes the answers of other rows, out of fold; no other one needs to know of folds."""
        return any(step.op == "target_encode" for step in self.steps)

    def _read(self, table: Columns, names: Sequence[str]) -> Iterator[pl.Series]:
        for column in table.each(names):
            yield _as_written(column, self.written.get(column.name))

    def _fed(self, table: Columns) -> Iterator[tuple[int, list[pl.Series]]]:
        """Each step by its place with the columns it reads, so that no column is read for one step alone.

        Steps that read several columns come last; recipes make them of a few columns only, which are held at once.
        """
        alone: dict[str, list[int]] = defaultdict(list)
        several = [place for place, step in enumerate(self.steps) if len(step.source) > 1]
        for place in sorted(set(range(len(self.steps))).difference(several)):
            alone[self.steps[place].source[0]].append(place)
        for column in self._read(table, list(alone)):
            yield from ((place, [column]) for place in alone[column.name])
        named = dict.fromkeys(name for place in several for name in self.steps[place].source)
        held = {column.name: column for column in self._read(table, list(named))}
        yield from ((place, [held[name] for name in self.steps[place].source]) for place in several)

    def _answers(self, table: Columns, words: Words | None) -> Answers:
        _demand(table, (*self.reads, self.target))
        column, folds = next(self._read(table, [self.target])), self._folds(table, words)
        if self.task == "regression":
            values = numbers(column)[:, None]
            known = np.isfinite(values[:, 0])
            return Answers(np.where(np.isfinite(values), np.clip(values, -HUGE, HUGE), 0.0), known, folds)
        labels = as_text(column)
        flags: Floats = np.column_stack(
            [(labels == label).to_numpy().astype(np.float64) for label in self.classes]
        )
        return Answers(flags, column.alias("cells").is_not_null().to_numpy(), folds)

    def _folds(self, table: Columns, words: Words | None = None) -> Ints:
        """The fold of each row, from its content alone, so that neither order nor machine matters."""
        if self.group is not None:
            words = row_words(table.each([self.group]), table.rows)
        else:
            there = set(table.names)
            if words is None:
                words = row_words(table.each([name for name in self.inputs if name in there]), table.rows)
            if self.crowded:
                words = spread(words + nth_of_its_kind(words))
        salted = spread(words ^ np.uint64(self.seed))
        folds: Ints = (salted % np.uint64(FOLDS)).astype(np.int64)
        return folds

    def to_bytes(self) -> bytes:
        """The transformer as bytes that hold only data; equal transformers give equal bytes."""
        arrays: dict[str, Any] = {}
        steps = []
        for place, step in enumerate(self.steps):
            state = dict(step.state)
            for key, value in step.state.items():
                if isinstance(value, np.ndarray):
                    arrays[f"{place}.{key}"] = state.pop(key)
            steps.append(
                {
                    "op": step.op,
                    "source": step.source,
                    "names": step.names,
                    "options": dict(step.options),
                    "state": state,
                }
            )
        facts = {field: getattr(self, field) for field in (*_FIELDS, "written")}
        spelled = json.dumps({"format": FORMAT, "steps": steps, **facts}, sort_keys=True, allow_nan=False)
        stream = io.BytesIO()
        np.savez_compressed(stream, transformer=np.frombuffer(spelled.encode(), np.uint8), **arrays)
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Transformer:
        """The transformer that was written; anything else is refused."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                facts = json.loads(archive["transformer"].tobytes())
                arrays = {name: archive[name] for name in archive.files if name != "transformer"}
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise _unreadable(f"it is not an archive of fitted features ({type(error).__name__})") from error
        if facts.get("format") != FORMAT or any(step["op"] not in OPERATIONS for step in facts["steps"]):
            raise _unreadable("it was written by another version of Loom")
        steps = tuple(
            Step(one["op"], tuple(one["source"]), tuple(one["names"]), one["options"], one["state"] | _of_step(place, arrays))
            for place, one in enumerate(facts["steps"])
        )  # fmt: skip
        known: dict[str, Any] = {
            field: tuple(facts[field]) if isinstance(facts[field], list) else facts[field]
            for field in _FIELDS
        }
        ways = {name: tuple(ways) for name, ways in facts["written"].items()}
        return cls(steps=steps, written=ways, **known)


_FIELDS = ("recipe", "target", "task", "classes", "inputs", "keep", "group", "crowded", "seed", "fingerprint")


def _of_step(place: int, arrays: Mapping[str, Any]) -> dict[str, Any]:
    prefix = f"{place}."
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def written(readings: Mapping[str, Reading]) -> dict[str, tuple[str, ...]]:
    """Of the columns whose text is read as something else, the ways their dates are written; none for numbers."""
    return {name: one.ways for name, one in readings.items() if one.numbers or one.ways}


def _as_written(column: pl.Series, ways: tuple[str, ...] | None) -> pl.Series:
    if ways is None:
        return Reading("text").of(column)
    return Reading("date" if ways else "numeric", numbers=not ways, ways=ways).of(column)


def _demand(table: Columns, names: Sequence[str]) -> None:
    there = set(table.names)
    missing = [name for name in names if name not in there]
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise LoomError(
            f"the data has no column `{missing[0]}`{others}",
            "the features were built from it",
            "give data with the columns the features were built from, or build them anew with loom features",
        )


def _unreadable(why: str) -> LoomError:
    return LoomError("the fitted features cannot be read", why, "build them again with loom features")
