"""How often the verdict is what it should be. Run it: python -m tests.science.validation.characteristics SEEDS --write"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from loom.science import metrics, splits
from loom.science.features import build
from loom.science.judgement import judge
from loom.science.judgement.judging import Judgement
from loom.science.serving.inputs import InputColumn
from loom.science.validation import Asked, Portfolio, Problem, measure
from loom.science.validation.asked import Measured, Opened
from tests.science.validation.tables import DEFECTS, HONEST, ROWS, Made

RATES = Path(__file__).parents[3] / "docs" / "reference" / "verdict-rates.json"


def judged(made: Made, seed: int = 0, *, metric: str | None = None) -> tuple[Measured, Judgement]:
    """A table as it goes through ingest, features and validate: a fifth sealed, the rest learned from."""
    train, sealed = split(made, seed)
    built = build(train, made.target, recipe="minimal", time=made.time, group=made.group, seed=seed)
    ids = tuple(each["column"] for each in built.dropped if each["reason"] == "id")
    task = built.transformer.task
    problem = Problem(train, made.target, task, made.time, made.group, built.transformer, ids)  # type: ignore[arg-type]
    asked = Asked(metrics.get(metric) if metric else metrics.default_for(task), seed=seed)  # type: ignore[arg-type]
    columns = [InputColumn(name, "text") for name in built.transformer.reads]
    found = measure(problem, Portfolio(), asked, columns, lambda _: Opened(sealed, "sha256:0", 1))
    return found, judge(found.figures)


def split(made: Made, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The sealed fifth: the latest, whole entities, or any rows."""
    frame = made.frame
    if made.time:
        order = np.argsort(splits.clock_of(frame.select(made.time)).times, kind="stable")
        cut = int(0.8 * len(order))
        return frame[np.sort(order[:cut])], frame[np.sort(order[cut:])]
    random = np.random.default_rng([seed, 99])
    if made.group:
        names = frame[made.group].unique().sort()
        chosen = names.filter(pl.Series(random.random(len(names)) < 0.2))
        inside = frame[made.group].is_in(chosen.implode())
        return frame.filter(~inside), frame.filter(inside)
    # by what rows hold, as an ingest does it: equal rows are on one side
    inside = frame.drop(made.target).hash_rows(seed=seed) % 1_000 < 200
    return frame.filter(~inside), frame.filter(inside)


@dataclass
class Row:
    """One kind of table: how often each verdict came out, and which rules spoke against the model."""

    verdicts: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)

    def add(self, found: Judgement) -> None:
        """Count one table."""
        self.verdicts[found.verdict] += 1
        self.rules.update(
            each.rule.code for each in found.ruled if each.outcome in ("FAIL", "REVIEW", "UNKNOWN")
        )

    def as_json(self, kind: str) -> dict[str, Any]:
        """The counts as plain data."""
        return {
            "kind": kind,
            "verdicts": dict(sorted(self.verdicts.items())),
            "rules": dict(sorted(self.rules.items())),
        }


def table(seeds: int, first: int = 0) -> dict[str, Row]:
    """The verdicts over so many seeds of every kind of table."""
    rows: dict[str, Row] = {}
    for name, make in {**HONEST, **DEFECTS}.items():
        rows[name] = Row()
        for seed in range(first, first + seeds):
            rows[name].add(judged(make(seed), seed)[1])
        told = ", ".join(f"{verdict} {count}" for verdict, count in rows[name].verdicts.most_common())
        said = ", ".join(f"{rule} {count}" for rule, count in rows[name].rules.most_common(6))
        print(f"{name:24} {told:28} {said}", flush=True)
    return rows


def write(rows: dict[str, Row], seeds: int) -> None:
    """Keep the counts for docs/reference/verdict-rules.md."""
    tables = {name: row.as_json("honest" if name in HONEST else "defect") for name, row in rows.items()}
    told = {"seeds": seeds, "rows": ROWS, "tables": tables}
    RATES.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    found = table(number)
    if "--write" in sys.argv:
        write(found, number)
