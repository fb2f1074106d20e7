"""What a run said, phase by phase, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from loom.app.history import History, Run
from loom.kernel.diagnostic_formats import clean
from loom.kernel.diagnostics import suggest
from loom.kernel.errors import LoomError
from loom.render.progress import Titles, line, reasons_of

SAID = "  | "
ENGINE_LOG = "engine.log"
SHOWN_ENGINE_LINES = 40


def log_lines(history: History, run: Run, phase: str | None = None) -> Iterator[str]:
    """The events of a run in words, what each phase said below its end, and the engine's last words if it failed."""
    said = history.said(run)
    events = list(history.events(run))
    _check(phase, {str(event["phase"]) for event in events if event.get("phase")} | set(said), run)
    titles = Titles()
    for event in events:
        titles.note(event)
        name = event.get("phase")
        if phase is not None and name != phase:
            continue
        told = line(event, titles)
        if told:
            yield f"{_clock(event['at'])}  {clean(told)}"
        if event["kind"] == "phase_finished" and event.get("item") is None:
            yield from _indented(said.pop(str(name), ""))
    # what ended without an event, such as a phase of a run that was killed
    for name, text in said.items():
        if text.strip() and phase in (None, name):
            yield f"{name}:"
            yield from _indented(text)
    explained = any(event["kind"] == "phase_finished" and reasons_of(event) for event in events)
    if phase is None and not explained and run.status in ("error", "interrupted"):
        yield from _engine(run)


def _check(phase: str | None, known: set[str], run: Run) -> None:
    if phase is None or phase in known:
        return
    meant = suggest(phase, known)
    why = f"did you mean {meant}?" if meant else f"there are {', '.join(sorted(known)) or 'none yet'}"
    fix = f"loom logs {run.name}" + (f" --phase {meant}" if meant else "")
    raise LoomError(f"{run.name} has no phase {phase}", why, fix)


def _clock(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone().strftime("%H:%M:%S")


def _indented(text: str) -> Iterator[str]:
    for part in text.strip().splitlines():
        yield f"{SAID}{clean(part)}"


def _engine(run: Run) -> Iterator[str]:
    path = run.folder / ENGINE_LOG if run.folder else None
    if path is None or not path.is_file():
        return
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    yield f"{path}, its end:"
    yield from (f"{SAID}{clean(each)}" for each in lines[-SHOWN_ENGINE_LINES:])
