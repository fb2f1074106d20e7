"""A page for what did not lay out one of its own: the summary of a run as blocks, its single values as key numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loom.render.html.markup import number, plain
from loom.render.tables import has_value, is_table, label
from loom.tools.card import Block, card, column, facts, level_spark, quantile_spark, table
from loom.tools.card import number as key_number

SHOWN_NUMBERS = 8
_SHORT = 28
# a mapping of many is one thing, not many
_FEW = 12
_LOOKED_AT = 200
_SHARES = frozenset({"share", "missing", "balance"})
_FIRST = ("column", "name", "check", "feature")


def blocks_of(summary: Mapping[str, Any]) -> Block:
    """The summary of a run as a page: up to eight short values, then its tables, then everything else."""
    told = [(name, value) for name, value in _singles(summary) if has_value(value)]
    short = [(name, value) for name, value in told if _is_telling(value)]
    # numbers say more at a glance than names do
    ranked = sorted(short, key=lambda pair: number(pair[1]) is None)
    strip = [pair for pair in short if pair in ranked[:SHOWN_NUMBERS]][:SHOWN_NUMBERS]
    rest = dict(pair for pair in told if pair not in strip) | dict(_lists(summary))
    sections = [_table(title, rows) for title, rows in _tables(summary)]
    if rest:
        sections.append(facts("In detail", rest))
    return card(numbers=[key_number(name, value) for name, value in strip], sections=sections)


def _singles(summary: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Everything in the summary that is one value, one level deep."""
    for key, value in summary.items():
        if isinstance(value, Mapping) and len(value) <= _FEW:
            yield from (
                (f"{label(key)} {label(inner)}", each) for inner, each in value.items() if _is_single(each)
            )
        elif _is_single(value):
            yield label(key), value


def _lists(summary: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is neither one value nor a table."""
    for key, value in summary.items():
        if isinstance(value, Mapping) and len(value) <= _FEW:
            yield from (
                (f"{label(key)} {label(inner)}", each) for inner, each in value.items() if _is_list(each)
            )
        elif _is_list(value):
            yield label(key), value


def _tables(summary: Mapping[str, Any]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    for key, value in summary.items():
        if is_table(value):
            yield _title(key), value
        elif isinstance(value, Mapping):
            yield from ((_title(f"{key} {inner}"), each) for inner, each in value.items() if is_table(each))


def _title(key: Any) -> str:
    told = label(key)
    return told[:1].upper() + told[1:]


def _table(title: str, rows: Sequence[Mapping[str, Any]]) -> Block:
    looked_at = rows[:_LOOKED_AT]
    keys = [key for key in dict.fromkeys(key for row in looked_at for key in row) if isinstance(key, str)]
    keys.sort(key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST))
    kinds = {key: _kind(key, [row.get(key) for row in looked_at]) for key in keys}
    shown = [{key: _cell(kinds[key], value) for key, value in row.items() if key in kinds} for row in rows]
    return table(title, [column(key, label(key), kinds[key]) for key in keys], shown)


def _kind(key: str, cells: Sequence[Any]) -> Any:
    known = [cell for cell in cells if has_value(cell)]
    numbers = [number(cell) for cell in known]
    if known and all(isinstance(cell, Mapping) and "p50" in cell for cell in known):
        return "spark"
    if known and all(is_table(cell) and all("share" in level for level in cell) for cell in known):
        return "spark"
    if not known or any(each is None for each in numbers):
        return "code" if key in ("column", "fingerprint") else "text"
    is_share = key in _SHARES and all(0 <= each <= 1 for each in numbers if each is not None)
    return "share" if is_share else "number"


def _cell(kind: str, value: Any) -> Any:
    if kind == "spark" and isinstance(value, Mapping):
        return quantile_spark(value)
    if kind == "spark" and is_table(value):
        return level_spark([level.get("share") for level in value])
    return value


def _is_telling(value: Any) -> bool:
    """Whether a value says something at a glance: not a sentence, and not the fingerprint of something."""
    told = plain(value, _SHORT + 1)
    return len(told) <= _SHORT and not told.startswith("sha256:")


def _is_single(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


def _is_list(value: Any) -> bool:
    return has_value(value) and not _is_single(value) and not is_table(value)
