"""The champion's predictions in the form that was asked for: columns and rows of a sample submission, or a plain one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.kernel.errors import LoomError
from loom.science.columns import plain, spelled
from loom.science.metrics import Metric
from loom.science.search.marking import settled
from loom.science.validation.problem import Problem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Says = Literal["value", "probability", "label", "classes"]

_BETWEEN = re.compile(r"[\W_]+")


@dataclass(frozen=True, eq=False)
class Form:
    """How predictions are written: what names the rows, what is said of them, and in which order.

    `says` is a value, the probability of the second class, a label, or one column per class. `rows` are places in the
    real test rows, and `words` the classes as labels are written. `notes` say where a sample could not be followed.
    """

    problem: Problem
    metric: Metric
    names: pl.DataFrame = field(repr=False)
    columns: tuple[str, ...]
    says: Says
    rows: Ints = field(repr=False)
    words: tuple[str, ...] = ()
    places: tuple[int, ...] = ()
    """Which class each column is of, where there is one for each."""

    notes: tuple[str, ...] = ()

    def filled(self, said: Floats) -> bytes:
        """The predictions of the real test rows, in the order of these, as a CSV in this form."""
        if len(said) != len(self.rows):
            raise LoomError(
                "the submission cannot be written",
                f"there are {len(said):,} predictions for {len(self.rows):,} rows",
                "loom run --resume",
            )
        return pl.DataFrame([*self.names, *self._columns(said[self.rows])]).write_csv().encode()

    def _columns(self, said: Floats) -> list[pl.Series]:
        first = self.columns[0]
        if self.says == "value":
            return [pl.Series(first, self._amounts(said))]
        shares = said if said.ndim == 2 else np.column_stack([1 - said, said])
        if self.says == "classes":
            return [
                pl.Series(name, shares[:, at]) for name, at in zip(self.columns, self.places, strict=True)
            ]
        if self.says == "probability":
            return [pl.Series(first, shares[:, 1])]
        # of two, the second one from one half on, as metrics take it
        codes = (shares[:, 1] >= 0.5).astype(np.int64) if shares.shape[1] == 2 else shares.argmax(1)
        return [pl.Series(first, self.words, pl.String).gather(codes)]

    def _amounts(self, said: Floats) -> Floats:
        found = settled(self.metric, said)
        if self.metric.name != "qwk":
            return found
        known = self.problem.answers
        return np.clip(np.rint(found), known.min(), known.max())


def form_of(problem: Problem, metric: Metric, test: pl.DataFrame, sample: pl.DataFrame | None = None) -> Form:
    """The form of a sample submission: its columns, and its order of rows where it names the same ones.

    Whether a single column of two classes holds probabilities or labels is seen by the sample's values where these
    leave no doubt, and else by what the metric needs. Without a sample, or with one that fits nothing, rows are named
    by their ids, or numbered from 0.
    """
    if sample is None or not sample.width:
        return _plain_form(problem, metric, test, ())
    sample = plain(sample)
    ids = [name for name in sample.columns if name in test.columns and name != problem.target]
    said = [name for name in sample.columns if name not in ids]
    if not ids and len(said) > 1 and sample.height == test.height:
        # a first column that test does not have names the rows, too
        ids, said = said[:1], said[1:]
    if not said:
        return _plain_form(problem, metric, test, ("the sample submission has no column to predict",))
    rows, names, notes = _named(sample, test, ids)
    if problem.task == "regression" or len(said) == 1:
        if len(said) > 1:
            why = f"the sample submission has {len(said)} columns for one amount"
            return _plain_form(problem, metric, test, (why,))
        says = _says(problem, metric, sample.get_column(said[0]))
        words = _as_in(problem.classes, sample.get_column(said[0]))
        return Form(problem, metric, names, (said[0],), says, rows, words, notes=notes)
    places = _classes_of(said, problem)
    if places is None:
        why = "the columns of the sample submission are not the classes"
        return _plain_form(problem, metric, test, (why,))
    return Form(problem, metric, names, tuple(said), "classes", rows, places=places, notes=notes)


def _plain_form(problem: Problem, metric: Metric, test: pl.DataFrame, notes: tuple[str, ...]) -> Form:
    """Ids or numbers of the rows, and one column called as the target, or one for each class."""
    ids = [name for name in problem.ids if name in test.columns]
    names = _spelled(test.select(ids)) if ids else pl.DataFrame({"row": np.arange(test.height)})
    rows = np.arange(test.height)
    words = _as_in(problem.classes, problem.train.get_column(problem.target))
    if problem.task == "multiclass" and metric.needs != "label":
        places = tuple(range(len(problem.classes)))
        return Form(problem, metric, names, problem.classes, "classes", rows, words, places, notes)
    says = _says(problem, metric, None)
    return Form(problem, metric, names, (problem.target,), says, rows, words, notes=notes)


def _named(
    sample: pl.DataFrame, test: pl.DataFrame, ids: Sequence[str]
) -> tuple[Ints, pl.DataFrame, tuple[str, ...]]:
    """The order of rows, what names them, and a note where it is not that of the sample."""
    own = np.arange(test.height)
    there = [name for name in ids if name in test.columns]
    if not there:
        return own, _spelled(sample.select(ids)), ()
    wanted, known = _words(sample, test, there)
    if wanted.equals(known):
        return own, _spelled(sample.select(ids)), ()
    places = known.with_row_index("place")
    found = wanted.join(places, on=wanted.columns, how="left", maintain_order="left").get_column("place")
    if len(found) == test.height == found.n_unique() and not found.null_count():
        return found.cast(pl.Int64).to_numpy(), _spelled(sample.select(ids)), ()
    notes = ("the sample submission names other rows than test: they are those of test, in their order",)
    return own, _spelled(test.select(there)), notes


def _words(sample: pl.DataFrame, test: pl.DataFrame, ids: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Ids of both tables in types that can be compared, under names that mean nothing."""
    wanted, known = dict[str, pl.Series](), dict[str, pl.Series]()
    for at, name in enumerate(ids):
        one, other = (spelled(plain(table.select(name)).to_series()) for table in (sample, test))
        if one.dtype != other.dtype:
            kind = pl.Float64() if one.dtype.is_numeric() and other.dtype.is_numeric() else pl.String()
            one, other = one.cast(kind), other.cast(kind)
        wanted[f"id{at}"], known[f"id{at}"] = one, other
    return pl.DataFrame(wanted), pl.DataFrame(known)


