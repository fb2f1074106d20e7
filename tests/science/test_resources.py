"""How many threads a computation may take."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from loom.science import resources


def cgroup(root: Path, **files: str) -> Path:
    """A tree of control groups in which every group holds the same files."""
    for folder in (root, root / "cpu"):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(text)
    return root


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 16 cores that nobody else uses."""
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.5, 0.5, 0.5))


@pytest.mark.usefixtures("idle")
def test_a_container_gets_the_cores_it_was_given_and_not_those_of_the_machine(tmp_path: Path) -> None:
    assert resources.threads(cgroups=tmp_path / "none") == 16
    assert resources.threads(cgroups=cgroup(tmp_path / "v2", cpu__max="250000 100000\n")) == 3
    old = cgroup(tmp_path / "v1", cpu__cfs_quota_us="50000\n", cpu__cfs_period_us="100000\n")
    assert resources.threads(cgroups=old) == 1


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize("text", ["max 100000\n", "", "-1 100000", "0 0", "nonsense"])
def test_a_container_without_a_bound_has_all_cores(tmp_path: Path, text: str) -> None:
    assert resources.cores(cgroup(tmp_path, cpu__max=text)) == 16


@pytest.mark.usefixtures("idle")
def test_cores_are_shared_out_and_a_busy_machine_is_left_half_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resources.threads(at_once=5, cgroups=tmp_path) == 3
    assert resources.threads(at_once=99, cgroups=tmp_path) == 1
    monkeypatch.setattr(os, "getloadavg", lambda: (40.0, 1.0, 1.0))
    assert resources.threads(cgroups=tmp_path) == 8


def test_children_are_told_how_many_threads_they_have_and_to_sleep_while_they_wait() -> None:
    told = resources.environment(3)
    assert told["OMP_WAIT_POLICY"] == "PASSIVE"
    assert {told[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS")} == {"3"}
    assert resources.environment(0)["OMP_NUM_THREADS"] == "1"


def test_linear_algebra_is_pinned_and_let_go_again() -> None:
    def blas() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    before = blas()
    with resources.pinned(1) as number:
        np.ones((64, 64)) @ np.ones((64, 64))
        assert (number, blas()) == (1, {1})
    assert blas() == before


def test_the_memory_of_a_container_counts_where_it_is_less(tmp_path: Path) -> None:
    whole = resources.memory(tmp_path)
    assert whole > 0
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    assert resources.memory(tmp_path) == 600_000
    (tmp_path / "memory.max").write_text("max\n")
    assert resources.memory(tmp_path) > 600_000
