"""What many runs come to: how they ended, how long they took, how it goes lately; each of them counted once."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any

from loom.core.index import RunFacts

LATEST = 20
"""How many of the latest finished runs decide whether a flow is in trouble."""

FAILURE_SHARE = 0.2
SLOWER = 1.5
_RECENT, _BEFORE = 10, 20
_WORDS = 200
_Z = 1.959964
FAILED = frozenset({"failed", "error", "interrupted"})
_FAULT = re.compile(r"(?:\A|: )(?:unexpected|something took too long:) ([A-Za-z_]\w*) in ")

Row = dict[str, Any]


def group_of(run: RunFacts, flows: Mapping[str, str]) -> str:
    """The flow a run is counted under; its verb's, where it ended before it had a number of its own."""
    return run.flow or flows.get(run.verb) or run.verb


def flows_of(runs: Iterable[RunFacts]) -> dict[str, str]:
    """The flow of each verb, as far as its runs tell."""
    return {run.verb: run.flow for run in runs if run.flow}


def counted(runs: Sequence[RunFacts]) -> Row:
    """The runs by how they ended. Interrupted ones are among the failed; those that still go on have not ended."""
    ended = Counter(run.status for run in runs)
    failed = sum(ended[status] for status in FAILED)
    finished = len(runs) - ended["running"]
    durations = sorted(
        run.seconds
        for run in runs
        if run.seconds is not None and run.status not in ("running", "interrupted")
    )
    return {
        "runs": len(runs),
        "ok": ended["ok"],
        "failed": failed,
        "interrupted": ended["interrupted"],
        "blocked": ended["blocked"],
        "refused": ended["refused"],
        "running": ended["running"],
        "success": round(ended["ok"] / finished, 4) if finished else None,
        "success_ci": wilson(ended["ok"], finished),
        "median_s": round(median(durations), 3) if durations else None,
        "p95_s": round(_p95(durations), 3) if durations else None,
    }


def by_flow(runs: Sequence[RunFacts], flows: Mapping[str, str]) -> list[Row]:
    """The same for each flow, the one in most trouble first; `runs` are the newest first."""
    groups: dict[str, list[RunFacts]] = {}
    for run in runs:
        groups.setdefault(group_of(run, flows), []).append(run)
    rows = [
        {
            "flow": flow,
            "verb": mine[0].verb,
            **counted(mine),
            **_lately(mine),
            **_trend(mine),
            "latest": mine[0].name,
            "latest_status": mine[0].status,
        }
        for flow, mine in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row["lately_share"], -row["failed"], row["flow"]))


def failures(runs: Sequence[RunFacts], flows: Mapping[str, str]) -> list[Row]:
    """The latest runs that failed: where, and with which class of error; what the error said is not among it."""
    bad = [run for run in runs if run.status in FAILED]
    return [{"flow": group_of(run, flows), **told(run), **_cause(run)} for run in bad]


def told(run: RunFacts) -> Row:
    """One run in a line."""
    started = datetime.fromtimestamp(run.started, UTC).isoformat(timespec="seconds")
    return {"run": run.name, "status": run.status, "verdict": run.verdict, "started": started}


def wilson(hits: int, of: int) -> list[float] | None:
    """The interval of Wilson for a share, at 95 %."""
    if not of:
        return None
    share, weight = hits / of, _Z * _Z / of
    middle = (share + weight / 2) / (1 + weight)
    half = _Z / (1 + weight) * math.sqrt(share * (1 - share) / of + weight / (4 * of))
    return [round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)]


def _p95(durations: Sequence[float]) -> float:
    """The duration that 95 % of the runs keep to: one that was measured, not one between two."""
    return durations[max(0, math.ceil(0.95 * len(durations)) - 1)]


def _lately(runs: Sequence[RunFacts]) -> Row:
    """How many of the latest runs that have ended failed."""
    finished = [run for run in runs if run.status != "running"][:LATEST]
    failed = sum(run.status in FAILED for run in finished)
    return {
        "lately": f"{failed} of {len(finished)}",
        "lately_share": round(failed / max(len(finished), 1), 4),
    }


def _trend(runs: Sequence[RunFacts]) -> Row:
    """The median of the latest ten good runs in that of those before, where there are enough of them.

    They are slower where their median is beyond what 95 % of the others kept to, and half as much again as usual:
    of flows that do not change, one in a hundred or fewer.
    """
    durations = [run.seconds for run in runs if run.status == "ok" and run.seconds is not None]
    recent, before = durations[:_RECENT], durations[_RECENT:]
    if len(before) < _BEFORE or not median(before):
        return {"trend": None, "slower": None}
    now, usual = median(recent), median(before)
    ratio = round(now / usual, 3)
    is_slower = now > _p95(sorted(before)) and ratio >= SLOWER
    return {"trend": ratio, "slower": ratio if is_slower else None}


def _cause(run: RunFacts) -> Row:
    """The phase, the class of the error, and what Loom's own errors call it."""
    reason = next((each for each in run.reasons if each.get("severity") == "error"), {})
    found = _FAULT.search(str(reason.get("what") or ""))
    what = str((run.error or {}).get("what") or "")[:_WORDS]
    error = found.group(1) if found else reason.get("code")
    return {"phase": reason.get("phase"), "error": error, "what": what or None}