def _says(problem: Problem, metric: Metric, shown: pl.Series | None) -> Says:
    """What a single column holds."""
    if problem.task == "regression":
        return "value"
    if problem.task == "multiclass":
        return "label"
    if shown is not None and len(shown.drop_nulls()):
        if shown.dtype == pl.Boolean or not shown.dtype.is_numeric():
            return "label"
        values = set(shown.drop_nulls().cast(pl.Float64).to_list())
        if any(0 < value < 1 for value in values):
            return "probability"
        # 0 and 1 may be either
        if not values <= {0.0, 1.0} and values <= {_number(name) for name in problem.classes}:
            return "label"
    return "label" if metric.needs == "label" else "probability"


def _as_in(classes: Sequence[str], shown: pl.Series) -> tuple[str, ...]:
    """The classes as a column writes them: flags with a capital, whole numbers without a point."""
    if shown.dtype == pl.Boolean:
        return tuple(name.capitalize() for name in classes)
    if shown.dtype.is_integer():
        return tuple(_whole(name) for name in classes)
    if shown.dtype == pl.String and set(classes) == {"false", "true"}:
        capital = all(word[:1].isupper() for word in shown.drop_nulls().unique())
        return tuple(name.capitalize() if capital else name for name in classes)
    return tuple(classes)


def _whole(name: str) -> str:
    number = _number(name)
    if number is not None and number.is_integer():
        return str(int(number))
    return {"true": "1", "false": "0"}.get(name, name)


def _number(name: str) -> float | None:
    try:
        return float(name)
    except ValueError:
        return None


def _classes_of(names: Sequence[str], problem: Problem) -> tuple[int, ...] | None:
    """The class of each column, by its name: as it is, or with the same words before or behind each."""
    if len(names) != len(problem.classes):
        return None
    plain_names = [_key(name) for name in names]
    for cut in (_as_it_is, _trimmed):
        wanted = {key: at for at, key in enumerate(_key(name) for name in problem.classes)}
        if len(wanted) < len(names):
            return None
        found = [wanted.get(key) for key in cut(plain_names)]
        if None not in found and len(set(found)) == len(found):
            return tuple(place for place in found if place is not None)
    return None


def _key(name: str) -> tuple[str, ...]:
    parts = [name] if _number(name) is not None else _BETWEEN.split(name.casefold())
    return tuple(repr(float(part)) if _number(part) is not None else part for part in parts if part)


def _as_it_is(keys: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return keys


def _trimmed(keys: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The keys without the words that all of them begin with, and all of them end with."""
    while len({key[:1] for key in keys}) == 1 and all(len(key) > 1 for key in keys):
        keys = [key[1:] for key in keys]
    while len({key[-1:] for key in keys}) == 1 and all(len(key) > 1 for key in keys):
        keys = [key[:-1] for key in keys]
    return keys


def _spelled(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame([spelled(plain(frame.select(name)).to_series()) for name in frame.columns])
