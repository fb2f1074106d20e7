"""What a model is to be judged on: rows, the answer in each, and the features that are learned anew for every split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from loom.kernel.errors import LoomError
from loom.science.columns import plain, spelled
from loom.science.features.transformer import Transformer
from loom.science.portfolio.members import Matrix
from loom.science.serving.model import matrix_of
from loom.science.splits import clock_of
from loom.science.splits.clock import Duration
from loom.science.targets import Task

Ints = npt.NDArray[np.int64]
Answers = npt.NDArray[Any]


@dataclass(frozen=True)
class Problem:
    """Training rows as they came in, what is asked of them, and the recipe of their features."""

    train: pl.DataFrame
    target: str
    task: Task
    time: tuple[str, ...] = ()
    group: str | None = None
    transformer: Transformer | None = None
    """The features, fitted anew wherever rows are left out; none where rows are taken as they are."""

    ids: tuple[str, ...] = ()
    """Columns that name rows and tell nothing about them."""

    compared: Transformer | None = None
    """The features of simple models where rows are taken as they are; otherwise they get the same features."""

    sealed_without: tuple[str, ...] | None = None
    """The columns that did not count when the holdout was carved; the ids where nobody knows."""

    def __post_init__(self) -> None:
        for name in (self.target, *self.time, *([self.group] if self.group else [])):
            if name not in self.train.columns:
                raise LoomError(
                    f"the data has no column `{name}`", "a model cannot be judged without it", "loom datasets"
                )

    @cached_property
    def known(self) -> Ints:
        """The training rows that have an answer."""
        return np.flatnonzero(self._has_answer(self.train))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes in their order; of two, the second one is the one asked about. None of amounts."""
        if self.task == "regression":
            return ()
        answers = plain(self.train.select(self.target)).to_series().gather(self.known)
        return tuple(_words(answers.unique().sort()))

    @cached_property
    def answers(self) -> Answers:
        """The answers of the known training rows: codes of classes, or amounts."""
        return self.answers_of(self.train[self.known])

    @cached_property
    def used(self) -> tuple[str, ...]:
        """The columns that the model reads."""
        if self.transformer is not None:
            return tuple(name for name in self.transformer.reads if name != self.target)
        return tuple(name for name in self.train.columns if name not in (self.target, *self.ids))

    def settled(self, horizon: Duration | None) -> Ints:
        """The known rows whose answer is in by the time of the last of them: what comes later is sealed."""
        if not self.time or not horizon:
            return self.known
        clock = clock_of(self.train.select(self.time))
        ends = clock.times + clock.length(horizon, "horizon")
        rows: Ints = self.known[ends[self.known] <= clock.times.max()]
        if not len(rows):
            raise LoomError(
                "no row is old enough to learn from",
                f"a horizon of {horizon} is longer than all the time before the holdout",
                "a shorter --horizon, such as --horizon 1d",
            )
        return rows

    @property
    def missing(self) -> float:
        """The share of training rows without an answer."""
        return 1 - len(self.known) / max(self.train.height, 1)

    def answers_of(self, frame: pl.DataFrame) -> Answers:
        """The answers of rows that have one; a class that training has never seen is -1."""
        column = plain(frame.select(self.target)).to_series()
        if self.task == "regression":
            return column.cast(pl.Float64, strict=False).to_numpy()
        codes = {label: code for code, label in enumerate(self.classes)}
        return np.array([codes.get(label, -1) for label in _words(column)], np.int64)

    def with_answers(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows of a frame that have an answer."""
        return frame.filter(pl.Series(self._has_answer(frame)))

    def prepared(
        self, rows: Ints, others: Sequence[pl.DataFrame], answers: pl.Series | None = None
    ) -> Prepared:
        """Features learned from some training rows, for these and for others; `answers` replace what the rows say."""
        frame = self.train[rows]
        if answers is not None:
            frame = frame.with_columns(answers.alias(self.target))
        return _fitted(self.transformer, frame, others)

    def compared_on(self, prepared: Prepared) -> Prepared:
        """The features that simple models are fitted on: those of the model itself, where it has some."""
        if prepared.transformer is not None or self.compared is None:
            return prepared
        return _fitted(self.compared, prepared.rows, [])

    def _has_answer(self, frame: pl.DataFrame) -> npt.NDArray[np.bool_]:
        column = frame.get_column(self.target)
        if self.task == "regression":
            values = column.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
            known: npt.NDArray[np.bool_] = np.isfinite(values)
            return known
        return np.asarray(column.is_not_null().to_numpy(), np.bool_)


@dataclass(frozen=True)
class Prepared:
    """Training rows and others, with the same features; `rows` are the training rows as they came in."""

    transformer: Transformer | None
    rows: pl.DataFrame
    train: pl.DataFrame
    others: tuple[pl.DataFrame, ...]

    @cached_property
    def matrix(self) -> Matrix:
        """The features of the training rows as numbers."""
        return matrix_of(self.train, self.transformer)

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of features, where there are some."""
        return () if self.transformer is None else self.transformer.features


def _fitted(transformer: Transformer | None, frame: pl.DataFrame, others: Sequence[pl.DataFrame]) -> Prepared:
    if transformer is None:
        return Prepared(None, frame, frame, tuple(others))
    fitted = transformer.refit(frame)
    made = fitted.transform(frame, training=True)
    return Prepared(fitted, frame, made, tuple(fitted.transform(other) for other in others))


def _words(column: pl.Series) -> list[str]:
    """The cells of a column as text."""
    return spelled(column).cast(pl.String).to_list()
