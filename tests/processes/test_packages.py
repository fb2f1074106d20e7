"""The packages that come with Loom prove themselves: each that can run passes the tests it carries."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loom.app.prepare import refuse_what_cannot_run
from loom.kernel.errors import LoomError
from loom.process.loader import ProcessLoader, builtin_root, packages_in
from loom.process.plan import plan

BUILT = {
    "connect",
    "ingest",
    "datasets",
    "doctor",
    "eda",
    "viz",
    "features",
    "ops",
    "validate",
    "deploy",
    "report",
    "collab",
    "optimize",
    "pipeline",
    "ds-lifecycle",
}
# the whole way of it is gone by the demo as well, tests/cli/test_demo.py; twice is for a soak
SHORT = {
    "ds-lifecycle": (
        "a-broken-file-ends-it-at-the-door",
        "two-sources-are-one-too-many",
        "no-data-is-an-error",
    )
}
SOAK = bool(os.environ.get("LOOM_SOAK"))


def can_run(name: str) -> bool:
    loader = ProcessLoader(Path.cwd())
    try:
        refuse_what_cannot_run(plan(loader.load(name).package), loader)
    except LoomError:
        return False
    return True


RUNNABLE = sorted(found.name for found in packages_in(builtin_root(), "builtin") if can_run(found.name))


def test_what_is_built_can_run() -> None:
    assert set(RUNNABLE) >= BUILT


@pytest.mark.parametrize("name", RUNNABLE)
def test_a_package_that_comes_with_loom_passes_its_own_tests(name: str, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW_", "LOOM_"))}
    cases = [word for case in SHORT.get(name, ()) if not SOAK for word in ("--case", case)]
    done = subprocess.run(
        [sys.executable, "-m", "loom.cli.main", "process", "test", name, *cases],
        cwd=tmp_path,
        env=kept | {"HOME": str(tmp_path), "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "failed" not in done.stdout.splitlines()[-1]
