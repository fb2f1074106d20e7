"""The data objects that a model was judged on, back to where they came in, and whether they still are what they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from loom.dataio.objects import DataObject
from loom.kernel.errors import LoomError
from loom.tools.registry import ToolContext

Line = tuple[str, str, str]
"""A code, what is wrong, and with which data object."""


def objects_behind(dataset: str, ctx: ToolContext) -> tuple[list[dict[str, Any]], list[Line]]:
    """Each data object with its digest now, the last one first; and those that are gone or were made of other data."""
    told: list[dict[str, Any]] = []
    wrong: list[Line] = []
    pathspec: str | None = dataset
    expected = None
    while pathspec is not None and len(told) < 20:
        try:
            found: DataObject = ctx.services["catalogue"].open(pathspec)
        except LoomError as error:
            wrong.append(("data_gone", f"{error.what}: {error.why}", pathspec))
            break
        one = _told(pathspec, found)
        if expected not in (None, one["digest"]):
            wrong.append(
                ("data_changed", f"{told[-1]['pathspec']} was made of other data than this", pathspec)
            )
        told.append(one)
        wrong += _transformer(pathspec, found)
        lineage = found.schema.get("lineage") or {}
        pathspec, expected = lineage.get("source"), lineage.get("source_digest")
    return told, wrong


def changed(
    objects: list[dict[str, Any]], recorded: Mapping[str, Any], holdout: str | None
) -> Iterator[Line]:
    """What is not as the validation wrote it down; what it did not write down cannot be known."""
    for one in objects:
        before = recorded.get(one["pathspec"])
        if before is None:
            yield "data_unrecorded", "the validation did not write down what it was", one["pathspec"]
        elif before != one["digest"]:
            yield "data_changed", "its digest is not the one that was validated", one["pathspec"]
    sealed = objects[-1]["holdout"] if objects else None
    if objects and holdout != sealed:
        yield "holdout_changed", "its sealed rows are not those that were opened", objects[-1]["pathspec"]


def _told(pathspec: str, found: DataObject) -> dict[str, Any]:
    schema = found.schema
    lineage = schema.get("lineage") or {}
    provenance = schema.get("provenance") or {}
    return {
        "pathspec": pathspec,
        "name": schema["name"],
        "rows": schema["counts"]["rows"],
        "digest": schema["digest"],
        "holdout": (schema.get("holdout") or {}).get("digest"),
        "source": None if lineage else provenance.get("source"),
        "recipe": lineage.get("recipe"),
        "fingerprint": lineage.get("fingerprint"),
        "transformer": lineage.get("transformer"),
        "from": lineage.get("from"),
    }


def _transformer(pathspec: str, found: DataObject) -> list[Line]:
    """Whether the features that lie beside the data are those that made it."""
    file = found.files.get("transformer")
    said = (found.schema.get("lineage") or {}).get("transformer")
    if file is None or said in (None, file.digest):
        return []
    return [("data_changed", "its transformer is not the one it was made with", pathspec)]
