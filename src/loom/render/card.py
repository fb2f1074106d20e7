"""The card of a run: one page that says how it ended, why, and what to do next. It needs nothing but itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from loom.kernel.diagnostic_formats import clean
from loom.kernel.verdict import Outcome, Verdict
from loom.render.card_style import sheet
from loom.render.tables import has_value, is_table, label, value_text

MOST_BYTES = 950_000
SHOWN_REASONS = 5
SHOWN_NUMBERS = 16
SHOWN_ROWS = 60
SHOWN_COLUMNS = 14
_CELL = 220
_JSON = 200_000

Tone = str
_TONES: dict[Tone, str] = {"fine": "good", "wary": "warning", "bad": "error", "calm": "info"}
_SIGNS = {
    "fine": '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
    "wary": '<path d="M12 4L2.5 20h19zM12 10v5M12 17.6v.1"/>',
    "bad": '<path d="M6 6l12 12M18 6L6 18"/>',
    "calm": '<path d="M12 11v6M12 7v.1"/><circle cx="12" cy="12" r="9"/>',
}
_GOOD = frozenset({"accepted"})
_IDLE = frozenset({"skipped", "cancelled"})
_RANK = {"error": 0, "warning": 1}
_COPY = """\
document.querySelectorAll("ol.next button").forEach(b=>b.addEventListener("click",()=>{\
navigator.clipboard.writeText(b.previousElementSibling.textContent).then(()=>{b.textContent="copied"})}))"""


def card_html(envelope: Mapping[str, Any], phases: Sequence[Mapping[str, Any]] = ()) -> str:
    """The whole page, under one megabyte: verdict and reasons, key numbers, next commands, details, phases."""
    tone = tone_of(str(envelope.get("VERDICT") or ""))
    parts = [
        *_head(envelope, tone),
        "<main>",
        *_trouble(envelope.get("error")),
        *_numbers(envelope.get("summary") or {}),
        *_next(envelope.get("next") or ()),
        *_details(envelope.get("summary") or {}),
        *_phases(phases),
        *_lineage(envelope, phases),
    ]
    page = "\n".join(parts)
    room = min(_JSON, MOST_BYTES - len(page.encode()) - 2_000)
    return "\n".join([_shortened(page), *_source(envelope, room), *_foot(envelope)]) + "\n"


def tone_of(verdict: str) -> Tone:
    """How a verdict is to be taken: fine, wary, bad, or just told."""
    try:
        severity = Outcome.parse(verdict).verdict.severity
    except ValueError:
        return "calm"
    if severity < Verdict.FLAGGED.severity:
        return "fine"
    return "wary" if severity < Verdict.REFUSED.severity else "bad"


def _head(envelope: Mapping[str, Any], tone: Tone) -> Iterator[str]:
    verdict, verb = (
        _text(envelope.get("VERDICT") or envelope.get("status") or "?"),
        _text(envelope.get("verb")),
    )
    pathspec = _text(envelope.get("pathspec"))
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{verdict} · {verb} {pathspec}</title>"
    yield f"<style>{sheet()}:root{{--tone:var(--{tone});--tint:color-mix(in srgb,var(--{tone}) 9%,var(--paper))}}</style>"
    yield "</head>\n<body>\n<header><div>"
    yield f'<div class="about"><b>loom {verb}</b><span class="mono">{pathspec}</span></div>'
    yield '<h1><svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.6" '
    yield f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{_SIGNS[tone]}</svg>{verdict}</h1>'
    yield from _reasons(envelope.get("reasons") or ())
    yield "</div></header>"


def _reasons(reasons: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    ranked = sorted(reasons, key=lambda reason: _RANK.get(str(reason.get("severity")), len(_RANK)))
    if ranked:
        yield '<ul class="reasons">'
    for reason in ranked[:SHOWN_REASONS]:
        severity = str(reason.get("severity"))
        column = f"<b>{_text(reason['column'])}</b>: " if reason.get("column") else ""
        seen = [_text(reason["value"])] if reason.get("value") is not None else []
        seen += [f"limit {_text(reason['threshold'])}"] if reason.get("threshold") is not None else []
        yield (
            f'<li class="{severity if severity in ("error", "warning") else "info"}">'
            f'<span class="code">{_text(reason.get("code"))}</span>'
            f"<span>{column}{_text(reason.get('what'), 400)}</span>"
            + (f'<span class="seen">{" · ".join(seen)}</span>' if seen else "")
            + "</li>"
        )
    if ranked:
        yield "</ul>"
    if len(ranked) > SHOWN_REASONS:
        yield f'<p class="more">and {len(ranked) - SHOWN_REASONS} more, listed below in the whole answer</p>'


def _trouble(error: Mapping[str, Any] | None) -> Iterator[str]:
    if not error:
        return
    yield '<section class="trouble">'
    yield f"<p><b>{_text(error.get('what'), 600)}</b></p><p>{_text(error.get('why'), 2000)}</p>"
    yield f"<p><code>{_text(error.get('fix'), 600)}</code></p></section>"


def _numbers(summary: Mapping[str, Any]) -> Iterator[str]:
    """Everything in the summary that is one value, one level deep."""
    told = list(_scalars(summary))[:SHOWN_NUMBERS]
    if not told:
        return
    yield '<dl class="numbers">'
    for name, value in told:
        kind = "" if _is_number(value) else ' class="text"'
        yield f"<div><dt>{_text(name)}</dt><dd{kind}>{_text(value, 120)}</dd></div>"
    yield "</dl>"


def _scalars(summary: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in summary.items():
        if isinstance(value, Mapping):
            yield from (
                (f"{label(key)} {label(name)}", each) for name, each in value.items() if _is_scalar(each)
            )
        elif _is_scalar(value):
            yield label(key), value


def _next(commands: Sequence[Any]) -> Iterator[str]:
    if not commands:
        return
    yield '<h2>What to do next</h2>\n<ol class="next">'
    for command in commands[:8]:
        yield f"<li><code>{_text(command, 600)}</code><button type=button>copy</button></li>"
    yield "</ol>"


def _details(summary: Mapping[str, Any]) -> Iterator[str]:
    """Lists and tables of the summary, each under its own heading."""
    found = [(key, value) for key, value in summary.items() if has_value(value) and not _is_scalar(value)]
    blocks = [(key, block) for key, value in found if (block := list(_block(value)))]
    if blocks:
        yield "<h2>In detail</h2>"
    for key, block in blocks:
        yield f"<h3>{_text(label(key))}</h3>"
        yield from block


def _block(value: Any) -> Iterator[str]:
    if is_table(value):
        yield from _table(value)
    elif isinstance(value, Mapping):
        inner = {key: each for key, each in value.items() if has_value(each)}
        plain = {key: each for key, each in inner.items() if not is_table(each)}
        # values that are single are among the key numbers already
        if any(not _is_scalar(each) for each in plain.values()):
            yield from _facts((label(key), each) for key, each in plain.items())
        for key, each in inner.items():
            if is_table(each):
                yield f"<h3>{_text(label(key))}</h3>"
                yield from _table(each)
    else:
        yield f"<p>{_text(value, 2000)}</p>"


def _table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    shown = rows[:SHOWN_ROWS]
    keys = [
        key
        for key in dict.fromkeys(key for row in shown for key in row)
        if any(has_value(row.get(key)) for row in shown)
    ][:SHOWN_COLUMNS]
    kinds = {
        key: ' class="number"' if all(row.get(key) is None or _is_number(row[key]) for row in shown) else ""
        for key in keys
    }
    heads = "".join(f"<th{kinds[key]}>{_text(label(key))}</th>" for key in keys)
    yield f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>'
    for row in shown:
        cells = (f"<td{kinds[key]}>{_text(row[key]) if has_value(row.get(key)) else ''}</td>" for key in keys)
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table></div>"
    if len(rows) > SHOWN_ROWS:
        yield f'<p class="more">and {len(rows) - SHOWN_ROWS:,} more rows</p>'


def _phases(phases: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not phases:
        return
    longest = max((_seconds(phase) for phase in phases), default=0.0) or 1.0
    yield '<h2>Phases</h2>\n<div class="scroll"><table><tbody>'
    for phase in phases:
        status = str(phase.get("status"))
        mark = "good" if status in _GOOD else "idle" if status in _IDLE else "poor"
        reasons = [reason for reason in phase.get("reasons") or () if isinstance(reason, Mapping)]
        attempts = phase.get("attempts") or 0
        tried = f" · {attempts} attempts" if attempts > 1 else ""
        items = phase.get("items")
        tried += f" · {len(items)} items" if isinstance(items, list | tuple) else ""
        inner = phase.get("pathspec")
        run = (
            f' <span class="mono">{_text(inner)}</span>'
            if isinstance(inner, str) and phase.get("verdict")
            else ""
        )
        yield (
            f'<tr class="{mark}{" has-why" if reasons else ""}"><td>{_text(phase.get("phase"))}{run}</td>'
            f'<td><span class="pill">{_text(status)}</span>{tried}</td>'
            f'<td class="bar">{_bar(_seconds(phase) / longest)}</td>'
            f'<td class="number">{_duration(_seconds(phase))}</td></tr>'
        )
        if reasons:
            said = "<br>".join(_text(reason.get("what"), 400) for reason in reasons[:3])
            yield f'<tr class="why"><td colspan="4">{said}</td></tr>'
    yield "</tbody></table></div>"


def _lineage(envelope: Mapping[str, Any], phases: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    made = [str(key) for phase in phases for key in phase.get("data_objects") or ()]
    files = [str(name) for phase in phases for name in phase.get("deliverables") or ()]
    sandboxes = {str(phase["sandbox"]) for phase in phases if phase.get("sandbox")}
    gate = envelope.get("gate") or {}
    facts = [
        ("run", envelope.get("pathspec")),
        ("Loom's name of it", envelope.get("run")),
        *((label(name), value) for name, value in gate.items()),
        ("data objects", made),
        ("files", list(dict.fromkeys(files))),
        ("sandbox", sorted(sandboxes)),
    ]
    shown = [(name, value) for name, value in facts if has_value(value)]
    if shown:
        yield "<h2>Where it comes from</h2>\n<details><summary>Lineage</summary>"
        yield from _facts(shown)
        yield "</details>"


def _facts(facts: Any) -> Iterator[str]:
    yield '<dl class="facts">'
    for name, value in facts:
        yield f"<dt>{_text(name)}</dt><dd>{_text(value, 2000)}</dd>"
    yield "</dl>"


def _source(envelope: Mapping[str, Any], room: int) -> Iterator[str]:
    text = _beginning(envelope, room)
    shown = escape(_printable(text))
    if len(shown.encode()) > room:
        shown = escape(_printable(text.encode()[: max(0, room) // 6].decode(errors="ignore"))) + "\n…"
    yield f"<details><summary>The whole answer as JSON</summary><pre>{shown}</pre></details>"


def _beginning(envelope: Mapping[str, Any], room: int) -> str:
    """The answer as JSON as far as it can be shown: no more of a huge one is written than fits."""
    pieces, length = [], 0
    for piece in json.JSONEncoder(indent=2, ensure_ascii=False, default=str).iterencode(envelope):
        pieces.append(piece)
        length += len(piece)
        if length > room:
            break
    return "".join(pieces)


def _foot(envelope: Mapping[str, Any]) -> Iterator[str]:
    pathspec = envelope.get("pathspec")
    show = f" Look at it again with <code>loom show {_text(pathspec)}</code>." if pathspec else ""
    yield f"</main>\n<footer>This page needs no network.{show}</footer>"
    yield f"<script>{_COPY}</script>\n</body>\n</html>"


def _shortened(page: str) -> str:
    """A page that is too large even so, cut between two of its lines."""
    if len(page.encode()) <= MOST_BYTES - 4_000:
        return page
    whole = page.encode()[: MOST_BYTES - 4_000].decode(errors="ignore")
    return whole[: whole.rfind("\n")] + "\n</tbody></table></div><p>The rest did not fit on this page.</p>"


def _text(value: Any, most: int = _CELL) -> str:
    """A value as safe HTML, in one line, no longer than it may be."""
    text = "" if value is None else value_text(value)
    return escape(text if len(text) <= most else text[: most - 1] + "…")


def _printable(text: str) -> str:
    return "\n".join(map(clean, text.split("\n")))


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float | bool) and has_value(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _seconds(phase: Mapping[str, Any]) -> float:
    seconds = phase.get("seconds")
    return float(seconds) if isinstance(seconds, int | float) else 0.0


def _bar(share: float) -> str:
    return f'<i style="width:{100 * share:.1f}%"></i>' if share > 0 else ""


def _duration(seconds: float) -> str:
    if seconds <= 0:
        return "–"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min"
