"""Whether a holdout was carved by the time and the entity that somebody names, and the ingest that carves it so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loom.core.commands import command
from loom.kernel.errors import LoomError

SHARE = 0.2
"""The share of the rows that is sealed unless somebody says otherwise."""


def source_of(schema: Mapping[str, Any]) -> str | None:
    """How the source of a data object is named on a command line; None where its address is not known whole."""
    told = schema.get("provenance") or {}
    source, table = told.get("source"), told.get("table")
    # what an address hides, such as a password, cannot be typed again
    if not source or "…" in source or str(source).startswith(("postgres:", "postgresql:")):
        return None
    return f"{source}::{table}" if table else str(source)


def ingest_again(
    about: Mapping[str, Any], *, target: str | None, time: Sequence[str] = (), group: str | None = None
) -> str | None:
    """The ingest that carves the holdout by a time or an entity; None where the source cannot be named again.

    `about` holds the `source`, the `name` and the `holdout` of a data object.
    """
    source = about.get("source")
    if not source:
        return None
    share = about["holdout"].get("share")
    other = f"{share:g}" if share and share != SHARE else None
    options = {"source": source, "name": about["name"], "target": target, "time": ",".join(time)}
    return command("ingest", **options, group=group, holdout=other)


def about(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What `ingest_again` has to know of a data object."""
    return {
        "source": source_of(schema),
        "name": schema.get("name") or "",
        "holdout": dict(sealed_of(schema)),
    }


def sealed_of(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is sealed of the rows: of features, what is sealed of the data they were made of."""
    return (schema.get("lineage") or {}).get("holdout") or schema.get("holdout") or {}


def refuse_other_holdout(pathspec: str, schema: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Refuse a time or an entity that the sealed rows were not chosen by: what is learned so promises what does not hold.

    `asked` holds the `target`, the `time` (several columns) and the `group` that somebody names, or None for each.
    """
    holdout = sealed_of(schema)
    if not holdout.get("rows"):
        return
    time, group = list(schema.get("time") or ()), schema.get("group")
    for option, was in (("time", time), ("group", group)):
        given = asked[option]
        if not given or given == was:
            continue
        shown = given if isinstance(given, str) else ",".join(given)
        again = ingest_again(
            about(schema),
            target=asked["target"] or schema.get("target"),
            time=asked["time"] or time,
            group=asked["group"] or group,
        )
        raise LoomError(
            f"the holdout of {pathspec} was not carved by --{option} {shown}",
            f"sealed were {holdout.get('how')}; rows that belong together would be on both sides",
            again or command("ingest", source="SOURCE", **{option: shown}),
        )
