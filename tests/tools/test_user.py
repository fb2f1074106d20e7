"""The tools of a normal user, tried by giving up root."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.sandbox.here import SOURCE, at_most
from tests.sandbox.test_user import BECOME, NOBODY, reachable_python

CODE = """
import asyncio, fcntl, json, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from loom.sandbox import ladder
from loom.sandbox.ladder import LEVELS, Probe, try_rung
from loom.tools.builtin import builtin_tool
from loom.tools.invoke import invoke
from loom.tools.registry import ToolContext
top = Path(sys.argv[2])
ctx = ToolContext(top / "ws")
def call(name, **args): return asyncio.run(invoke(builtin_tool(name), args, ctx))
def free():
    with open(top / "ws/lock", "rb") as file:
        try: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError: return False
    return True
said = {}
for level in LEVELS:
    if level != "none" and not try_rung(level).held:
        continue
    ladder.probe = lambda: Probe(level, "it is not installed", ())
    good = call("shell_execute", command="echo a | cat > made; echo b > ../outside 2>/dev/null; cat made")
    late = call("shell_execute", command="exec 9>>lock; flock 9; sleep 60 & setsid sleep 60 & sleep 60", timeout_seconds=0.3)
    said[level] = [good.success, good.files_changed, good.sandbox, (top / "outside").exists(), late.error_kind, free()]
    (top / "ws/made").unlink(); (top / "outside").unlink(missing_ok=True)
refused = [call("read_file", path=path).error_kind for path in ("../own", "/etc/hostname", "link", "no\\0")]
kept = call("write_file", path="deep/kept.txt", content="x").success
print(json.dumps([said, refused, kept]))
"""


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give up root")
def test_a_normal_user_has_the_same_tools_within_the_same_bounds(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    program = reachable_python()
    if not program:
        pytest.skip("NOT TESTED: no Python 3.11 here that a normal user can run")
    top = Path("/tmp", f"loom-tools-{os.getpid()}-{tmp_path_factory.getbasetemp().name}")
    (top / "ws").mkdir(parents=True)
    try:
        (top / "own").write_text("mine")
        (top / "ws/link").symlink_to("../own")
        for path in (top, top / "ws"):
            os.chown(path, NOBODY, NOBODY)
        with at_most(60):
            done = subprocess.run(
                [program, "-W", "error", "-c", BECOME + CODE, str(SOURCE), str(top)],
                capture_output=True,
                text=True,
                timeout=50,
                check=False,
                cwd="/",
                env={"PATH": os.environ["PATH"], "HOME": "/"},
            )
    finally:
        subprocess.run(["rm", "-rf", str(top)], check=True)
    assert done.returncode == 0, done.stderr
    said, refused, kept = json.loads(done.stdout)
    for level, found in said.items():
        assert found == [True, ["made"], level, level == "none", "timeout", True], level
    assert refused == ["safety"] * 4 and kept
