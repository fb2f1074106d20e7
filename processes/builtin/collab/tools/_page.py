"""The page and the text of a bundle: both are made of what was cleaned, and of nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from loom.tools.card import Block, card, facts, number

from . import _tables as tables
from ._cleaning import Cleaned, Record
from ._figures import figures

Page = Callable[[Mapping[str, Any], Sequence[Any], Block], str]
_METHOD = {
    "allowed": "what is on a list, key by key and in its shape: numbers, verdicts, codes, digests, columns",
    "columns": "no name that says that its cells are somebody's, or that reads like a cell",
    "levels": "those that 20 rows and 1 % of all have, of columns that are nobody's",
    "left behind": "rows, free texts, paths, addresses, people, machines, messages of errors, moments",
    "to check": "sha256sum --check SHA256SUMS",
}


def card_of(left: Cleaned) -> Block:
    """Key numbers, the runs, why they ended as they did, their figures, and what was taken out."""
    sections = [
        *tables.runs(left.runs),
        *tables.reasons(left.runs),
        *figures(left.runs),
        *tables.columns_seen(left.runs),
        *tables.taken_out(left.redactions),
        facts("How it was cleaned", _METHOD),
    ]
    return card(numbers=list(_numbers(left)), sections=sections)


def html_of(left: Cleaned, page: Page) -> str:
    """The page, under the verdict of the run that counts."""
    head = head_of(left)
    reasons = [{**reason, "what": _said(reason)} for reason in head.get("reasons") or ()]
    about = {"verb": head.get("verb"), "pathspec": left.head, "VERDICT": tables.ended(head), "of": left.head}
    return page({**about, "summary": head.get("summary"), "reasons": reasons, "next": []}, (), card_of(left))


def markdown_of(left: Cleaned) -> str:
    """The same as text."""
    shown = card_of(left)
    lines = [f"# {left.head}: {tables.ended(head_of(left))}", ""]
    for each in shown["numbers"]:
        note = f" ({each['note']})" if each.get("note") else ""
        lines.append(f"- {each['label']}: {_cell(each['value'])}{note}")
    for section in shown["sections"]:
        lines += ["", f"## {section['title']}", ""]
        lines += _facts(section) if section["kind"] == "facts" else _table(section)
    return "\n".join(lines) + "\n"


def head_of(left: Cleaned) -> Record:
    """The run whose verdict counts."""
    return next(record for record in left.runs if record["run"] == left.head)


def _said(reason: Mapping[str, Any]) -> str:
    """A reason in words that are Loom's own, not those that it came with."""
    looked = tables.LOOKED_AT.get(reason["code"])
    where = f" (`{reason['column']}`)" if reason.get("column") else ""
    return f"`{reason['code']}`{where}" + (f": {looked}" if looked else "")


def _numbers(left: Cleaned) -> Iterator[Block]:
    summary = head_of(left).get("summary") or {}
    holdout, metric = summary.get("holdout") or {}, summary.get("metric") or {}
    if holdout.get("score") is not None:
        between = [each for each in holdout.get("ci") or () if each is not None]
        note = f"{between[0]:.3g} to {between[1]:.3g}" if len(between) == 2 else None
        yield number(f"{metric.get('name') or 'score'} on sealed rows", f"{holdout['score']:.3f}", note=note)
    yield number("runs", len(left.runs))
    yield number("taken out", sum(left.redactions.values()), note="counted by kind below")


def _table(section: Block) -> Iterator[str]:
    columns = section["columns"]
    if section["rows"]:
        yield _row([each["label"] for each in columns])
        yield _row(["---"] * len(columns))
        yield from (_row([_cell(row.get(each["key"])) for each in columns]) for row in section["rows"])
    if section.get("note"):
        yield from ("", section["note"]) if section["rows"] else (section["note"],)


def _facts(section: Block) -> Iterator[str]:
    return (f"- {label}: {said}" for label, said in section["facts"].items())


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(each["text"]) for each in value)
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value).replace("|", "\\|")
