"""A run that was killed goes on where it was, and ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loom.app.call import Call, Transport
from loom.app.run import carry_out
from tests.packages import write_package

ROOT = Path(__file__).parents[2]
SOAK = bool(os.environ.get("LOOM_SOAK"))


def matrix(folder: Path, transport: str, every: int) -> list[dict[str, Any]]:
    """What happened at each boundary that was walked."""
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW_", "LOOM_"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.app.kill_matrix", str(folder), transport, str(every)],
        cwd=ROOT,
        env=environ | {"HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(("transport", "every"), [("local", 1), ("metaflow", 1 if SOAK else 12)])
def test_killed_at_any_write_a_run_goes_on_and_ends_the_same(
    transport: str, every: int, tmp_path: Path
) -> None:
    walked = matrix(tmp_path, transport, every)
    assert len(walked) >= (30 if every == 1 else 3)
    for at in walked:
        assert at["killed"], at
        assert at["same"], at
        assert at["files"], at
        assert at["finished_and_ran_again"] == [], at


CRITICAL = """
- {id: first, description: Begin., run: {tool: say, args: {word: a, mark: "${inputs.mark}"}}}
- id: gate
  description: Must work.
  is_critical_path: true
  depends_on: [first]
  run: {tool: say, args: {word: b, needs: "${inputs.needs}", mark: "${inputs.mark}"}}
- {id: last, description: End., depends_on: [gate], run: {tool: say, args: {word: c, mark: "${inputs.mark}"}}}
"""


@pytest.mark.parametrize("transport", ["local", "metaflow"])
def test_a_run_that_a_critical_phase_stopped_goes_on_when_the_cause_is_gone(
    transport: Transport, tmp_path: Path
) -> None:
    inputs = "{mark: {type: text, required: true}, needs: {type: text, required: true}}"
    package = write_package(tmp_path, CRITICAL, last="last", inputs=inputs)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW_", "LOOM_"))}
    environ = kept | {"LOOM_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}
    given = {"mark": str(tmp_path / "mark"), "needs": str(tmp_path / "needs")}
    call = Call(str(package), given, transport=transport, workspace=tmp_path)
    stopped = carry_out(call, environ=environ)
    assert (stopped.ended, stopped.exit_code) == ("error", 2)
    (tmp_path / "needs").write_text("")
    done = carry_out(Call("", resume=stopped.run, workspace=tmp_path), environ=environ)
    assert (done.verdict, done.exit_code) == ("OK", 0)
    assert (tmp_path / "mark").read_text().split() == ["first", "a", "gate", "b", "gate", "b", "last", "c"]
