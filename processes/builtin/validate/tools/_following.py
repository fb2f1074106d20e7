"""Which commands make sense after a verdict, the most useful first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from loom.core.commands import command
from loom.core.index import RunIndex
from loom.dataio.carving import ingest_again
from loom.kernel.verdict import Reason

_MOST = 4
_LARGER = 0.4


def following(
    verdict: str,
    reasons: Sequence[Reason],
    measured: Mapping[str, Any],
    asked: Mapping[str, Any],
    runs: RunIndex,
    reference: str | None,
) -> list[str]:
    """What to do with a model that passed, or about each reason that speaks against one."""
    if verdict == "PASS":
        return [command("deploy", validate=reference)] if reference else []
    codes = {reason.code for reason in reasons if reason.severity != "info"}
    found = dict.fromkeys(_ways(codes, reasons, measured, asked, runs))
    return list(found)[:_MOST]


def _ways(
    codes: Collection[str],
    reasons: Sequence[Reason],
    measured: Mapping[str, Any],
    asked: Mapping[str, Any],
    runs: RunIndex,
) -> Iterator[str]:
    data = measured["data"]
    look = command("eda", dataset=data["root"], target=_named(data))
    if "leak_used" in codes:
        seen = _eda_of(data, runs)
        yield command("features", dataset=data["root"], target=_named(data), from_=seen) if seen else look
    again = _ingest(codes, reasons, measured)
    if again:
        yield again
    suspects = [
        reason.column
        for reason in reasons
        if reason.code == "suspect_used" and reason.severity == "warning" and reason.column
    ]
    if suspects and "leak_used" not in codes:
        yield _repeat(measured, asked, accept_suspect=[*asked["accepted"], *suspects])
    if "horizon_assumed" in codes:
        yield _repeat(measured, asked, horizon="0d")
    weak = {
        "not_above_dummy",
        "chance",
        "worse_than_simple",
        "bad_slice",
        "threshold_missed",
        "calibration_slope",
    }
    recipe = (data["features"] or {}).get("recipe")
    if weak & set(codes) and recipe != "full" and not measured["call"].get("solution"):
        yield command("features", dataset=data["root"], target=_named(data), from_=_eda_of(data, runs))
    if "holdout_reused" in codes and (first := _first_opened(measured, runs)):
        yield f"loom show {first}"
    yield look


def _first_opened(measured: Mapping[str, Any], runs: RunIndex) -> str | None:
    """The validation that opened this holdout first: the one whose score nobody had seen before."""
    digest = measured["holdout"]["digest"]
    for facts in runs.runs(flow="ValidateFlow"):
        opened = facts.summary.get("holdout") or {}
        if (opened.get("digest"), opened.get("openings")) == (digest, 1) and facts.pathspec:
            return str(facts.pathspec)
    return None


def _ingest(codes: Collection[str], reasons: Sequence[Reason], measured: Mapping[str, Any]) -> str | None:
    """The ingest that seals other rows, where these are the wrong ones."""
    data = measured["data"]
    time, group, about = data["time"], data["group"], dict(data)
    holdout = measured.get("holdout") or {}
    if "no_holdout" in codes and not holdout.get("sealed"):
        about["holdout"] = {}
    elif "no_holdout" in codes and time and group:
        # nobody but known entities is sealed: one of the two has to go
        group = None
    elif (
        "imprecise" in codes and 0 < (holdout.get("needed_rows") or 0) <= _LARGER * measured["rows"]["train"]
    ):
        whole = measured["rows"]["train"] + holdout["sealed"]
        about["holdout"] = {"share": round(min(_LARGER, 1.1 * holdout["needed_rows"] / whole), 2)}
    else:
        return None
    return ingest_again(about, target=data["target"], time=time, group=group)


def _named(data: Mapping[str, Any]) -> str | None:
    """The target, where it is not the declared one."""
    return None if data["target"] == data["declared"] else str(data["target"])


def _eda_of(data: Mapping[str, Any], runs: RunIndex) -> str | None:
    """The newest look at the data that was brought in, for the same target."""
    for facts in runs.runs(flow="EdaFlow"):
        target = facts.summary.get("target")
        named = target.get("name") if isinstance(target, Mapping) else None
        looked = (facts.summary.get("dataset_ref"), named)
        if facts.status == "ok" and facts.pathspec and looked == (data["root"], data["target"]):
            return str(facts.pathspec)
    return None


def _repeat(measured: Mapping[str, Any], asked: Mapping[str, Any], **other: Any) -> str:
    """The same validation with something more said."""
    given = {name: value for name, value in measured["call"].items() if value}
    strict = {"fairness": "strict"} if asked["strict"] else {}
    accepted = {"accept_suspect": asked["accepted"]} if asked["accepted"] else {}
    return command("validate", **{**given, **strict, **accepted, **other})
