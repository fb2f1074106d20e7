"""The runs of Metaflow that are data objects, read through its Client API."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from loom.dataio.artifacts import RECORD, SCHEMA
from loom.dataio.catalogue import FLOWS, Entry, check_pathspec, first_of, not_found, size_of
from loom.dataio.frames import references
from loom.dataio.metaflow_client import client
from loom.dataio.objects import PARTS, DataObject


@dataclass(frozen=True, slots=True)
class MetaflowCatalogue:
    """Lists the runs that ended well and carry a data object: one that was killed or failed is not there."""

    flows: tuple[str, ...] = FLOWS

    def objects(self, limit: int, name: str | None = None) -> list[Entry]:
        """The newest first; reads the record of each, and none of its data."""
        metaflow = client()
        runs = heapq.merge(
            *(_runs(metaflow, flow) for flow in self.flows), key=lambda run: run.created_at, reverse=True
        )
        return first_of((entry for run in runs if (entry := _entry(run)) is not None), limit, name)

    def open(self, pathspec: str) -> DataObject:
        """The object of a run, its parts as references into the datastore that the run was written to."""
        check_pathspec(pathspec)
        metaflow = client()
        try:
            run = metaflow.Run(pathspec)
        except metaflow.exception.MetaflowNotFound:
            raise not_found(pathspec, "Metaflow knows no such run") from None
        task = _finished(run)
        if task is None:
            raise not_found(pathspec, "the run did not end well, or it brought no data in")
        with references():
            parts = {name: task[name].data for name in PARTS if name in task}
            files = {name: task[name].data for name in task[RECORD].data.get("files", {})}
            return DataObject(
                task[SCHEMA].data, {name: part for name, part in parts.items() if part is not None}, files
            )


def _runs(metaflow: Any, flow: str) -> Iterator[Any]:
    try:
        found = metaflow.Flow(flow)
    except metaflow.exception.MetaflowNotFound:
        return
    yield from found.runs()


def _finished(run: Any) -> Any | None:
    """The last task of a run that ended well and carries a data object."""
    task = run.end_task
    return task if task is not None and RECORD in task and task.successful else None


def _entry(run: Any) -> Entry | None:
    task = _finished(run)
    if task is None:
        return None
    return Entry(run.pathspec, **size_of(task[RECORD].data["schema"]), created=run.created_at.astimezone(UTC))
