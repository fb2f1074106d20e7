"""Puts the data objects and the runs of a case where its run will look for them."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from loom.app.package_tests.objects import FILE, Wanted
from loom.app.package_tests.past_runs import FOLDER
from loom.app.package_tests.place import Place
from loom.core.index import RunFacts
from loom.dataio.addresses import parse_address
from loom.dataio.blobs import BlobStore
from loom.dataio.catalogue import DirectoryCatalogue
from loom.dataio.files import FileRef
from loom.dataio.ingest import Request, ingest
from loom.kernel.errors import LoomError
from loom.runtime.journal import FILE_NAME, Journal, RunStatus

FLOW = "IngestDataset"
_READER = "loom.science.serving.model:Served.from_bytes"


def register(objects: Sequence[Wanted], place: Place) -> None:
    """Put the objects into the case's home. The first case of a test run brings them in, the others copy them."""
    if not objects:
        return
    once = place.folder.parent / ".objects"
    with once.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not once.is_dir():
            under_way = place.folder / "objects"
            _bring_in(objects, place, DirectoryCatalogue(under_way))
            under_way.rename(once)
    shutil.copytree(once, place.home / "objects")


def _bring_in(objects: Sequence[Wanted], place: Place, catalogue: DirectoryCatalogue) -> None:
    """Each one in its order; paths are relative to the case's workspace."""
    for number, wanted in enumerate(objects, 1):
        try:
            request = Request(
                source=parse_address(wanted.source, wanted.table, place.workspace),
                name=wanted.name,
                target=wanted.target,
                time=wanted.time,
                group=wanted.group,
                share=wanted.holdout,
                missing=wanted.missing,
            )
            key, _ = ingest(request, catalogue.store, place.folder)
        except LoomError as error:
            raise LoomError(f"{FILE}, object {number}: {error.what}", error.why, error.fix) from None
        catalogue.register(FLOW, key)


def write_down(runs: Sequence[RunFacts], package: Path, place: Place) -> None:
    """Enter runs into the journal of the case's home, each as if it had taken place then."""
    if not runs:
        return
    store = DirectoryCatalogue(place.home / "objects").store
    now = 0.0
    with closing(Journal(place.home / FILE_NAME, clock=lambda: now)) as journal:
        for number, facts in enumerate(runs, 1):
            key, now = f"run-{number:010d}", facts.started
            told = {
                "request": {"inputs": dict(facts.inputs)},
                "summary": dict(facts.summary),
                "reasons": list(facts.reasons),
                "error": facts.error,
                "reads": list(facts.reads),
                "parent": facts.parent,
                "kept": _kept(facts, package, store),
            }
            journal.begin(key, facts.verb, told, facts.experiment_id)
            if facts.pathspec:
                journal.locate(key, facts.pathspec)
            now = facts.started + (facts.seconds or 0.0)
            journal.conclude(key, cast(RunStatus, facts.status), facts.verdict)


def _kept(facts: RunFacts, package: Path, store: BlobStore) -> dict[str, Any]:
    """The files of the folder that is called as the run is, as if the run had kept them."""
    folder = package / FOLDER / facts.name.replace("/", "-")
    files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    return {path.stem: FileRef.put(path.read_bytes(), _READER, store).record() for path in files}
