"""A real PostgreSQL server on this machine, for as long as a test needs it."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

_DEADLINE_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """Where it listens, and how to get in."""

    port: int
    password: str

    @property
    def address(self) -> str:
        """Its address with the password in it."""
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/postgres"

    def execute(self, *statements: str) -> None:
        """Run statements as its owner."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


@contextmanager
def running() -> Iterator[Server]:
    """A fresh server, which needs a user that is not root; skips where none is installed."""
    programs = _programs()
    account = _account()
    with tempfile.TemporaryDirectory(prefix="loom-postgres-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        password = secrets.token_hex(8)
        (home / "password").write_text(password)
        if account:
            shutil.chown(home, account["user"], account["group"])
            shutil.chown(home / "password", account["user"], account["group"])
        made = [
            *(
                str(programs / "initdb"),
                "-D",
                str(home / "data"),
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--no-sync",
            ),
            *("--auth=scram-sha-256", f"--pwfile={home / 'password'}", "--no-locale"),
        ]
        subprocess.run(made, cwd=home, check=True, capture_output=True, **account)
        port = _free_port()
        options = ["-F", "-h", "127.0.0.1", "-p", str(port), "-k", str(home)]
        process = subprocess.Popen(
            [str(programs / "postgres"), "-D", str(home / "data"), *options],
            cwd=home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **account,
        )
        try:
            server = Server(port, password)
            _await(server, process)
            yield server
        finally:
            process.terminate()
            process.wait()


def _programs() -> Path:
    found = shutil.which("postgres")
    if found:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not installed:
        pytest.skip("PostgreSQL IS NOT TESTED: no server is installed (apt-get install postgresql)")
    return installed[-1].parent


def _account() -> dict[str, Any]:
    """Whom to run it as: the server refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    pytest.skip("PostgreSQL IS NOT TESTED: it refuses to run as root, and there is no other user")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while True:
        try:
            server.execute("SELECT 1")
        except psycopg.OperationalError:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.05)
        else:
            return
