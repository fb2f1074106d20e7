"""LM91x, LM92x — what a package needs before others can use it; warnings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from loom.kernel.diagnostics import KeyPath
from loom.process.bundled import UnreadableError, read_inside, tools_of
from loom.process.lint.requirement import is_pinned, is_requirement
from loom.process.lint.rule import Finding, rule
from loom.process.spec.iteration import CommandExitGate

if TYPE_CHECKING:
    from pathlib import Path

    from loom.process.package import Package

README = "README.md"
SETTING = "enable_iteration_command_exit_gate"
_VERSION = re.compile(r"\d+(?:\.\d+)+(?:[-+.]?[A-Za-z][A-Za-z0-9.+-]*)?\Z")
_GATED = """
phases:
  - id: build
    description: Build.
    iteration:
      enabled: true
      max_attempts: 2
      max_total_runner_invocations: 2
      iteration_budget: {max_wall_clock_seconds: 60, max_tokens: 1000, max_tool_calls: 5}
      gates: [{id: tested, type: command_exit, command: [pytest]}]
# file: README.md
"""
_WRITER = """
# file: tools/write_notes.py
class WriteNotes(Tool):
    name = "write_notes"
    is_mutating = True
"""


@rule(
    "LM912",
    "the dependency is not pinned",
    severity="warning",
    fix="name one version with `==`",
    failing="dependencies: [requests>=2.28]",
    passing="dependencies: [requests==2.32.3]",
)
def unpinned_dependency(package: Package) -> Iterator[Finding]:
    """An unpinned dependency is different code on every machine and on every day it is installed."""
    for index, text in enumerate(package.spec.dependencies):
        if is_requirement(text) and not is_pinned(text):
            yield Finding(("dependencies", index), f"`{text}` allows more than one version")


@rule(
    "LM913",
    "the package has no README.md",
    severity="warning",
    fix="add a README.md: usage, input data and deliverables",
    failing="# file: LICENSE\nApache-2.0",
    passing="# file: README.md\nCompares products. Needs a list of them; writes notes.md.",
)
def no_readme(package: Package) -> Iterator[Finding]:
    """Somebody who is about to install a package reads this file first, before the declaration."""
    if package.folder is not None and not _is_file(package.folder / README):
        yield Finding(("name",), "there is none next to the declaration")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


@rule(
    "LM914",
    "the version is not numbers joined by dots",
    severity="warning",
    fix='write it as "1.0" or "1.0.0"',
    failing="version: latest",
    passing='version: "1.10.0-rc.1"',
)
def odd_version(package: Package) -> Iterator[Finding]:
    """Upgrades and locks compare versions. A word cannot be compared."""
    if not _VERSION.match(package.spec.version):
        yield Finding(("version",), f"`{package.spec.version}`")


@rule(
    "LM915",
    "the tests do not cover failure",
    severity="warning",
    fix="add a case with `expect:` that does not end well",
    failing="tests: [{id: smoke, mode: deterministic, goal: Compare two products.}]",
    passing="tests: [{id: refuses, mode: deterministic, goal: Compare nothing., expect: {status: failed}}]",
)
def untested_failure(package: Package) -> Iterator[Finding]:
    """A package proves with its own cases that it works, and that it fails when it should: unsupported
    claims, a broken build, a file of the wrong shape. The second is what people rely on."""
    spec = package.spec
    if not spec.tests:
        yield Finding(("tests",), "there are no tests", "add a case to `tests:`, and one that must fail")
        return
    verdict = spec.verb.verdict if spec.verb else None
    for case in spec.tests:
        expected = case.expect
        if expected is None:
            continue
        if expected.status != "ok" or (verdict and expected.verdict and expected.verdict not in verdict.ok):
            return
    yield Finding(("tests",), "every case must end well", at_key=True)


@rule(
    "LM917",
    "software is built without verification_helper",
    severity="warning",
    fix="add `verification_helper` to `tools.required`",
    failing="tools: {required: [shell_execute]}\nverification: {policy: {mode: static_first}}",
    passing="""
