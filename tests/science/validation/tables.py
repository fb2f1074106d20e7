"""Tables a model may be trusted on, and tables it must not be: what the operating characteristics are measured on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

ROWS = 6_000
CHURN = (Path(__file__).parents[3] / ".." / "shared" / "data" / "telco-churn.csv").resolve()


@dataclass(frozen=True)
class Made:
    """A table with its target, and what a person would say of it."""

    frame: pl.DataFrame
    target: str = "y"
    time: tuple[str, ...] = ()
    group: str | None = None


def _answers(random: np.random.Generator, score: np.ndarray) -> np.ndarray:
    return (random.random(len(score)) < 1 / (1 + np.exp(-score))).astype(int)


def _features(random: np.random.Generator, rows: int, count: int) -> dict[str, np.ndarray]:
    return {f"x{at}": random.normal(size=rows) for at in range(count)}


def linear(seed: int, rows: int = ROWS) -> Made:
    """Ten columns, of which five matter a little each."""
    random = np.random.default_rng([seed, 1])
    columns = _features(random, rows, 10)
    score = sum(0.7 * columns[f"x{at}"] for at in range(5))
    return Made(pl.DataFrame({**columns, "y": _answers(random, np.asarray(score))}))


def dominant(seed: int, rows: int = ROWS) -> Made:
    """One column says most of it, and was known in time."""
    random = np.random.default_rng([seed, 2])
    columns = _features(random, rows, 8)
    score = 1.6 * columns["x0"] + 0.4 * columns["x1"]
    return Made(pl.DataFrame({**columns, "y": _answers(random, score)}))


def interactions(seed: int, rows: int = ROWS) -> Made:
    """What matters is how columns go together; levels and missing cells among them."""
    random = np.random.default_rng([seed, 3])
    columns = _features(random, rows, 6)
    level = random.choice(["north", "south", "east"], rows)
    score = (
        1.5 * columns["x0"] * columns["x1"]
        + np.where(level == "north", 1.2, -0.4) * columns["x2"]
        + columns["x3"]
    )
    frame = pl.DataFrame({**columns, "region": level, "y": _answers(random, score)})
    gaps = pl.Series(random.random(rows) < 0.1)
    return Made(frame.with_columns(pl.when(gaps).then(None).otherwise(pl.col("x4")).alias("x4")))


def amounts(seed: int, rows: int = ROWS) -> Made:
    """A target of numbers, with noise."""
    random = np.random.default_rng([seed, 4])
    columns = _features(random, rows, 8)
    y = 2 * columns["x0"] + np.sin(2 * columns["x1"]) + random.normal(size=rows)
    return Made(pl.DataFrame({**columns, "y": y}))


def three_classes(seed: int, rows: int = ROWS) -> Made:
    """Three classes, of which each has its column."""
    random = np.random.default_rng([seed, 5])
    columns = _features(random, rows, 6)
    scores = np.column_stack([1.3 * columns[f"x{at}"] for at in range(3)]) + random.gumbel(size=(rows, 3))
    return Made(pl.DataFrame({**columns, "y": np.array(["a", "b", "c"])[scores.argmax(1)]}))


def churn(seed: int, rows: int = ROWS) -> Made:
    """Real customers, of whom each seed draws as many; the sealed fifth is another one each time."""
    frame = pl.read_csv(CHURN, null_values=" ").drop("customerID")
    return Made(frame.sample(min(rows, frame.height), seed=seed, shuffle=True), target="Churn")


def noise(seed: int, rows: int = ROWS) -> Made:
    """Nothing says anything."""
    random = np.random.default_rng([seed, 11])
    return Made(pl.DataFrame({**_features(random, rows, 10), "y": random.integers(0, 2, rows)}))


def leak(seed: int, rows: int = ROWS) -> Made:
    """A column that was written down after the event."""
    made = linear(seed, rows)
    random = np.random.default_rng([seed, 12])
    after = made.frame["y"].to_numpy() + random.normal(0, 0.05, rows)
    return Made(made.frame.with_columns(pl.Series("balance", after)))


def memorised(seed: int, rows: int = ROWS) -> Made:
    """The answer belongs to the entity, at random; columns tell entities apart and nothing else."""
    random = np.random.default_rng([seed, 13])
    entities = rows // 12
    who = random.integers(0, entities, rows)
    marks = random.normal(size=(entities, 4))[who]
    columns = {f"m{at}": marks[:, at] for at in range(4)}
    return Made(
        pl.DataFrame(
            {"customer": [f"c{each}" for each in who], **columns, "y": random.integers(0, 2, entities)[who]}
        )
    )


def memorised_and_declared(seed: int, rows: int = ROWS) -> Made:
    """The same, and somebody said what the entity is."""
    made = memorised(seed, rows)
    return Made(made.frame, group="customer")


def shuffled_time(seed: int, rows: int = ROWS) -> Made:
    """The answer wanders with time, and nobody said that rows have one."""
    random = np.random.default_rng([seed, 14])
    path = np.cumsum(random.normal(size=rows))
    day = pl.date(2020, 1, 1) + pl.duration(hours=pl.int_range(rows, eager=True))
    frame = pl.DataFrame({**_features(random, rows, 4), "y": (path > np.median(path)).astype(int)})
    return Made(
        frame.select(pl.lit(None).alias("at"), pl.all()).with_columns(day.cast(pl.Datetime("us")).alias("at"))
    )


def wandering(seed: int, rows: int = ROWS) -> Made:
    """The answer wanders with time, and rows are split by it."""
    made = shuffled_time(seed, rows)
    return Made(made.frame, time=("at",))


Make = Callable[..., Made]
HONEST: Mapping[str, Make] = {
    "linear": linear,
    "dominant": dominant,
    "interactions": interactions,
    "amounts": amounts,
    "three_classes": three_classes,
    **({"churn": churn} if CHURN.is_file() else {}),
}
DEFECTS: Mapping[str, Make] = {
    "noise": noise,
    "leak": leak,
    "memorised": memorised,
    "memorised_and_declared": memorised_and_declared,
    "shuffled_time": shuffled_time,
    "wandering": wandering,
}
