"""Plain data in lines: tables, names with their values, and single values, none of which can steer a terminal."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from loom.kernel.diagnostic_formats import clean
from loom.render.labels import columns, shorten

SHOWN_ROWS = 20
SHOWN_ITEMS = 6
WIDEST_CELL = 100
NARROWEST_CELL = 8
SHOWN_LINES = 3
PAINT = {"good": "\x1b[1;32m", "bad": "\x1b[1;31m", "bold": "\x1b[1m", "dim": "\x1b[2m", "off": "\x1b[0m"}
PLAIN = dict.fromkeys(PAINT, "")
_NOTHING: tuple[Any, ...] = (None, "", [], {}, ())


def has_value(value: Any) -> bool:
    """Whether there is anything to show."""
    return value not in _NOTHING


def is_table(value: Any) -> bool:
    """Whether a value is a list of mappings."""
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def table(
    rows: Sequence[Mapping[str, Any]],
    paint: Mapping[str, str] = PLAIN,
    width: int = 100,
    *,
    most: int = SHOWN_ROWS,
    rest: str = "--json lists all of them",
) -> list[str]:
    """Mappings as a table: one column per key that has a value, numbers to the right, no more rows than `most`."""
    # a line that says there is one more takes no less room than that one
    shown = rows if len(rows) <= most + 1 else rows[:most]
    keys = [
        key
        for key in dict.fromkeys(key for row in shown for key in row)
        if any(has_value(row.get(key)) for row in shown)
    ]
    if not keys:
        return []
    cells = [[label(key) for key in keys], *([_cell(row.get(key)) for key in keys] for row in shown)]
    to_right = [all(row.get(key) is None or _is_number(row[key]) for row in shown) for key in keys]
    widths = _fitted(
        [min(WIDEST_CELL, max(columns(row[at]) for row in cells)) for at in range(len(keys))], width
    )
    head, *lines = [line for row in cells for line in _row_lines(row, widths, to_right)]
    lines.insert(0, f"{paint['dim']}{head}{paint['off']}")
    if len(rows) > len(shown):
        lines.append(f"… and {len(rows) - len(shown):,} more; {rest}")
    return lines


def _row_lines(row: Sequence[str], widths: Sequence[int], to_right: Sequence[bool]) -> Iterator[str]:
    """A row as one line, or as several where words do not fit."""
    wrapped = [_wrapped(text, wide) for text, wide in zip(row, widths, strict=True)]
    for at in range(max(map(len, wrapped))):
        parts = [part[at] if at < len(part) else "" for part in wrapped]
        yield "  ".join(map(padded, parts, widths, to_right)).rstrip()


def _wrapped(text: str, wide: int) -> list[str]:
    """A text in lines of a width: broken between words; a word that is too long loses its middle."""
    lines = [""]
    for word in (shorten(each, wide) for each in text.split(" ")):
        if lines[-1] and columns(lines[-1]) + 1 + columns(word) > wide:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    if len(lines) > SHOWN_LINES:
        last = lines[SHOWN_LINES - 1]
        lines[SHOWN_LINES - 1 :] = [(last if columns(last) < wide else last[:-1]) + "…"]
    return lines


def pairs(
    facts: Mapping[str, Any], paint: Mapping[str, str] = PLAIN, width: int = 100, *, whole: bool = False
) -> list[str]:
    """Names and values below each other, those without a value left out; `whole` cuts nothing short."""
    rows = [(label(name), value) for name, value in facts.items() if has_value(value)]
    wide = max((columns(name) for name, _ in rows), default=0)
    room = max(20, width - wide - 2)
    return [
        f"{paint['dim']}{padded(name, wide)}{paint['off']}  "
        + (clean(value) if whole and isinstance(value, str) else shorten(value_text(value), room))
        for name, value in rows
    ]


def value_text(value: Any) -> str:
    """A plain value in one line: digests by their beginning, long lists by theirs."""
    if isinstance(value, str):
        return clean(_short_digest(value))
    if isinstance(value, Mapping):
        return ", ".join(f"{label(key)} {value_text(each)}" for key, each in value.items() if has_value(each))
    if isinstance(value, list | tuple):
        named = [each.get("name", "…") for each in value] if is_table(value) else value
        some = ", ".join(map(value_text, named[:SHOWN_ITEMS]))
        return some + (f", … ({len(named)} in all)" if len(named) > SHOWN_ITEMS else "")
    return _scalar(value)


def label(key: Any) -> str:
    """A key as a person reads it: `n_rows` is rows."""
    return clean(str(key).removeprefix("n_").replace("_", " "))


def size_text(size: float) -> str:
    """A number of bytes as people say it."""
    if size < 1024:
        return f"{size:.0f} bytes"
    for unit in ("KiB", "MiB"):
        size /= 1024
        if size < 1024:
            return f"{size:,.1f} {unit}"
    return f"{size / 1024:,.1f} GiB"


def padded(text: str, wide: int, to_right: bool = False) -> str:
    """A text filled up to a width."""
    space = " " * max(0, wide - columns(text))
    return space + text if to_right else text + space


def joined(blocks: Iterable[Sequence[str]]) -> str:
    """Blocks of lines with an empty line between them."""
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _cell(value: Any) -> str:
    return value_text(value) if has_value(value) else ""


def _scalar(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        # years and short codes are numbers, too
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        is_large = math.isfinite(value) and abs(value) >= 10_000
        return f"{value:,.0f}" if is_large else f"{value:.4g}"
    return clean(json.dumps(value, default=str))


def _short_digest(text: str) -> str:
    kind, _, digits = text.partition(":")
    return f"{kind}:{digits[:12]}" if kind == "sha256" and len(digits) == 64 else text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fitted(widths: list[int], width: int) -> list[int]:
    """Widths that fit a line: the widest column gives way first."""
    fitted = list(widths)
    while sum(fitted) + 2 * (len(fitted) - 1) > width and max(fitted) > NARROWEST_CELL:
        fitted[fitted.index(max(fitted))] -= 1
    return fitted
