"""Puts the data objects of a case where its run will look for them."""

from __future__ import annotations

from collections.abc import Sequence

from loom.app.package_tests.objects import FILE, Wanted
from loom.app.package_tests.place import Place
from loom.dataio.addresses import parse_address
from loom.dataio.catalogue import DirectoryCatalogue
from loom.dataio.ingest import Request, ingest
from loom.kernel.errors import LoomError

FLOW = "IngestDataset"


def register(objects: Sequence[Wanted], place: Place) -> list[str]:
    """Bring each one in, in order, and answer with their pathspecs; paths are relative to the case's workspace."""
    catalogue = DirectoryCatalogue(place.home / "objects")
    named = []
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
        named.append(catalogue.register(FLOW, key))
    return named
