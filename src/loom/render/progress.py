"""What a run says while it goes on: a reader of its events, and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from loom.kernel.diagnostic_formats import clean
from loom.render.labels import count

Event = Mapping[str, Any]
SHOWN_REASONS = 3


class Progress(Protocol):
    """Shows the events of a run as they come."""

    def __call__(self, event: Event) -> None:
        """Take one event in."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal alone, for a question to the person."""

    def close(self) -> None:
        """Show nothing more."""


def took(seconds: float) -> str:
    """A time as people say it: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


@dataclass
class Titles:
    """The name of every phase in a stream, those of nested runs with the verb they belong to."""

    _verbs: dict[str, str] = field(default_factory=dict)

    def note(self, event: Event) -> None:
        """Remember which verb a run belongs to."""
        if event["kind"] == "run_started":
            self._verbs[str(event.get("run"))] = str(event.get("verb") or "")

    def is_outermost(self, event: Event) -> bool:
        """Whether the event belongs to the run that was called, not to one within it."""
        return next(iter(self._verbs), None) in (None, str(event.get("run")))

    def of(self, event: Event) -> str:
        """The name: `profile`, `eda › profile`, `register[2]`."""
        verb = "" if self.is_outermost(event) else self._verbs.get(str(event.get("run")), "")
        name = str(event.get("phase") or "")
        if name and event.get("item") is not None:
            name += f"[{int(event['item']) + 1}]"
        return " › ".join(part for part in (verb, name) if part)


@dataclass
class Lines:
    """Progress for a log: one line per thing that happened, without colour and without a spinner."""

    write: Callable[[str], None]
    _titles: Titles = field(default_factory=Titles)
    _leaves_a_run: bool = True

    def __call__(self, event: Event) -> None:
        """Write the line of one event, if it is worth one."""
        self._titles.note(event)
        if event["kind"] == "run_started" and self._titles.is_outermost(event):
            # a listing is over before its phases could be of interest
            self._leaves_a_run = bool(event.get("flow"))
        said = line(event, self._titles) if self._leaves_a_run or _is_trouble(event) else None
        # a log is for what changed; a screen may show every step on the way
        if said and (event["kind"] != "progress" or event.get("matters")):
            self.write(clean(said))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is ever half written."""
        yield

    def close(self) -> None:
        """Nothing is left open."""


def line(event: Event, titles: Titles) -> str | None:
    """What one event says in one line; None when it goes without saying."""
    said = words(event)
    title = titles.of(event) if said and event["kind"] != "run_started" else ""
    return f"{title}: {said}" if title else said


def words(event: Event) -> str | None:
    """What one event says, without the name of the phase it says it of."""
    say = _WORDS.get(str(event["kind"]))
    return (say(event) if say else None) or None


def reasons_of(event: Event) -> list[str]:
    """The reasons an event gives, in words."""
    found = event.get("reasons") or ()
    return [
        str(each.get("what") or each.get("code") or each) if isinstance(each, Mapping) else str(each)
        for each in found
    ]


def _is_trouble(event: Event) -> bool:
    kind = event["kind"]
    if kind == "phase_finished":
        return event.get("status") not in ("accepted", "skipped")
    return kind in ("note", "phase_waiting", "phase_remediating") or (
        kind == "tool_finished" and not event.get("success")
    )


def _run_started(event: Event) -> str:
    phases = len(event.get("phases") or ())
    parts = (event.get("flow"), count(phases, "phase") if phases else "", event.get("experiment_id"))
    about = ", ".join(str(part) for part in parts if part)
    return f"{event.get('verb') or 'run'}: {about}" if about else str(event.get("verb") or "")


def _phase_started(event: Event) -> str:
    attempt = event.get("attempt") or 1
    return "started" if attempt == 1 else f"attempt {attempt}"


def _progress(event: Event) -> str:
    return str(event.get("text") or "")


def _tool_finished(event: Event) -> str | None:
    if event.get("success"):
        return None
    # why is said by what follows: another try, or the end of the phase
    return f"{event.get('tool') or 'the tool'} failed after {took(event.get('seconds') or 0.0)}"


def _phase_waiting(event: Event) -> str:
    why = f": {event['why']}" if event.get("why") else ""
    return f"waits {took(event.get('seconds') or 0.0)} before another try{why}"


def _phase_remediating(event: Event) -> str:
    return f"goes for attempt {event.get('attempt')}{_because(event)}"


def _gate_evaluated(event: Event) -> str:
    what = f": {event['what']}" if event.get("what") else ""
    return f"gate {event.get('gate') or ''} {'holds' if event.get('passed') else 'does not hold'}{what}"


def _phase_finished(event: Event) -> str:
    status = str(event.get("status"))
    spent = f" in {took(event.get('seconds') or 0.0)}" if event.get("seconds") is not None else ""
    return f"{status}{'' if status in ('blocked', 'skipped', 'cancelled') else spent}{_because(event)}"


def _run_finished(event: Event) -> str:
    spent = f" in {took(event['seconds'])}" if event.get("seconds") is not None else ""
    found = ", ".join(str(event[key]) for key in ("verdict", "pathspec") if event.get(key))
    return f"finished{spent}{': ' + found if found else ''}"


def _because(event: Event) -> str:
    reasons = reasons_of(event)
    more = f" (and {len(reasons) - SHOWN_REASONS} more)" if len(reasons) > SHOWN_REASONS else ""
    return f": {'; '.join(reasons[:SHOWN_REASONS])}{more}" if reasons else ""


_WORDS: dict[str, Callable[[Event], str | None]] = {
    "run_started": _run_started,
    "note": lambda event: str(event.get("text") or ""),
    "phase_started": _phase_started,
    "progress": _progress,
    "tool_finished": _tool_finished,
    "phase_waiting": _phase_waiting,
    "phase_remediating": _phase_remediating,
    "gate_evaluated": _gate_evaluated,
    "phase_finished": _phase_finished,
    "run_finished": _run_finished,
}
