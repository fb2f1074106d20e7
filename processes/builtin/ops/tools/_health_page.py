"""What the page shows of runs: how many ended how, each flow, the last failures, when and how long they ran."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loom.core.index import RunFacts
from loom.science.charts import run_health
from loom.tools.card import Block, Tone, charts, column, facts, number, table, tag

from ._runs import FAILURE_SHARE, LATEST, SLOWER, Row

_LEAST_DRAWN = 3
_SELDOM = ("interrupted", "blocked", "refused", "running")
_TONES: dict[str, Tone] = {"ok": "fine", "running": "calm", "blocked": "wary", "refused": "wary"}
_FLOWS = (
    column("flow", "flow", "code"),
    column("marks", "state", "tags"),
    column("runs", "runs", "number"),
    column("ok", "ok", "number"),
    column("failed", "failed", "number"),
    column("interrupted", "interrupted", "number"),
    column("blocked", "blocked", "number"),
    column("refused", "refused", "number"),
    column("running", "running", "number"),
    column("success", "success", "share"),
    column("interval", "interval, 95 %"),
    column("p95_s", "p95, s", "number"),
    column("latest", "latest", "code"),
)
_FAILURES = (
    column("run", "run", "code"),
    column("marks", "state", "tags"),
    column("error", "error", "code"),
    column("phase", "phase", "code"),
    column("what", "what"),
    column("started", "started, UTC"),
)


def health_page(health: Row, runs: Sequence[RunFacts]) -> dict[str, list[Block]]:
    """Key numbers and sections, the flow in most trouble first."""
    failed, running = health["failed"], health["running"]
    numbers = [
        number("runs", health["runs"], note=f"{running} still running" if running else None),
        number("success", _percent(health["success"]), note=_interval(health["success_ci"])),
        number("failed", failed, note=_of_them(health), tone="bad" if failed else "fine"),
        number("p95 duration, s", health["p95_s"], note=_median(health)),
    ]
    rows = [
        {
            **{key: None if key in _SELDOM and not value else value for key, value in row.items()},
            "marks": _marks(row),
            "interval": _interval(row["success_ci"]),
        }
        for row in health["flows"]
    ]
    sections = [table("Health by flow", _FLOWS, rows)]
    if health["failures"]:
        last = [
            {**row, "marks": [tag(row["status"], "bad")], "started": row["started"][:16].replace("T", " ")}
            for row in health["failures"]
        ]
        note = "What an error said is in the log of its run, not on this page."
        sections.append(table("The last failures", _FAILURES, last, note=note))
    ended = [run for run in runs if run.status != "running"]
    drawn = run_health(ended, _of(health)) if len(ended) >= _LEAST_DRAWN else None
    if drawn is not None:
        sections.append(charts("Runs over time", [drawn.as_json()]))
    sections.append(facts("How runs are judged", _METHOD))
    return {"numbers": numbers, "sections": sections}


_METHOD = {
    "counted": "each run once, under its own flow, also when another run started it; this run is left out",
    "failed": "failed, ended in an error, or interrupted",
    "success": "share of those that ended; the interval is Wilson's, at 95 %",
    "p95": "nearest rank, over runs that ended by themselves",
    "worth a look": f"{FAILURE_SHARE:.0%} or more of the latest {LATEST} runs of a flow failed",
    "slower": f"the median of the latest ten is {SLOWER:g} times that of those before, and beyond their p95",
}


def _marks(row: Row) -> list[Block]:
    status = str(row["latest_status"])
    marks = [tag(f"latest {status}", _TONES.get(status, "bad"))]
    if row["lately_share"] >= FAILURE_SHARE:
        marks.append(tag(f"{row['lately']} failed", "wary"))
    if row["slower"]:
        marks.append(tag(f"{row['slower']:.1f} times as long", "wary"))
    return marks


def _of(health: Row) -> str:
    about = [str(health[key]) for key in ("flow", "experiment") if health[key]]
    return f"runs of {' in '.join(about)}" if about else "all runs of this home"


def _of_them(health: Row) -> str | None:
    told = [f"{health['interrupted']} of them interrupted"] if health["interrupted"] else []
    told += [f"{health[key]} {key} besides" for key in ("blocked", "refused") if health[key]]
    return ", ".join(told) or None


def _median(health: Row) -> str | None:
    return None if health["median_s"] is None else f"median {health['median_s']:.3g}"


def _interval(bounds: Any) -> str | None:
    return None if bounds is None else f"{100 * bounds[0]:.0f} to {_percent(bounds[1])}"


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.0f} %"
