"""What each rule of a verdict looks for. A check yields what speaks against the model, and nothing when all is well."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from loom.kernel.verdict import Reason
from loom.science.judgement.reading import NotMeasuredError, Reading

FAILS: Literal["error"] = "error"
REVIEWED: Literal["warning"] = "warning"
NOTED: Literal["info"] = "info"

TARGET_MISSING = 0.05
CHANCE = 0.01
FAR_BELOW, BELOW = 5.0, 3.0
WIDE = 0.05
EFFECT = 0.4
TRIFLE = 0.02
TELL_APART = 0.60


def leak_used(read: Reading) -> Iterator[Reason]:
    """Columns that know the answer and are used all the same."""
    for leak in read.of("leakage")["flags"]:
        what = f"`{leak['column']}` gives the answer away: {leak['reason']}"
        yield Reason("leak_used", FAILS, what, leak.get("score"), column=str(leak["column"]))


def suspect_used(read: Reading) -> Iterator[Reason]:
    """Columns that are too good to be taken on trust."""
    for suspect in read.of("leakage")["suspects"]:
        column = suspect["column"]
        vouched = column in read.accepted
        about = "the rows" if column is None else f"`{column}`"
        what = f"{about}: {suspect.get('detail') or suspect['reason']}" + (
            "; you vouch for it" if vouched else ""
        )
        yield Reason(
            "suspect_used", NOTED if vouched else REVIEWED, what, suspect.get("score"), column=column
        )


def overlap(read: Reading) -> Iterator[Reason]:
    """What lies on both sides of a split."""
    found = read.of("overlaps")
    for kind in ("rows", "groups", "times"):
        count = 0.0 if found[kind] is None else _number(found, kind)  # none: nothing of that kind
        if count > 0:
            yield Reason(
                "overlap", FAILS, f"{count:,.0f} {_OVERLAPS[kind]} are on both sides of a split", count, 0
            )


_OVERLAPS = {"rows": "equal rows", "groups": "entities", "times": "intervals of time"}


def canary_broken(read: Reading) -> Iterator[Reason]:
    """A fit that predicts answers it was not given."""
    canary = read.of("canary")
    chance, (low, high) = _number(canary, "chance"), canary["ci"]
    above = low > chance if read.rises else high < chance
    if above:
        what = (
            "a model of shuffled answers scores above chance: rows of train tell about those it is tested on"
        )
        yield Reason("canary_broken", FAILS, what, _number(canary, "score"), chance)


def no_holdout(read: Reading) -> Iterator[Reason]:
    """Nothing to be judged by."""
    holdout = read.of("holdout") if "holdout" in read.failed else read.measured.get("holdout")
    if holdout is None or not holdout.get("n") or holdout.get("score") is None:
        why = (holdout or {}).get("why") or "no rows were sealed when the data came in"
        yield Reason(
            "no_holdout", FAILS, f"there is no holdout to judge by: {why}", (holdout or {}).get("n", 0), 1
        )


def target_missing(read: Reading) -> Iterator[Reason]:
    """Answers that are not there."""
    share = float(read.of("target_missing"))
    if not share <= TARGET_MISSING:
        what = f"{share:.1%} of the rows have no answer"
        yield Reason("target_missing", FAILS, what, _round(share), TARGET_MISSING)


def not_above_dummy(read: Reading) -> Iterator[Reason]:
    """A score that saying the same of everybody might reach."""
    holdout, dummy = _opened(read), _number(read.of("baselines")["dummy"], "score")
    end = read.worst_of(holdout["ci"])
    if not read.better_by(end, dummy) > 0:
        what = "the score may be no better than saying the same of every row"
        yield Reason("not_above_dummy", FAILS, what, _round(end), _round(dummy))


def chance(read: Reading) -> Iterator[Reason]:
    """A score that shuffled answers reach, too."""
    found = float(read.of("permutation_p"))
    if not found <= CHANCE:
        yield Reason("chance", FAILS, "shuffled answers score as well", _round(found), CHANCE)


def below_cv(read: Reading) -> Iterator[Reason]:
    """A holdout that does not confirm what cross-validation promised."""
    holdout, cv = _opened(read), read.of("cv")
    error = math.hypot(_number(holdout, "se"), _number(cv, "se"))
    behind = -read.better_by(_number(holdout, "score"), _number(cv, "mean"))
    steps = behind / error if error > 0 else math.inf if behind > 0 else 0.0
    if steps > BELOW:
        what = f"the holdout is {steps:.1f} standard errors below cross-validation"
        severity, limit = (FAILS, FAR_BELOW) if steps > FAR_BELOW else (REVIEWED, BELOW)
        yield Reason("below_cv", severity, what, _round(steps), limit)


def imprecise(read: Reading) -> Iterator[Reason]:
    """A score that is not known well enough to decide by."""
    holdout, metric = _opened(read), read.of("metric")
    low, high = holdout["ci"]
    scale = 1.0 if metric.get("bounded") else abs(_number(read.of("baselines")["dummy"], "score"))
    width = (high - low) / 2 / scale if scale > 0 else math.inf
    if not width <= WIDE:
        rows = holdout.get("needed_rows")
        more = f"; about {rows:,} sealed rows would be needed" if rows else ""
        what = f"the score is known to ± {width:.2g} only" + (
            "" if metric.get("bounded") else " of the dummy's"
        )
        yield Reason("imprecise", REVIEWED, what + more, _round(width), WIDE)


def worse_than_simple(read: Reading) -> Iterator[Reason]:
    """A model that something simpler beats by more than a trifle."""
    baselines, holdout = read.of("baselines"), _opened(read)
    gained = read.better_by(_number(holdout, "score"), _number(baselines["dummy"], "score"))
    for simple in baselines["simple"]:
        low, high = simple["difference"]["ci"]  # positive where the model is better, whatever the metric
        value = _number(simple["difference"], "value")
        # what the simple one is ahead, as a share of all that it has over saying the same of every row
        ahead = -value / (gained - value) if gained > value else math.inf
        if high < 0 and ahead >= TRIFLE:
            what = f"{simple['name']} is better, and simpler"
            yield Reason("worse_than_simple", REVIEWED, what, _round(value), 0)
        elif low <= 0:
            what = f"not shown to be better than {simple['name']}"
            yield Reason("worse_than_simple", NOTED, what, _round(value), 0)


def miscalibrated(read: Reading) -> Iterator[Reason]:
    """Probabilities that do not mean what they say; of amounts, or where little is left beyond noise, it is a note."""
    calibration = read.of("calibration")
    for finding in calibration["findings"]:
        noted = read.task == "regression" or _is_mostly_noise(finding, calibration)
        yield _relayed(finding, NOTED if noted else None)


def _is_mostly_noise(finding: Mapping[str, Any], calibration: Mapping[str, Any]) -> bool:
    """Whether an error above its noise is, less what noise adds to it, below the limit: both add up as squares do."""
    if finding["code"] != "calibration_error":
        return False
    floors = [(calibration["ece"], calibration["noise_floor"]["mean"])]
    floors += [(each["ece"], each["noise_floor"]) for each in calibration.get("classes") or ()]
    value = _number(finding, "value")
    floor = next((float(floor) for error, floor in floors if error == value), 0.0)
    return math.sqrt(max(0.0, value**2 - floor**2)) < _number(finding, "threshold")


def threshold_missed(read: Reading) -> Iterator[Reason]:
    """A score below the one that was asked for."""
    limit = read.of("metric").get("threshold")
    if limit is None:
        return
    holdout = _opened(read)
    score, best = _number(holdout, "score"), read.best_of(holdout["ci"])
    if read.better_by(score, limit) >= 0:
        return
    name = read.of("metric")["name"]
    if read.better_by(best, limit) < 0:
        yield Reason("threshold_missed", FAILS, f"{name} misses what was asked for", _round(score), limit)
    else:
        what = f"{name} misses what was asked for by no more than its uncertainty"
        yield Reason("threshold_missed", REVIEWED, what, _round(score), limit)


def bad_slice(read: Reading) -> Iterator[Reason]:
    """Parts of the data where the model is worse than it says."""
    for part in read.of("slices"):
        what = f"worse than it claims where {part['name']} ({part['n']:,} rows)"
        yield Reason("bad_slice", REVIEWED, what, _round(_number(part, "effect")), EFFECT, part["columns"][0])


def unfair(read: Reading) -> Iterator[Reason]:
    """Groups that are treated differently, or that nothing can be said about."""
    found = read.of("fairness")
    if isinstance(found, str):
        return  # nobody asked for it, and the summary says so
    for finding in (each for column in found for each in column["findings"]):
        breach = read.strict and finding["code"] != "insufficient_group"
        yield _relayed(finding, FAILS if breach else None)


def distinguishable(read: Reading) -> Iterator[Reason]:
    """Train and holdout of two kinds."""
    found = read.of("adversarial")
    auc = _number(found, "auc")
    if auc >= TELL_APART:
        names = ", ".join(f"`{name}`" for name in (found.get("columns") or ())[:3])
        what = "train and holdout can be told apart" + (f", most by {names}" if names else "")
        severity = NOTED if read.is_by_time else REVIEWED
        yield Reason("distinguishable", severity, what, _round(auc), TELL_APART)


def horizon_assumed(read: Reading) -> Iterator[Reason]:
    """A time without a horizon."""
    if read.of("splitter").get("horizon_assumed"):
        what = "it is not known how far ahead the target looks; 0 was assumed (--horizon says it)"
        yield Reason("horizon_assumed", REVIEWED, what, 0)


def holdout_reused(read: Reading) -> Iterator[Reason]:
    """A holdout that was looked into before."""
    openings = _number(_opened(read), "openings")
    if openings > 1:
        what = f"the holdout was opened for {openings:.0f} models; each look makes the next score too good"
        yield Reason("holdout_reused", REVIEWED, what, openings, 1)


def _relayed(
    finding: Mapping[str, Any], severity: Literal["error", "warning", "info"] | None = None
) -> Reason:
    """A finding of the measurement itself, as a reason."""
    return Reason(
        str(finding["code"]),
        severity or finding["severity"],
        str(finding["what"]),
        finding.get("value"),
        finding.get("threshold"),
        finding.get("column"),
    )


def _opened(read: Reading) -> Mapping[str, Any]:
    """The holdout with its score."""
    holdout: Mapping[str, Any] = read.of("holdout")
    if holdout.get("score") is None:
        raise NotMeasuredError("the holdout has no score")
    return holdout


def _number(found: Mapping[str, Any], name: str) -> float:
    value = found[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise NotMeasuredError(f"{name} is not a number: {value!r}")
    return float(value)


def _round(value: float) -> float:
    return float(f"{value:.4g}")
