"""How it came about: the phases with their times, what the run was made from, and the whole answer as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from loom.render.html.facts import facts_html, folded
from loom.render.html.markup import Room, lines, number, prose, text
from loom.render.html.spark import meter
from loom.render.tables import has_value, label

SHOWN_PHASES = 200
_GOOD = frozenset({"accepted"})
_IDLE = frozenset({"skipped", "cancelled"})
_ROOM = 90_000


def phases_html(phases: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What ran, how each part ended, and which took longest."""
    if not phases:
        return
    longest = max(map(_seconds, phases)) or 1.0
    written = Room(_ROOM).fitting(_phase(phase, longest) for phase in phases[:SHOWN_PHASES])
    yield '<section id="phases" aria-labelledby="phasesh"><h2 id="phasesh">Phases</h2>'
    yield '<div class="scroll" role="region" aria-label="Phases" tabindex="0"><table class="phases">'
    yield '<caption class="unseen">Phases</caption><thead><tr><th scope="col">phase</th><th scope="col">ended</th>'
    yield '<th scope="col" class="right">took</th></tr></thead><tbody>'
    yield from written
    yield "</tbody></table></div>"
    if len(phases) > len(written):
        yield f'<p class="more">{len(phases) - len(written):,} more not shown here</p>'
    yield "</section>"


def _phase(phase: Mapping[str, Any], longest: float) -> str:
    status = str(phase.get("status"))
    mark = "fine" if status in _GOOD else "calm" if status in _IDLE else "bad"
    attempts = number(phase.get("attempts")) or 0
    items = phase.get("items")
    tried = f" · {attempts:.0f} attempts" if attempts > 1 else ""
    tried += f" · {len(items)} items" if isinstance(items, list | tuple) else ""
    inner = phase.get("pathspec")
    run = f" <code>{text(inner)}</code>" if isinstance(inner, str) and phase.get("verdict") else ""
    reasons = phase.get("reasons")
    said = (
        [each for each in reasons if isinstance(each, Mapping)] if isinstance(reasons, list | tuple) else []
    )
    why = "".join(f'<p class="why">{prose(each.get("what"), 400)}</p>' for each in said[:3])
    seconds = _seconds(phase)
    return (
        f'<tr><th scope="row">{text(phase.get("phase"))}{run}</th>'
        f'<td><span class="tag {mark}">{text(status, 40)}</span>{tried}{why}</td>'
        f'<td class="right" data-v="{seconds:g}">{meter(seconds / longest)}<span>{_duration(seconds)}</span></td></tr>\n'
    )


def lineage_html(envelope: Mapping[str, Any], phases: Sequence[Mapping[str, Any]]) -> str:
    """Which run this is, what it was allowed, what it made."""
    made = [str(key) for phase in phases for key in _listed(phase.get("data_objects"))]
    files = [str(name) for phase in phases for name in _listed(phase.get("deliverables"))]
    sandboxes = {str(phase["sandbox"]) for phase in phases if phase.get("sandbox")}
    gate = envelope.get("gate")
    facts = [
        ("run", envelope.get("pathspec")),
        ("Loom's name of it", envelope.get("run")),
        *((label(name), value) for name, value in (gate.items() if isinstance(gate, Mapping) else ())),
        ("data objects", made),
        ("files", list(dict.fromkeys(files))),
        ("sandbox", sorted(sandboxes)),
    ]
    told = facts_html([(name, value) for name, value in facts if has_value(value)], Room(_ROOM))
    return folded("Lineage", told) if told else ""


def answer_html(envelope: Mapping[str, Any], room: int) -> str:
    """The whole answer as JSON, or its beginning where there is no room for all of it."""
    shown = lines(_beginning(envelope, room))
    if len(shown.encode()) > room:
        # a character takes at most six bytes once it is escaped
        shown = lines(_beginning(envelope, room)[: max(0, room) // 6]) + "\n…"
    return folded("The whole answer as JSON", f'<pre tabindex="0">{shown}</pre>', prints=False)


def _beginning(envelope: Mapping[str, Any], room: int) -> str:
    """No more of a huge answer is written than fits."""
    pieces: list[str] = []
    length = 0
    encoder = json.JSONEncoder(indent=2, ensure_ascii=False, default=str, skipkeys=True)
    with suppress(RecursionError):
        for piece in encoder.iterencode(dict(envelope)):
            pieces.append(piece)
            length += len(piece)
            if length > room:
                break
    return "".join(pieces)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _seconds(phase: Mapping[str, Any]) -> float:
    return max(0.0, number(phase.get("seconds")) or 0.0)


def _duration(seconds: float) -> str:
    if seconds <= 0:
        return "–"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min"
