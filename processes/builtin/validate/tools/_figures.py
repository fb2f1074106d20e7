"""The key numbers of a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from loom.tools.card import Block, Tone, number


def numbers(measured: Mapping[str, Any]) -> list[Block]:
    """Score, what it is to be compared with, and how far it can be trusted."""
    return list(_numbers(measured))


def _numbers(measured: Mapping[str, Any]) -> Iterator[Block]:
    holdout, metric = measured.get("holdout") or {}, measured["metric"]["name"]
    dummy = ((measured.get("baselines") or {}).get("dummy") or {}).get("score")
    score = holdout.get("score")
    if score is None:
        yield number(metric, "unknown", note=holdout.get("why") or "there is no holdout", tone="bad")
    else:
        low, high = holdout["ci"]
        between = "" if low is None else f"{low:.3g} to {high:.3g}"
        against = "" if dummy is None else f"; {dummy:.3g} by saying the same of every row"
        yield number(f"{metric} on sealed rows", f"{score:.3f}", note=between + against)
    cv = measured.get("cv")
    if cv:
        note = f"± {cv['se']:.2g}, {len(cv['folds'])} folds"
        yield number("cross-validation", f"{cv['mean']:.3f}", note=note)
    yield from _calibrated(measured)
    yield from _chance(measured)
    leaks = measured.get("leakage")
    if leaks:
        flags, suspects = len(leaks["flags"]), len(leaks["suspects"])
        tone: Tone = "bad" if flags else "wary" if suspects else "fine"
        yield number("leaks", flags, note=f"{suspects} suspects of {leaks['columns']:,} columns", tone=tone)
    slices = measured.get("slices")
    if slices is not None:
        yield number("weak slices", len(slices), tone="wary" if slices else "fine")
    if holdout:
        times = holdout["openings"]
        note = f"{holdout['n']:,} of {holdout['sealed']:,} sealed rows judged"
        yield number("holdout opened", _models(times), note=note, tone="fine" if times == 1 else "wary")
    rows, sealed = measured["rows"]["train"], holdout.get("sealed") or 0
    yield number("rows", rows + sealed, note=f"{rows:,} open, {sealed:,} sealed")


def _models(times: int) -> str:
    return "for 1 model" if times == 1 else f"for {times} models"


def _calibrated(measured: Mapping[str, Any]) -> Iterator[Block]:
    found = measured.get("calibration")
    if found and measured["task"] != "regression":
        wary = any(each["code"] != "calibration_unknown" for each in found["findings"])
        note = f"chance makes up to {found['noise_floor']['p99']:.3f}"
        yield number("calibration error", f"{found['ece']:.3f}", note=note, tone="wary" if wary else "fine")


def _chance(measured: Mapping[str, Any]) -> Iterator[Block]:
    p = measured.get("permutation_p")
    if p is not None:
        yield number("by chance, p", f"{p:.3g}", note="999 shuffles", tone="fine" if p <= 0.01 else "bad")
