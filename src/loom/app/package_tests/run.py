"""Runs the tests of a package: every case on its own, several at a time, reported in the package's order."""

from __future__ import annotations

import os
import shlex
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from loom.app.package_tests.choice import (
    Nested,
    chosen,
    missing_tools,
    nested_in,
    network_of,
    refuse_without_tools,
    why_no_model,
)
from loom.app.package_tests.coverage import Coverage, reached_by
from loom.app.package_tests.ending import Ending, ending_of
from loom.app.package_tests.expectations import broken
from loom.app.package_tests.golden import difference, snapshot, update
from loom.app.package_tests.objects import Wanted, read_objects
from loom.app.package_tests.past_runs import read_runs
from loom.app.package_tests.place import Place, Seen, Task, remove
from loom.app.package_tests.pool import Ended, Job, carry_out_all
from loom.app.package_tests.report import CaseReport, Report
from loom.core.index import RunFacts
from loom.kernel.errors import LoomError
from loom.process.loader import ProcessLoader
from loom.process.package import Package
from loom.process.spec.tests import Case


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Options:
    """What somebody asks of a test run."""

    cases: tuple[str, ...] = ()
    """Only these."""

    live: bool = False
    """Also those in which nothing is replaced."""

    update: bool = False
    """Write golden files instead of comparing with them."""

    workers: int = field(default_factory=usable_cores)
    carry_out: str = "loom.app.run:carry_out"
    """What runs packages, as `module:name`."""

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    is_online: Callable[[], bool] | None = None
    """Whether there is a network; looked up when a case needs to know."""


OnCase = Callable[[CaseReport], None]


def run_tests(
    reference: str, loader: ProcessLoader, options: Options | None = None, on_case: OnCase | None = None
) -> Report:
    """Run the cases of a package; each is told as soon as all before it are."""
    options = options or Options()
    begun = time.monotonic()
    file = loader.find(reference).file.absolute()
    package = loader.load(reference).package
    nested = nested_in(package, loader)
    cases = chosen(package, options.cases, shlex.quote(reference))
    if not why_no_model(package, nested.packages):
        refuse_without_tools((package, *nested.packages))
    objects = read_objects(package.folder) if package.folder else ()
    runs = read_runs(package.folder) if package.folder else ()
    with _folder() as root:
        bench = _Bench(package, file, nested, objects, runs, options, root)
        # closed before the folder goes, so that nothing works in it any more
        with closing(bench.reports(cases)) as numbered:
            reports = tuple(_told(numbered, on_case))
    found = [case.coverage for case in reports if case.coverage is not None]
    return Report(
        package.name,
        package.spec.version,
        reference,
        reports,
        Coverage.of(package).together(found),
        time.monotonic() - begun,
        tuple(bench.updated),
    )


