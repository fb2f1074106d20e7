"""What a measurement is given beside the rows, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from loom.kernel.errors import LoomError
from loom.science.metrics import Metric
from loom.science.serving.model import Served
from loom.science.splits import Splitting
from loom.science.splits.clock import Duration
from loom.science.validation.problem import Answers

Floats = npt.NDArray[np.float64]

# what a look may run into on strange data; anything else is a bug and ends the run
_TROUBLE = (LoomError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to know."""

    metric: Metric
    operator: str | None = None
    threshold: float | None = None
    sensitive: tuple[str, ...] = ()
    horizon: Duration | None = None
    embargo: Duration | None = None
    folds: int = 5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Opened:
    """The sealed rows, once a model has opened them."""

    rows: pl.DataFrame
    digest: str
    openings: int
    """How many models they were opened for, this one counted in."""


Open = Callable[[Served], Opened | None]
"""Opens the holdout for a frozen model; None where nothing was sealed."""


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Answers and predictions of the opened rows; they stay here, and only aggregates leave."""

    answers: Answers
    said: Floats
    rows: pl.DataFrame = field(repr=False)


@dataclass(frozen=True, slots=True)
class Measured:
    """The measurements as plain data, the model they are of, and what pictures are drawn from."""

    figures: dict[str, Any]
    model: Served
    holdout: Curves | None
    folds: Splitting


@dataclass(slots=True)
class Notes:
    """Takes looks, and writes down which of them could not be taken."""

    errors: dict[str, str] = field(default_factory=dict)

    def take(self, name: str, look: Callable[[], Any]) -> Any:
        """What a look found; None where it could not be taken."""
        try:
            return look()
        except LoomError as error:
            self.errors[name] = f"{error.what}: {error.why}"
        except _TROUBLE as error:
            # what it says may hold cells; what kind it is does not
            self.errors[name] = type(error).__name__
        return None


def told(asked: Asked) -> Mapping[str, Any]:
    """The metric and what it has to reach, as plain data."""
    metric = asked.metric
    return {
        "name": metric.name,
        "direction": metric.direction,
        "bounded": metric.direction == "higher",  # shares, areas and what is explained lie within 1
        "operator": asked.operator,
        "threshold": asked.threshold,
    }
