"""What the report says of data: the table, what gives the answer away, and what was built of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ._material import Material
from ._parts import NOTHING, Cell, Section, Table, cell, either, told
from ._source import Source

_COLUMNS = 40


def data(material: Material) -> Section:
    """Where the rows come from, and how the columns are."""
    brought, seen = material.latest("ingest"), material.latest("eda")
    found: dict[str, Cell] = {}
    if brought is not None:
        found |= {
            "brought in by": (brought.code,),
            "name": brought.label("name"),
            "rows": brought.number("n_rows"),
            "columns": brought.number("n_cols"),
            "sealed rows": brought.number("holdout", "rows"),
            "how they were sealed": brought.text("holdout", "how"),
            "time": brought.label("time"),
            "entity": brought.label("group"),
            "digest": brought.label("digest"),
        }
    if seen is not None:
        found |= {
            "looked at by": (seen.code,),
            "rows looked at": seen.number("n_rows"),
            "columns": either(found.get("columns", NOTHING), seen.number("n_cols")),
            "target": cell(seen.label("target", "name"), ", ", seen.label("target", "task")),
            "smallest class": seen.share("target", "balance", "smallest"),
            "rows without an answer": seen.share("target", "missing"),
            "repeated rows": seen.number("duplicates", "rows"),
            "equal rows with other answers": seen.number("duplicates", "conflicting"),
        }
    elif brought is not None:
        found["target"] = brought.label("target")
    tables = [told("The table", found)]
    if brought is not None and brought.get("warnings"):
        rows = [{"what": brought.text("warnings", at)} for at in range(len(brought.get("warnings")))]
        tables.append(Table("Notes of the ingest", {"what": "note"}, rows))
    if seen is not None:
        tables += [_columns(seen), _relations(seen)]
    return Section("data", "Data", tables=[table for table in tables if table.rows])


def _columns(seen: Source) -> Table:
    """The columns, those with the most gaps first."""

    def gaps(place: tuple[str | int, ...]) -> float:
        missing = seen.get(*place, "missing")
        return -missing if isinstance(missing, int | float) else 0.0

    rows: list[Mapping[str, Cell]] = [
        {
            "column": seen.label(*place, "name"),
            "role": seen.label(*place, "role"),
            "missing#": seen.share(*place, "missing"),
            "distinct#": seen.number(*place, "n_unique"),
            "median#": seen.number(*place, "quantiles", "p50"),
            "skew#": seen.number(*place, "skew"),
        }
        for place in sorted(seen.each("columns", most=100_000), key=gaps)[:_COLUMNS]
    ]
    heads = {"column": "column", "role": "role", "missing#": "missing", "distinct#": "distinct"}
    return Table("Columns", {**heads, "median#": "median", "skew#": "skew"}, rows)


def _relations(seen: Source) -> Table:
    rows: list[Mapping[str, Cell]] = [
        {
            "pair": cell(seen.label(*place, "a"), " and ", seen.label(*place, "b")),
            "measure": seen.label(*place, "measure"),
            "value#": seen.number(*place, "value"),
        }
        for place in seen.each("top_correlations", most=10)
    ]
    return Table(
        "Relations between columns", {"pair": "columns", "measure": "measure", "value#": "value"}, rows
    )


def leaks(material: Material) -> Section:
    """What the leak tests found, and what they left out."""
    seen = material.latest("eda", tells="leakage_scores") or material.latest("eda")
    if seen is None:
        return Section("leaks", "Leaks")
    found = {
        "looked for by": (seen.code,),
        "columns that give the answer away": seen.number("leakage_flags"),
        "columns that are suspiciously good": seen.number("leakage_suspects"),
        "columns left out of modelling for other reasons": seen.number("leakage_excluded"),
    }
    heads = {"column": "column", "tier": "tier", "reason": "reason", "score#": "score"}
    rows = [
        {
            "column": either(seen.label(*place, "column"), ("the table as a whole",)),
            "tier": (tier,),
            "reason": seen.label(*place, "reason"),
            "score#": seen.number(*place, "score"),
        }
        for key, tier in (("leakage_flags", "flagged"), ("leakage_suspects", "suspected"))
        for place in seen.each(key)
    ]
    tables = [told("What was looked for", found), Table("Leaks found", heads, rows)]
    return Section("leaks", "Leaks", tables=[table for table in tables if table.rows])


def features(material: Material) -> Section:
    """What was built, and what was left out."""
    run = material.latest("features")
    if run is None:
        return Section("features", "Features")
    found = {
        "built by": (run.code,),
        "recipe": run.label("recipe"),
        "columns before": run.number("n_features_before"),
        "features after": run.number("n_features_after"),
        "columns left out": run.number("dropped"),
        "fingerprint": run.label("fingerprint"),
    }
    dropped: list[Mapping[str, Cell]] = list(_dropped(run))
    tables = [
        told("What was built", found),
        Table("Columns left out", {"column": "column", "why": "why"}, dropped),
    ]
    return Section("features", "Features", tables=[table for table in tables if table.rows])


def _dropped(run: Source) -> Iterator[dict[str, Cell]]:
    for place in run.each("dropped"):
        yield {"column": run.label(*place, "column"), "why": either(run.text(*place, "reason"), NOTHING)}
