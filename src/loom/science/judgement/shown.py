"""What each rule looked at, in the few words of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from loom.science.judgement.reading import NotMeasuredError, Reading

Show = Callable[[Reading], str]


def value_of(code: str, read: Reading) -> str:
    """The measurement that a rule is about; empty where there is none."""
    try:
        return _SHOWS[code](read)
    except (NotMeasuredError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
        return ""


def _count(found: Any, what: str) -> str:
    return f"{len(found):,} {what}" if len(found) != 1 else f"1 {what.removesuffix('s')}"


def _overlap(read: Reading) -> str:
    found = read.of("overlaps")
    known = {"rows": "rows", "groups": "entities", "times": "intervals"}
    return ", ".join(f"{found[key]:,} {said}" for key, said in known.items() if found[key] is not None)


def _span(ci: Any) -> str:
    return f"{ci[0]:.3g} to {ci[1]:.3g}"


def _holdout(read: Reading) -> Mapping[str, Any]:
    found: Mapping[str, Any] = read.of("holdout")
    return found


def _above(read: Reading) -> str:
    dummy = read.of("baselines")["dummy"]["score"]
    return f"{_span(_holdout(read)['ci'])} against {dummy:.3g}"


def _canary(read: Reading) -> str:
    found = read.of("canary")
    return f"{found['score']:.3g} ({_span(found['ci'])}), chance is {found['chance']:.3g}"


def _below(read: Reading) -> str:
    holdout, cv = _holdout(read), read.of("cv")
    return f"{holdout['score']:.3g} against {cv['mean']:.3g} ± {cv['se']:.2g}"


def _half(read: Reading) -> str:
    low, high = _holdout(read)["ci"]
    return f"± {(high - low) / 2:.2g}"


def _simple(read: Reading) -> str:
    found = read.of("baselines")["simple"]
    return "; ".join(f"{one['difference']['value']:+.3g} to {one['name']}" for one in found)


def _calibration(read: Reading) -> str:
    found = read.of("calibration")
    parts = [f"error {found['ece']:.3g} (noise {found['noise_floor']['p99']:.3g})"]
    if found.get("slope"):
        parts.append(f"slope {found['slope']['value']:.3g}")
    return ", ".join(parts)


def _threshold(read: Reading) -> str:
    if read.of("metric").get("threshold") is None:
        return "none was asked for"
    return f"{_holdout(read)['score']:.4g} ({_span(_holdout(read)['ci'])})"


def _fairness(read: Reading) -> str:
    found = read.of("fairness")
    return found if isinstance(found, str) else ", ".join(str(one["column"]) for one in found)


def _horizon(read: Reading) -> str:
    found = read.of("splitter")
    horizon = found.get("horizon")
    return (
        "no time"
        if horizon is None
        else f"{horizon}, {'assumed' if found['horizon_assumed'] else 'declared'}"
    )


_SHOWS: Mapping[str, Show] = {
    "leak_used": lambda read: _count(read.of("leakage")["flags"], "columns"),
    "suspect_used": lambda read: _count(read.of("leakage")["suspects"], "suspects"),
    "overlap": _overlap,
    "canary_broken": _canary,
    "no_holdout": lambda read: f"{_holdout(read)['n']:,} rows",
    "target_missing": lambda read: f"{100 * read.of('target_missing'):.2g} %",
    "not_above_dummy": _above,
    "chance": lambda read: f"p = {read.of('permutation_p'):.3g}",
    "below_cv": _below,
    "imprecise": _half,
    "worse_than_simple": _simple,
    "miscalibrated": _calibration,
    "threshold_missed": _threshold,
    "bad_slice": lambda read: _count(read.of("slices"), "slices"),
    "unfair": _fairness,
    "distinguishable": lambda read: f"AUC {read.of('adversarial')['auc']:.3g}",
    "horizon_assumed": _horizon,
    "holdout_reused": lambda read: _count(range(_holdout(read)["openings"]), "models"),
}
