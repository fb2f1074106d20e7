"""Put a bundle in place: written whole beside the others, then made the current one in a single step."""

from __future__ import annotations

import fcntl
import json
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError

from . import _rollback
from ._rollback import CURRENT, LOCK, SUMS, VERSIONS, damage, switch
from ._writing import HALF, settle, write

ROLLBACK = "rollback.py"
_SHORT = 16


@dataclass(frozen=True, slots=True)
class Placed:
    """The version that is current now, the one before it, and whether anything had to be done."""

    version: str
    previous: str | None
    is_new: bool


def place(folder: Path, digest: str, files: Mapping[str, bytes], record: Mapping[str, Any]) -> Placed:
    """Make the bundle the current version of a folder; a LoomError leaves what was current as it was."""
    try:
        with _alone(folder):
            return _placed(folder, digest, files, record)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LoomError(
            f"nothing was deployed to {folder}", why, f"ls -ld {shlex.quote(str(folder))}"
        ) from None


def current_of(folder: Path) -> str | None:
    """The version that is current; None where there is none yet."""
    link = folder / CURRENT
    if not link.is_symlink():
        if link.exists():
            why = f"{CURRENT} is there and was not put there by a deployment"
            raise LoomError(f"{folder} holds something else", why, "--target FOLDER, one of its own")
        return None
    return link.readlink().name


def _placed(folder: Path, digest: str, files: Mapping[str, bytes], record: Mapping[str, Any]) -> Placed:
    now, versions = current_of(folder), folder / VERSIONS
    versions.mkdir(exist_ok=True)
    for left in versions.glob(f"{HALF}*"):
        shutil.rmtree(left, ignore_errors=True)  # somebody was killed while writing it
    version, is_there = _name(versions, digest, files)
    if is_there and version == now:
        return Placed(version, _record(versions, version).get("previous"), False)
    if not is_there:
        write(versions, version, files)
    told = {**record, "bundle": digest, "previous": now}
    write_atomically(versions / f"{version}.json", json.dumps(told, indent=1, sort_keys=True).encode())
    write_atomically(folder / ROLLBACK, Path(_rollback.__file__).read_bytes())
    switch(folder, version)
    settle(folder)
    return Placed(version, now, True)


def _name(versions: Path, digest: str, files: Mapping[str, bytes]) -> tuple[str, bool]:
    """The name of the version, and whether it is there whole; beside one that was damaged it gets another."""
    short = digest.removeprefix("sha256:")[:_SHORT]
    count = 1
    while True:
        name = short if count == 1 else f"{short}.{count}"
        path = versions / name
        if not path.exists():
            return name, False
        if not damage(path) and (path / SUMS).read_bytes() == files[SUMS]:
            return name, True
        count += 1


def _record(versions: Path, version: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((versions / f"{version}.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return found


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else changes the folder meanwhile; whoever comes second is told."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LoomError(
                f"nothing was deployed to {folder}", "another deployment to it is under way", "loom runs"
            ) from None
        yield
