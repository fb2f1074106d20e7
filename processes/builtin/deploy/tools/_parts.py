"""Parts of a manifest: where a model comes from, and how good it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def lineage_of(evidence: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """From the verdict back to where the data came in."""
    model = evidence["model"]
    yield {"ref": evidence["validation"], "what": f"the validation: {evidence['verdict']}", "digest": None}
    yield {"ref": model["ref"], "what": f"the model, {model['source']}", "digest": model["digest"]}
    if evidence["features"]:
        made = f"its features, recipe {evidence['features']['recipe']}"
        yield {"ref": "transformer", "what": made, "digest": evidence["features"]["fingerprint"]}
    for one in evidence["data"]:
        yield {
            "ref": one["pathspec"],
            "what": f"{one['name']}, {one['rows']:,} rows",
            "digest": one["digest"],
        }
    if evidence["source"]:
        yield {"ref": evidence["source"], "what": "where the data came from", "digest": None}


def metrics_of(summary: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Scores, those on sealed rows first."""
    name, holdout = summary["metric"]["name"], summary["holdout"]
    cv, baselines = summary.get("cv") or {}, summary.get("baselines") or {}
    sealed = f"{holdout['n']:,} sealed rows"
    yield {
        "metric": name,
        "of": "this model",
        "on": sealed,
        "score": holdout["score"],
        "ci": holdout.get("ci"),
    }
    if cv.get("mean") is not None:
        folds = f"{len(cv['folds'])} splits of the open rows"
        yield {
            "metric": name,
            "of": "this model, refitted",
            "on": folds,
            "score": cv["mean"],
            "se": cv.get("se"),
        }
    known = [baselines.get("dummy"), *(baselines.get("simple") or ())]
    for one in known:
        if isinstance(one, Mapping) and one.get("score") is not None:
            yield {
                "metric": name,
                "of": one.get("name", "a simple model"),
                "on": sealed,
                "score": one["score"],
            }
