"""Makes the deliverables of an accepted attempt last, and keeps every file to the phase that declares it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from loom.kernel.errors import LoomError
from loom.process.plan import Step
from loom.process.resolve import ResolvedProcess
from loom.runtime.driver import PhaseTask
from loom.tools.files import open_file
from loom.tools.paths import PathRefusedError, resolve_path
from loom.tools.results import ToolResult


def deliverables_of(step: Step) -> tuple[str, ...]:
    """The files a phase has to write, by name."""
    return tuple(item.name for item in step.phase.deliverables)


def publish(
    process: ResolvedProcess, workspace: Path, task: PhaseTask, result: ToolResult
) -> tuple[str, ...]:
    """The names of the deliverables, once they are on the disk; LoomError where another phase owns one."""
    names = deliverables_of(task.step)
    if process.package.spec.output_coordination.enforce_single_writer:
        for name, owner in _foreign(process, task, result):
            raise LoomError(
                f"phase {task.step.id} may not write {name}",
                f"it is a deliverable of {owner}, and a file has one writer",
                f"loom process show {process.name}",
            )
    folders = set()
    for name in names:
        try:
            path = resolve_path(name, workspace)
            with open_file(path) as file:
                os.fsync(file.fileno())
        except PathRefusedError as error:
            fix = f"loom process show {process.name}"
            raise LoomError(f"{name} cannot be published", str(error), fix) from None
        folders.add(path.parent)
    for folder in folders:
        _settle(folder)
    return names


def _foreign(process: ResolvedProcess, task: PhaseTask, result: ToolResult) -> Iterator[tuple[str, str]]:
    """What the attempt wrote and another phase delivers, with that phase."""
    owners = {item.name: phase.id for phase in process.phases for item in phase.deliverables}
    for name in dict.fromkeys((*deliverables_of(task.step), *result.files_changed)):
        if name in task.sealed:
            yield name, owners.get(name, "an earlier phase")
        elif owners.get(name, task.step.id) != task.step.id:
            yield name, owners[name]


def _settle(folder: Path) -> None:
    """Have the names in a folder written to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
