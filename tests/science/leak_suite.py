"""The planted leaks and the honest look-alikes: `python -m tests.science.leak_suite [SEEDS]` prints them as a table.

A planted leak is caught when its column, or the table for leaks of rows, is found under an accepted reason. An
honest column is kept when it is not flagged; a suspect is not a drop.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from loom.science.leakage import Leakage, leakage

ROWS = 2_000
TASKS = ("binary", "multiclass", "regression")
Rng = np.random.Generator


@dataclass(frozen=True)
class Case:
    """A table, and what has to be found in it: a column (None for the rows) with its reasons, or nothing."""

    frame: pl.DataFrame
    column: str | None
    reasons: tuple[str, ...] = ()
    test: pl.DataFrame | None = None


Maker = Callable[[str, Rng], Case]


def outcome(task: str, rng: Rng, rows: int = ROWS) -> np.ndarray:
    """A target as a number: two classes, three, or a skewless amount."""
    if task == "binary":
        return (rng.random(rows) < 0.3).astype(float)
    if task == "multiclass":
        return rng.choice(3, rows, p=[0.5, 0.3, 0.2]).astype(float)
    return rng.normal(size=rows)


def table(task: str, y: np.ndarray, rng: Rng, **columns: object) -> pl.DataFrame:
    """The target with a few honest columns and those planted."""
    rows = len(y)
    honest = {
        "age": rng.integers(18, 90, rows),
        "income": np.exp(rng.normal(10, 1, rows)) * (1 + 0.2 * (y > y.mean())),
        "city": rng.choice(["Rome", "Oslo", "Lima", "Kyiv"], rows),
    }
    labels = {"binary": ["no", "yes"], "multiclass": ["low", "mid", "top"]}
    target = y if task == "regression" else [labels[task][int(v)] for v in y]
    return pl.DataFrame({**honest, **columns, "outcome": target}, strict=False)


def exponential(task: str, rng: Rng) -> Case:
    y = outcome(task, rng)
    return Case(
        table(task, y, rng, x=np.exp(y + rng.normal(0, 0.01, len(y)))),
        "x",
        ("separates_target", "monotone_copy"),
    )


def non_monotone(task: str, rng: Rng) -> Case:
    y = outcome(task, rng)
    if task == "regression":
        x = np.where(rng.random(len(y)) < 0.5, y, -y) + rng.normal(0, 0.001, len(y))
        y = np.abs(y)
    else:
        middle = {0: 0.0, 1: 2.0, 2: 4.0}
        x = np.array([middle[int(v)] for v in y]) * rng.choice([-1, 1], len(y)) + rng.uniform(
            -0.9, 0.9, len(y)
        )
    return Case(table(task, y, rng, x=x), "x", ("separates_target", "monotone_copy"))


def by_missingness(task: str, rng: Rng) -> Case:
    y = outcome(task, rng)
    gone = (y > np.median(y)) ^ (rng.random(len(y)) < 0.02)
    if task == "multiclass":
        gone = y == 0
        x = rng.normal(size=len(y))
        frame = table(task, y, rng, x=np.where(gone, np.nan, x)).with_columns(pl.col("x").fill_nan(None))
        return Case(frame, "x", ("missingness",))
    frame = table(task, y, rng, x=np.where(gone, np.nan, rng.normal(size=len(y)))).with_columns(
        pl.col("x").fill_nan(None)
    )
    return Case(frame, "x", ("missingness",))


def pure_code(task: str, rng: Rng) -> Case:
    y = outcome(task, rng)
    if task == "regression":
        values = rng.normal(size=1_000)
        level = rng.integers(0, 1_000, len(y))
        y = values[level]
    else:
        level = np.array(
            [int(v) * 600 + int(k) for v, k in zip(y, rng.integers(0, 600, len(y)), strict=True)]
        )
    names = rng.permutation(3_000)
    return Case(
        table(task, y, rng, x=[f"K{names[k]}" for k in level]), "x", ("level_purity", "separates_target")
    )


def after_the_event(task: str, rng: Rng) -> Case:
    y = outcome(task, rng)
    x = y + rng.normal(0, 0.2 if task != "regression" else 0.12, len(y))
    return Case(table(task, y, rng, days_to_cancellation=x), "days_to_cancellation", ("post_event_name",))


def copy_under_log(task: str, rng: Rng) -> Case:
    y = outcome(task, rng)
    return Case(table(task, y, rng, x=np.log(y - y.min() + 1)), "x", ("monotone_copy", "separates_target"))


def copy_under_rank(task: str, rng: Rng) -> Case:
    y = outcome(task, rng)
    return Case(
        table(task, y, rng, x=pl.Series(y).rank().to_numpy() * -1), "x", ("monotone_copy", "separates_target")
    )


def hidden_in_digits(task: str, rng: Rng) -> Case:
    y = outcome(task, rng)
    if task == "regression":
        y = rng.integers(0, 500, len(y)).astype(float)
        x = rng.integers(0, 10_000, len(y)) * 1_000 + y.astype(np.int64)
    else:
        x = rng.integers(0, 100_000, len(y)) * 10 + y.astype(np.int64)
    return Case(table(task, y, rng, x=x), "x", ("monotone_copy",))


def kept_as_text(task: str, rng: Rng) -> Case:
    """The exponential leak as a file may write it: with thousands marked, among words for what is not known."""
    case = exponential(task, rng)
    written = [f"{10_000 * value:,.1f}" for value in case.frame["x"]]
    return Case(
        case.frame.with_columns(x=pl.Series(written).set(pl.Series(rng.random(len(written)) < 0.01), "n/a")),
        "x",
        case.reasons,
    )


def day_of_the_event(task: str, rng: Rng) -> Case:
    """A date kept as text, day first, that moves with the outcome."""
    y = outcome(task, rng)
    days = np.round(365 * (y - y.min()) + rng.uniform(0, 3, len(y))).astype(int)
    written = (
        pl.Series([date(2015, 1, 1)])
        .dt.offset_by(pl.Series([f"{day}d" for day in days]))
        .dt.strftime("%d.%m.%Y")
    )
    return Case(table(task, y, rng, x=written), "x", ("separates_target", "monotone_copy"))


def duplicated_rows(task: str, rng: Rng) -> Case:
    y = outcome(task, rng)
    frame = table(task, y, rng)
    fresh = table(task, outcome(task, rng, 900), rng)
    return Case(frame, None, ("train_test_overlap",), pl.concat([fresh, frame.sample(100, seed=1)]))


def sorted_rows(task: str, rng: Rng) -> Case:
    y = outcome(task, rng)
    order = np.argsort(y + rng.normal(0, 0.5, len(y)))
    return Case(table(task, y, rng)[order], None, ("row_order",))


def strong(task: str, rng: Rng) -> Case:
    y = outcome(task, rng)
    x = y * 2.09 + rng.normal(size=len(y)) if task != "regression" else y + rng.normal(0, 0.28, len(y))
    return Case(table(task, y, rng, x=x), None)


def strong_small(task: str, rng: Rng) -> Case:
    y = outcome(task, rng, 150)
    x = y * 2.09 + rng.normal(size=len(y)) if task != "regression" else y + rng.normal(0, 0.28, len(y))
    return Case(
        table(task, y, rng, x=x, two_values=np.where(rng.random(len(y)) < 0.07, 1 - y, y) > 0.5), None
    )


def unique_id(task: str, rng: Rng) -> Case:
    y = np.sort(outcome(task, rng))
    rows = len(y)
    names = [f"{n:08x}" for n in rng.permutation(rows)]
    return Case(
        table(task, y, rng, customer_id=rng.permutation(rows), row=np.arange(rows), token=names), None
    )


def honest_code(task: str, rng: Rng) -> Case:
    rows, levels = 30_000, 20_000
    level = rng.integers(0, levels, rows)
    effect = rng.normal(0, 1.0, levels)[level]
    if task == "regression":
        y = effect + rng.normal(size=rows)
    else:
        y = np.clip(np.floor(1.0 + effect + rng.logistic(size=rows)), 0, 1 if task == "binary" else 2)
    return Case(table(task, y, rng, code=[f"M{k:05d}" for k in level], number=level), None)


def entities(task: str, rng: Rng) -> Case:
    """Rows of customers nobody declared: what is the customer's own repeats together with the answer."""
    customers = 400
    customer = rng.integers(0, customers, ROWS)
    y = outcome(task, rng, customers)[customer]
    traits = {"postcode": [f"P{k:04d}" for k in rng.permutation(9_000)[:customers][customer]]}
    amounts = {"income_then": np.exp(rng.normal(10, 1, customers)).round(2)[customer]}
    return Case(table(task, y, rng, client_id=customer, **traits, **amounts), "client_id")


