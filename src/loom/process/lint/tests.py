"""LM8xx — the cases a package carries: what they name must exist, and what they ask for must count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from loom.kernel.diagnostics import KeyPath, suggest
from loom.process.lint.graph import FINALIZER, fan_in_phases, unknown_phase
from loom.process.lint.rule import Finding, rule
from loom.process.patterns import PatternError, compile_pattern
from loom.process.spec.phases import normal_deliverable

if TYPE_CHECKING:
    from loom.process.package import Package
    from loom.process.spec.tests import Case

_DELIVERING = "phases:\n  - {id: work, description: Work., deliverables: [notes.md]}\n"


def _case(text: str, mode: str = "deterministic") -> str:
    return f"tests:\n  - id: smoke\n    mode: {mode}\n    goal: Compare two products.\n    {text}"


@rule(
    "LM801",
    "duplicate test id",
    fix="give each test an id of its own",
    failing="""
tests:
  - {id: smoke, mode: deterministic, goal: Compare two products.}
  - {id: smoke, mode: deterministic, goal: Compare three products.}
""",
    passing="""
tests:
  - {id: two-products, mode: deterministic, goal: Compare two products.}
  - {id: three-products, mode: deterministic, goal: Compare three products.}
""",
)
def duplicate_test(package: Package) -> Iterator[Finding]:
    """A test is chosen and reported by its id; of two with the same one, only one could be chosen."""
    first: dict[str, int] = {}
    for index, case in enumerate(package.spec.tests):
        other = first.setdefault(case.id, index)
        if other != index:
            line = package.value_at(("tests", other, "id")).line
            yield Finding(("tests", index, "id"), f"`{case.id}` is first used on line {line}")


@rule(
    "LM802",
    "a test names an unknown phase",
    fix="name a phase of this process",
    failing=_case("acceptance: {phases: {must_include: [wrok]}}"),
    passing=_case("acceptance: {phases: {must_include: [work]}}"),
)
def unknown_test_phase(package: Package) -> Iterator[Finding]:
    """A test that waits for a phase nobody declares can never pass, and a script or a fault for such a
    phase never acts. The finalizer of a fan-in phase counts as a phase."""
    if not package.spec.tests:
        return
    known = package.phase_names.union(name + FINALIZER for name in fan_in_phases(package))
    for index, case in enumerate(package.spec.tests):
        for path, name, at_key in _phases_named(case, ("tests", index)):
            if name not in known:
                found = unknown_phase(path, name, known)
                yield Finding(found.path, found.detail, found.fix, at_key)


def _phases_named(case: Case, base: KeyPath) -> Iterator[tuple[KeyPath, str, bool]]:
    for at, name in enumerate(case.acceptance.phases.must_include):
        yield (*base, "acceptance", "phases", "must_include", at), name, False
    for name in case.script:
        yield (*base, "script", name), name, True
    for at, fault in enumerate(case.faults):
        if fault.phase is not None:
            yield (*base, "faults", at, "phase"), fault.phase, False
    if case.expect is not None and case.expect.phase is not None:
        yield (*base, "expect", "phase"), case.expect.phase, False


@rule(
    "LM803",
    "a test names an unknown deliverable",
    fix="name a deliverable of a phase, by its exact name",
    failing=_DELIVERING + _case("acceptance: {deliverables: {must_exist: [note.md]}}"),
    passing=_DELIVERING + _case("acceptance: {deliverables: {must_exist: [notes.md]}}"),
)
def unknown_test_deliverable(package: Package) -> Iterator[Finding]:
    """Deliverables are enforced by exact name. A test that waits for another name fails whatever the
    phases do."""
    # what was left out of the phases may have been the deliverable
    if not package.spec.tests or package.is_torn(("phases",)):
        return
    known = {item.name for phase in package.spec.phases for item in phase.deliverables}
    for index, case in enumerate(package.spec.tests):
        for at, written in enumerate(case.acceptance.deliverables.must_exist):
            if _normal(written) not in known:
                path = ("tests", index, "acceptance", "deliverables", "must_exist", at)
                meant = suggest(written, sorted(known))
                fix = f"did you mean `{meant}`?" if meant else ""
                yield Finding(path, f"no phase delivers `{written}`", fix)


def _normal(written: str) -> str:
    try:
        return normal_deliverable(written)
    except ValueError:
        return written


@rule(
    "LM804",
    "invalid forbidden pattern",
    fix="correct the pattern; inside double quotes a backslash is written twice",
    failing=_case("acceptance: {verification: {forbidden_patterns: ['deliverable_( not found']}}"),
    passing=_case("acceptance: {verification: {forbidden_patterns: ['deliverable_.* not found']}}"),
)
def invalid_forbidden_pattern(package: Package) -> Iterator[Finding]:
    """Forbidden patterns are searched in results and messages after the run. A broken one would only be
    noticed then."""
    for index, case in enumerate(package.spec.tests):
        for at, pattern in enumerate(case.acceptance.verification.forbidden_patterns):
            try:
                compile_pattern(pattern)
            except PatternError as error:
                where = f" at character {error.position + 1}" if error.position is not None else ""
                path = ("tests", index, "acceptance", "verification", "forbidden_patterns", at)
                yield Finding(path, error.why + where)


@rule(
    "LM805",
    "a live test ignores what is scripted",
    severity="warning",
    fix="write `mode: deterministic`, or remove it",
    failing=_case("script: {work: [{output: Done.}]}", mode="live"),
    passing=_case("script: {work: [{output: Done.}]}"),
)
def scripted_live_test(package: Package) -> Iterator[Finding]:
    """A live test replaces nothing: the model, the tools and the sources are real. Scripts, faults and
    claims belong to deterministic tests and have no effect here."""
    for index, case in enumerate(package.spec.tests):
        if case.mode == "live":
            for key, written in (("script", case.script), ("faults", case.faults), ("claims", case.claims)):
                if written:
                    yield Finding(("tests", index, key), f"`{case.id}` is live", at_key=True)


@rule(
    "LM806",
    "the test gives an input that the verb does not have",
    fix="declare it under verb.inputs, or correct the name",
    failing="verb: {command: compare, tier: read-only, inputs: {target: {type: text}}}\n"
    + _case("inputs: {traget: price}"),
    passing="verb: {command: compare, tier: read-only, inputs: {target: {type: text}}}\n"
    + _case("inputs: {target: price}"),
)
def unknown_test_input(package: Package) -> Iterator[Finding]:
    """Inputs of a test stand for what a person would type. The command refuses an option that it does not
    know, and so does the test."""
    verb = package.spec.verb
    if verb is None or package.is_torn(("verb",)):
        return
    for index, case in enumerate(package.spec.tests):
        for name in case.inputs:
            if name not in verb.inputs:
                meant = suggest(name, verb.inputs)
                fix = f"did you mean `{meant}`?" if meant else ""
                path = ("tests", index, "inputs", name)
                yield Finding(path, f"`loom {verb.command}` has no input `{name}`", fix, at_key=True)


@rule(
    "LM807",
    "the script writes a file that is not a deliverable of the phase",
    severity="warning",
    fix="write a deliverable of the phase, or declare the file as one",
    failing=_DELIVERING + _case("script: {work: [{write: {draft.md: Text.}}]}"),
    passing=_DELIVERING + _case("script: {work: [{write: {notes.md: Text.}}]}"),
)
def stray_scripted_file(package: Package) -> Iterator[Finding]:
    """Only the declared files of a phase are checked, by exact name. A scripted file under another name is
    usually a slip, and the case then fails for a reason it was not written for."""
    if not any(case.script for case in package.spec.tests):
        return
    # workers of a fan-in phase write intermediate files under names of their own
    fan_in = frozenset(fan_in_phases(package))
    for index, case in enumerate(package.spec.tests):
        for name, attempts in case.script.items():
            phase = package.phases.get(name.removesuffix(FINALIZER))
            if phase is None or name in fan_in or package.is_torn(("phases",)):
                continue
            known = {item.name for item in phase.deliverables}
            for at, attempt in enumerate(attempts):
                for file in attempt.write:
                    if _normal(file) not in known:
                        path = ("tests", index, "script", name, at, "write", file)
                        meant = suggest(file, sorted(known))
                        fix = f"did you mean `{meant}`?" if meant else ""
                        yield Finding(path, f"`{name}` does not deliver `{file}`", fix, at_key=True)
