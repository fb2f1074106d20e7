"""A chain of runs as the journal would tell it: a look, features, a search and a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loom.core.index import RunFacts
from loom.kernel.errors import LoomError

BESIDE = ("verdict", "reasons", "next", "card")
_VERDICTS = {"eda": "FLAGGED", "features": "BUILT", "optimize": "BEST"}
_FLOWS = {
    "eda": "EdaFlow",
    "features": "FeaturesFlow",
    "optimize": "OptimizeFlow",
    "validate": "ValidateFlow",
}
_BEST = {"pathspec": "EvalCandidate/3", "family": "lightgbm", "search": 0.86, "seal": 0.84, "ci": [0.8, 0.88]}
_ROW = {"rank": 1, "family": "lightgbm", "search": 0.86, "seal": 0.84, "seconds": 1.0}
_SUMMARIES: dict[str, dict[str, Any]] = {
    "eda": {
        "dataset_ref": "IngestDataset/1",
        "target": {"name": "churned"},
        "leakage_flags": [{"column": "bill", "reason": "missingness", "score": 0.98}],
    },
    "features": {
        "dataset_ref": "FeaturesFlow/1",
        "n_features_before": 9,
        "n_features_after": 40,
        "dropped": [{"column": "customer", "reason": "id"}, {"column": "bill", "reason": "missingness"}],
    },
    "optimize": {
        "experiment_id": "loom-abc123",
        "metric": "auc",
        "best": _BEST,
        "candidates": 7,
        "leaderboard": [{**_ROW, "pathspec": "EvalCandidate/3", "champion": True}],
    },
    "validate": {
        "metric": {"name": "auc"},
        "holdout": {"score": 0.84, "ci": [0.8, 0.88], "n": 1000},
        "baselines": {"dummy": {"name": "the same for all", "score": 0.5}},
    },
}
_SAID: dict[str, tuple[dict[str, Any], ...]] = {
    "eda": (
        {
            "code": "missingness",
            "severity": "warning",
            "column": "bill",
            "what": "whether `bill` is empty tells the target",
        },
    ),
    "validate": ({"code": "imprecise", "severity": "warning", "what": "the interval is wide"},),
}


class Index:
    """The runs that there are."""

    def __init__(self, runs: Sequence[RunFacts]) -> None:
        self._runs = {run.name: run for run in runs}

    def runs(
        self, *, flow: str | None = None, experiment: str | None = None, limit: int | None = None
    ) -> list[RunFacts]:
        return [run for run in self._runs.values() if flow in (None, run.flow)][:limit]

    def run(self, pathspec: str) -> RunFacts:
        if pathspec not in self._runs:
            raise LoomError(f"there is no run {pathspec}", "the journal does not know it", "loom runs")
        return self._runs[pathspec]


def chain(verdict: str, **changes: Mapping[str, Any]) -> tuple[RunFacts, ...]:
    """The runs of a chain that ends in a verdict; a change replaces what the summary of a stage says."""
    return tuple(
        RunFacts(
            name=f"{flow}/1",
            pathspec=f"{flow}/1",
            flow=flow,
            verb=verb,
            status="ok",
            verdict=_VERDICTS.get(verb, verdict),
            seconds=2.0,
            summary={**_SUMMARIES[verb], **changes[verb]}
            if changes.get(verb)
            else changes.get(verb, _SUMMARIES[verb]),
            reasons=_SAID.get(verb, ()),
        )
        for verb, flow in _FLOWS.items()
    )


def stages(runs: Sequence[RunFacts]) -> list[dict[str, Any]]:
    """The runs as a phase hands them to the tool that sums them up."""
    return [
        {"verb": run.verb, "pathspec": run.pathspec, "verdict": run.verdict, "summary": dict(run.summary)}
        for run in runs
    ]
