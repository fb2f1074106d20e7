"""Somebody's code as a contender: what it is given, what it may answer, and where it fails."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from loom.kernel.errors import LoomError
from loom.science.features import build
from loom.science.validation import Candidate, Ended, Problem

SLOW = """
import time

def fit(train, ctx):
    time.sleep(600)

def predict(model, frame):
    return 0
"""
CURIOUS = """
def fit(train, ctx):
    assert list(train) == [*ctx.features, ctx.target], list(train)
    assert ctx.classes == ["no", "yes"] and ctx.task == "binary" and ctx.metric == "auc"
    return sorted(train[ctx.target].unique())

def predict(model, frame):
    assert "answer" not in frame and "at" not in frame
    return [[0.25, 0.75]] * len(frame)
"""


def run(argv: Sequence[str], folder: Path, seconds: float) -> Ended:
    """A module of Loom in a process of its own, with nothing around it."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", *argv], cwd=folder, check=False, timeout=seconds, capture_output=True
        )
    except subprocess.TimeoutExpired:
        return Ended(False, timed_out=True)
    return Ended(done.returncode == 0, f"it ended with {done.returncode}")


def problem(*, raw: bool = False) -> Problem:
    random = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "at": np.arange(60),
            "size": random.normal(size=60),
            "kind": random.choice(["a", "b"], 60),
            "answer": random.choice(["no", "yes"], 60),
        }
    ).with_columns(pl.col("kind").cast(pl.Enum(["a", "b"])))
    made = None if raw else build(frame.drop("at"), "answer", recipe="minimal").transformer
    return Problem(frame, "answer", "binary", transformer=made, ids=("at",))


@pytest.mark.parametrize("raw", [False, True])
def test_a_solution_sees_features_and_the_answer_and_predicts_without_it(tmp_path: Path, raw: bool) -> None:
    given = problem(raw=raw)
    candidate = Candidate("mine.py", CURIOUS, run, tmp_path, "auc")
    prepared = given.prepared(np.arange(40), [given.train[40:]])
    fitted = candidate.fit(given, prepared, given.answers[:40], 0)
    assert fitted.predict(prepared, 0)["solution"].tolist() == [0.75] * 20
    assert not list(tmp_path.iterdir())


def test_one_that_never_ends_is_stopped_and_told_where_it_was(tmp_path: Path) -> None:
    given = problem()
    candidate = Candidate("mine.py", SLOW, run, tmp_path, "auc", seconds=8)
    with pytest.raises(LoomError) as told:
        candidate.fit(given, given.prepared(np.arange(60), []), given.answers, 0)
    assert told.value.what == "mine.py, line 5: it does not come to an end"
    assert "8 s" in told.value.why


def test_classes_that_do_not_add_up_are_refused(tmp_path: Path) -> None:
    frame = problem().train.with_columns(pl.Series("answer", ["x", "y", "z"] * 20))
    given = Problem(frame, "answer", "multiclass", ids=("at",))
    code = "def fit(train, ctx):\n    return 1\n\ndef predict(m, f):\n    return [[0.5, 0.5, 0.5]] * len(f)\n"
    candidate = Candidate("mine.py", code, run, tmp_path, "auc")
    with pytest.raises(LoomError, match="line 4: the probabilities of a row do not add up to 1"):
        candidate.fit(given, given.prepared(np.arange(60), [frame]), given.answers, 0)
