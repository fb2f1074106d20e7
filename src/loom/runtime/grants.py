"""Grants: what proves, once, that a person agreed to exactly one plan for exactly one run.

A grant is a line in the journal, sealed with a key that lies in Loom's home folder, readable by its owner
only. So a program that can write files of a workspace, or even lines of the journal, cannot make one. The
seal does not help against whoever can read the key, put an older copy of the journal in place of the
present one, or run code inside Loom's own process: that is what the sandbox around tools is for.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import shlex
import sqlite3
import stat
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

from loom.kernel.errors import LoomError
from loom.process.spec.types import TIERS, Tier
from loom.runtime.consent import rank

KEY_NAME = "approval.key"
KEY_BYTES = 32

How = Literal["command line", "digest", "terminal", "resumed"]


@dataclass(frozen=True, slots=True)
class Grant:
    """A handle on a grant. By itself it proves nothing: the port looks up what it stands for."""

    id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """A grant as it is stored."""

    id: str
    run_id: str
    name: str
    digest: str
    tier: Tier
    how: How
    minted: float
    expires: float
    seal: str = ""
    spent: float | None = None

    def sealed_part(self) -> dict[str, object]:
        """What the seal covers: everything but itself and whether the grant was used."""
        return {key: value for key, value in asdict(self).items() if key not in ("seal", "spent")}


@dataclass(frozen=True, slots=True)
class Clearance:
    """What a run may do from here on. Travels to the tasks of the run as a token; changed, it is worth nothing."""

    run_id: str
    digest: str
    tier: Tier
    hosts: tuple[str, ...] = ()
    shown: tuple[tuple[str, Tier], ...] = ()
    """What was named in the plan, beyond what happens without asking, and how far each goes."""

    seal: str = ""

    def token(self) -> str:
        """The clearance as text."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_token(cls, token: str) -> Clearance:
        """The clearance that a text says it is; ValueError when it is none. Whether it is genuine, the seal says."""
        try:
            data = json.loads(token)
            shown = tuple((_text(source), _tier(tier)) for source, tier in data["shown"])
            hosts = tuple(map(_text, data["hosts"]))
            run_id, digest, seal = (_text(data[key]) for key in ("run_id", "digest", "seal"))
            return cls(run_id, digest, _tier(data["tier"]), hosts, shown, seal)
        except (TypeError, KeyError, RecursionError) as error:
            raise ValueError("not a clearance") from error

    def covers(self, source: str, tier: Tier) -> bool:
        """Whether the plan named a source, going at least that far."""
        return any(name == source and rank(most) >= rank(tier) for name, most in self.shown)

    def sealed_part(self) -> dict[str, object]:
        """What the seal covers."""
        return {key: value for key, value in asdict(self).items() if key != "seal"}


class GrantStore(Protocol):
    """Keeps grants, and lets each be spent once."""

    def add(self, record: GrantRecord) -> None:
        """Keep a new grant."""

    def get(self, grant_id: str) -> GrantRecord | None:
        """The grant of that id, or None."""

    def of_run(self, run_id: str) -> tuple[GrantRecord, ...]:
        """The grants of a run, the oldest first."""

    def spend(self, grant_id: str, at: float) -> bool:
        """Mark a grant as used. Of all who try, whenever and from wherever, one gets True."""


class SqliteGrants:
    """Grants in a table of the journal. Call it outside a transaction: each change is one of its own."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database
        with self._db:
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS grants (id TEXT PRIMARY KEY, run_id TEXT NOT NULL, name TEXT NOT NULL,"
                " digest TEXT NOT NULL, tier TEXT NOT NULL, how TEXT NOT NULL, minted REAL NOT NULL,"
                " expires REAL NOT NULL, seal TEXT NOT NULL, spent REAL) WITHOUT ROWID"
            )
            self._db.execute("CREATE INDEX IF NOT EXISTS grants_by_run ON grants (run_id, minted)")

    def add(self, record: GrantRecord) -> None:
        """Keep a new grant."""
        row = asdict(record)
        with self._db:
            self._db.execute(
                f"INSERT INTO grants ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
                tuple(row.values()),
            )

    def get(self, grant_id: str) -> GrantRecord | None:
        """The grant of that id, or None."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM grants WHERE id = ?", (grant_id,))
        return next((GrantRecord(*row) for row in rows.fetchall()), None)

    def of_run(self, run_id: str) -> tuple[GrantRecord, ...]:
        """The grants of a run, the oldest first."""
        query = f"SELECT {_COLUMNS} FROM grants WHERE run_id = ? ORDER BY minted, id"
        return tuple(GrantRecord(*row) for row in self._db.execute(query, (run_id,)).fetchall())

    def spend(self, grant_id: str, at: float) -> bool:
        """Mark a grant as used; True for one caller only."""
        with self._db:
            done = self._db.execute(
                "UPDATE grants SET spent = ? WHERE id = ? AND spent IS NULL", (at, grant_id)
            )
        return done.rowcount == 1


_COLUMNS = ", ".join(GrantRecord.__dataclass_fields__)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _tier(value: object) -> Tier:
    return TIERS[TIERS.index(_text(value))]


class HomeKey:
    """Seals values with a secret that belongs to one home folder, made when it is first needed."""

    def __init__(self, home: Path) -> None:
        self._path = home / KEY_NAME

    def seal(self, value: object) -> str:
        """A text that only whoever holds the key can make for this value."""
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hmac.new(self._key, text.encode("ascii"), hashlib.sha256).hexdigest()

    def fits(self, value: object, seal: str) -> bool:
        """Whether a seal was made for this value."""
        return hmac.compare_digest(self.seal(value).encode(), seal.encode("utf-8", "replace"))

    @cached_property
    def _key(self) -> bytes:
        try:
            return self._read()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._unusable((error.strerror or str(error)).lower(), "read") from None
        try:
            self._make()
            return self._read()
        except OSError as error:
            raise self._unusable((error.strerror or str(error)).lower(), "written") from None

    def _read(self) -> bytes:
        handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise self._unusable("it is not a file", "used")
            if status.st_uid != os.geteuid() or status.st_mode & 0o077:
                why = "others may read or replace it, and then approve in your place"
                raise LoomError(f"{self._path} is not private", why, f"rm {shlex.quote(str(self._path))}")
            key = file.read(KEY_BYTES + 1)
        if len(key) != KEY_BYTES:
            raise LoomError(
                f"{self._path} is damaged",
                f"a key has {KEY_BYTES} bytes",
                f"rm {shlex.quote(str(self._path))}",
            )
        return key

    def _make(self) -> None:
        """Put a key in place, whole; of two who do so at once, one key stays."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._path.with_name(f".{KEY_NAME}.{secrets.token_hex(8)}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
                file.flush()
                os.fsync(handle)
            with suppress(FileExistsError):
                os.link(fresh, self._path)
        finally:
            fresh.unlink()

    def _unusable(self, why: str, done: str) -> LoomError:
        fix = f"ls -ld {shlex.quote(str(self._path.parent))} {shlex.quote(str(self._path))}"
        return LoomError(f"{self._path} cannot be {done}", why, fix)
