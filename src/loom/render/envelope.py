"""The answer of a run for people: the verdict first, then what it rests on and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loom.kernel.diagnostic_formats import clean
from loom.render.card_text import card_blocks
from loom.render.tables import PAINT, PLAIN, has_value, is_table, joined, label, pairs, table, value_text

SHOWN_NUMBERS = 18
SHOWN_REASONS = 5
_RANK = {"error": 0, "warning": 1}


def answer_text(
    answer: Mapping[str, Any], *, acceptable: bool, color: bool = False, width: int = 100, quiet: bool = False
) -> str:
    """An envelope as text: headline, key numbers, tables, at most five reasons, the next commands."""
    paint = PAINT if color else PLAIN
    return joined(answer_blocks(answer, acceptable=acceptable, paint=paint, width=width, quiet=quiet))


def answer_blocks(
    answer: Mapping[str, Any], *, acceptable: bool, paint: Mapping[str, str], width: int, quiet: bool = False
) -> list[list[str]]:
    """The parts of an answer, the headline first."""
    card = answer.get("card")
    if card:
        told = card_blocks(card, paint, width)
    else:
        # the verdict stands in the headline
        summary = {key: value for key, value in (answer.get("summary") or {}).items() if key != "verdict"}
        told = _summary(summary, paint, width)
    blocks = [_headline(answer, acceptable, paint), *told]
    error = answer.get("error") or {}
    blocks.append(_reasons([each for each in answer.get("reasons") or () if not _is_said(each, error)]))
    return blocks if quiet else [*blocks, _next(answer, paint)]


def _headline(answer: Mapping[str, Any], acceptable: bool, paint: Mapping[str, str]) -> list[str]:
    verdict = clean(str(answer.get("VERDICT") or answer.get("status") or ""))
    about = clean(" ".join(str(answer[key]) for key in ("verb", "pathspec") if answer.get(key)))
    return [f"{paint['good' if acceptable else 'bad']}{verdict}{paint['off']}  {about}".rstrip()]


def _summary(summary: Mapping[str, Any], paint: Mapping[str, str], width: int) -> Iterator[list[str]]:
    """Key numbers first, then a table per list of mappings, with a heading where it could be mistaken."""
    flat = _unfolded(summary)
    tables = {key: value for key, value in flat.items() if is_table(value)}
    told = [(key, value) for key, value in flat.items() if key not in tables and has_value(value)]
    if not told and not tables:
        told = [(key, "none") for key, value in flat.items() if isinstance(value, list)]
    yield pairs(dict(told[:SHOWN_NUMBERS]), paint, width)
    for key, rows in tables.items():
        heading = [f"{paint['bold']}{label(key)}{paint['off']}"] if len(tables) > 1 or told else []
        yield [*heading, *table(rows, paint, width)]


def _unfolded(summary: Mapping[str, Any]) -> dict[str, Any]:
    """A summary whose tables are not hidden within mappings, nor within the only row of another table."""
    flat: dict[str, Any] = {}
    for key, value in summary.items():
        inner = value[0] if is_table(value) and len(value) == 1 else value
        if not (isinstance(inner, Mapping) and any(map(is_table, inner.values()))):
            flat[key] = value
            continue
        for name, each in inner.items():
            flat[f"{key} {name}" if name in summary or isinstance(value, Mapping) else name] = each
    return flat


def _reasons(reasons: Sequence[Mapping[str, Any]]) -> list[str]:
    ranked = sorted(reasons, key=lambda reason: _RANK.get(str(reason.get("severity")), len(_RANK)))
    lines = [
        f"{reason.get('severity') or 'note'!s:<8} {_reason(reason)}" for reason in ranked[:SHOWN_REASONS]
    ]
    if len(ranked) > SHOWN_REASONS:
        lines.append(f"… and {len(ranked) - SHOWN_REASONS} more; --json lists all of them")
    return lines


def _is_said(reason: Mapping[str, Any], error: Mapping[str, Any]) -> bool:
    """Whether the error says the same."""
    told = str(reason.get("what"))
    return bool(error) and (told in str(error.get("why")) or str(error.get("what")) in told)


def _reason(reason: Mapping[str, Any]) -> str:
    column = f"{reason['column']}: " if reason.get("column") else ""
    seen, allowed = reason.get("value"), reason.get("threshold")
    numbers = [value_text(seen)] if seen is not None else []
    numbers += [f"threshold {value_text(allowed)}"] if allowed is not None else []
    told = f"{column}{reason.get('what') or reason.get('code')}"
    return clean(f"{told} ({', '.join(numbers)})" if numbers else told)


def _next(answer: Mapping[str, Any], paint: Mapping[str, str]) -> list[str]:
    found = [("card", answer.get("card_path")), *(("next", command) for command in answer.get("next") or ())]
    return [f"{paint['dim']}{name}{paint['off']}  {clean(str(text))}" for name, text in found if text]
