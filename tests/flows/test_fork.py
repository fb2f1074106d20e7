"""The fork that stands by: it runs the next flow if it suits, and is gone if nobody needs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loom.flows.engine import LAUNCHER
from tests.flows.building import clean_environ
from tests.flows.test_dispatch import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
ROOT = Path(__file__).parents[2]
HEAD = """
import json, os, sys, threading
from pathlib import Path
from loom.flows import fork
from loom.flows.dispatch import MetaflowDispatcher
from loom.flows.stock import Launch
from tests.flows.building import phases, planned, prepared
tmp, kinds = Path(sys.argv[1]), []
home = tmp / "home"
start = fork.start_warm

def noted(launch):
    started = start(launch)
    kinds.append(type(started).__name__)
    return started

def run(environ):
    made = prepared(tmp, planned(phases({"only-this": []})))
    done = MetaflowDispatcher(home, environ, noted).dispatch(made, lambda kind, body: None)
    return done.failure or done.pathspec

def thread():
    threading.Thread(target=threading.Event().wait, daemon=True).start()

environ = dict(os.environ)
"""


def told(tmp_path: Path, body: str, **environ: str) -> Any:
    """What a script says that stands for a command."""
    full = clean_environ(tmp_path, **environ)
    full["PYTHONPATH"] += os.pathsep + str(ROOT)
    command = [sys.executable, "-c", HEAD + body, str(tmp_path)]
    done = subprocess.run(command, env=full, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_fork_made_early_serves_a_process_that_has_threads_by_then(tmp_path: Path) -> None:
    body = "made = fork.stand_by(home, environ); thread(); print(json.dumps([made, run(environ), kinds]))"
    assert told(tmp_path, body) == [True, "ExampleFlow/1", ["Forked"]]


def test_without_it_a_process_with_threads_starts_a_fresh_interpreter(tmp_path: Path) -> None:
    body = "thread(); made = fork.stand_by(home, environ); print(json.dumps([made, run(environ), kinds]))"
    assert told(tmp_path, body) == [False, "ExampleFlow/1", ["Popen"]]


def test_a_fork_that_knows_another_configuration_is_not_used(tmp_path: Path) -> None:
    body = """
fork.stand_by(home, environ); pid = fork._standby[0].process.pid
thread()
found = run({**environ, "METAFLOW_USER": "ada", "METAFLOW_DEFAULT_METADATA": "local"})
print(json.dumps([found.partition("/")[0], kinds, os.path.exists(f"/proc/{pid}")]))
"""
    assert told(tmp_path, body) == ["ExampleFlow", ["Popen"], False]


def test_a_fork_that_was_killed_is_replaced(tmp_path: Path) -> None:
    body = """
fork.stand_by(home, environ); os.kill(fork._standby[0].process.pid, 9); os.waitid(os.P_PID, fork._standby[0].process.pid, os.WEXITED | os.WNOWAIT)
print(json.dumps([run(environ), kinds]))
"""
    assert told(tmp_path, body) == ["ExampleFlow/1", ["Popen"]]


def test_what_keeps_a_fork_from_getting_ready_is_said(tmp_path: Path) -> None:
    body = """
fork.engine.make_ready = lambda **known: 1 / 0
print(json.dumps([fork.stand_by(home, environ), run(environ), kinds]))
"""
    made, failure, kinds = told(tmp_path, body)
    assert made and kinds == ["Forked"]
    assert "Metaflow ended with status 70: ZeroDivisionError: division by zero" in failure


def test_a_fork_that_nobody_needs_is_gone_with_its_owner(tmp_path: Path) -> None:
    body = "fork.stand_by(home, environ); print(fork._standby[0].process.pid)"
    pid = told(tmp_path, body)
    until(lambda: not Path(f"/proc/{pid}").exists())


def test_whoever_wants_metaflows_own_way_gets_it(tmp_path: Path) -> None:
    body = "print(json.dumps([fork.stand_by(home, environ), run(environ), kinds]))"
    assert told(tmp_path, body, **{LAUNCHER: "stock"}) == [False, "ExampleFlow/1", ["Popen"]]
