"""Answers and predictions whose faults are known: honest, too bold, unfair to a group, wrong in one corner."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import expit

DATA = Path(__file__).parents[2] / ".." / "shared" / "data" / "titanic.csv"
Rng = np.random.Generator


def outcomes(p: np.ndarray, rng: Rng) -> np.ndarray:
    """Answers for which the chances are right."""
    return (rng.random(len(p)) < p).astype(np.int64)


def chances(seed: int = 0, rows: int = 2_000) -> tuple[np.ndarray, np.ndarray]:
    """Answers with predictions that are too bold."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(0, 1.3, rows)
    return outcomes(expit(odds), rng), expit(1.4 * odds + 0.2)


def biased(seed: int = 0, rows: int = 4_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers, predictions that are lower for one of three groups than they should be, and the groups."""
    rng = np.random.default_rng(seed)
    groups = rng.choice(["north", "south", "west"], rows, p=[0.5, 0.3, 0.2])
    odds = rng.normal(0, 1.4, rows)
    return outcomes(expit(odds), rng), expit(odds - 1.2 * (groups == "south")), groups


def titanic() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who survived, four features of each, and the sensitive column."""
    frame = pl.read_csv(DATA)
    features = frame.select(
        (pl.col("Sex") == "female").cast(pl.Float64),
        pl.col("Pclass").cast(pl.Float64),
        pl.col("Age").fill_null(pl.col("Age").median()),
        pl.col("SibSp").cast(pl.Float64),
    )
    return frame["Survived"].to_numpy(), features.to_numpy(), frame["Sex"].to_numpy()


def titanic_chances(weights: Sequence[float]) -> np.ndarray:
    """The chance of survival by an intercept and a weight for every feature."""
    return expit(weights[0] + titanic()[1] @ np.array(weights[1:]))


def customers(rng: Rng, rows: int) -> pl.DataFrame:
    """A table of customers: numbers, levels, gaps, an id."""
    frame = pl.DataFrame({f"x{at}": rng.normal(size=rows) for at in range(5)})
    gaps = rng.random(rows) < 0.1
    income = np.where(gaps, np.nan, np.exp(rng.normal(10, 1, rows)))
    return frame.with_columns(
        plan=pl.Series(rng.choice(["basic", "pro", "team", "free"], rows, p=[0.4, 0.3, 0.2, 0.1])),
        age=pl.Series(rng.integers(18, 80, rows)),
        income=pl.Series(income),
        active=pl.Series(rng.random(rows) < 0.3),
        customer=pl.Series([f"c{at:05d}" for at in range(rows)]),
    )


def leaving(frame: pl.DataFrame) -> np.ndarray:
    """The true chance that each customer leaves."""
    return expit(
        1.2 * frame["x0"].to_numpy()
        + 0.6 * frame["x1"].to_numpy()
        + 0.8 * (frame["plan"] == "pro").to_numpy()
        - 0.02 * (frame["age"].to_numpy() - 40)
    )
