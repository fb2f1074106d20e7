"""A SQLite file that several processes and threads write to at once, and that says in words what is wrong with it."""

from __future__ import annotations

import os
import shlex
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from loom.kernel.errors import LoomError

BUSY_SECONDS = 30.0
_AGAIN_SECONDS = 0.02


class Database:
    """One file in WAL mode, made when it is missing, for one process and all its threads."""

    def __init__(self, path: Path, schema: str, version: int) -> None:
        self._path = path
        self._version = version
        self._lock = threading.RLock()
        self._connections: list[sqlite3.Connection] = []
        # what is lost with the power is done again, so no write has to wait for the disk
        self._here = self.connect("NORMAL")
        try:
            if self._found() != version:
                self._create(schema)
        except BaseException:
            self.close()
            raise

    def connect(self, synchronous: str) -> sqlite3.Connection:
        """A connection of somebody's own, closed with the others; FULL waits for the disk on every write."""
        with told(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                # what runs were given and answered is for the person who ran them
                os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            made = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connections.append(made)
            made.execute(f"PRAGMA synchronous = {synchronous}")
        return made

    def close(self) -> None:
        """Let go of the file."""
        for connection in self._connections:
            connection.close()

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Everything that a query finds."""
        with self._lock, told(self._path):
            return self._here.execute(query, values).fetchall()

    def write(self, statement: str, *values: Any) -> sqlite3.Cursor:
        """Carry out one statement, whole or not at all."""
        with self._lock, told(self._path):
            return self._here.execute(statement, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written within is written as a whole or not at all; nobody else writes meanwhile."""
        with self._lock, told(self._path):
            self._here.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._here.execute("COMMIT")
            finally:
                # after some failures SQLite has rolled back by itself
                if self._here.in_transaction:
                    self._here.execute("ROLLBACK")

    def _create(self, schema: str) -> None:
        with told(self._path):
            _switch(self._here)
        with self.transaction():
            if self._found() != self._version:  # of two who come at once, one does it
                for statement in filter(str.strip, schema.split(";")):
                    self.write(statement)
                self.write(f"PRAGMA user_version = {self._version}")

    def _found(self) -> int:
        """The version of the file, 0 when it is new; one that this release does not know is left untouched."""
        found = int(self.rows("PRAGMA user_version")[0][0])
        if found in (0, self._version):
            return found
        aside = f"mv {shlex.quote(str(self._path))} {shlex.quote(f'{self._path}.{found}')}"
        is_newer = found > self._version
        raise LoomError(
            f"{self._path} was written by {'a newer' if is_newer else 'another'} release",
            f"its format is {found}, this release reads {self._version}",
            "pip install --upgrade loom" if is_newer else aside,
        )


def _switch(connection: sqlite3.Connection) -> None:
    """Switch to WAL. SQLite does not wait for others who look at the file just then, so this does."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                raise
        time.sleep(_AGAIN_SECONDS)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Raises what SQLite or the disk refuses as a LoomError; mistakes of a caller stay what they are."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise
    except (sqlite3.Error, OSError) as error:
        raise _unusable(path, error) from None


def _unusable(path: Path, error: sqlite3.Error | OSError) -> LoomError:
    name = getattr(error, "sqlite_errorname", "")
    why = str(getattr(error, "strerror", None) or error).lower()
    file, folder = shlex.quote(str(path)), shlex.quote(str(path.parent))
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return LoomError(f"{path} is damaged", why, f"mv {file} {file}.broken")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        held = f"another process has been writing to it for {BUSY_SECONDS:g} s"
        return LoomError(f"{path} is locked", held, "loom runs")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return LoomError(f"{path} cannot be written", why, f"df -h {folder}")
    return LoomError(f"{path} cannot be used", why, f"ls -ld {folder} {file}")