tools: {required: [shell_execute, verification_helper]}
verification: {policy: {mode: static_first}}
""",
)
def no_helper(package: Package) -> Iterator[Finding]:
    """Builds and tests that run through the helper give a result that gates can read. A shell command gives
    text, which somebody has to interpret."""
    required = package.spec.tools.required
    policy = package.spec.verification.policy
    if "verification_helper" in required:
        return
    commands = "shell_execute" in required or any(
        check.capability == "command_execution" or check.helper == "run_test_suite"
        for check in policy.semantic_checks
    )
    if policy.mode == "static_first" and commands:
        yield Finding(("tools", "required"), "the policy is static_first, and commands are run")
    elif _command_gate(package) is not None:
        yield Finding(("tools", "required"), "a command_exit gate runs commands")


def _command_gate(package: Package) -> KeyPath | None:
    """The first gate that runs a command in a loop that is on."""
    for index, phase in enumerate(package.spec.phases):
        if phase.iteration is None or not phase.iteration.enabled:
            continue
        for at, gate in enumerate(phase.iteration.gates):
            if isinstance(gate, CommandExitGate):
                return ("phases", index, "iteration", "gates", at)
    return None


@rule(
    "LM918",
    "the number of memory types is unusual",
    severity="warning",
    fix="declare three to six kinds of knowledge",
    failing="memory: {extract_types: [{type: pricing_fact}]}",
    passing="memory: {extract_types: [{type: pricing_fact}, {type: feature_gap}, {type: open_question}]}",
)
def unusual_memory(package: Package) -> Iterator[Finding]:
    """With fewer than three kinds most of what was learnt has no place; with more than six a model can no
    longer tell them apart."""
    count = len(package.spec.memory.extract_types)
    if count and not 3 <= count <= 6:
        yield Finding(("memory", "extract_types"), f"{count} where 3 to 6 serve best", at_key=True)


@rule(
    "LM919",
    "the README does not say how to turn command gates on",
    severity="warning",
    fix=f"mention `execution.{SETTING}` in README.md",
    failing=_GATED + "Builds the package.",
    passing=_GATED + f"Builds the package. Set `execution.{SETTING} = true` in loom.toml.",
)
def undocumented_gate(package: Package) -> Iterator[Finding]:
    """A command_exit gate is off until the person who runs the process allows it. Nobody does who has not
    been told."""
    gate = _command_gate(package) if package.folder is not None else None
    if gate is None or package.folder is None:
        return
    try:
        known = SETTING in read_inside(package.folder, README)
    except UnreadableError:
        known = False
    if not known:
        yield Finding((*gate, "command"), f"{README} does not mention `{SETTING}`")


@rule(
    "LM920",
    "a writing tool does not say where it writes",
    severity="warning",
    fix="take a `path` argument, or declare `mutation_target_arg_keys`",
    failing=_WRITER + '    parameters = {"properties": {"output_path": {"type": "string"}}}',
    passing=_WRITER + '    parameters = {"properties": {"path": {"type": "string"}}}',
)
def unknown_target(package: Package) -> Iterator[Finding]:
    """Path policy looks at the arguments of a writing tool before it runs. It knows `path`; any other
    argument that names a file has to be declared, or the file is not protected."""
    for tool in tools_of(package).tools:
        if not tool.is_mutating or tool.target_arg_keys is None or tool.target_arg_keys:
            continue
        properties = (tool.parameters or {}).get("properties")
        if tool.parameters is not None and not (isinstance(properties, dict) and "path" in properties):
            yield Finding(("name",), f"`{tool.name}` in {tool.file}, line {tool.line}")


@rule(
    "LM922",
    "the package has no author",
    severity="warning",
    fix="add `author:`",
    failing='author: ""',
    passing="author: The analytics team",
)
def no_author(package: Package) -> Iterator[Finding]:
    """Whoever installs a package wants to know whom to ask, and whom to trust."""
    if not package.spec.author.strip():
        yield Finding(("author",), f"nobody is named as the author of `{package.name}`")
