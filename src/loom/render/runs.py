"""Runs for reading: a list of them, one in full, and how they follow from each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from loom.kernel.diagnostic_formats import clean
from loom.kernel.verdict import Outcome, Verdict
from loom.render.envelope import answer_blocks
from loom.render.progress import took
from loom.render.tables import PAINT, PLAIN, joined, pairs, table, value_text

_JUDGED = ("ok", "blocked", "refused", "error")

Step = Callable[[str], Sequence[str]]
About = Callable[[str], Mapping[str, Any]]


def is_good(verdict: str | None) -> bool:
    """Whether a verdict is of the better half."""
    try:
        return Outcome.parse(verdict or "").verdict.severity < Verdict.REVIEW.severity
    except ValueError:
        return False


def list_text(runs: Sequence[Mapping[str, Any]], *, color: bool = False, width: int = 100) -> str:
    """Runs as a table, newest first."""
    if not runs:
        return "no runs yet; `loom verbs` lists what can be run"
    rows = [
        {
            "run": run.get("pathspec") or run.get("run"),
            "verb": run.get("verb"),
            "outcome": _outcome(run),
            "experiment": run.get("experiment_id"),
            "started": _when(run.get("started")),
            "took": _took(run),
        }
        for run in runs
    ]
    return "\n".join(table(rows, PAINT if color else PLAIN, width, most=len(rows)))


def run_text(run: Mapping[str, Any], *, color: bool = False, width: int = 100) -> str:
    """One run: its outcome, what ran, on what, under which policy, its phases, and what to do next."""
    paint = PAINT if color else PLAIN
    process, request = run.get("process") or {}, run.get("request") or {}
    answer = {**run, "VERDICT": _outcome(run), "pathspec": run.get("pathspec") or run.get("run")}
    head, *rest = answer_blocks(answer, acceptable=is_good(run.get("verdict")), paint=paint, width=width)
    facts = {
        "run": run.get("run"),
        "process": " ".join(str(process[key]) for key in ("name", "version") if process.get(key)),
        "loom": run.get("loom"),
        "started": _when(run.get("started")),
        "took": _took(run),
        "experiment": run.get("experiment_id"),
        "goal": request.get("goal"),
        "tier": run.get("tier"),
        "plan": run.get("plan"),
        "seed": request.get("seed"),
        "reads": ", ".join(run.get("reads") or ()),
        "part of": run.get("parent"),
        "called in": request.get("cwd"),
        "folder": run.get("folder"),
    }
    inputs = request.get("inputs") or {}
    given = {f"--{name}": value for name, value in inputs.items() if value is not None and value is not False}
    phases = table([_phase(phase) for phase in run.get("phases") or ()], paint, width)
    blocks = [head, pairs(facts, paint, width, whole=True), pairs(given, paint, width), phases, *rest]
    return joined([*blocks, _error(run)])


def lineage_text(name: str, above: Step, below: Step, about: About, *, color: bool = False) -> str:
    """What a run was made from, and what was made from it, as two trees."""
    paint = PAINT if color else PLAIN
    blocks = [[f"{paint['bold']}{_told(about(name))}{paint['off']}"]]
    for title, step in (("made from", above), ("used by", below)):
        lines: list[str] = []
        _branch(name, step, about, "  ", {name}, lines)
        blocks.append([f"{paint['dim']}{title}{paint['off']}", *(lines or ["  nothing that is known"])])
    return joined(blocks)


def _branch(name: str, step: Step, about: About, indent: str, seen: set[str], lines: list[str]) -> None:
    for each in step(name):
        again = each in seen
        lines.append(f"{indent}{_told(about(each))}{' (see above)' if again and step(each) else ''}")
        if not again:
            seen.add(each)
            _branch(each, step, about, indent + "  ", seen, lines)


def _told(about: Mapping[str, Any]) -> str:
    known = [about["verb"], _outcome(about)] if about.get("verb") else ["not in the journal"]
    return clean("  ".join(str(part) for part in (about["run"], *known, about.get("experiment_id")) if part))


def _outcome(run: Mapping[str, Any]) -> str:
    """The verdict where one was reached, otherwise how the run stands."""
    status = str(run.get("status") or "")
    return str(run.get("verdict") or status) if status in _JUDGED else status


def _took(run: Mapping[str, Any]) -> str:
    return took(run["seconds"]) if run.get("seconds") is not None else ""


def _when(text: Any) -> str:
    """A point in time as the clock on the wall shows it."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S") if text else ""


def _phase(phase: Mapping[str, Any]) -> dict[str, Any]:
    attempts, reasons = phase.get("attempts") or 0, phase.get("reasons") or ()
    return {
        "phase": phase.get("phase"),
        "ended": phase.get("status"),
        "took": _took(phase),
        "attempts": attempts if attempts > 1 else None,
        "sandbox": phase.get("sandbox"),
        "left": value_text(list(phase.get("deliverables") or ())),
        "why": "; ".join(str(reason.get("what") or reason.get("code")) for reason in reasons),
    }


def _error(run: Mapping[str, Any]) -> list[str]:
    error = run.get("error") or {}
    names = {"what": "error", "why": "  why", "fix": "  fix"}
    return [f"{name}: {clean(str(error[key]))}" for key, name in names.items() if error.get(key)]
