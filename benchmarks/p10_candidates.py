"""P10: a search tries at least five times as many small candidates per minute as `python solution.py` for each.

Both sides run the same candidates on the same small table, two at a time: one through the executor in the strongest
sandbox of this machine, from the start of the first candidate to the end of the last; the other as processes of their
own without any. What counts is the clock for each candidate; the server's start, once in a search, is told apart.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
from measure import compare

from loom.science.resources import environment
from loom.search.executor import Executor
from loom.search.jobs import SUBMISSION, WORKING, Job

ROWS, COLUMNS = 600, 8
AT_ONCE = 2
CANDIDATES = 6
REPEATS = 3
BUDGET = 0.2
"""The clock for one of ours, of what one of theirs takes."""

LEARNS = """
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MODELS = {{
    "trees": LGBMClassifier(n_estimators=40, num_leaves=7, n_jobs=1, verbose=-1, random_state={seed}),
    "linear": make_pipeline(StandardScaler(), LogisticRegression(C={seed} + 1)),
}}


def fit(train, ctx):
    return MODELS["{family}"].fit(train.drop(columns="y"), train["y"])


def predict(model, frame):
    return model.predict_proba(frame)[:, 1]


if __name__ == "__main__":
    train, test = (pd.read_parquet(f"./input/{{part}}.parquet") for part in ("train", "test"))
    said = predict(fit(train, None), test.drop(columns="row_id"))
    pd.DataFrame({{"row_id": test["row_id"], "prediction": said}}).to_csv("./working/submission.csv", index=False)
"""


def prepare(root: Path) -> Callable[[], Path]:
    """An input; and what makes one more candidate in a folder of its own."""
    given = root / "inputs"
    given.mkdir()
    (root / "nodes").mkdir()
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(ROWS, COLUMNS)), columns=[f"f{n}" for n in range(COLUMNS)])
    answers = frame["f0"] + frame["f1"] ** 2 + random.normal(size=ROWS) > 1
    frame.assign(y=answers)[: ROWS // 2].to_parquet(given / "train.parquet")
    frame[ROWS // 2 :].rename_axis("row_id").reset_index().to_parquet(given / "test.parquet")
    numbers = count()

    def another() -> Path:
        number = next(numbers)
        folder = root / "nodes" / str(number)
        (folder / "working").mkdir(parents=True)
        (folder / "input").symlink_to(given)
        code = LEARNS.format(seed=number % 7, family=("trees", "linear")[number % 2])
        (folder / "solution.py").write_text(code)
        return folder

    return another


def ours(executor: Executor, folders: list[Path]) -> float:
    """Seconds for each candidate, through the executor."""
    begun = time.perf_counter()
    waiting = list(folders)
    while waiting or executor.running:
        while waiting and len(executor.running) < AT_ONCE:
            folder = waiting.pop()
            executor.start(Job(folder.name, folder, seconds=60, memory_bytes=1 << 30))
        for finished in executor.wait(60):
            assert finished.status == "ok", finished
    return (time.perf_counter() - begun) / len(folders)


def theirs(folders: list[Path]) -> float:
    """Seconds for each candidate, as a process of its own."""
    begun = time.perf_counter()
    waiting, running = list(folders), []
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            words = [sys.executable, "solution.py"]
            running.append(subprocess.Popen(words, cwd=waiting.pop(), env=environment(1)))
        assert running.pop(0).wait() == 0
    return (time.perf_counter() - begun) / len(folders)


def main() -> None:
    """Both sides alternately, then candidates per minute."""
    with tempfile.TemporaryDirectory(prefix="loom-p10-") as name:
        root = Path(name)
        another = prepare(root)
        seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
        begun = time.perf_counter()
        with Executor([root / "inputs"], root / "nodes", workers=AT_ONCE, seconds=3600) as executor:
            ours(executor, [another()])
            first = time.perf_counter() - begun

            def run(side: str) -> float:
                folders = [another() for _ in range(CANDIDATES)]
                seconds[side].append(ours(executor, folders) if side == "ours" else theirs(folders))
                assert all((folder / WORKING / SUBMISSION).stat().st_size for folder in folders)
                return seconds[side][-1]

            compare(
                "P10 seconds per candidate",
                lambda: run("ours"),
                lambda: run("theirs"),
                budget=BUDGET,
                n=REPEATS,
            )
            level = executor.level
        minute = {side: round(60 / float(np.median(spent[1:]))) for side, spent in seconds.items()}
        told = {"name": "P10 candidates per minute", **minute, "level": level}
        print(json.dumps(told | {"first_candidate_s": round(first, 2)}), flush=True)


if __name__ == "__main__":
    main()
