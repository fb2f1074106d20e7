"""Which folders may replace a package that comes with Loom, and whether they are still what they were."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError
from loom.kernel.treehash import is_hashed, links_leaving, tree_hash

FILE_NAME = "trust.json"
VERSION = 1

State = Literal["trusted", "changed", "unknown"]
_HASH = re.compile(r"sha256:[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder that was trusted, and its content at that moment."""

    folder: Path
    tree_hash: str


class TrustStore:
    """The trusted folders of one user, in `trust.json` under Loom's home folder."""

    def __init__(self, home: Path) -> None:
        self.file = home / FILE_NAME

    def add(self, folder: Path) -> Entry:
        """Trust a folder, and every package in it, as it is now."""
        where = _real(folder)
        if _real(self.file).is_relative_to(where):
            why = "the store is inside it, so that trusting it would change it"
            raise LoomError(f"{where} cannot be trusted", why, "trust the package's own folder")
        leaving = links_leaving(where)
        if leaving:
            why = f"{leaving[0]} leads out of it, to content nobody can vouch for"
            raise LoomError(f"{where} cannot be trusted", why, "put a copy in place of the link")
        entry = Entry(where, tree_hash(where))
        with self._locked():
            self._write({**self._read(), str(where): entry.tree_hash})
        return entry

    def remove(self, folder: Path) -> None:
        """Trust a folder no longer; it need not exist any more."""
        where = str(_real(folder))
        with self._locked():
            folders = self._read()
            if where not in folders:
                raise LoomError(f"{where} is not in the trust store", "it was never added", "loom trust list")
            del folders[where]
            self._write(folders)

    def entries(self) -> tuple[Entry, ...]:
        """Every folder that was added, by its path."""
        return tuple(Entry(Path(folder), content) for folder, content in sorted(self._read().items()))

    def state(self, folder: Path) -> State:
        """Whether a folder, or one that holds it, was added and is still the same."""
        where = _real(folder)
        covering = [entry for entry in self.entries() if _covers(entry, where)]
        if any(_current(entry) for entry in covering):
            return "trusted"
        return "changed" if covering else "unknown"

    def is_trusted(self, folder: Path) -> bool:
        """Whether a folder may replace what comes with Loom."""
        return self.state(folder) == "trusted"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the store for one change, so that two at once both survive."""
        home = self.file.parent
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(home / "trust.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise LoomError(f"{self.file} cannot be written", why, f"ls -ld {home}") from None
        with os.fdopen(lock, "rb"):
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, folders: dict[str, str]) -> None:
        text = json.dumps({"version": VERSION, "folders": folders}, indent=2, sort_keys=True)
        write_atomically(self.file, text.encode("ascii") + b"\n", mode=0o600)

    def _read(self) -> dict[str, str]:
        try:
            raw = self.file.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise LoomError(f"{self.file} cannot be read", why, f"ls -ld {self.file}") from None
        try:
            stored = json.loads(raw)
        except (ValueError, RecursionError):
            raise self._damaged("it is not JSON") from None
        if not isinstance(stored, dict) or stored.get("version") != VERSION:
            raise self._damaged(f"it is not a version {VERSION} trust store")
        folders = stored.get("folders")
        if not isinstance(folders, dict) or not all(map(_sound, folders, folders.values())):
            raise self._damaged("it does not list absolute folders with their digests")
        return folders

    def _damaged(self, why: str) -> LoomError:
        fix = f"rm {self.file}, then trust each folder again: loom trust add DIR"
        return LoomError(f"{self.file} cannot be understood", why, fix)


def _real(path: Path) -> Path:
    # unlike Path.resolve, this lets a link that leads to itself stand for nothing
    return Path(os.path.realpath(path))


def _sound(folder: str, content: object) -> bool:
    return isinstance(content, str) and _HASH.match(content) is not None and Path(folder).is_absolute()


def _covers(entry: Entry, where: Path) -> bool:
    """Whether the entry's digest says anything about a folder."""
    return where.is_relative_to(entry.folder) and is_hashed(where.relative_to(entry.folder))


def _current(entry: Entry) -> bool:
    try:
        return tree_hash(entry.folder) == entry.tree_hash
    except LoomError:
        return False  # gone or unreadable: certainly not what it was
