"""What somebody wants searched, and what a search comes back with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from loom.science.metrics import Metric
from loom.science.validation import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """A problem and how much may be spent on it."""

    named: str
    """What the data is called."""

    digest: str
    """What the data is; a search goes on only with the same."""

    problem: Problem
    metric: Metric
    seconds: float
    """Of wall clock, for everything: the search, its checks and the final fit."""

    experiment_id: str
    test: pl.DataFrame | None = None
    """The rows that predictions are wanted for."""

    sample: pl.DataFrame | None = None
    """A submission as it has to look."""

    goal: str = ""
    steps: int | None = None
    workers: int | None = None
    proposer: str = "builtin"
    model: str | None = None
    """Who proposes, as `provider:model`; what is configured where it is left out."""

    seed: int = 0
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to."""

    figures: Mapping[str, Any]
    """All that may be told of it, as plain data."""

    solution: str | None = None
    """The champion as a script."""

    submission: bytes | None = None
    """Its predictions for the rows they are wanted for, as a CSV."""
