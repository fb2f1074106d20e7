"""P7: the profile and the leak tests of a million rows by fifty columns cost at most 1.3 times a straight script each.

Each run is a process of its own that reads the table from Parquet; what counts is the CPU and the clock after the
imports, and the peak of the memory. The scripts compute the same numbers and do no more than they must: no roles, no
privacy, no warnings, no rules that judge.
With `LOOM_PEERS` naming a Python that has ydata-profiling, its minimal report plays as well (budget 1/15); it looks
for no relations and no duplicates.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import polars as pl
from measure import compare, compare_processes, cpu_of, tell_cost
from p6_ingest import generated
from scipy.stats import chi2_contingency, rankdata

from loom.science.columns import Columns
from loom.science.leakage import leakage
from loom.science.profile import profile

TABLE = "table.parquet"
ROWS = 1_000_000
REPEATS = 3
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
SAMPLE = 10_000
BINS = 64
SCANNED = 200_000
RANKED = 40_000
MODELLED = 5_000
MODULI = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 24, 60, 100, 1000)
YDATA = """
import sys, time, pandas
from ydata_profiling import ProfileReport
start = time.process_time()
table = pandas.read_parquet(sys.argv[1])
ProfileReport(table, minimal=True, progress_bar=False).get_description()
print(time.process_time() - start)
"""


def table_at(path: Path) -> Columns:
    """The table, read a few columns at a time as a data object is."""
    rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    names = tuple(pl.read_parquet_schema(path))
    return Columns(names, rows, lambda some: pl.read_parquet(path, columns=list(some)))


def ours(folder: Path) -> dict[str, Any]:
    """The profile."""
    return profile(table_at(folder / TABLE), target="y").as_json()


def theirs(folder: Path) -> dict[str, Any]:
    """The same numbers, written down straight."""
    frame = pl.read_parquet(folder / TABLE)
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


def our_leaks(folder: Path) -> dict[str, Any]:
    """The leak tests."""
    return leakage(table_at(folder / TABLE), "y").as_json()


def their_leaks(folder: Path) -> dict[str, Any]:
    """The same statistics, written down straight: rows as rows, every column against the target, two small models."""
    frame = pl.read_parquet(folder / TABLE)
    features = frame.drop("id", "y")
    floats = [s.name for s in features if s.dtype.is_float()]
    near = features.with_columns(pl.col(floats).round_sig_figs(3), pl.col(pl.String).str.to_lowercase())
    words = features.hash_rows()
    pairs = pl.DataFrame({"x": words, "y": frame["y"]}).filter(words.is_duplicated())
    found: dict[str, Any] = {
        "twins": words.is_duplicated().sum(),
        "near": near.hash_rows().is_duplicated().sum(),
        "conflicts": pairs.group_by("x").agg(pl.col("y").n_unique()).height,
    }
    random = np.random.default_rng(0)
    places = np.sort(random.choice(frame.height, min(frame.height, SCANNED), replace=False))
    y = frame["y"].gather(places).to_numpy()
    fold = random.integers(0, 2, len(y))
    few = slice(0, RANKED)
    inside = [rankdata(y == one)[few] for one in (0, 1)]
    for name in features.columns:
        column = features[name].gather(places)
        gone = column.is_null().to_numpy()
        cells = np.bincount(gone * 2 + y, minlength=4).reshape(2, 2)
        score: list[Any] = [chi2_contingency(cells).pvalue] if gone.any() else []
        if column.dtype == pl.String:
            codes = column.rank("dense").fill_null(0).to_numpy()
        else:
            values = column.to_physical().cast(pl.Float64).to_numpy()
            edges = [np.nanquantile(values[few][y[few] == one], np.linspace(0, 1, BINS)) for one in (0, 1)]
            codes = np.searchsorted(np.unique(np.concatenate(edges)), values)
            ranks = rankdata(values[few])
            score += [np.corrcoef(ranks, other)[0, 1] for other in inside]
            known = np.nan_to_num(values[few])
            moduli = MODULI if column.dtype.is_integer() else (1,)
            rests = [np.mod(known, k) * (100 if k == 1 else 1) for k in moduli]
            score += [crossed_auc(rest.astype(int), y[few], fold[few]) for rest in rests]
        found[name] = [crossed_auc(codes, y, fold), *score]
    rows = places[:MODELLED]
    some = features[rows].with_columns(pl.col(pl.String).rank("dense"))
    matrix = some.select(pl.all().to_physical().cast(pl.Float32)).to_numpy()
    truth = frame["y"].gather(rows).to_numpy()
    for target in (truth, random.permutation(truth)):
        found["model"] = [fitted_auc(matrix, target, part) for part in range(3)]
    return {key: str(value) for key, value in found.items()}


def crossed_auc(codes: np.ndarray, y: np.ndarray, fold: np.ndarray) -> list[float]:
    """The area of a level's rate, learned on one half and judged on the other."""
    levels = int(codes.max()) + 1
    counts = np.bincount((codes * 2 + fold) * 2 + (y == 1), minlength=levels * 4).reshape(levels, 2, 2)
    areas = []
    for learn, judge in ((0, 1), (1, 0)):
        rates = (counts[:, learn, 1] + 1) / (counts[:, learn].sum(1) + 2)
        order = np.argsort(rates)
        wins, losses = counts[order, judge, 1], counts[order, judge, 0]
        areas.append(
            float((wins * (np.cumsum(losses) - losses / 2)).sum() / max(wins.sum() * losses.sum(), 1))
        )
    return areas


def fitted_auc(matrix: np.ndarray, y: np.ndarray, part: int) -> float:
    """The area of a small model on a third of the rows that it has not seen."""
    held = np.arange(len(y)) % 3 == part
    given = {"objective": "binary", "num_leaves": 15, "max_bin": 63, "num_threads": 1, "verbosity": -1}
    model = lightgbm.train(given, lightgbm.Dataset(matrix[~held], y[~held] == 1), 20)
    ranks, hits = rankdata(model.predict(matrix[held], num_threads=1)), y[held] == 1
    return float(ranks[hits].mean())


SIDES = {"ours": ours, "theirs": theirs, "our leaks": our_leaks, "their leaks": their_leaks}


def main() -> None:
    """CPU, clock and memory of both, from the same runs."""
    with tempfile.TemporaryDirectory(prefix="loom-p7-") as folder:
        place = Path(folder)
        frame = generated(ROWS).with_columns(pl.col("at").str.to_datetime("%Y-%m-%d %H:%M:%S"))
        (place / "small").mkdir()
        frame.write_parquet(place / TABLE, compression="zstd")
        frame.head(20_000).write_parquet(place / "small" / TABLE)
        del frame
        for what, mine, peer in (("eda", "ours", "theirs"), ("leaks", "our leaks", "their leaks")):
            title = f"P7 {what} 1M x 50"
            compare_processes(title, __file__, place, budget=1.3, n=REPEATS, ours=mine, theirs=peer)
        if peers := os.environ.get("LOOM_PEERS"):
            against_ydata(peers, place)


def against_ydata(python: str, folder: Path) -> None:
    """Ours and the minimal report, in CPU seconds."""
    mine = cpu_of(lambda: ours(folder))
    title = "P7 eda 1M x 50, CPU, against ydata-profiling"
    compare(title, mine, partial(ydata, python, folder / TABLE), budget=1 / 15, n=1)


def ydata(python: str, path: Path) -> float:
    """CPU seconds of the minimal report."""
    done = subprocess.run([python, "-c", YDATA, str(path)], check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        tell_cost(SIDES[sys.argv[1]], Path(sys.argv[2]))
    else:
        main()
