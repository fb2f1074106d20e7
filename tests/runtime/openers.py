"""Processes that open a journal's file, for tests of what others find there.

python -m tests.runtime.openers WHAT [FOLDER]   does WHAT for every file whose path is a line on standard input
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing
from pathlib import Path

from loom.kernel.errors import LoomError
from loom.runtime.database import Database

SCHEMA = "CREATE TABLE kept (name TEXT PRIMARY KEY); CREATE TABLE more (name TEXT);"
NOBODY = 65534


def opened(path: Path, version: int = 1) -> Database:
    """The file, made when it is missing."""
    return Database(path, SCHEMA, version)


def write(path: Path) -> None:
    """Write one row and leave."""
    with closing(opened(path)) as db:
        db.write("INSERT INTO kept VALUES (?)", str(os.getpid()))


def die(path: Path) -> None:
    """Write one row, and die while writing another."""
    db = opened(path)
    db.write("INSERT INTO kept VALUES ('whole')")
    with db.transaction():
        db.write("INSERT INTO kept VALUES ('half')")
        os.kill(os.getpid(), signal.SIGKILL)


def main(what: str) -> None:
    """Do it for one file after the other, and print what was refused as one line each."""
    if what == "write-as-nobody" and os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    do = die if what == "die" else write
    for line in sys.stdin:
        try:
            do(Path(line.removesuffix("\n")))
            print(flush=True)
        except LoomError as error:
            print(repr(str(error)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
