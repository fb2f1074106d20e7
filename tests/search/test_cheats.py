"""Whoever cheats gains nothing by it and is named: real programs, closed in, marked by answers they never see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from loom.sandbox import ladder
from loom.science.metrics import get
from loom.science.search.order import Found, Order
from loom.science.validation.problem import Problem
from loom.search.executor import Executor
from loom.search.outcome import CandidateFacts
from loom.search.replay import Replay
from loom.search.run import Means, search

ROWS = 200
HEAD = """
import csv

rows = list(csv.DictReader(open("input/test.csv")))


def write(said):
    with open("working/submission.csv", "w") as file:
        file.write("row_id,prediction\\n")
        file.writelines(f"{name},{value}\\n" for name, value in said)


"""
HONEST = HEAD + "write((row['row_id'], 0.3 + 0.4 * float(row['x'])) for row in rows)\n"
CHEATS = {
    "boasts": HEAD
    + "write((row['row_id'], 0.9 - 0.8 * float(row['x'])) for row in rows)\nprint('{\"auc\": 0.999}')\n",
    "says_nothing_but_a_score": "print('{\"score\": 1.0}')\n",
    "constant": HEAD + "write((row['row_id'], 0.7) for row in rows)\n",
    "gives_the_sample_back": "import shutil\nshutil.copyfile('input/sample_submission.csv', 'working/submission.csv')\n",
    "leaves_rows_out": HEAD + "write([(row['row_id'], 0.5 * float(row['x'])) for row in rows][:-3])\n",
    "says_no_number": HEAD + "write((row['row_id'], 'nan') for row in rows)\n",
    "makes_rows_up": HEAD + "write([(row['row_id'], 0.1) for row in rows] + [('r1', 0.5)])\n",
    "says_rows_twice": HEAD + "write([(row['row_id'], 0.1) for row in rows] * 2)\n",
    "reads_answers_elsewhere": "print(open('../../../secret/answers.csv').read())\n",
    "patches_the_scorer": "import loom.science.metrics as metrics\nmetrics.score = lambda *_: 1.0\n",
    "reads_its_parent": "import os\nprint(open(f'/proc/{os.getppid()}/environ').read())\n",
    "reads_the_environment": "import os\nprint(dict(os.environ))\n",
}
NAMED = {
    "says_nothing_but_a_score": "no_submission",
    "constant": "constant",
    "gives_the_sample_back": "sample_returned",
    "leaves_rows_out": "missing_rows",
    "says_no_number": "not_finite",
    "makes_rows_up": "unknown_ids",
    "says_rows_twice": "repeated_ids",
    "reads_answers_elsewhere": "outside",
    "patches_the_scorer": "scorer",
    "reads_its_parent": "memory",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Found, dict[str, CandidateFacts]]:
    if ladder.probe().level == "none":
        pytest.skip("this machine has no sandbox")
    random = np.random.default_rng(3)
    x = random.uniform(size=ROWS)
    frame = pl.DataFrame({"x": x, "y": (random.uniform(size=ROWS) < 0.2 + 0.6 * x).astype(int)})
    order = Order(
        "cheats", "sha256:2", Problem(frame, "y", "binary"), get("auc"), 60.0, "loom-cheats", workers=2
    )
    kept: list[CandidateFacts] = []

    def keep(facts: Iterable[CandidateFacts]) -> Iterator[str]:
        for each in facts:
            kept.append(each)
            yield f"EvalCandidate/{len(kept)}"

    def executor(reads: Path, writes: Path, workers: int, seconds: float) -> Any:
        return Executor([reads], writes, workers=workers, seconds=seconds, imports=())

    proposer = Replay((*CHEATS.items(), ("honest", HONEST)))
    folder = tmp_path_factory.mktemp("cheats")
    result = search(order, Means(folder, proposer, 4, lambda _: None, keep, executor))
    return result, {each.summary["family"]: each for each in kept}


def test_the_champion_is_honest(found: tuple[Found, Any]) -> None:
    assert found[0].figures["best"]["family"] == "honest"


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_scores_no_better_than_chance(
    found: tuple[Found, dict[str, CandidateFacts]], cheat: str
) -> None:
    score = found[1][cheat].summary["search"]
    assert score is None or score <= 0.6


@pytest.mark.parametrize(("cheat", "code"), NAMED.items())
def test_a_cheat_is_named(found: tuple[Found, dict[str, CandidateFacts]], cheat: str, code: str) -> None:
    told = found[0].figures
    number = found[1][cheat].summary["node"]
    assert found[1][cheat].summary["why"] == code or number in told["oddities"].get(code, ())
    assert told["meanings"][code]
