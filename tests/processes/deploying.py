"""Validations to deploy from, and the fixtures of the package made of them: `python -m tests.processes.deploying`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from loom.dataio.addresses import parse_address
from loom.dataio.catalogue import DirectoryCatalogue
from loom.dataio.ingest import Request, ingest
from loom.dataio.objects import DataObject
from loom.science.serving.inputs import input_columns
from loom.science.serving.model import Served
from loom.science.serving.solution import Solution, fitted_by, load

DEPLOY = Path(__file__).parents[2] / "processes" / "builtin" / "deploy"
TABLE = DEPLOY / "tests" / "data" / "customers.csv"
READS = ("plan", "months", "calls")

SOURCE = '''"""Customers who call more leave more often."""


def fit(train, ctx):
    left = (train[ctx.target] == "yes").astype(float)
    return {"base": float(left.mean()), "calls": float(train["calls"].mean())}


def predict(model, frame):
    excess = frame["calls"].fillna(model["calls"]) - model["calls"]
    return (model["base"] + 0.08 * excess).clip(0.01, 0.99).to_numpy()
'''
SCRIPT = 'import pandas\n\npandas.read_csv("input/train.csv").to_csv("working/submission.csv")\n'


def customers(rows: int = 400, seed: int = 11) -> pl.DataFrame:
    """Customers, of whom some leave."""
    random = np.random.default_rng(seed)
    calls = random.poisson(3, rows)
    left = calls - 3 + random.logistic(size=rows) > 0.5
    return pl.DataFrame(
        {
            "customer_id": [f"C{number:06d}" for number in random.permutation(10**6)[:rows]],
            "plan": random.choice(["basic", "plus", "pro"], rows),
            "months": random.integers(1, 60, rows),
            "calls": calls,
            "churned": np.where(left, "yes", "no"),
        }
    )


def brought_in(home: Path, table: Path = TABLE, **asked: Any) -> tuple[str, DataObject]:
    """A table as the next data object of a home."""
    catalogue = DirectoryCatalogue(home / "objects")
    request = Request(parse_address(str(table)), **{"target": "churned", **asked})
    record, found = ingest(request, catalogue.store, home)
    return catalogue.register("IngestDataset", record), found


def solved(found: DataObject, source: str = SOURCE, train: pl.DataFrame | None = None) -> Served:
    """The model of a solution, frozen as `validate` does it."""
    rows = customers() if train is None else train
    fitted = fitted_by(load(source), rows, "churned") if "def fit" in source else b""
    columns = input_columns(found.schema["columns"], READS)
    return Served("binary", "churned", ("no", "yes"), columns, solution=Solution(source, fitted))


def summary_of(
    served: Served | None, objects: Mapping[str, DataObject], reference: str, **other: Any
) -> dict[str, Any]:
    """The summary of a validation that has nothing against a model."""
    dataset, found = next(iter(objects.items()))
    score = other.pop("score", 0.8312)
    told: dict[str, Any] = {
        "dataset_ref": dataset,
        "source_dataset_ref": list(objects)[-1],
        "digests": {name: each.schema["digest"] for name, each in objects.items()},
        "target": "churned",
        "task": "binary",
        "metric": {"name": "auc", "direction": "higher", "bounded": True, "operator": None, "threshold": None},
        "model_source": "EvalCandidate/1",
        "splitter": {
            "kind": "stratified", "why": "rows have neither a time nor an entity",
            "horizon": None, "horizon_assumed": False, "embargo": None, "n_purged": 0,
        },
        "cv": {"folds": [0.82, 0.84, 0.81, 0.85, 0.83], "mean": 0.83, "se": 0.007, "n": 320},
        "holdout": {
            "digest": list(objects.values())[-1].schema["holdout"]["digest"], "n": 80, "sealed": 80,
            "score": score, "ci": [round(score - 0.04, 4), round(score + 0.04, 4)], "se": 0.02, "openings": 1,
        },
        "baselines": {
            "dummy": {"name": "the same for all", "score": 0.5},
            "simple": [
                {"name": "a linear model", "score": 0.829, "difference": {"value": 0.002, "ci": [-0.01, 0.014]}}
            ],
        },
        "permutation_p": 0.001,
        "canary": {"score": 0.51, "chance": 0.5, "ci": [0.42, 0.6], "level": 0.999},
        "calibration": {
            "task": "binary", "n": 80, "ece": 0.05, "noise_floor": {"mean": 0.06, "p99": 0.11},
            "brier": 0.16, "brier_skill": {"value": 0.31, "low": 0.2, "high": 0.42},
            "slope": {"value": 1.04, "low": 0.8, "high": 1.3}, "bias": {"value": 0.01, "low": -0.03, "high": 0.05},
            "findings": [],
        },
        "slices": [],
        "fairness": "not assessed",
        "leakage": [],
        "adversarial": {"auc": 0.51},
        "model_ref": None if served is None else f"{reference}/model",
        "model": None if served is None else {"digest": served.digest, "bytes": len(served.to_bytes())},
        "accepted_suspects": [],
        "not_measured": {},
    }  # fmt: skip
    assert found.schema["target"] == "churned"
    return told | other


def _fixtures(folder: Path, scratch: Path) -> None:
    """Every past run of the package, each with the model it kept."""
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    customers().write_csv(TABLE)
    pathspec, found = brought_in(scratch)
    served, objects = solved(found), {pathspec: found}

    def reason(code: str, what: str, severity: str = "error") -> dict[str, Any]:
        return {"code": code, "severity": severity, "what": what, "value": None, "threshold": None}

    def run(number: int, verdict: str | None, *reasons: Any, **told: Any) -> None:
        name = f"ValidateFlow/{number}"
        model, inputs = told.pop("served", served), told.pop("inputs", {})
        status = told.pop("status", "ok")
        told["model_source"] = inputs.get("solution", "EvalCandidate/1") or "the default portfolio"
        written = {
            "verb": "validate", "status": status, "verdict": verdict,
            "inputs": {"dataset": pathspec, "solution": "EvalCandidate/1", **inputs},
            "summary": summary_of(model, objects, name, **told), "reasons": list(reasons), "reads": [pathspec],
        }  # fmt: skip
        path = folder / f"ValidateFlow-{number}.json"
        path.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
        if model is not None:
            (folder / f"ValidateFlow-{number}").mkdir(exist_ok=True)
            (folder / f"ValidateFlow-{number}" / "model").write_bytes(model.to_bytes())

    folder.mkdir(parents=True, exist_ok=True)
    note = reason("worse_than_simple", "not shown to be better than a linear model", "info")
    run(1, "PASS", note)
    suspect = reason("suspect_used", "`calls`: it tells the answer almost alone", "warning")
    run(2, "REVIEW", suspect, inputs={"solution": "EvalCandidate/2"})
    leak = {"column": "calls", "reason": "separates_target", "score": 1.0, "tier": "flags", "accepted": False}
    given = reason("leak_used", "`calls` gives the answer away: separates_target")
    run(3, "FAIL", given | {"column": "calls"}, leakage=[leak], inputs={"solution": None})
    none = reason("no_holdout", "there is no holdout to judge by: no rows were sealed when the data came in")
    run(4, "FAIL", none, holdout=None, inputs={"solution": None})
    run(5, "PASS", digests={pathspec: "sha256:" + "0" * 64}, inputs={"solution": None})
    run(6, "PASS", served=None, inputs={"solution": "EvalCandidate/6"})
    lower = {"name": "rmse", "direction": "lower", "bounded": False, "operator": None, "threshold": None}
    run(7, "PASS", metric=lower, score=3.2, inputs={"solution": None})
    run(8, None, status="error", inputs={"solution": "EvalCandidate/8"})
    run(9, "PASS", served=solved(found, SCRIPT), inputs={"solution": "EvalCandidate/9"})
    other = {"digest": "sha256:" + "1" * 64, "bytes": 1}
    run(10, "PASS", model=other, inputs={"solution": None})


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        _fixtures(DEPLOY / "tests" / "runs", Path(name))
