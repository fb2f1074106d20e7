"""The report as a whole: its sections in the order in which they are to be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ._about_data import data, features, leaks
from ._about_model import calibration, fairness, search, slices, validation, verdict
from ._about_use import deployment, watch
from ._material import Material
from ._origin import lacking, lineage, method, missing
from ._parts import Code, Document, Section, cell, either

_SECTIONS: tuple[Callable[[Material], Section], ...] = (
    verdict,
    validation,
    data,
    leaks,
    features,
    search,
    calibration,
    slices,
    fairness,
    watch,
    deployment,
    method,
    lineage,
)
_TONES = {"PASS": "fine", "REVIEW": "wary", "FAIL": "bad"}


def document_of(material: Material, asked: Mapping[str, Any]) -> Document:
    """Everything the runs tell, and what they do not."""
    found = [make(material) for make in _SECTIONS]
    lacks = lacking(material, {section.key: section for section in found})
    told = [section for section in found if not section.is_empty]
    place = 1 + next((at for at, section in enumerate(told) if section.key == "verdict"), -1)
    listed = missing(lacks)
    if not listed.is_empty:
        told.insert(place, listed)
    experiment = asked.get("experiment")
    title = cell("Report on ", Code(experiment)) if experiment else _title(material)
    return Document(title, told, lacks, tuple(_numbers(material)))


def _title(material: Material) -> tuple[Any, ...]:
    run = material.head or (material.runs or material.left)[-1]
    return ("Report on ", run.code)


def _numbers(material: Material) -> Iterator[dict[str, Any]]:
    """What is to be seen at a glance; tiles without a value are left out."""
    head = material.head
    brought, seen = material.latest("ingest"), material.latest("eda")
    drift = material.latest("ops", tells="drift")
    tiles: list[dict[str, Any]] = []
    if head is not None:
        verdict = str(head.facts["verdict"])
        tiles.append(
            {"label": "verdict", "value": (Code(verdict),), "note": (head.code,), "tone": _TONES.get(verdict)}
        )
        beside = head.span("holdout", "ci")
        against = cell(beside, "; dummy ", head.number("baselines", "dummy", "score"))
        tiles.append(
            {
                "label": str(head.get("metric", "name") or "score"),
                "value": head.number("holdout", "score"),
                "note": either(against, beside),
            }
        )
    if brought is not None:
        tiles.append({"label": "rows", "value": brought.number("n_rows"), "note": (brought.code,)})
        tiles.append({"label": "columns", "value": brought.number("n_cols")})
    elif seen is not None:
        tiles.append({"label": "rows", "value": seen.number("n_rows"), "note": (seen.code,)})
        tiles.append({"label": "columns", "value": seen.number("n_cols")})
    if seen is not None:
        tone = "bad" if seen.get("leakage_flags") else "fine"
        note = cell(seen.number("leakage_suspects"), " suspected")
        tiles.append({"label": "leaks", "value": seen.number("leakage_flags"), "note": note, "tone": tone})
    if drift is not None:
        tiles.append(
            {"label": "columns that moved", "value": drift.share("drift", "share"), "note": (drift.code,)}
        )
    yield from (tile for tile in tiles if tile["value"])
