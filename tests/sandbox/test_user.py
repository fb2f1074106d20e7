"""The sandbox of a normal user, tried by giving up root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.sandbox.here import SOURCE, at_most

NOBODY = 65534
BECOME = f"import os; os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
CHECK = f"{BECOME}import sys; assert sys.version_info >= (3, 11); os.stat(sys.argv[1])"

pytestmark = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give up root")

CODE = """
import fcntl, json, sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from loom.sandbox.ladder import LEVELS, probe, try_rung
from loom.sandbox.policy import Limits, Policy
from loom.sandbox.run import run
inside = Path(sys.argv[2])
(inside / "lock").touch()
limits = Limits(wall_s=20, grace_s=0.2, memory_bytes=192 << 20, tasks=24)
policy = Policy(write=(inside,), processes=True, limits=limits)
HOLD = "import fcntl, os, sys; held = open(sys.argv[1], 'rb'); fcntl.flock(held, fcntl.LOCK_SH)\\n"
BOMB = HOLD + '''
import signal
signal.alarm(20)
for _ in range(8):
    try: os.fork() or (os.setsid(), signal.alarm(20))
    except OSError: pass
while True: signal.pause()
'''
GREEDY = "held = []\\nwhile True: held.append(b'1' * (32 << 20))"
DAEMON = HOLD + '''
ready, tell = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(tell, b"x")
        import signal; signal.pause()
    os._exit(0)
os.read(ready, 1)
'''
READ = '''
for path in ("/etc/passwd", "/etc/hostname", sys.argv[1] + "/../own"):
    try: print(open(path).read(1) and "read")
    except OSError: print("refused")
'''
(inside.parent / "own").write_text("mine")
def python(level, code, policy):
    return run([sys.executable, "-I", "-S", "-E", "-c", code, str(inside / "lock")], policy, level=level)
def free():
    with open(inside / "lock", "rb") as file:
        try: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError: return False
    return True
said = {"probe": probe().level}
for level in LEVELS:
    if level != "none" and not try_rung(level).held:
        continue
    bomb = python(level, BOMB, policy)
    greedy = python(level, GREEDY, policy)
    daemon = python(level, DAEMON, policy)
    seen = python(level, "import sys" + READ, policy)
    said[level] = [
        bomb.stopped_by, bomb.usage.peak_tasks > 24, greedy.stopped_by, daemon.ok, daemon.strays, free(),
        seen.stdout.decode().split()]
print(json.dumps(said))
"""


@pytest.fixture(autouse=True)
def outer_limit() -> Iterator[None]:
    with at_most(60):
        yield


@cache
def reachable_python() -> str:
    """A Python that a normal user can run, and that can read our source; empty when there is none."""
    for program in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        try:
            done = subprocess.run(
                [program, "-c", CHECK, str(SOURCE)], capture_output=True, timeout=30, check=False
            )
        except OSError:
            continue
        # the program itself must be reachable too, which root's own start of it does not show
        started = subprocess.run(
            [
                sys.executable,
                "-c",
                f"{BECOME}import sys; os.execv(sys.argv[1], [sys.argv[1], '-c', ''])",
                program,
            ],
            capture_output=True,
            timeout=30,
            check=False,
        )
        if done.returncode == started.returncode == 0:
            return program
    return ""


def test_a_normal_user_is_kept_in_as_root_is(tmp_path_factory: pytest.TempPathFactory) -> None:
    program = reachable_python()
    if not program:
        pytest.skip("NOT TESTED: no Python 3.11 here that a normal user can run")
    with_way = Path("/tmp", f"loom-user-{os.getpid()}-{tmp_path_factory.getbasetemp().name}")
    inside = with_way / "inside"
    inside.mkdir(parents=True)
    try:
        for path in (with_way, inside):
            os.chown(path, NOBODY, NOBODY)
        done = subprocess.run(
            [program, "-c", BECOME + CODE, str(SOURCE), str(inside)],
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
            cwd="/",
            env={"PATH": os.environ["PATH"], "HOME": "/"},
        )
    finally:
        subprocess.run(["rm", "-rf", str(with_way)], check=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said.pop("probe") in said
    for level, found in said.items():
        assert found[:6] == ["processes", True, "memory", True, 1, True], level
        if level != "none":
            assert found[6] == ["refused"] * 3, level
