"""Measure ours against a peer in the same run, alternating, and print one JSON line."""

from __future__ import annotations

import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path


def compare(
    name: str, ours: Callable[[], float], theirs: Callable[[], float], *, budget: float, n: int = 9
) -> float:
    """Run both alternately, take medians of CPU seconds, print the line and return the ratio."""
    ours(), theirs()  # both warm
    start = time.process_time() + _children()
    pairs = [(ours(), theirs()) for _ in range(n)]
    cpu = time.process_time() + _children() - start
    mine, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = mine / peer
    line = {
        "name": name,
        "ours": round(mine, 5),
        "theirs": round(peer, 5),
        "ratio": round(ratio, 3),
        "budget": budget,
        "within": ratio <= budget,
        "n": n,
        "cpu_s": round(cpu, 2),
        "peak_rss_mb": round(max(_rss(resource.RUSAGE_SELF), _rss(resource.RUSAGE_CHILDREN)), 1),
    }
    print(json.dumps(line), flush=True)
    return ratio


def cpu_of(call: Callable[[], object]) -> Callable[[], float]:
    """CPU seconds of one call."""

    def timed() -> float:
        gc.collect()
        start = time.process_time()
        call()
        return time.process_time() - start

    return timed


def cpu_of_command(command: Sequence[str], **environment: str) -> Callable[[], float]:
    """CPU seconds of one process, start to exit."""

    def timed() -> float:
        start = _children()
        subprocess.run(
            command,
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return _children() - start

    return timed


def tell_cost(run: Callable[[Path], object], folder: Path) -> None:
    """In a process of its own: run on `folder/small`, so that what is loaded on first use is there, then measure."""
    run(folder / "small")
    cpu, clock = time.process_time(), time.perf_counter()
    run(folder)
    cost = {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - clock,
        "rss": _rss(resource.RUSAGE_SELF),
    }
    print(json.dumps(cost))


def compare_processes(
    title: str,
    script: str,
    folder: Path,
    *,
    budget: float,
    n: int,
    ours: str = "ours",
    theirs: str = "theirs",
) -> None:
    """CPU, clock and memory of both sides from the same runs; `script SIDE FOLDER` tells the cost of one."""
    costs: dict[str, list[dict[str, float]]] = {ours: [], theirs: []}

    def run(side: str) -> float:
        command = [sys.executable, script, side, str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        costs[side].append(json.loads(done.stdout))
        return costs[side][-1]["cpu"]

    compare(f"{title}, CPU", partial(run, ours), partial(run, theirs), budget=budget, n=n)
    for what, unit in (("wall", "clock"), ("rss", "peak MB")):
        mine, peer = (iter([cost[what] for cost in costs[side]]) for side in (ours, theirs))
        compare(f"{title}, {unit}", partial(next, mine), partial(next, peer), budget=budget, n=n)


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _rss(who: int) -> float:
    return resource.getrusage(who).ru_maxrss / 1024
