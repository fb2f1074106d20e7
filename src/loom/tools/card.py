"""What a tool may put on the page of its run: plain blocks of numbers, tables, plots and facts.

A tool says what there is to see, and in which order; how it looks is not its business. Blocks are plain data,
so that they travel with the result. They stand beside the summary, under `card`, and are no part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

Tone = Literal["fine", "wary", "bad", "calm"]
Kind = Literal["text", "code", "number", "share", "score", "spark", "tags"]
Block: TypeAlias = dict[str, Any]


def card(
    *, numbers: Sequence[Block] = (), sections: Sequence[Block] = (), banner: Block | None = None
) -> Block:
    """The page: a strip of key numbers, and sections in the order in which they are to be read.

    The banner is that of the run itself, unless the page is about another one.
    """
    return _without_none({"numbers": list(numbers), "sections": list(sections), "banner": banner})


def banner(verdict: str, of: str, reasons: Sequence[Mapping[str, Any]]) -> Block:
    """The verdict and the reasons of the run that a page is about."""
    return {"VERDICT": verdict, "of": of, "reasons": [dict(reason) for reason in reasons]}


def number(
    label: str, value: float | str | None, *, note: str | None = None, tone: Tone | None = None
) -> Block:
    """A key number: what it is, its value, what it is to be compared with, how it is to be taken."""
    return _without_none({"label": label, "value": value, "note": note, "tone": tone})


def table(
    title: str, columns: Sequence[Block], rows: Sequence[Mapping[str, Any]], *, note: str | None = None
) -> Block:
    """Rows in the order in which they matter: the worst first."""
    about = {"kind": "table", "title": title, "columns": list(columns), "rows": [dict(row) for row in rows]}
    return _without_none({**about, "note": note})


def column(key: str, label: str, kind: Kind = "text") -> Block:
    """A column of a table: the key of its cells, its heading, and how the cells are to be read."""
    return {"key": key, "label": label, "kind": kind}


def tag(text: str, tone: Tone = "calm") -> Block:
    """A word that marks a row."""
    return {"text": text, "tone": tone}


def quantile_spark(quantiles: Mapping[str, float]) -> Block:
    """The shape of a column of numbers, from its quantiles (`p1` to `p99`)."""
    return {"spark": "quantiles", "values": dict(quantiles)}


def level_spark(shares: Sequence[float]) -> Block:
    """The shape of a column of levels, from their shares; what is missing from 1 are all others."""
    return {"spark": "levels", "values": list(shares)}


def charts(title: str, drawn: Sequence[Mapping[str, Any]], *, note: str | None = None) -> Block:
    """Plots, as `loom.science.charts` gives them."""
    about = {"kind": "charts", "title": title, "charts": [dict(chart) for chart in drawn]}
    return _without_none({**about, "note": note})


def code(title: str, written: str, *, note: str | None = None) -> Block:
    """Text that is shown as it is, such as a script or what it printed."""
    return _without_none({"kind": "code", "title": title, "code": written, "note": note})


def facts(title: str, told: Mapping[str, Any]) -> Block:
    """What only some want to know, folded away: methods, seeds, thresholds."""
    return {"kind": "facts", "title": title, "facts": dict(told)}


def _without_none(block: Block) -> Block:
    return {key: value for key, value in block.items() if value is not None}
