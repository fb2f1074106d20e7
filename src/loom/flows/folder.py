"""A folder that holds one flow and nothing else: Metaflow takes the whole folder along wherever it runs."""

from __future__ import annotations

import shutil
from pathlib import Path

from loom.flows.compile import compile_flow, flow_file_name
from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError
from loom.process.check import FILE_NAME
from loom.process.plan import Plan

PACKAGE = "package"


def write_flow(plan: Plan, folder: Path, *, process: str, digest: str) -> Path:
    """Write a plan's flow, and beside it a copy of its package unless `process` is a builtin's bare name."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        copy = folder / PACKAGE
        if copy.is_dir():
            shutil.rmtree(copy)
        if "/" in process:
            _copy_package(plan, copy)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LoomError(f"the flow cannot be written to {folder}", why, "loom doctor") from None
    named = f"./{PACKAGE}" if "/" in process else process
    carries = _endings(copy) if copy.is_dir() else ()
    file = folder / flow_file_name(plan)
    write_atomically(file, compile_flow(plan, process=named, digest=digest, carries=carries).encode())
    return file


def _copy_package(plan: Plan, copy: Path) -> None:
    origin = plan.package.folder
    if origin is not None and (origin / FILE_NAME).is_file():
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".git")
        shutil.copytree(origin, copy, symlinks=True, ignore=ignored)
        return
    copy.mkdir()
    (copy / FILE_NAME).write_text(plan.package.source.text, encoding="utf-8")


def _endings(folder: Path) -> tuple[str, ...]:
    """What the names of the package's files end in: Metaflow takes along by ending."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return tuple(sorted({path.suffix.lower() for path in files if path.suffix}))
