"""P12: deciding after a gate, appending an event and writing the journal stay within their budgets, and stay flat
while a run grows to 100,000 events."""

from __future__ import annotations

import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from loom.runtime.events import Executed, GatesEvaluated, Remediated, Started, Usage, Verified
from loom.runtime.journal import Journal
from loom.runtime.machine import step
from loom.runtime.state import AttemptState, Limits, Reason

EVENTS = 100_000
ENDS = 1_000
FLAT = 1.5
RUN = "run-0123456789"
SAID = {"phase": "profile", "tool": "eda_profile", "success": True, "seconds": 0.1234, "error": None}
PHASE = {
    "phase": "profile",
    "status": "accepted",
    "data": {f"column_{number}": {"missing": 0.01, "kind": "float"} for number in range(50)},
    "deliverables": ["report.md"],
}
DOCUMENT = {"phases": [PHASE] * 5, "reads": ["IngestDataset/1"], "owner": {"pid": 1, "started": "1"}}


def timed(act: Callable[[int], object], numbers: range) -> list[float]:
    """Milliseconds on the clock, call by call."""
    took = []
    for number in numbers:
        start = time.perf_counter()
        act(number)
        took.append(1_000 * (time.perf_counter() - start))
    return took


def report(name: str, took: list[float], *, budget_ms: float) -> None:
    """Print the line: how long it took, and whether the last thousand took longer than the first."""
    first, last = statistics.median(took[:ENDS]), statistics.median(took[-ENDS:])
    line = {
        "name": name,
        "ours_ms": round(statistics.median(took), 5),
        "mean_ms": round(statistics.fmean(took), 5),
        "p99_ms": round(statistics.quantiles(took, n=100)[98], 5),
        "budget_ms": budget_ms,
        "last_to_first": round(last / first, 3),
        "flat_below": FLAT,
        "within": max(first, last, statistics.fmean(took)) <= budget_ms and last / first <= FLAT,
        "n": len(took),
        "cpu_s": round(time.process_time(), 2),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    print(json.dumps(line), flush=True)


def decide() -> Callable[[int], object]:
    """What the machine decides after a gate of a loop did not hold, attempt after attempt."""
    limits = Limits(max_attempts=10**9, stop_without_progress=10**9, max_seconds=1e12, max_tokens=10**12)
    failed = tuple(Reason(f"gate-{number}", "the score is 70, at least 80 is needed") for number in range(5))
    state, _ = step(AttemptState(limits), Started())

    def act(number: int) -> None:
        nonlocal state
        state, _ = step(state, Executed(Usage(1.0, 100, 1)))
        state, _ = step(state, Verified())
        state, _ = step(state, GatesEvaluated(failed, float(number)))
        state, _ = step(state, Remediated())
        assert state.attempt == number + 2

    return act


def append(journal: Journal) -> Callable[[int], object]:
    """One event of one run."""
    return lambda number: journal.append(RUN, "tool_finished", SAID)


def write(journal: Journal) -> Callable[[int], object]:
    """The document of the run, replaced as a whole."""
    return lambda number: journal.save(RUN, DOCUMENT, number)


def settle(journal: Journal) -> Callable[[int], object]:
    """A task that is dispatched and done."""

    def act(number: int) -> None:
        journal.dispatch(f"task-{number}", RUN, "profile")
        assert journal.complete(f"task-{number}", PHASE)

    return act


def main() -> None:
    """The decisions; then the writes of a run that has just begun, its events, and its writes again."""
    report("P12 gate decision", timed(decide(), range(EVENTS)), budget_ms=1.0)
    with (
        tempfile.TemporaryDirectory(prefix="loom-p12-") as folder,
        closing(Journal(Path(folder) / "journal.db")) as journal,
    ):
        begun = journal.begin(RUN, "eda", {}).version
        documents = timed(write(journal), range(begun, begun + ENDS))
        tasks = timed(settle(journal), range(ENDS))
        events = timed(append(journal), range(EVENTS))
        assert sum(1 for _ in journal.events(RUN)) == EVENTS
        documents += timed(write(journal), range(begun + ENDS, begun + 2 * ENDS))
        tasks += timed(settle(journal), range(ENDS, 2 * ENDS))
        assert len(journal.done(RUN)) == 2 * ENDS
    report("P12 event append", events, budget_ms=0.2)
    report("P12 journal write, a run's document", documents, budget_ms=2.0)
    report("P12 journal write, a task", tasks, budget_ms=2.0)


if __name__ == "__main__":
    main()
