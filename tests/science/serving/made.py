"""A small model that was frozen the way `validate` does it."""

from __future__ import annotations

import numpy as np
import polars as pl

from loom.science.calibration import recalibrate
from loom.science.features import build
from loom.science.portfolio import MEMBERS, fit_member
from loom.science.serving.inputs import InputColumn
from loom.science.serving.model import Served, matrix_of, pack

COLUMNS = (
    InputColumn("age", "int64"),
    InputColumn("spent", "float64"),
    InputColumn("plan", "text"),
    InputColumn("joined", "date"),
)


def table(rows: int = 400, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    age, spent = random.integers(18, 90, rows), random.gamma(2, 50, rows).round(2)
    plan = random.choice(["basic", "plus", "pro"], rows)
    risk = (age - 50) / 20 + (plan == "basic") - spent / 100
    frame = pl.DataFrame({"age": age, "spent": spent, "plan": plan})
    joined = pl.date(2020, 1, 1) + pl.duration(days=pl.Series(random.integers(0, 900, rows)))
    left = np.where(random.random(rows) < 1 / (1 + np.exp(-risk)), "yes", "no")
    return frame.with_columns(joined.alias("joined"), pl.Series("left", left))


def served(about: str = "a test") -> Served:
    """A blend of both members on built features, put right."""
    frame = table()
    built = build(frame, "left", recipe="minimal")
    matrix = matrix_of(built.frame, built.transformer)
    answers = (frame["left"] == "yes").to_numpy().astype(int)
    members = {name: fit_member(name, matrix, answers, "binary", classes=2) for name in MEMBERS}
    return Served(
        task="binary",
        target="left",
        classes=("no", "yes"),
        columns=COLUMNS,
        transformer=built.transformer,
        members={name: pack(member) for name, member in members.items()},
        weights={"linear": 0.5, "boosted": 0.5},
        recalibration=recalibrate(answers, members["linear"].predict(matrix)),
        about={"made": about},
    )
