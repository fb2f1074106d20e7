"""P7: a profile of a million rows by fifty columns costs at most 1.3 times a straight script for the same numbers.

Each run is a process of its own that reads the table from Parquet; what counts is the CPU and the clock after the
imports, and the peak of the memory. The script does no more than it must: no roles, no privacy, no warnings.
With `LOOM_PEERS` naming a Python that has ydata-profiling, its minimal report plays as well (budget 1/15); it looks
for no relations and no duplicates.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from measure import compare
from p6_ingest import generated
from scipy.stats import chi2_contingency, rankdata

from loom.science.columns import Columns
from loom.science.profile import profile

ROWS = 1_000_000
REPEATS = 3
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
SAMPLE = 10_000
YDATA = """
import sys, time, pandas
from ydata_profiling import ProfileReport
start = time.process_time()
table = pandas.read_parquet(sys.argv[1])
ProfileReport(table, minimal=True, progress_bar=False).get_description()
print(time.process_time() - start)
"""


def ours(path: str) -> dict[str, Any]:
    """The profile, read a few columns at a time as a data object is."""
    schema = pl.read_parquet_schema(path)
    rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    table = Columns(tuple(schema), rows, lambda names: pl.read_parquet(path, columns=list(names)))
    return profile(table, target="y").as_json()


def theirs(path: str) -> dict[str, Any]:
    """The same numbers, written down straight."""
    frame = pl.read_parquet(path)
    numbers = [s.name for s in frame if s.dtype.is_numeric() and s.name != "id"]
    levels = [s.name for s in frame if s.dtype == pl.String and s.name != "zip"]
    texts = [s.name for s in frame if s.dtype == pl.String]
    found: dict[str, Any] = {
        "missing": frame.null_count().row(0),
        "distinct": frame.select(pl.all().approx_n_unique()).row(0),
        "balance": frame["y"].value_counts(),
        "levels": [frame[name].value_counts() for name in [*levels, "b0"]],
        "blank": frame.select((pl.col(texts).str.strip_chars() == "").sum()).row(0),
        "length": frame.select(pl.col(texts).str.len_chars().mean()).row(0),
    }
    measured = frame.select(pl.col(*numbers, "id", "day", "at").to_physical())
    found["numbers"] = [
        measured.select(each(pl.all())).row(0)
        for each in (pl.Expr.mean, pl.Expr.std, pl.Expr.skew, pl.Expr.min, pl.Expr.max)
    ]
    found["quantiles"] = [np.quantile(series.drop_nulls().to_numpy(), QUANTILES) for series in measured]
    features = frame.drop("id", "y")
    found["duplicates"] = frame.height - frame.hash_rows().n_unique()
    found["same_features"] = frame.height - features.hash_rows().n_unique()
    found["relations"] = relations(frame, [*numbers, "b0", "day", "at"], levels)
    return {key: str(value) for key, value in found.items()}


def relations(frame: pl.DataFrame, numbers: list[str], levels: list[str]) -> list[Any]:
    """Pearson on all rows; Spearman, Cramér's V and the correlation ratio on a sample."""
    values = frame.select(pl.col(numbers).to_physical().cast(pl.Float64))
    pearson = np.corrcoef(values.select(pl.all().fill_null(strategy="mean")).to_numpy(), rowvar=False)
    places = np.sort(np.random.default_rng(0).choice(frame.height, SAMPLE, replace=False))
    sample = values[places].select(pl.all().fill_null(strategy="mean")).to_numpy()
    spearman = np.corrcoef(np.apply_along_axis(rankdata, 0, sample), rowvar=False)
    codes = {name: frame[name].gather(places).rank("dense").to_numpy().astype(int) - 1 for name in levels}
    crossed = []
    for a, b in combinations(levels, 2):
        table = np.zeros((codes[a].max() + 1, codes[b].max() + 1))
        np.add.at(table, (codes[a], codes[b]), 1)
        crossed.append((chi2_contingency(table).statistic / SAMPLE / (min(table.shape) - 1)) ** 0.5)
    for name in levels:
        hot = np.eye(codes[name].max() + 1)[codes[name]]
        means = (hot.T @ sample) / hot.sum(0)[:, None]
        crossed.append(((means - sample.mean(0)) ** 2 * hot.sum(0)[:, None]).sum(0) / SAMPLE / sample.var(0))
    return [pearson, spearman, crossed]


def child(side: str, path: str) -> None:
    """Run one side and print what it cost."""
    # a first call on a few rows, so that neither side pays for what is loaded on first use
    small = str(Path(path).with_name("small.parquet"))
    run = {"ours": ours, "theirs": theirs}[side]
    run(small)
    cpu, clock = time.process_time(), time.perf_counter()
    run(path)
    cost = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - clock}
    cost["rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(cost))


def main() -> None:
    """CPU, clock and memory of both, from the same runs."""
    with tempfile.TemporaryDirectory(prefix="loom-p7-") as folder:
        path = Path(folder) / "table.parquet"
        frame = generated(ROWS).with_columns(pl.col("at").str.to_datetime("%Y-%m-%d %H:%M:%S"))
        frame.write_parquet(path, compression="zstd")
        frame.head(20_000).write_parquet(path.with_name("small.parquet"))
        del frame
        costs: dict[str, list[dict[str, float]]] = {"ours": [], "theirs": []}

        def run(side: str) -> float:
            command = [sys.executable, __file__, side, str(path)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            costs[side].append(json.loads(done.stdout))
            return costs[side][-1]["cpu"]

        compare("P7 eda 1M x 50, CPU", partial(run, "ours"), partial(run, "theirs"), budget=1.3, n=REPEATS)
        for what, unit in (("wall", "clock"), ("rss", "peak MB")):
            mine, peer = ([cost[what] for cost in costs[side]] for side in ("ours", "theirs"))
            compare(
                f"P7 eda 1M x 50, {unit}",
                partial(next, iter(mine)),
                partial(next, iter(peer)),
                budget=1.3,
                n=REPEATS,
            )
        if peers := os.environ.get("LOOM_PEERS"):
            compare(
                "P7 eda 1M x 50, CPU, against ydata-profiling",
                partial(run, "ours"),
                partial(ydata, peers, path),
                budget=1 / 15,
                n=1,
            )


def ydata(python: str, path: Path) -> float:
    """CPU seconds of the minimal report."""
    done = subprocess.run([python, "-c", YDATA, str(path)], check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        child(*sys.argv[1:])
    else:
        main()
