"""A run that was killed goes on where it was, and ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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
