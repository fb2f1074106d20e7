"""A search with real candidates, for tests that end it at any moment.

python -m tests.search.long_search FOLDER   searches in a folder, or goes on there; prints what it came to
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import polars as pl

from loom.science.metrics import get
from loom.science.search.order import Order
from loom.science.validation.problem import Problem
from loom.search.executor import Executor
from loom.search.outcome import CandidateFacts
from loom.search.replay import Replay
from loom.search.run import Means, search

ROWS = 120
SCRIPT = """
import csv
import time

ends = time.perf_counter() + 0.02
while time.perf_counter() < ends:
    pass

BINS = {bins}
counts = [[1.0, 2.0] for _ in range(BINS)]
for row in csv.DictReader(open("input/train.csv")):
    place = counts[min(int(float(row["x"]) * BINS), BINS - 1)]
    place[0] += float(row["y"])
    place[1] += 1
with open("working/submission.csv", "w") as file:
    file.write("row_id,prediction\\n")
    for row in csv.DictReader(open("input/test.csv")):
        known, rows = counts[min(int(float(row["x"]) * BINS), BINS - 1)]
        file.write(f"{{row['row_id']}},{{known / rows}}\\n")
"""
SCRIPTS = tuple((f"bins-{bins}", SCRIPT.format(bins=bins)) for bins in range(2, 10))


def main(folder: Path) -> None:
    """Search to the end."""
    random = np.random.default_rng(3)
    x = random.uniform(size=ROWS)
    frame = pl.DataFrame({"x": x, "y": (random.uniform(size=ROWS) < 0.05 + 0.9 * x).astype(int)})
    problem = Problem(frame, "y", "binary")
    order = Order("table", "sha256:3", problem, get("auc"), 300.0, "loom-killed", workers=2)

    def keep(facts: Iterable[CandidateFacts]) -> Iterator[str]:
        for each in facts:
            yield f"EvalCandidate/{each.number + 1}"

    def executor(reads: Path, writes: Path, workers: int, seconds: float) -> Executor:
        return Executor([reads], writes, workers=workers, seconds=seconds, imports=(), allow_unsandboxed=True)

    found = search(order, Means(folder, Replay(SCRIPTS), 4, lambda told: None, keep, executor))
    print(json.dumps(found.figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
