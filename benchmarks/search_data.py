"""Tables to search on: real ones of the shared folder, some that scikit-learn ships, and two that are generated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from sklearn import datasets

SHARED = Path(__file__).parents[2] / "shared" / "data"
ROWS = 20_000
TEST = 0.25


@dataclass(frozen=True)
class Table:
    """A table with what is asked of it."""

    name: str
    frame: pd.DataFrame
    target: str
    metric: Literal["auc", "logloss", "rmse"]
    time: tuple[str, ...] = ()

    def parts(self, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Rows to learn from and a quarter to be judged by: the latest, or by chance with equal rows kept together."""
        frame = self.frame
        if self.time:
            ordered = frame.sort_values(list(self.time), kind="stable").reset_index(drop=True)
            cut = round((1 - TEST) * len(ordered))
            return ordered[:cut].reset_index(drop=True), ordered[cut:].reset_index(drop=True)
        features = frame.drop(columns=self.target).astype(str)
        sets = pd.factorize(pd.util.hash_pandas_object(features, index=False))[0]
        drawn = np.random.default_rng(1000 + seed).random(sets.max() + 1)[sets] < TEST
        return frame[~drawn].reset_index(drop=True), frame[drawn].reset_index(drop=True)


def tables() -> dict[str, Callable[[], Table]]:
    """All tables by name; those of the shared folder only where it is."""
    real = {"churn": churn, "titanic": titanic, "wine": wine, "pollution": pollution}
    shipped = {name: _shipped(name) for name in ("cancer", "digits", "diabetes")}
    return {**(real if SHARED.is_dir() else {}), **shipped, "visits": visits, "amounts": amounts}


def churn() -> Table:
    """Customers who leave; mixed types."""
    frame = pd.read_csv(SHARED / "telco-churn.csv").drop(columns="customerID")
    frame["TotalCharges"] = pd.to_numeric(frame["TotalCharges"], errors="coerce")
    return Table("churn", frame, "Churn", "auc")


def titanic() -> Table:
    """Few rows, with names and tickets as text."""
    return Table(
        "titanic", pd.read_csv(SHARED / "titanic.csv").drop(columns="PassengerId"), "Survived", "auc"
    )


def wine() -> Table:
    """Amounts, and many rows that are equal."""
    return Table("wine", pd.read_csv(SHARED / "winequality-white.csv"), "quality", "rmse")


def pollution() -> Table:
    """Hours in their order."""
    frame = pd.read_csv(SHARED / "beijing-pollution.csv").dropna(subset=["pm2.5"]).drop(columns="No")
    return Table("pollution", frame.reset_index(drop=True), "pm2.5", "rmse", ("year", "month", "day", "hour"))


def visits(seed: int = 7) -> Table:
    """Two classes, by products, a season, a code of 2,000 levels and a date."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(ROWS, 8))
    codes, city = random.zipf(1.3, ROWS) % 2000, random.integers(0, 12, ROWS)
    plan = random.choice(["basic", "plus", "pro"], ROWS, p=[0.5, 0.3, 0.2])
    day = random.integers(0, 730, ROWS)
    level, place = random.normal(0, 0.9, 2000)[codes], random.normal(0, 0.7, 12)[city]
    score = -1.2 + 0.8 * x[:, 0] * x[:, 1] + 0.7 * np.abs(x[:, 2]) - 0.6 * (x[:, 3] > 0.5) * (plan == "pro")
    score += level + place * (1 + 0.5 * x[:, 4]) + 0.6 * np.sin(2 * np.pi * day / 365.25)
    score += 0.5 * np.sin(2 * x[:, 5])
    frame = pd.DataFrame({f"x{at}": x[:, at] for at in range(8)})
    frame.loc[random.random(ROWS) < 0.05, "x5"] = np.nan
    frame["code"] = [f"C{each:04d}" for each in codes]
    frame["city"] = [f"city_{each}" for each in city]
    frame["plan"] = plan
    frame["signed"] = pd.Timestamp("2022-01-01") + pd.to_timedelta(day, unit="D")
    frame["y"] = np.where(random.random(ROWS) < 1 / (1 + np.exp(-score)), "yes", "no")
    return Table("visits", frame, "y", "auc")


def amounts(seed: int = 11) -> Table:
    """Amounts, by products of two and three columns."""
    random = np.random.default_rng(seed)
    x = random.uniform(-2, 2, size=(ROWS, 12))
    kind = random.integers(0, 5, ROWS)
    y = 3 * np.sin(x[:, 0] * x[:, 1]) + 2 * (x[:, 2] - 0.5) ** 2 + 1.5 * x[:, 3] * (kind == 2)
    y += x[:, 4] * x[:, 5] * x[:, 6] + random.normal(0, 1.5, 5)[kind] + 1.2 * x[:, 7] + np.exp(0.5 * x[:, 8])
    frame = pd.DataFrame({f"x{at}": x[:, at] for at in range(12)})
    frame["kind"] = [f"k{each}" for each in kind]
    frame["y"] = y + random.normal(0, 1, ROWS)
    return Table("amounts", frame, "y", "rmse")


def _shipped(name: str) -> Callable[[], Table]:
    loaders = {
        "cancer": datasets.load_breast_cancer,
        "digits": datasets.load_digits,
        "diabetes": datasets.load_diabetes,
    }

    def load() -> Table:
        frame = loaders[name](as_frame=True).frame
        return Table(name, frame, "target", "rmse" if name == "diabetes" else "logloss")

    return load
