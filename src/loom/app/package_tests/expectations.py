"""What a case expects, compared with what was seen: each thing that does not hold, in one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from loom.app.package_tests.ending import Ending, ran
from loom.app.package_tests.place import Seen, names_of
from loom.kernel.document import walk
from loom.process.lint.graph import FINALIZER, fan_in_phases
from loom.process.package import Package
from loom.process.patterns import PatternTimeoutError, search
from loom.process.spec.tests import Case, Expect

_SHOWN = 60


def broken(case: Case, package: Package, seen: Seen, ending: Ending) -> tuple[str, ...]:
    """Everything that a case expects and that did not come about; nothing when it holds."""
    assert seen.envelope is not None
    found = [*_end(case.expect, ending), *_reached(case, package, seen.envelope)]
    found += [*_delivered(case, seen), *_forbidden(case, seen)]
    if case.mode == "deterministic":
        found += [
            f"the fault in {fault.tool} never came about: "
            + (f"{fault.phase} did not call it" if fault.phase else "nothing called it")
            + (f" {fault.attempt} times" if fault.attempt > 1 else "")
            for place, fault in enumerate(case.faults)
            if place not in seen.fired
        ]
    return tuple(found)


def _end(expect: Expect | None, ending: Ending) -> Iterator[str]:
    wanted = expect or Expect()
    if wanted.status != ending.status:
        yield f"expected the run to end {wanted.status}; it ended {ending.words}"
        return
    if wanted.verdict is not None and wanted.verdict != ending.verdict:
        yield f"expected verdict {wanted.verdict}; it is {ending.verdict or 'none'}"
    if wanted.verdict is None and wanted.status == "ok" and not ending.is_acceptable:
        yield f"expected an acceptable verdict; it is {ending.verdict or 'none'}"
    if wanted.phase is not None and wanted.phase.removesuffix(FINALIZER) not in ending.phases:
        yield f"expected {wanted.phase} to decide; it was {' and '.join(ending.phases) or 'no phase'}"
    if wanted.reason_code is not None and wanted.reason_code not in ending.codes:
        yield f"expected reason {wanted.reason_code}; the reasons are {', '.join(ending.codes) or 'none'}"


def _reached(case: Case, package: Package, envelope: Mapping[str, Any]) -> Iterator[str]:
    wanted = case.acceptance.phases.must_include
    if not wanted:
        return
    outcomes = {phase["phase"]: phase for phase in envelope["phases"]}
    reached = {name for name, phase in outcomes.items() if ran(phase)}
    reached |= {name + FINALIZER for name in fan_in_phases(package) if name in reached}
    for name in wanted:
        if name not in reached:
            status = outcomes[name]["status"] if name in outcomes else "never reached"
            yield f"expected phase {name} to run; it was {status}"


def _delivered(case: Case, seen: Seen) -> Iterator[str]:
    missing = [name for name in case.acceptance.deliverables.must_exist if name not in seen.texts]
    if missing:
        there = names_of(tuple(seen.texts)) or "nothing"
        yield f"expected {names_of(missing)}; {there} was delivered"


def _forbidden(case: Case, seen: Seen) -> Iterator[str]:
    places = dict(_searched(seen)) if case.acceptance.verification.forbidden_patterns else {}
    for pattern in case.acceptance.verification.forbidden_patterns:
        for place, text in places.items():
            try:
                match = search(pattern, text)
            except PatternTimeoutError as error:
                yield f"{place}: {error}"
                break
            if match:
                yield f"forbidden pattern {pattern} occurs in {place}: {_around(text, *match.span())}"
                break


def _searched(seen: Seen) -> Iterator[tuple[str, str]]:
    """Every text of a run by where it is: what tools said and answered, reasons, and deliverables."""
    envelope = seen.envelope or {}
    for phase in envelope["phases"]:
        parts = [phase["output"], *_texts(phase["data"]), *_texts(phase["summary"]), *_texts(phase["items"])]
        yield f"the result of {phase['phase']}", "\n".join(parts)
        yield f"the messages of {phase['phase']}", "\n".join(_texts(phase["reasons"]))
    yield "the reasons", "\n".join([*_texts(envelope["reasons"]), *_texts(envelope.get("error"))])
    yield "the summary", "\n".join(_texts(envelope["summary"]))
    yield from seen.texts.items()


def _texts(value: Any) -> list[str]:
    return [node for _, node in walk(value) if isinstance(node, str)]


def _around(text: str, start: int, end: int) -> str:
    shown = text[start:end] or text[start : start + _SHOWN]
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
