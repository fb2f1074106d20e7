"""Which data objects there are: the port that lists and opens them, and a folder that keeps such a list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from loom.dataio.blobs import DirectoryStore
from loom.dataio.objects import DataObject
from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError

FLOWS = ("IngestDataset", "FeaturesFlow")
_FLOW = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
_PATHSPEC = re.compile(rf"({_FLOW.pattern})/([A-Za-z0-9][A-Za-z0-9_.-]{{0,99}})")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the catalogue: how a data object is named, how large it is, and since when it is there."""

    pathspec: str
    name: str
    rows: int
    cols: int
    created: datetime


@runtime_checkable
class Catalogue(Protocol):
    """Knows every data object that was registered whole, and none that was not."""

    def objects(self, limit: int, name: str | None = None) -> list[Entry]:
        """The newest first, at most `limit`; with `name`, those whose name contains it in any case."""

    def open(self, pathspec: str) -> DataObject:
        """A data object; a LoomError where there is none of that pathspec."""


@dataclass(frozen=True, slots=True)
class DirectoryCatalogue:
    """A folder of numbered entries, `IngestDataset/1`, `/2` and so on, with the blobs they refer to."""

    root: Path

    @property
    def store(self) -> DirectoryStore:
        """Where the blobs of its objects are."""
        return DirectoryStore(self.root / "blobs")

    def register(self, flow: str, record_key: str) -> str:
        """Give a data object the next number of a flow; whoever does so at the same time gets another."""
        if not _FLOW.fullmatch(flow):
            raise ValueError(f"not the name of a flow: {flow!r}")
        found = open_record(record_key, self.store)
        for key in [each.key for each in found.parts.values()] + [each.key for each in found.files.values()]:
            self.store.open(key)  # an entry never refers to what is not there
        entry = {"record": record_key, "created": datetime.now(UTC).isoformat(), **size_of(found.schema)}
        number, folder = self._take_number(flow)
        # what was begun and never finished is a folder without an entry, which nobody lists
        write_atomically(folder / "entry.json", json.dumps(entry, sort_keys=True).encode())
        return f"{flow}/{number}"

    def objects(self, limit: int, name: str | None = None) -> list[Entry]:
        """The newest first; reads one small file each."""
        entries = [self._entry(path) for flow in FLOWS for path in self.root.glob(f"{flow}/*/entry.json")]
        entries.sort(key=lambda entry: (entry.created, number_of(entry.pathspec)), reverse=True)
        return first_of(entries, limit, name)

    def open(self, pathspec: str) -> DataObject:
        """The object of a pathspec, its parts as references into `store`."""
        check_pathspec(pathspec)
        path = self.root / pathspec / "entry.json"
        if not path.is_file():
            raise not_found(pathspec, f"{self.root} does not hold it")
        return open_record(_read(path)["record"], self.store)

    def _take_number(self, flow: str) -> tuple[int, Path]:
        folder = self.root / flow
        try:
            folder.mkdir(parents=True, exist_ok=True)
            taken = [int(path.name) for path in folder.iterdir() if path.name.isdecimal()]
            number = max(taken, default=0) + 1
            while not _made(folder / str(number)):
                number += 1
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise LoomError(f"{folder} cannot be written", why, f"ls -ld {self.root}") from None
        return number, folder / str(number)

    def _entry(self, path: Path) -> Entry:
        data = _read(path)
        pathspec = "/".join(path.parent.parts[-2:])
        return Entry(
            pathspec, data["name"], data["rows"], data["cols"], datetime.fromisoformat(data["created"])
        )


def open_record(key: str, store: DirectoryStore) -> DataObject:
    """The data object whose record has that key."""
    return DataObject.from_record(store.open(key).read_bytes(), store)


def size_of(schema: dict[str, Any]) -> dict[str, Any]:
    """What a list of data objects says of one."""
    return {"name": schema["name"], "rows": schema["counts"]["rows"], "cols": schema["counts"]["columns"]}


def first_of(entries: Iterable[Entry], limit: int, name: str | None) -> list[Entry]:
    """The first of some entries, or of those with a name that contains a text; no more is read than needed."""
    wanted = (name or "").casefold()
    return list(islice((entry for entry in entries if wanted in entry.name.casefold()), max(limit, 0)))


def number_of(pathspec: str) -> int:
    """The number of a run, 0 where it is no number."""
    number = pathspec.rpartition("/")[2]
    return int(number) if number.isdecimal() else 0


def check_pathspec(pathspec: str) -> None:
    """Refuse what is no pathspec, and with it every path that would lead elsewhere."""
    if not _PATHSPEC.fullmatch(pathspec):
        raise not_found(pathspec, "a pathspec is a flow and a number, such as IngestDataset/7")


def not_found(pathspec: str, why: str) -> LoomError:
    """The refusal of a pathspec that names no data object."""
    return LoomError(f"there is no data object {pathspec[:200]}", why, "loom datasets")


def _made(folder: Path) -> bool:
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise LoomError(f"{path} cannot be read", str(error), f"rm -r {path.parent}") from None
    return found
