"""What to type next: whole commands, quoted so that a shell takes every name as it is."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

SHARE = 0.2


def command(verb: str, **options: str | Sequence[str] | None) -> str:
    """A call of a verb; options without a value are left out, parts of a time are joined by commas."""
    words = ["loom", verb]
    for name, value in options.items():
        if value:
            words += [f"--{name.rstrip('_')}", value if isinstance(value, str) else ",".join(value)]
    return shlex.join(words)


def ingest_again(
    about: Mapping[str, Any], *, target: str | None, time: Sequence[str], group: str | None
) -> str | None:
    """The ingest that carves the holdout by a time or an entity; None where the source cannot be named again."""
    source = about.get("source")
    if not source:
        return None
    share = about["holdout"].get("share")
    other = f"{share:g}" if share and share != SHARE else None
    return command(
        "ingest", source=source, name=about["name"], target=target, time=time, group=group, holdout=other
    )


def source_of(schema: Mapping[str, Any]) -> str | None:
    """How the source of a data object is named on a command line; None where its address is not known whole."""
    told = schema.get("provenance") or {}
    source, table = told.get("source"), told.get("table")
    # what an address hides, such as a password, cannot be typed again
    if not source or "…" in source or str(source).startswith(("postgres:", "postgresql:")):
        return None
    return f"{source}::{table}" if table else str(source)
