"""The profile of a data object as its tool answers it, with the plots that can be drawn from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loom.science.charts import missing, relations, target_shares
from loom.science.profile import Profile, profile
from loom.tools.registry import ToolContext

from ._subject import SEED, Subject, subject_of

# a wide table says less of each column: its answer has to travel
_LEVELS = 20_000
_FEWEST = 3


def profiled(args: Mapping[str, Any], ctx: ToolContext) -> tuple[list[str], dict[str, Any]]:
    """What a reader is told, and the profile with what the data object is."""
    subject = subject_of(args, ctx)
    found = profile(
        subject.train,
        target=subject.declared,
        time=subject.time,
        group=subject.group,
        test_names=subject.test_names,
        seed=SEED,
    )
    data = {**found.as_json(), "about": subject.about()}
    data["charts"] = _charts(data, subject)
    _shorten(data["columns"])
    return _lines(found), data


def _charts(found: Mapping[str, Any], subject: Subject) -> list[dict[str, Any]]:
    drawn = [
        target_shares(found["target"], subject.spoken) if found["target"] is not None else None,
        missing(found, subject.spoken),
        relations(found, subject.spoken),
    ]
    return [chart.as_json() for chart in drawn if chart is not None]


def _shorten(columns: list[dict[str, Any]]) -> None:
    """Keep of each column as many levels as a table of this width has room for."""
    most = max(_FEWEST, _LEVELS // max(len(columns), 1))
    for column in columns:
        column["levels"] = column["levels"][:most]


def _lines(found: Profile) -> list[str]:
    repeats = found.duplicates.rows
    return [
        f"{found.n_rows:,} open rows, {found.n_cols:,} columns, {repeats:,} rows repeat an earlier one",
        f"target: {found.target.task or 'never changes'}" if found.target else "target: none is known",
        *(f"{warning.severity}: {warning.code}" for warning in found.warnings[:20]),
    ]
