"""The two data objects of a comparison: opened, checked against each other, and the shapes of their columns."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from loom.core.column_names import spoken
from loom.dataio.catalogue import Catalogue
from loom.dataio.frames import load
from loom.dataio.objects import DataObject
from loom.kernel.errors import LoomError
from loom.science.columns import Columns
from loom.science.profile import Column, profile

_NAMED = 12
_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Sides:
    """Today's data and what it is compared with; the target and the time that both agree on."""

    current: Columns
    reference: Columns
    target: str | None
    time: tuple[str, ...]
    about: dict[str, Any]
    source: str | None
    """Where today's data came from, if it was a file."""


def opened(catalogue: Catalogue, dataset: str | None, reference: str | None, prediction: str | None) -> Sides:
    """Both objects; LoomError where one is missing or they cannot be compared."""
    if dataset is None or reference is None:
        given, lacks = ("dataset", "reference") if reference is None else ("reference", "dataset")
        raise LoomError(
            f"--{given} needs --{lacks}" if dataset or reference else "--prediction needs data to look at",
            "drift is between two data objects: today's data, and the data it is compared with",
            f"loom ops --dataset {shlex.quote(dataset or 'CURRENT')} --reference {shlex.quote(reference or 'REFERENCE')}",
        )
    found = [catalogue.open(dataset), catalogue.open(reference)]
    now, before = (_columns(each) for each in found)
    if not set(now.names) & set(before.names):
        raise LoomError(
            f"{dataset} and {reference} have no column in common",
            f"the first has {_listed(now.names)}; the second has {_listed(before.names)}",
            "loom datasets",
        )
    target = _target(found, (dataset, reference), (now, before))
    _check_prediction(prediction, target, {dataset: now, reference: before})
    schemas = [each.schema for each in found]
    time = tuple(dict.fromkeys(name for schema in schemas for name in schema.get("time") or ()))
    told = schemas[0].get("provenance") or {}
    about = {
        "dataset": _about(dataset, found[0]),
        "reference": _about(reference, found[1]),
        "target": target,
        "prediction": prediction,
        "time": list(time) or None,
    }
    return Sides(now, before, target, time, about, told.get("source") if told.get("kind") == "file" else None)


def shapes(sides: Sides, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """How a few columns lie on either side, as far as it may be shown: quantiles, or the shares of levels."""
    looks = []
    for table in (sides.current, sides.reference):
        wanted = tuple(name for name in names if name in table.names)
        looked = profile(_thinned(table, wanted)) if wanted else None
        looks.append({} if looked is None else {column.name: column for column in looked.columns})
    return {
        name: shape for name in names if (shape := _shape(looks[0].get(name), looks[1].get(name))) is not None
    }


def _thinned(table: Columns, names: tuple[str, ...]) -> Columns:
    """Enough of the rows, evenly spaced, to see how columns lie."""
    step = max(1, table.rows // _ROWS)
    return Columns(names, -(-table.rows // step), lambda few: table.read(few).gather_every(step))


def _shape(current: Column | None, reference: Column | None) -> dict[str, Any] | None:
    if current is None or reference is None:
        return None
    quantiles = [
        {key: value for key, value in (each.quantiles or {}).items() if isinstance(value, float | int)}
        for each in (current, reference)
    ]
    if all(quantiles):
        return {"kind": "quantiles", "current": quantiles[0], "reference": quantiles[1]}
    shares = [{level.level: level.share for level in each.levels} for each in (current, reference)]
    # in one order, so that the two can be held against each other
    order = list(dict.fromkeys([*shares[1], *shares[0]]))
    if not order:
        return None
    sides = ([round(side.get(level, 0.0), 4) for level in order] for side in shares)
    return dict(zip(("kind", "current", "reference"), ("levels", *sides), strict=True))


def _columns(found: DataObject) -> Columns:
    ref = found.parts["train"]
    return Columns(ref.columns, ref.rows, partial(load, ref))


def _target(
    found: Sequence[DataObject], pathspecs: tuple[str, str], tables: tuple[Columns, Columns]
) -> str | None:
    """The target both agree on. Where only one declares a target, it is that one, if the reference has it."""
    current, reference = (each.schema.get("target") for each in found)
    if current and reference and current != reference:
        raise LoomError(
            f"the targets differ: `{spoken(current)}` in {pathspecs[0]}, `{spoken(reference)}` in {pathspecs[1]}",
            "drift of the target is drift of one column",
            f"loom ingest --source FILE --target {shlex.quote(reference)}",
        )
    target = reference or current
    return target if target in tables[1].names else None


def _check_prediction(prediction: str | None, target: str | None, tables: Mapping[str, Columns]) -> None:
    if prediction is None:
        return
    for pathspec, table in tables.items():
        if prediction not in table.names:
            raise LoomError(
                f"{pathspec} has no column `{prediction}` with predictions",
                f"its columns are {_listed(table.names)}",
                f"loom show {shlex.quote(pathspec)}",
            )
    if prediction == target:
        raise LoomError(
            f"`{prediction}` is the target, so it cannot hold the predictions too",
            "the target is what came true, a prediction what was expected",
            "name the column of the predictions with --prediction",
        )


def _about(pathspec: str, found: DataObject) -> dict[str, Any]:
    return {"pathspec": pathspec, "name": found.schema.get("name"), "rows": found.parts["train"].rows}


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(spoken, names[:_NAMED])) + more
