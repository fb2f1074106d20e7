"""P9: drift between two tables of 200,000 rows by fifty columns costs at most 1.3 times a straight script for it.

Each run is a process of its own that reads both tables from Parquet; what counts is the CPU and the clock after the
imports, and the peak of the memory. The script computes the same statistics with SciPy and fits the same model.
With `LOOM_PEERS` naming a Python that has evidently 0.7, its preset plays on the first 20,000 rows (budget 0.1).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import polars as pl
from measure import compare, compare_processes, cpu_of, tell_cost
from numpy.typing import NDArray
from p6_ingest import generated
from scipy import stats
from scipy.spatial.distance import jensenshannon

from loom.science.columns import Columns
from loom.science.drift import drift
from loom.science.resources import threads

ROWS = 200_000
REPEATS = 5
SAMPLE = 20_000
DOMAIN = 10_000

FEW = 20_000
EVIDENTLY = """
import sys, time, pandas
from evidently import Report
from evidently.presets import DataDriftPreset
start = time.process_time()
tables = [pandas.read_parquet(path) for path in sys.argv[1:]]
Report([DataDriftPreset()]).run(*tables).dict()
print(time.process_time() - start)
"""

Values = NDArray[np.float64]


def ours(folder: Path) -> dict[str, Any]:
    """The drift, read a few columns at a time as a data object is."""
    sides = [folder / "current.parquet", folder / "reference.parquet"]
    tables = [
        Columns(
            tuple(pl.read_parquet_schema(side)),
            pl.scan_parquet(side).select(pl.len()).collect().item(),
            partial(lambda side, names: pl.read_parquet(side, columns=list(names)), side),
        )
        for side in sides
    ]
    return drift(*tables, target="y").as_json()


def theirs(folder: Path) -> dict[str, Any]:
    """The same statistics, written down straight."""
    current, reference = (pl.read_parquet(folder / f"{side}.parquet") for side in ("current", "reference"))
    random = np.random.default_rng(0)
    places = [
        np.sort(random.choice(f.height, min(f.height, SAMPLE), replace=False)) for f in (current, reference)
    ]
    few = [np.sort(random.choice(sample, min(len(sample), DOMAIN), replace=False)) for sample in places]
    found: dict[str, Any] = {}
    p_values = []
    sides: list[list[Values]] = [[], []]
    for name in current.columns:
        a, b = current[name], reference[name]
        missing = [a.null_count(), b.null_count()]
        table = np.array([missing, [len(a) - missing[0], len(b) - missing[1]]])
        p_values.append(stats.chi2_contingency(table).pvalue if sum(missing) else 1.0)
        if name in ("id", "day", "at"):
            continue
        if a.dtype.is_numeric() and name != "y":
            found[name], p = numbers(a, b, places)
            codes = [a, b]
        else:
            found[name], p = levels(a, b)
            both = pl.concat([a, b]).cast(pl.String).rank("dense")
            codes = [both.head(len(a)), both.tail(len(b))]
        p_values += p
        if name != "y":
            for side, code, rows in zip(sides, codes, few, strict=True):
                side.append(code.gather(rows).cast(pl.Float32).to_numpy())
    found["q"] = stats.false_discovery_control(p_values)
    found["auc"] = domain(np.column_stack(sides[0]), np.column_stack(sides[1]))
    return {key: str(value) for key, value in found.items()}


def numbers(a: pl.Series, b: pl.Series, places: list[NDArray[np.int64]]) -> tuple[list[Any], list[float]]:
    """PSI, Jensen-Shannon, Kolmogorov-Smirnov, Wasserstein, χ² of the cells, what lies out of range."""
    x, y = (s.drop_nulls().cast(pl.Float64).to_numpy() for s in (a, b))
    edges = np.unique(np.quantile(y, np.arange(1, 10) / 10))
    edges = np.concatenate([[-np.inf], edges, [np.inf]])
    counts = np.array([np.histogram(values, edges)[0] for values in (x, y)]) + 0.5
    sample = [s.gather(rows).drop_nulls().to_numpy() for s, rows in zip((a, b), places, strict=True)]
    ks = stats.ks_2samp(*sample, method="asymp")
    distance = stats.wasserstein_distance(*sample) / y.std()
    outside = [(x > y.max()).sum(), (x < y.min()).sum()]
    chi = stats.chi2_contingency(counts[:, counts.sum(0) > 10]).pvalue
    return [*stability(counts), ks.statistic, distance, outside], [ks.pvalue, chi]


def levels(a: pl.Series, b: pl.Series) -> tuple[list[Any], list[float]]:
    """PSI, Jensen-Shannon, χ², and the rows with levels that the reference lacks."""
    here, there = (s.drop_nulls().alias("level").value_counts() for s in (a, b))
    both = here.join(there, on="level", how="full", suffix="_there").fill_null(0)
    counts = both.select("count", "count_there").to_numpy().T + 0.5
    unseen = counts[0][counts[1] < 1].sum()
    return [*stability(counts), unseen], [stats.chi2_contingency(counts).pvalue]


def stability(counts: Values) -> tuple[float, float]:
    """PSI less its expectation, and the Jensen-Shannon distance."""
    n, m = counts.sum(1)
    p, q = counts[0] / n, counts[1] / m
    return float(((p - q) * np.log(p / q)).sum() - (len(p) - 1) * (1 / n + 1 / m)), jensenshannon(p, q, 2)


def domain(current: Values, reference: Values) -> float:
    """The area under the curve of boosted trees that tell the tables apart, on two folds."""
    rows = np.concatenate([current, reference])
    side = np.repeat([1, 0], [len(current), len(reference)])
    fold = np.random.default_rng(0).permutation(len(rows)) % 2
    options = {
        "objective": "binary",
        "num_leaves": 15,
        "max_bin": 63,
        "verbosity": -1,
        "num_threads": threads(),
        "deterministic": True,
        "force_row_wise": True,
    }
    areas = []
    for held in (0, 1):
        train, test = fold != held, fold == held
        model = lightgbm.train(options, lightgbm.Dataset(rows[train], side[train]), 40)
        scores = np.asarray(model.predict(rows[test]))
        areas.append(stats.mannwhitneyu(scores[side[test] == 1], scores[side[test] == 0]).statistic)
    return float(np.mean(areas)) / (len(current) / 2 * len(reference) / 2)


def main() -> None:
    """CPU, clock and memory of both, from the same runs."""
    with tempfile.TemporaryDirectory(prefix="loom-p9-") as name:
        folder = Path(name)
        (folder / "small").mkdir()
        for seed, side in enumerate(("current", "reference")):
            frame = generated(ROWS, seed).with_columns(pl.col("at").str.to_datetime("%Y-%m-%d %H:%M:%S"))
            frame.write_parquet(folder / f"{side}.parquet", compression="zstd")
            frame.head(5_000).write_parquet(folder / "small" / f"{side}.parquet")
        compare_processes("P9 drift 200k vs 200k x 50", __file__, folder, budget=1.3, n=REPEATS)
        if peers := os.environ.get("LOOM_PEERS"):
            against_evidently(peers, folder)


def against_evidently(python: str, folder: Path) -> None:
    """Ours and evidently's preset on the first rows of both tables."""
    paths = [folder / "few" / f"{side}.parquet" for side in ("current", "reference")]
    (folder / "few").mkdir()
    for path in paths:
        pl.read_parquet(folder / path.name).head(FEW).write_parquet(path)

    def evidently() -> float:
        command = [python, "-c", EVIDENTLY, *map(str, paths)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return float(done.stdout.split()[-1])

    title = "P9 drift 20k vs 20k x 50, CPU, against evidently"
    compare(title, cpu_of(lambda: ours(folder / "few")), evidently, budget=0.1, n=1)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        tell_cost({"ours": ours, "theirs": theirs}[sys.argv[1]], Path(sys.argv[2]))
    else:
        main()
