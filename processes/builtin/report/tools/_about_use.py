"""What the report says of a model in use: the runs behind it, whether data still looks the same, what was deployed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._material import Material
from ._parts import Cell, Section, Table, cell, names, told
from ._source import Source


def watch(material: Material) -> Section:
    """Health and drift, as ops saw them."""
    tables = [*_health(material), *_drift(material)]
    return Section("watch", "Health and drift", tables=[table for table in tables if table.rows])


def _health(material: Material) -> list[Table]:
    run = material.latest("ops", tells="health")
    if run is None:
        return []
    found = {
        "counted by": (run.code,),
        "flow": run.label("health", "flow"),
        "runs": run.number("health", "runs"),
        "ended well": run.number("health", "ok"),
        "failed": run.number("health", "failed"),
        "slowest but for one in twenty, seconds": run.number("health", "p95_s"),
    }
    return [told("Health", found)]


def _drift(material: Material) -> list[Table]:
    run = material.latest("ops", tells="drift")
    if run is None:
        return []
    found = {
        "compared by": (run.code,),
        "today": run.label("drift", "about", "dataset", "pathspec"),
        "with": run.label("drift", "about", "reference", "pathspec"),
        "columns that moved": run.share("drift", "share"),
        "sides told apart, AUC": run.number("drift", "domain_auc"),
        "target": run.label("drift", "target", "verdict"),
        "predictions": run.label("drift", "prediction", "verdict"),
    }
    rows: list[Mapping[str, Cell]] = [
        {
            "column": run.label(*place, "name"),
            "verdict": run.label(*place, "verdict"),
            "effect": run.label(*place, "effect"),
            "size#": run.number(*place, "size"),
            "limit#": run.number(*place, "threshold"),
            "q#": run.chance(*place, "q"),
        }
        for place in run.each("drift", "columns", most=400)
        if run.get(*place, "verdict") != "OK"
    ]
    heads = {"column": "column", "verdict": "verdict", "effect": "effect"}
    moved = Table(
        "Columns that moved", {**heads, "size#": "size", "limit#": "counts from", "q#": "q"}, rows[:40]
    )
    return [told("Drift", found), moved]


def deployment(material: Material) -> Section:
    """What was planned or released."""
    run = material.latest("deploy")
    if run is None:
        return Section("deployment", "Deployment")
    found = {
        "planned by": (run.code,),
        "state": run.label("status"),
        "name": run.label("manifest", "name"),
        "model": cell(run.label("manifest", "model", "ref"), ", ", run.label("manifest", "model", "digest")),
        "validated by": cell(
            run.label("manifest", "validation", "ref"), ", ", run.label("manifest", "validation", "verdict")
        ),
        "form": run.label("manifest", "target", "form"),
        "files": run.number("manifest", "bundle", "files"),
        "digest of the bundle": run.label("manifest", "bundle", "digest"),
        "digest of the plan": run.label("digest"),
        "libraries": names([f"{name} {version}" for name, version in _libraries(run).items()]),
    }
    return Section("deployment", "Deployment", tables=[told("What was deployed", found)])


def _libraries(run: Source) -> Mapping[str, Any]:
    found = run.get("manifest", "versions", "libraries")
    return found if isinstance(found, Mapping) else {}
