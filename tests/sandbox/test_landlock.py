"""Landlock closes a process in, on this kernel and as older ones would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from loom.sandbox import landlock
from tests.sandbox.here import SOURCE

pytestmark = pytest.mark.skipif(landlock.abi() == 0, reason="NOT TESTED: this kernel has no Landlock")

CODE = """
import os, sys
sys.path.insert(0, sys.argv[1])
from loom.sandbox import landlock
inside, outside, version = sys.argv[2], sys.argv[3], int(sys.argv[4])
landlock.restrict(["/usr", "/no/such/path"], [inside, "/dev/null"], network=False, version=version)
def attempt(name, call):
    try: call()
    except OSError: print(name, "refused")
    else: print(name, "done")
attempt("inside", lambda: open(inside + "/file", "w").write("x"))
attempt("null", lambda: open("/dev/null", "w").write("x"))
attempt("system", lambda: os.listdir("/usr"))
attempt("system write", lambda: open("/usr/loom-was-here", "w"))
attempt("read", lambda: open(outside + "/secret").read())
attempt("list", lambda: os.listdir(outside))
attempt("write", lambda: open(outside + "/secret", "w"))
attempt("make", lambda: open(outside + "/new", "w"))
attempt("remove", lambda: os.unlink(outside + "/secret"))
attempt("move", lambda: os.rename(outside + "/secret", inside + "/secret"))
attempt("link", lambda: os.link(outside + "/secret", inside + "/secret"))
attempt("device", lambda: os.mknod(inside + "/device", 0o20600, os.makedev(1, 3)))
"""
VERSIONS = [version for version in (1, 2, 3, 4, 5, 6, 7) if version <= landlock.abi()]


@pytest.mark.parametrize("version", VERSIONS)
def test_only_what_was_given_is_reached_by_every_version(tmp_path: Path, version: int) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("secret")
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(SOURCE), str(inside), str(outside), str(version)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    said = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert {name for name, verdict in said.items() if verdict == "done"} == {"inside", "null", "system"}
    assert (outside / "secret").read_text() == "secret"


def test_a_kernel_without_it_is_said_so() -> None:
    with pytest.raises(OSError, match="no Landlock"):
        landlock.restrict([], [], network=False, version=0)


@pytest.mark.skipif(landlock.abi() < 4, reason="NOT TESTED: this Landlock does not know TCP")
def test_tcp_is_refused_without_the_network_even_where_sockets_are_not() -> None:
    code = """
import socket, sys
sys.path.insert(0, sys.argv[1])
from loom.sandbox import landlock
server = socket.create_server(("127.0.0.1", 0))
landlock.restrict([], [], network=False)
for name, call in (("bind", lambda out: out.bind(("127.0.0.1", 0))), ("connect", lambda out: out.connect(server.getsockname()))):
    with socket.socket() as out:
        try: call(out)
        except PermissionError: print(name)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(SOURCE)], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.split() == ["bind", "connect"]
