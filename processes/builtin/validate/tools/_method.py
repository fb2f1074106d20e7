"""How a model was measured, for those who want to know."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from typing import Any

_LIBRARIES = ("loom", "polars", "numpy", "scikit-learn", "lightgbm")


def method(measured: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Splits, seeds, versions and digests."""
    data, splitter = measured["data"], measured.get("splitter") or {}
    holdout, model, rows = measured.get("holdout") or {}, measured["model"], measured["rows"]
    told: dict[str, Any] = {
        "judged": measured["model_source"],
        "data object": data["dataset_ref"],
        "brought in as": data["root"],
        "target": f"{data['target']} ({measured['task']})",
        "rows": f"{rows['train']:,} open, the model learned from {rows['frozen_on']:,}",
        "split": splitter.get("why"),
        "horizon": splitter.get("horizon"),
        "embargo": splitter.get("embargo"),
        "purged, embargoed": f"{splitter.get('n_purged', 0):,}, {splitter.get('n_embargoed', 0):,} rows",
        "notes on the split": "; ".join(splitter.get("notes") or ()) or None,
        "sealed": data["holdout"].get("how"),
        "interval of the score": holdout.get("how"),
        "members and their weights": _weights(measured["weights"]),
        "suspects you vouch for": ", ".join(asked["accepted"]) or None,
        "fairness": "a breach fails" if asked["strict"] else "a breach is reviewed",
        "seed": measured["seed"],
        "model": model["digest"],
        "holdout": holdout.get("digest"),
        "data": data["digests"].get(data["root"]),
        "features": (data["features"] or {}).get("fingerprint"),
        "versions": ", ".join(f"{name} {found}" for name in _LIBRARIES if (found := _version(name))),
    }
    for name, why in (measured.get("undrawn") or {}).items():
        told[f"{name}, not drawn"] = why
    return {name: value for name, value in told.items() if value is not None}


def _weights(weights: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {weight:g}" for name, weight in weights.items())


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
