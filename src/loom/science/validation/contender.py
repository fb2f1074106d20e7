"""Who competes for being believed: anything that can be fitted on rows and then says something of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from loom.science.portfolio.members import MEMBERS, Member, Model, fit_member
from loom.science.serving.model import Served, matrix_of, pack
from loom.science.validation.problem import Answers, Prepared, Problem

Floats = npt.NDArray[np.float64]


class Fitted(Protocol):
    """A contender that has learned."""

    def predict(self, prepared: Prepared, which: int) -> Mapping[str, Floats]:
        """What each of its voices says of one of the other frames, in the order of its rows."""

    def parts(self) -> Mapping[str, bytes]:
        """Its voices as bytes, to be kept."""


class Contender(Protocol):
    """A way to fit a model."""

    source: str
    """What was judged, for the summary."""

    recalibrates: bool
    """Whether Loom puts its probabilities right; what somebody else wrote is judged as it is."""

    def fit(self, problem: Problem, prepared: Prepared, answers: Answers, seed: int) -> Fitted:
        """Learn from the training rows of a preparation."""

    def frozen(self, fitted: Fitted) -> Mapping[str, object]:
        """What `Served` has to be given so that it answers as the fitted contender does."""

    def answer(self, model: Served, rows: pl.DataFrame) -> Floats:
        """What the frozen model says of rows that nobody has seen."""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Loom's own models: fitted side by side, weighed by what they say of rows they have not seen."""

    members: tuple[Member, ...] = MEMBERS
    source: str = "the default portfolio"
    recalibrates: bool = True

    def fit(self, problem: Problem, prepared: Prepared, answers: Answers, seed: int) -> Fitted:
        """Every member on the same features."""
        matrix = prepared.matrix
        count = len(problem.classes)
        models = {
            name: fit_member(name, matrix, answers, problem.task, classes=count, seed=seed)
            for name in self.members
        }
        return _Models(models)

    def frozen(self, fitted: Fitted) -> Mapping[str, object]:
        """The members as they are kept."""
        return {"members": dict(fitted.parts())}

    def answer(self, model: Served, rows: pl.DataFrame) -> Floats:
        """What the model says."""
        return model.predict(rows)


@dataclass(frozen=True, slots=True)
class _Models:
    models: Mapping[Member, Model]

    def predict(self, prepared: Prepared, which: int) -> Mapping[str, Floats]:
        """What each member says."""
        matrix = matrix_of(prepared.others[which], prepared.transformer)
        return {name: model.predict(matrix) for name, model in self.models.items()}

    def parts(self) -> Mapping[str, bytes]:
        """Each member as bytes."""
        return {name: pack(model) for name, model in self.models.items()}
