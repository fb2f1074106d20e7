"""Limits go down, never up, and what was used is read back."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from loom.sandbox import limits
from tests.sandbox.here import SOURCE


def _run(code: str) -> list[str]:
    start = "import resource, sys\nsys.path.insert(0, sys.argv[1])\nfrom loom.sandbox import limits\n"
    done = subprocess.run(
        [sys.executable, "-c", start + code, str(SOURCE)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout.splitlines()


def test_each_limit_is_set_and_no_core_is_dumped() -> None:
    code = """
limits.apply({"cpu_s": 7, "address_bytes": 1 << 33, "file_bytes": 4096, "open_files": 50})
for kind in ("CPU", "AS", "FSIZE", "NOFILE", "CORE"): print(*resource.getrlimit(getattr(resource, "RLIMIT_" + kind)))
"""
    assert _run(code) == ["7 8", f"{1 << 33} {1 << 33}", "4096 4096", "50 50", "0 0"]


def test_a_limit_that_is_lower_already_stays() -> None:
    code = """
resource.setrlimit(resource.RLIMIT_NOFILE, (20, 30))
limits.apply({"open_files": 1000, "file_bytes": None})
print(*resource.getrlimit(resource.RLIMIT_NOFILE), *resource.getrlimit(resource.RLIMIT_FSIZE))
"""
    assert _run(code) == ["20 30 -1 -1"]


@pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED: only Linux can say how many tasks there are")
@pytest.mark.parametrize(
    ("user", "release", "namespaced", "limit"),
    [
        (1000, "6.1.0-13-amd64", True, "40"),
        (1000, "5.14-rc2", True, "40"),
        (1000, "5.10.0", True, "before"),
        (1000, "5.10.0", False, "47"),
        (0, "6.1.0", True, "before"),
        (0, "6.1.0", False, "before"),
    ],
)
def test_a_user_is_held_to_four_times_the_tasks_beside_those_there_are(
    user: int, release: str, namespaced: bool, limit: str
) -> None:
    code = f"""
import os
from types import SimpleNamespace
before = resource.getrlimit(resource.RLIMIT_NPROC)[0]
os.getuid = lambda: {user}
os.uname = lambda: SimpleNamespace(release={release!r})
limits.tasks_of_user = lambda: 7
limits.apply_tasks(10, namespaced={namespaced})
now = resource.getrlimit(resource.RLIMIT_NPROC)[0]
print("before" if now == before else now)
"""
    assert _run(code) == [limit]
    assert limits.tasks_of_user() >= 1


def test_the_peak_is_read_back_in_bytes() -> None:
    assert limits.peak_bytes(resource.getrusage(resource.RUSAGE_SELF)) > 1 << 20