def wide_noise(task: str, rng: Rng) -> Case:
    y = outcome(task, rng, 400)
    noise = {f"n{k}": rng.normal(size=400) for k in range(90)}
    levels = {f"c{k}": [f"v{v}" for v in rng.integers(0, 2 + 5 * k, 400)] for k in range(30)}
    return Case(table(task, y, rng, **noise, **levels), None)


def rare(share: float) -> Maker:
    """Noise of every kind against a target that is hardly ever positive."""

    def make(task: str, rng: Rng) -> Case:
        rows = 20_000
        y = np.zeros(rows)
        y[rng.choice(rows, max(2, round(share * rows)), replace=False)] = 1
        noise: dict[str, object] = {f"n{k}": rng.normal(size=rows) for k in range(4)}
        noise["flag"] = rng.random(rows) < share
        noise["sparse"] = np.where(rng.random(rows) < 0.01, rng.normal(size=rows), np.nan)
        noise["code"] = [f"c{k}" for k in rng.integers(0, 5_000, rows)]
        noise["few"] = [f"c{k}" for k in rng.integers(0, 30, rows)]
        noise["refund_status"] = rng.choice(["a", "b"], rows)
        noise["amount"] = rng.integers(0, 10**6, rows)
        return Case(table("binary", y, rng, **noise).with_columns(pl.col("sparse").fill_nan(None)), None)

    return make


