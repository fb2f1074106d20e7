"""The Metaflow flow that a package becomes: as text, or as a folder that plain Metaflow can run."""

from __future__ import annotations

import shlex
from pathlib import Path

from loom.app.prepare import identity, package_digest
from loom.flows.compile import compile_flow, flow_file_name
from loom.flows.folder import PACKAGE, write_flow
from loom.kernel.errors import LoomError
from loom.process.loader import ProcessLoader
from loom.process.plan import plan


def flow_source(loader: ProcessLoader, reference: str | Path) -> str:
    """The source of a package's flow."""
    planned = plan(loader.load(reference).package)
    package = planned.package
    return compile_flow(planned, process=identity(package), digest=package_digest(package))


def write_flow_folder(loader: ProcessLoader, reference: str | Path, folder: Path) -> Path:
    """Write a package's flow and what it needs into a folder of its own; the flow's file."""
    planned = plan(loader.load(reference).package)
    package = planned.package
    # the copy of a package is replaced as a whole, and only where it was written by Loom
    if (folder / PACKAGE).exists() and not (folder / flow_file_name(planned)).is_file():
        why = f"it has a `{PACKAGE}` that was not written by this command"
        fix = f"loom compile {shlex.quote(str(reference))} --out {shlex.quote(str(folder / package.name))}"
        raise LoomError(f"the flow cannot be written to {folder}", why, fix)
    return write_flow(planned, folder, process=identity(package), digest=package_digest(package))
