"""The first screen: how the run ended, the reasons with a way to what they rest on, its key numbers, what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loom.kernel.verdict import Outcome, Verdict
from loom.render.html.markup import counted, plain, prose, text, tone
from loom.render.html.table import Evidence
from loom.render.tables import has_value

SHOWN_REASONS = 5
SHOWN_NUMBERS = 8
SHOWN_COMMANDS = 6
_RANK = {"error": 0, "warning": 1}
_TONE_OF = {"error": "bad", "warning": "wary"}
_LARGE, _MEDIUM = 10, 15

_SIGNS = {
    "fine": '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
    "wary": '<path d="M12 4.5L3 19.5h18zM12 10.5v4M12 17v.1"/>',
    "bad": '<path d="M6.5 6.5l11 11M17.5 6.5l-11 11"/>',
    "calm": '<circle cx="12" cy="12" r="8.5"/><path d="M12 11.5v5M12 7.8v.1"/>',
}
_MEANINGS = {
    Verdict.PASS: "It holds everything that was asked of it.",
    Verdict.OK: "It ran. Nothing stands in the way of what comes next.",
    Verdict.BUILT: "What was asked for has been built.",
    Verdict.BEST: "The best of all that was tried.",
    Verdict.PLANNED: "A plan only: nothing has been changed.",
    Verdict.STAGED: "Ready to go, and not live yet.",
    Verdict.DEPLOYED: "It is live.",
    Verdict.SENT: "It has been sent.",
    Verdict.FLAGGED: "It ran. Something needs a look before anything is built on it.",
    Verdict.WARN: "It ran, with warnings.",
    Verdict.EMPTY: "There was nothing to work on.",
    Verdict.REVIEW: "Somebody has to look at this before it is used.",
    Verdict.DRIFT: "The data has moved away from what it is compared with.",
    Verdict.REFUSED: "It was not done, because it is not allowed.",
    Verdict.BLOCKED: "It cannot go on before something is settled.",
    Verdict.FAIL: "It does not hold what was asked of it.",
    Verdict.ERROR: "It did not get to its end.",
}


def tone_of(verdict: str) -> str:
    """How a verdict is to be taken: fine, wary, bad, or just told."""
    found = _outcome(verdict)
    if found is None:
        return "calm"
    if found.severity < Verdict.FLAGGED.severity:
        return "fine"
    return "wary" if found.severity < Verdict.REFUSED.severity else "bad"


def banner_html(envelope: Mapping[str, Any], evidence: Evidence) -> Iterator[str]:
    """The verdict in words and colour, and at most five reasons, the worst first."""
    verdict = plain(envelope.get("VERDICT") or envelope.get("status") or "?", 60)
    found = _outcome(verdict)
    taken = tone_of(verdict)
    yield f'<div class="verdict {taken}"><span class="badge">{_sign(taken)}</span><div><h1>{text(verdict)}</h1>'
    of = f"<code>{text(envelope['of'], 120)}</code> · " if envelope.get("of") else ""
    if found is not None or of:
        yield f"<p>{of}{_MEANINGS[found] if found is not None else ''}</p>"
    yield "</div></div>"
    yield from _reasons(_mappings(envelope.get("reasons")), evidence)
    yield from _trouble(envelope.get("error"))


def _reasons(reasons: Sequence[Mapping[str, Any]], evidence: Evidence) -> Iterator[str]:
    ranked = sorted(reasons, key=lambda reason: _RANK.get(str(reason.get("severity")), len(_RANK)))
    if not ranked:
        return
    yield '<ul class="reasons" aria-label="Reasons">'
    for reason in ranked[:SHOWN_REASONS]:
        yield _reason(reason, evidence)
    yield "</ul>"
    left = len(ranked) - SHOWN_REASONS
    if left > 0:
        yield f'<p class="more">and {left} more, in <a href="#source">the whole answer</a></p>'


def _reason(reason: Mapping[str, Any], evidence: Evidence) -> str:
    taken = _TONE_OF.get(str(reason.get("severity")), "calm")
    column, code = reason.get("column"), reason.get("code")
    place = evidence.of(column, code)
    what = prose(reason.get("what") or code, 400)
    if place:
        what = f'<a href="#{place}">{what}</a>'
    named = (
        f"<code>{text(column, 60)}</code> " if column and f"`{column}`" not in str(reason.get("what")) else ""
    )
    seen = f"<b>{text(reason['value'], 60)}</b>" if has_value(reason.get("value")) else ""
    limit = f" limit {text(reason['threshold'], 60)}" if has_value(reason.get("threshold")) else ""
    severity = text(reason.get("severity") or "note", 20)
    return (
        f'<li class="{taken}">{_sign(taken)}<span class="unseen">{severity}: </span>'
        f'<span class="what">{named}{what}</span>'
        + (f'<span class="seen">{seen}{limit}</span>' if seen or limit else "")
        + "</li>"
    )


def _trouble(error: Any) -> Iterator[str]:
    if not isinstance(error, Mapping) or not error:
        return
    yield '<div class="trouble" role="note">'
    yield f"<p><b>{prose(error.get('what'), 600)}</b></p>"
    yield from (f"<p>{prose(line, 800)}</p>" for line in str(error.get("why") or "").splitlines()[:12])
    if error.get("fix"):
        yield f"<p><code>{text(error['fix'], 600)}</code></p>"
    yield "</div>"


def numbers_html(numbers: Any) -> Iterator[str]:
    """The strip of key numbers; long texts stand small in it, so that no tile grows tall."""
    shown = [each for each in _mappings(numbers) if has_value(each.get("label"))][:SHOWN_NUMBERS]
    if not shown:
        return
    # up to six stand in one row, more of them in two
    abreast = len(shown) if len(shown) <= 6 else 4
    yield f'<dl class="numbers" style="--n:{abreast}">'
    for each in shown:
        value = each.get("value")
        told = counted(value, plain(each["label"])) if has_value(value) else "–"
        size = "" if len(told) <= _LARGE else ' class="medium"' if len(told) <= _MEDIUM else ' class="small"'
        taken = f' data-tone="{tone(each["tone"])}"' if each.get("tone") in ("fine", "wary", "bad") else ""
        note = f'<dd class="note">{text(each["note"], 120)}</dd>' if has_value(each.get("note")) else ""
        yield f"<div{taken}><dt>{text(each['label'], 60)}</dt><dd{size}>{text(told, 160)}</dd>{note}</div>"
    yield "</dl>"


def next_html(commands: Any) -> Iterator[str]:
    """The commands that make sense now, as they are to be typed."""
    given = commands if isinstance(commands, list | tuple) else ()
    shown = [text(command, 600) for command in given if isinstance(command, str) and command][:SHOWN_COMMANDS]
    if not shown:
        return
    yield '<section class="next" aria-labelledby="next"><h2 id="next">What to do next</h2><ol>'
    for command in shown:
        yield f"<li><code>{command}</code></li>"
    yield "</ol></section>"


def _mappings(values: Any) -> list[Mapping[str, Any]]:
    return [each for each in values if isinstance(each, Mapping)] if isinstance(values, list | tuple) else []


def _outcome(verdict: str) -> Verdict | None:
    try:
        return Outcome.parse(verdict).verdict
    except ValueError:
        return None


def _sign(taken: str) -> str:
    return (
        '<svg class="sign" viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" '
        f'stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{_SIGNS[taken]}</svg>'
    )