def _told(numbered: Iterable[tuple[int, CaseReport]], on_case: OnCase | None) -> Iterator[CaseReport]:
    """The reports in order, as soon as the order allows."""
    waiting: dict[int, CaseReport] = {}
    due = 0
    for number, report in numbered:
        waiting[number] = report
        while due in waiting:
            ready = waiting.pop(due)
            if on_case is not None:
                on_case(ready)
            yield ready
            due += 1


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for all cases, gone afterwards whatever was left in it."""
    try:
        path = Path(tempfile.mkdtemp(prefix="loom-test-")).resolve()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LoomError("there is no room for the cases", why, "df -h /tmp") from None
    try:
        yield path
    finally:
        remove(path)


@dataclass(slots=True)
class _Bench:
    """One test run under way."""

    package: Package
    file: Path
    nested: Nested
    objects: tuple[Wanted, ...]
    runs: tuple[RunFacts, ...]
    options: Options
    root: Path
    updated: list[str] = field(default_factory=list)

    def reports(self, cases: tuple[Case, ...]) -> Generator[tuple[int, CaseReport], None, None]:
        """The report of each case with its number, as they come."""
        wanted: list[int] = []
        is_online = self.options.is_online or network_of(self.package)
        no_model = why_no_model(self.package, self.nested.packages)
        for number, case in enumerate(cases):
            early = self._without_running(case, no_model, is_online)
            if early is None:
                wanted.append(number)
            else:
                yield number, early
        workers = max(1, min(self.options.workers, len(wanted)))
        share = max(1, usable_cores() // workers)
        places = {number: Place(self.root / str(number)) for number in wanted}
        starts = [partial(self._start, cases[number], places[number], share) for number in wanted]
        with closing(carry_out_all(starts, workers)) as running:
            for turn, ended in running:
                number = wanted[turn]
                yield number, self._judge(cases[number], places[number], ended)

    def _without_running(self, case: Case, no_model: str, is_online: Callable[[], bool]) -> CaseReport | None:
        if case.mode == "live" and not self.options.live:
            return CaseReport(case.id, "skipped", note="live: nothing is replaced; add --live")
        if no_model:
            return CaseReport(case.id, "skipped", note=no_model)
        if missing := missing_tools(self.package, case):
            return CaseReport(case.id, "error", complaints=(missing,))
        if case.requires_network and not is_online():
            return CaseReport(case.id, "skipped", note="needs the network, and none can be reached")
        return None

    def _start(self, case: Case, place: Place, share: int) -> Job:
        whole = self.file.parent if self.package.folder is not None else None
        task = Task(case, whole or self.file, self.objects, self.runs, self.options.carry_out)
        place.prepare(task, whole, self.nested.paths)
        environ = place.environment(self.options.environ, share)
        return Job(place.folder, case.timeout_seconds, environ, place.workspace)

    def _judge(self, case: Case, place: Place, ended: Ended) -> CaseReport:
        try:
            return self._judged(case, place, place.seen(ended))
        finally:
            remove(place.folder)

    def _judged(self, case: Case, place: Place, seen: Seen) -> CaseReport:
        coverage = reached_by(self.package, seen)
        if not seen.is_whole:
            return CaseReport(
                case.id,
                "failed",
                seen.seconds,
                complaints=(_cut_off(case, seen),),
                said=seen.said,
                coverage=coverage,
            )
        if seen.error is not None:
            said = (f"{seen.error['what']}: {seen.error['why']}", f"fix: {seen.error['fix']}")
            return CaseReport(
                case.id, "error", seen.seconds, complaints=said, said=seen.said, coverage=coverage
            )
        assert seen.envelope is not None
        ending = ending_of(self.package, seen.envelope)
        complaints = broken(case, self.package, seen, ending)
        diff = "" if complaints else self._compared(case, snapshot(seen, ending, place))
        return CaseReport(
            case.id,
            "failed" if complaints or diff else "ok",
            seen.seconds,
            ending,
            "; ".join(_notes(seen, ending)),
            complaints,
            ending.reasons if complaints else (),
            diff,
            seen.said,
            coverage,
        )

    def _compared(self, case: Case, now: str) -> str:
        """How a case differs from its golden file, unless that is to be written."""
        folder = self.package.folder
        if folder is None or case.mode == "live":
            return ""
        if not self.options.update:
            return difference(folder, case.id, now)
        if update(folder, case.id, now):
            self.updated.append(str(folder / "tests" / "golden" / f"{case.id}.json"))
        return ""


def _notes(seen: Seen, ending: Ending) -> Iterator[str]:
    """What is worth a word although it decides nothing."""
    if ending.status == "ok" and ending.broken:
        yield f"ended ok although {' and '.join(ending.broken)} did not end well"
    if seen.ended.strays:
        count = "1 process was" if seen.ended.strays == 1 else f"{seen.ended.strays} processes were"
        yield f"{count} left running; {'it was' if seen.ended.strays == 1 else 'they were'} ended"


def _cut_off(case: Case, seen: Seen) -> str:
    """What became of a case that left no result."""
    started = [event["phase"] for event in seen.events if event.get("kind") == "phase_started"]
    finished = {event["phase"] for event in seen.events if event.get("kind") == "phase_finished"}
    open_phases = [name for name in dict.fromkeys(started) if name not in finished]
    where = f" in {' and '.join(open_phases)}" if open_phases else ""
    ended = seen.ended
    if ended.reason == "deadline":
        return f"stopped after {case.timeout_seconds:g} s{where}"
    if ended.reason == "lost" or ended.exit_code is None:
        return f"its process was killed together with its keeper{where}"
    how = f"by signal {-ended.exit_code}" if ended.exit_code < 0 else f"with exit code {ended.exit_code}"
    return f"its process ended {how}{where}, before the run did"
