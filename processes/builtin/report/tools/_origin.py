"""How the figures came about, which run each of them descends from, and what is not known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

from loom.core.commands import command

from ._material import Material
from ._parts import Cell, Code, Lacking, Section, Table, cell, either, names, told
from ._source import Source, shortened

_SHOWN = 80
_DIGESTS = ("digest", "fingerprint")
_NEEDED = {
    "verdict": "validate",
    "data": "eda",
    "leaks": "eda",
    "features": "features",
    "validation": "validate",
}


def method(material: Material) -> Section:
    """Splits, seeds and versions."""
    run, built = material.head, material.latest("features")
    found: dict[str, Cell] = {}
    if run is not None:
        found |= {
            "rows were split by": run.label("splitter", "kind"),
            "because": run.text("splitter", "why"),
            "horizon": either(run.number("splitter", "horizon"), run.label("splitter", "horizon")),
            "embargo": either(run.number("splitter", "embargo"), run.label("splitter", "embargo")),
            "rows purged": run.number("splitter", "n_purged"),
            "how the score's interval was found": run.text("holdout", "how"),
            "model": run.label("model", "digest"),
            "sealed rows": run.label("holdout", "digest"),
            "seed": either(run.label("seed"), run.made("seed")),
            "versions": names([f"{name} {found}" for name, found in (run.get("versions") or {}).items()]),
        }
    if built is not None:
        found["features"] = run_of(built)
    last = (run, *reversed(material.runs))
    found["Loom"] = next((made for each in last if each is not None and (made := each.made("loom"))), ())
    return Section("method", "Method", tables=[table for table in [told("How", found)] if table.rows])


def run_of(run: Source) -> Cell:
    """The recipe of features with its fingerprint."""
    return cell(run.label("recipe"), ", ", run.label("fingerprint"))


def lineage(material: Material) -> Section:
    """Every run with what it used; a digest of its answer, and those of what it made."""
    rows: list[Mapping[str, Cell]] = [
        {
            "run": (run.code,),
            "verdict": (Code(str(run.facts["verdict"])),),
            "used": names(run.facts["reads"]) or ("nothing",),
            "made": names(list(_made(run))),
            "answer": (Code(shortened(answer_digest(run))),),
        }
        for run in list(reversed(material.runs))[:_SHOWN]
    ]
    heads = {"run": "run", "verdict": "verdict", "used": "used", "made": "digests of what it made"}
    tables = [Table("Drawn on, the latest first", {**heads, "answer": "digest of its answer"}, rows)]
    if len(material.runs) > _SHOWN:
        tables[0] = Table("The latest of those drawn on", dict(tables[0].columns), rows)
    left: list[Mapping[str, Cell]] = [
        {
            "run": (run.code,),
            "verb": (Code(run.verb),),
            "end": (Code(str(run.facts["status"])),),
            "why": _why(run),
        }
        for run in list(reversed(material.left))[:_SHOWN]
    ]
    left += [{"run": (Code(name),), "end": ("not to be found",)} for name in material.gone[:_SHOWN]]
    columns = {"run": "run", "verb": "verb", "end": "how it ended", "why": "reasons"}
    tables.append(Table("Not drawn on", columns, left))
    return Section("lineage", "Lineage", tables=[table for table in tables if table.rows])


def answer_digest(run: Source) -> str:
    """A digest of what a run answered: its verdict, summary and reasons."""
    answer = {key: run.facts[key] for key in ("verdict", "summary", "reasons")}
    return f"sha256:{hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()}"


def _made(run: Source) -> Iterator[str]:
    places = [(key,) for key in _DIGESTS] + [("holdout", "digest"), ("model", "digest")]
    for place in places:
        found = run.get(*place)
        if isinstance(found, str):
            yield f"{place[0]} {shortened(found)}"


def _why(run: Source) -> Cell:
    codes = [str(reason.get("code")) for reason in run.facts["reasons"]]
    return names(list(dict.fromkeys(codes))[:5])


def lacking(material: Material, sections: Mapping[str, Section]) -> list[Lacking]:
    """Sections that no finished run provides, each with the command that would."""
    of, head = material.data, material.head
    found = [
        Lacking(name, f"no finished run of {verb} is among them", command(verb, dataset=of) if of else None)
        for name, verb in _NEEDED.items()
        if (head is None if name == "verdict" else sections[name].is_empty)
    ]
    if head is not None:
        for name in ("calibration", "slices"):
            if sections[name].is_empty:
                found.append(Lacking(name, "it could not be measured"))
        if isinstance(head.get("fairness"), str) or sections["fairness"].is_empty:
            asked = f"{command('validate', dataset=of)} --sensitive COLUMN" if of else None
            found.append(Lacking("fairness", "no sensitive column was assessed", asked))
    return found


def missing(found: list[Lacking]) -> Section:
    """What the report cannot say, and how it could be found out."""
    rows: list[Mapping[str, Cell]] = [
        {
            "section": (each.section,),
            "why": (each.why,),
            "command": (Code(each.command),) if each.command else (),
        }
        for each in found
    ]
    heads = {"section": "section", "why": "why", "command": "what would tell"}
    return Section("missing", "What is missing", tables=[Table("Missing", heads, rows)] if rows else [])
