"""How many threads a computation may take, and how it tells its libraries so.

Numeric libraries start one thread per core each, unasked, and spin while they wait. On a machine that is shared,
or in a container that owns a part of one, that costs many times what it gains.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from threadpoolctl import threadpool_limits

_CGROUPS = Path("/sys/fs/cgroup")
_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "NUMEXPR_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)


def cores(cgroups: Path = _CGROUPS) -> int:
    """The cores this process may use: its affinity, or what its container was given when that is less."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroups)
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def threads(at_once: int = 1, cgroups: Path = _CGROUPS) -> int:
    """The threads for each of `at_once` computations; half of the cores when the machine is busy already.

    Busy means that more processes want to run than the whole machine has cores. A machine never falls below
    half: the load may be our own, a moment ago.
    """
    own = cores(cgroups)
    if _load() > (os.cpu_count() or 1):
        own = math.ceil(own / 2)
    return max(1, own // max(1, at_once))


def memory(cgroups: Path = _CGROUPS) -> int:
    """The bytes that may be taken now: what the machine has free, or what the container has left when that is less."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemAvailable:"):
            free = int(line.split()[1]) * 1024  # what caches hold is free as well
    for place in _places(cgroups, ""):
        most, used = _words(place / "memory.max"), _words(place / "memory.current")
        if most and used and most[0].isdigit() and used[0].isdigit():
            free = min(free, max(0, int(most[0]) - int(used[0])))
    return free


def environment(number: int | None = None) -> dict[str, str]:
    """The variables that hold a child process to so many threads, and let its threads sleep while they wait."""
    count = str(threads() if number is None else max(1, number))
    return {**dict.fromkeys(_VARIABLES, count), "OMP_WAIT_POLICY": "PASSIVE"}


@contextmanager
def pinned(number: int | None = None) -> Iterator[int]:
    """Within it, linear algebra and OpenMP take so many threads; says how many."""
    count = threads() if number is None else max(1, number)
    with threadpool_limits(limits=count):
        yield count


def _load() -> float:
    try:
        return os.getloadavg()[0]
    except OSError:
        return 0.0


def _quota(root: Path) -> float | None:
    """The smallest share of cores that the container, or a group around it, has; None when it is not bounded."""
    found = [
        *(_ratio(_words(place / "cpu.max")) for place in _places(root, "")),
        *(
            _ratio([*_words(place / "cpu.cfs_quota_us"), *_words(place / "cpu.cfs_period_us")])
            for place in _places(root / "cpu", "cpu")
        ),
    ]
    return min((quota for quota in found if quota is not None), default=None)


def _places(root: Path, controller: str) -> list[Path]:
    """The group of this process and those around it, innermost first."""
    path = ""
    for line in _lines(Path("/proc/self/cgroup")):
        _, names, place = [*line.split(":", 2), "", ""][:3]
        if controller in names.split(","):
            path = place.strip("/")
    inner = root / path if ".." not in Path(path).parts else root
    around = [inner, *inner.parents]
    return around[: around.index(root) + 1]


def _words(path: Path) -> list[str]:
    return " ".join(_lines(path)).split()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _ratio(words: list[str]) -> float | None:
    """Quota over period; None for `max`, -1, or anything that is neither."""
    if len(words) < 2 or not words[0].isdigit() or not words[1].isdigit():
        return None
    quota, period = int(words[0]), int(words[1])
    return quota / period if quota > 0 and period > 0 else None
