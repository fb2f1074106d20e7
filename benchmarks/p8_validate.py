"""P8: judging a model of 200,000 rows by fifty columns costs at most 1.25 times the model fits that it needs.

Each run is a process of its own; what counts is the CPU and the clock after the imports, and the peak of the memory.
The other side fits the same models on the same rows, whose features are there already, and predicts as often: five
folds, one on shuffled answers, one on everything. Splits, features of every fold, leak tests, intervals, calibration,
slices, adversarial validation and pictures are ours alone.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from measure import compare_processes, tell_cost
from p6_ingest import generated

from loom.science import metrics
from loom.science.features import Transformer, build
from loom.science.judgement import judge
from loom.science.portfolio import MEMBERS, fit_member
from loom.science.resources import pinned
from loom.science.serving.inputs import InputColumn
from loom.science.serving.model import matrix_of
from loom.science.validation import Asked, Opened, Portfolio, Problem, measure

ROWS = 200_000
REPEATS = 1
TARGET = "y"


def table(rows: int) -> pl.DataFrame:
    """Fifty columns, with an answer that some of them know about."""
    frame = generated(rows).drop("at")
    random = np.random.default_rng(1)
    score = (
        (frame["f0"] - 100) / 25 + (frame["f1"] - 100) / 40 + (frame["c0"] == "red").cast(pl.Float64) - 1.5
    )
    answer = random.random(rows) < 1 / (1 + np.exp(-score.to_numpy()))
    return frame.with_columns(pl.Series(TARGET, answer.astype(np.int64)))


def ours(folder: Path) -> None:
    """A validation, from rows to a verdict."""
    train, sealed, transformer = _given(folder)
    problem = Problem(train, TARGET, "binary", transformer=transformer, ids=("id",))
    columns = [InputColumn(name, "text") for name in transformer.reads]
    asked = Asked(metrics.default_for("binary"))
    with pinned():
        found = measure(problem, Portfolio(), asked, columns, lambda _: Opened(sealed, "sha256:0", 1))
    judge(found.figures)


def theirs(folder: Path) -> None:
    """The fits alone."""
    train, _, _ = _given(folder)
    answers = train[TARGET].to_numpy()
    with np.load(folder / "matrices.npz") as kept:
        matrix, rest = kept["train"], kept["sealed"]
    place = np.random.default_rng(0).permutation(len(matrix)) % 5
    with pinned():
        for fold in range(5):
            _fits(matrix[place != fold], answers[place != fold], matrix[place == fold])
        inside = place != 0
        shuffled = np.random.default_rng(0).permutation(answers[inside])
        _fits(matrix[inside], shuffled, matrix[~inside])
        _fits(matrix, answers, rest)


def _fits(matrix: np.ndarray, answers: np.ndarray, others: np.ndarray) -> None:
    for member in MEMBERS:
        fit_member(member, matrix, answers, "binary", classes=2).predict(others)


def _given(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame, Transformer]:
    train, sealed = (pl.read_parquet(folder / f"{part}.parquet") for part in ("train", "sealed"))
    return train, sealed, Transformer.from_bytes((folder / "transformer.npz").read_bytes())


def prepare(folder: Path, rows: int) -> None:
    """The rows, the features and their matrices, for both sides alike."""
    folder.mkdir(exist_ok=True)
    frame = table(rows)
    cut = int(0.8 * rows)
    train, sealed = frame[:cut], frame[cut:]
    built = build(train, TARGET, recipe="minimal")
    train.write_parquet(folder / "train.parquet")
    sealed.write_parquet(folder / "sealed.parquet")
    (folder / "transformer.npz").write_bytes(built.transformer.to_bytes())
    matrix = matrix_of(built.frame, built.transformer)
    rest = matrix_of(built.transformer.transform(sealed), built.transformer)
    np.savez(folder / "matrices.npz", train=matrix, sealed=rest)


def main() -> None:
    """CPU, clock and memory of both, from the same runs."""
    with tempfile.TemporaryDirectory(prefix="loom-p8-") as name:
        folder = Path(name)
        prepare(folder, ROWS)
        prepare(folder / "small", 2_000)
        compare_processes("P8 validate 200k x 50", __file__, folder, budget=1.25, n=REPEATS)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        tell_cost({"ours": ours, "theirs": theirs}[sys.argv[1]], Path(sys.argv[2]))
    else:
        main()
