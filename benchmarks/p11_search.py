"""P11: what a search of a minute finds, against FLAML with the same minute and LightGBM as it comes.

Every table is cut into rows to learn from and a quarter that nobody sees. `loom run --data` gets the rows as CSV files and a
budget; FLAML the same rows, the same wall clock and as many threads, in the Python that LOOM_PEERS names (`pip install
'flaml[automl]'`). One line per table and seed. `python benchmarks/p11_search.py churn --seeds 1 --budget 60` runs a part.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd
from search_data import Table, tables

from loom.science.metrics import get, score

FLAML = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np, pandas as pd
from flaml import AutoML
folder, target, metric, seconds, seed, by_time = sys.argv[1:]
train, test = (pd.read_pickle(f"{folder}/{part}.pkl") for part in ("train", "test"))
for name in train.columns:
    if name != target and train[name].dtype.kind not in "iufbM":
        levels = pd.CategoricalDtype(sorted(train[name].dropna().astype(str).unique()))
        for part in (train, test):
            part[name] = part[name].astype(object).where(part[name].notna()).astype(levels)
task = "regression" if metric == "rmse" else "classification"
named = {"auc": "roc_auc", "logloss": "log_loss", "rmse": "rmse"}[metric]
found = AutoML()
begun = time.time()
more = {"split_type": "time"} if by_time == "yes" else {}
found.fit(X_train=train.drop(columns=target), y_train=train[target], task=task, metric=named,
          time_budget=float(seconds), n_jobs=2, seed=int(seed), verbose=0, **more)
said = found.predict(test) if task == "regression" else found.predict_proba(test)
np.save(f"{folder}/flaml.npy", np.asarray(said, float))
print(json.dumps({"seconds": time.time() - begun, "best": found.best_estimator}))
"""

Floats = npt.NDArray[np.float64]


def ours(
    table: Table, train: pd.DataFrame, test: pd.DataFrame, folder: Path, seconds: int, seed: int
) -> tuple[Floats, dict[str, Any]]:
    """The predictions of `loom run`, and what it says of itself."""
    data, home = folder / "data", folder / "home"
    data.mkdir()
    home.mkdir()
    train.to_csv(data / "train.csv", index=False)
    test.to_csv(data / "test.csv", index=False)
    command = [
        sys.executable,
        "-m",
        "loom.cli.main",
        "run",
        "--data",
        str(data),
        "--mlops",
        "local",
        "--json",
    ]
    command += [
        "--target",
        table.target,
        "--metric",
        table.metric,
        "--budget",
        f"{seconds}s",
        "--seed",
        str(seed),
    ]
    command += ["--time", ",".join(table.time)] if table.time else []
    begun = time.perf_counter()
    done = subprocess.run(
        command, env=os.environ | {"LOOM_HOME": str(home)}, capture_output=True, text=True, check=True
    )
    wall = time.perf_counter() - begun
    summary = json.loads(done.stdout)["summary"]
    said = pd.read_csv(summary["submission_path"]).iloc[:, 1:].to_numpy(np.float64)
    told = {"wall": wall, "candidates": summary["candidates"], "champion": summary["best"]["family"]}
    return said[:, 0] if said.shape[1] == 1 else said, told


def flaml(
    python: str, table: Table, train: pd.DataFrame, test: pd.DataFrame, folder: Path, seconds: int, seed: int
) -> tuple[Floats, dict[str, Any]]:
    """The predictions of FLAML."""
    train.to_pickle(folder / "train.pkl")
    test.to_pickle(folder / "test.pkl")
    arguments = [
        str(folder),
        table.target,
        table.metric,
        str(seconds),
        str(seed),
        "yes" if table.time else "no",
    ]
    done = subprocess.run([python, "-c", FLAML, *arguments], capture_output=True, text=True, check=True)
    return np.load(folder / "flaml.npy"), json.loads(done.stdout.splitlines()[-1])


def as_it_comes(table: Table, train: pd.DataFrame, test: pd.DataFrame, seed: int) -> Floats:
    """The predictions of LightGBM without settings."""
    both = [_coded(part, table.target, train) for part in (train, test)]
    kind = lightgbm.LGBMRegressor if table.metric == "rmse" else lightgbm.LGBMClassifier
    model = kind(n_jobs=2, random_state=seed, verbosity=-1).fit(both[0], train[table.target])
    return np.asarray(
        model.predict(both[1]) if table.metric == "rmse" else model.predict_proba(both[1]), np.float64
    )


def _coded(part: pd.DataFrame, target: str, train: pd.DataFrame) -> pd.DataFrame:
    found = part.drop(columns=target, errors="ignore").copy()
    for name in found.columns:
        if found[name].dtype.kind == "M":
            found[name] = (found[name] - pd.Timestamp(0)).dt.days
        elif found[name].dtype.kind not in "iufb":
            levels = pd.CategoricalDtype(sorted(train[name].dropna().astype(str).unique()))
            found[name] = found[name].astype(object).where(found[name].isin(levels.categories)).astype(levels)
    return found


def scored(table: Table, test: pd.DataFrame, said: Floats) -> float:
    """What predictions are worth on the quarter that nobody has seen."""
    if table.metric == "rmse":
        return score(get("rmse"), test[table.target].to_numpy(np.float64), said)
    classes = sorted(table.frame[table.target].unique())
    codes = test[table.target].map({label: code for code, label in enumerate(classes)}).to_numpy()
    return score(get(table.metric), codes, said[:, 1] if said.ndim == 2 and len(classes) == 2 else said)


def main() -> None:
    """One line per table and seed."""
    known = tables()
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=list(known))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=int, default=60)
    asked = parser.parse_args()
    peers = os.environ.get("LOOM_PEERS")
    for name in asked.names:
        table = known[name]()
        for seed in range(asked.seeds):
            train, test = table.parts(seed)
            hidden = test.drop(columns=table.target)
            with tempfile.TemporaryDirectory(prefix="loom-p11-") as place:
                folder = Path(place)
                said, told = ours(table, train, hidden, folder, asked.budget, seed)
                line: dict[str, Any] = {
                    "name": f"P11 {name}, {table.metric}",
                    "seed": seed,
                    "ours": round(scored(table, test, said), 5),
                    "lightgbm": round(scored(table, test, as_it_comes(table, train, hidden, seed)), 5),
                    "wall_s": round(told["wall"], 2),
                    "late": round(told["wall"] / asked.budget - 1, 3),
                    "candidates": told["candidates"],
                    "champion": told["champion"],
                }
                if peers:
                    other, about = flaml(peers, table, train, hidden, folder, asked.budget, seed)
                    line |= {
                        "flaml": round(scored(table, test, other), 5),
                        "flaml_s": round(about["seconds"], 2),
                    }
                print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
