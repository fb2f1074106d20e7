"""Which cases are run, and why the others are not."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loom.app import toolbox
from loom.kernel.diagnostics import suggest
from loom.kernel.errors import LoomError
from loom.process.bundled import tools_of
from loom.process.lint.tools import BUILTIN
from loom.process.loader import ProcessLoader
from loom.process.package import Package
from loom.process.spec.tests import Case

_ANYWHERE = "example.com"
_CONNECT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Nested:
    """The packages that a package runs inside itself, however deep."""

    paths: dict[str, Path]
    """Where those are that do not come with Loom, by name: a folder, or a file that stands alone."""

    packages: tuple[Package, ...]


def nested_in(package: Package, loader: ProcessLoader) -> Nested:
    """Every package that a run of this one may start; LoomError where one is not there or does not hold."""
    paths: dict[str, Path] = {}
    found: dict[str, Package] = {}
    pending = list(_called(package))
    while pending:
        name = pending.pop()
        if name in found:
            continue
        where = loader.find(name)
        found[name] = loader.load(name).package
        if where.origin != "builtin":
            paths[name] = where.folder if found[name].folder is not None else where.file
        pending += _called(found[name])
    return Nested(paths, tuple(found[name] for name in sorted(found)))


def _called(package: Package) -> Iterator[str]:
    return (phase.run.process for phase in package.spec.phases if phase.run and phase.run.process)


def chosen(package: Package, wanted: Sequence[str], reference: str) -> tuple[Case, ...]:
    """The cases of those ids, or all, in the order of the package."""
    cases = package.spec.tests
    if not cases:
        raise LoomError(
            f"{package.name} has no tests",
            "its declaration has no `tests`",
            f"add a case, then: loom process test {reference}",
        )
    ids = [case.id for case in cases]
    for name in wanted:
        if name not in ids:
            meant = suggest(name, ids) or ids[0]
            why = f"its cases are {', '.join(ids)}"
            fix = f"loom process test {reference} --case {meant}"
            raise LoomError(f"{package.name} has no case {name}", why, fix)
    return tuple(case for case in cases if not wanted or case.id in wanted)


def why_no_model(package: Package, nested: Sequence[Package]) -> str:
    """Why no case of a package can run without a model; empty when they can."""
    for each in (package, *nested):
        for phase in each.spec.phases:
            if phase.run is None:
                where = "" if each is package else f" of {each.name}"
                return f"needs a model: phase {phase.id}{where} has no `run`"
    return ""


def refuse_without_tools(packages: Sequence[Package]) -> None:
    """Refuse to test what calls tools that nobody has: no case could say anything about it."""
    for package in packages:
        if missing := toolbox.missing_tools(package):
            raise LoomError(
                f"the tests of {packages[0].name} cannot run",
                f"{package.name} calls tools that are not there: {', '.join(missing)}",
                f"loom process plan {package.name}",
            )


def missing_tools(package: Package, case: Case) -> str:
    """What a case asks for that is not there; empty when all of it is."""
    there = BUILTIN | {tool.name for tool in tools_of(package).tools}
    missing = [name for name in case.requires_tools if name not in there]
    return f"requires_tools names what is not there: {', '.join(missing)}" if missing else ""


def network_of(package: Package) -> Callable[[], bool]:
    """A question, asked once at most: whether this machine reaches the network that the package needs."""
    answers: list[bool] = []

    def is_online() -> bool:
        if not answers:
            hosts = [host for host in package.spec.permissions.network if "*" not in host]
            answers.append(any(map(_answers, hosts or [_ANYWHERE])))
        return answers[0]

    return is_online


def _answers(host: str) -> bool:
    try:
        socket.create_connection((host, 443), _CONNECT_SECONDS).close()
    except (OSError, UnicodeError):
        return False
    return True