LEAKS: dict[str, Maker] = {
    "exp(target + noise)": exponential,
    "non-monotone": non_monotone,
    "by missingness": by_missingness,
    "pure high-cardinality code": pure_code,
    "post-event column": after_the_event,
    "copy under log": copy_under_log,
    "copy under rank": copy_under_rank,
    "hidden in the digits": hidden_in_digits,
    "copy kept as text": kept_as_text,
    "day of the event, as text": day_of_the_event,
    "train/test duplicates": duplicated_rows,
    "row order": sorted_rows,
}
HONEST: dict[str, Maker] = {
    "strong, AUC .93 / R² .93": strong,
    "strong, 150 rows": strong_small,
    "unique ids, sorted target": unique_id,
    "honest 20,000-level code": honest_code,
    "120 noise columns, 400 rows": wide_noise,
    "traits of undeclared entities": entities,
}
RARE: dict[str, Maker] = {f"noise, {share:.2%} positive": rare(share) for share in (0.0001, 0.001, 0.01)}


def look(case: Case, seed: int) -> Leakage:
    """The findings of a case."""
    return leakage(case.frame, "outcome", test=case.test, seed=seed)


def caught(case: Case, found: Leakage) -> str | None:
    """The reason under which a planted leak was found, if it was."""
    for finding in (*found.flags, *found.suspects):
        for reason in (finding.reason, *finding.also):
            if finding.column == case.column and reason in case.reasons:
                return reason
    return None


def cases() -> Iterator[tuple[str, str, Maker, bool]]:
    """Name, task, maker, and whether it is a leak."""
    for makers, is_leak in ((LEAKS, True), (HONEST, False)):
        for name, maker in makers.items():
            yield from ((name, task, maker, is_leak) for task in TASKS)
    yield from ((name, "binary", maker, False) for name, maker in RARE.items())


def seeded(name: str, task: str, seed: int) -> Rng:
    """The randomness of one case, the same on every run."""
    return np.random.default_rng([seed, *f"{name}/{task}".encode()])


def main(seeds: int) -> None:
    """Print one line per case: how often it was caught, or how many honest columns were dropped."""
    print(f"{'case':32}{'task':12}{'result':>10}  {'reasons or drops'}")
    for name, task, maker, is_leak in cases():
        hits, said, dropped = 0, set[str](), set[str]()
        for seed in range(seeds):
            case = maker(task, seeded(name, task, seed))
            found = look(case, seed)
            wrong = {f"{each.column}:{each.reason}" for each in found.flags if each.column != case.column}
            dropped |= wrong
            reason = caught(case, found) if is_leak else None
            hits += reason is not None if is_leak else not wrong
            said |= {reason} if reason else set()
        notes = ", ".join(sorted(said)) + (f" FALSE DROPS {sorted(dropped)}" if dropped else "")
        print(f"{name:32}{task:12}{f'{hits}/{seeds}':>10}  {notes}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
