"""The summary of a verdict: what was measured, under the names that are stable."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

NO_SPLITTER = {"kind": "unknown", "why": "", "horizon": None, "embargo": None, "n_purged": 0}
NO_CV: Mapping[str, Any] = {"folds": [], "mean": None, "se": None}


def summary_of(
    measured: Mapping[str, Any], accepted: Collection[str], reference: str | None
) -> dict[str, Any]:
    """The measurements without what only pictures need; what could not be measured is named under `not_measured`."""
    errors = measured["errors"]
    fairness = measured.get("fairness")
    data, model = measured["data"], measured["model"]
    return {
        "dataset_ref": data["dataset_ref"],
        "source_dataset_ref": data["root"],
        "target": data["target"],
        "task": measured["task"],
        "metric": measured["metric"],
        "model_source": measured["model_source"],
        "splitter": measured.get("splitter") or NO_SPLITTER,
        "cv": measured.get("cv") or NO_CV,
        "holdout": measured.get("holdout"),
        "baselines": measured.get("baselines") or {},
        "permutation_p": measured.get("permutation_p"),
        "canary": measured.get("canary"),
        "calibration": measured.get("calibration"),
        "slices": measured.get("slices") or [],
        "fairness": fairness
        if fairness is not None
        else f"not known: {errors.get('fairness', 'no holdout')}",
        "leakage": leaks_of(measured, accepted),
        "adversarial": measured.get("adversarial"),
        "model_ref": f"{reference}/model" if reference else None,
        "model": {"digest": model["digest"], "file_digest": model["file"], "bytes": model["bytes"]},
        "digests": data["digests"],
        "accepted_suspects": sorted(accepted),
        "not_measured": errors,
    }


def leaks_of(measured: Mapping[str, Any], accepted: Collection[str]) -> list[dict[str, Any]]:
    """The leaks among the columns used, those that fail the model first."""
    found = measured.get("leakage") or {"flags": [], "suspects": []}
    return [
        {**{key: one.get(key) for key in ("column", "reason", "score")}, "tier": tier, "accepted": vouched}
        for tier in ("flags", "suspects")
        for one in found[tier]
        for vouched in [tier == "suspects" and one.get("column") in accepted]
    ]
