"""Frees what no kept run needs. A run that goes on is never touched, and neither is a data object."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from loom.app.history import CANDIDATE, History, Run
from loom.kernel.errors import LoomError

RUNS = "runs"
OBJECTS = "objects"
EXPERIMENTS = "experiments"
BLOBS = "blobs"
SCRATCH = "scratch"
YOUNG_SECONDS = 3600.0
"""What is younger may belong to a run that is just being written down."""

Kind = Literal["run", "leftover", "scratch", "search", "blob"]


@dataclass(frozen=True, slots=True)
class Freed:
    """One thing that was freed, or would be."""

    kind: Kind
    name: str
    path: Path | None
    bytes: int

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        path = str(self.path) if self.path else None
        return {"kind": self.kind, "name": self.name, "path": path, "bytes": self.bytes}


def collect(
    history: History,
    *,
    keep: int | None = None,
    dry_run: bool = False,
    clock: Callable[[], float] = time.time,
) -> list[Freed]:
    """Free scratch folders, folders without a run and blobs without an owner; with `keep`, also older runs.

    Kept are the newest runs, all they were made from, whatever goes on, and every run that made a data object. The
    candidates of a search stay as long as it does.
    """
    if keep is not None and keep < 0:
        why = "--keep takes the number of runs to keep"
        raise LoomError(f"{keep} runs cannot be kept", why, "loom gc --keep 20 --dry-run")
    now, runs = clock(), history.runs(candidates=True)
    kept = _kept(runs, keep)
    found = [
        *_old_runs(runs, kept),
        *_leftovers(history.home / RUNS, {run.record.run_id for run in runs}, now),
        *_scratch(runs, kept),
        *_searches(history.home / EXPERIMENTS, runs, now),
        *_blobs(history.home / OBJECTS, [run for run in runs if run.record.run_id in kept], now),
    ]
    return [each for each in found if dry_run or _free(history, each)]


def _kept(runs: list[Run], keep: int | None) -> set[str]:
    if keep is None:
        return {run.record.run_id for run in runs}
    by_name = {name: run for run in runs for name in (run.record.pathspec, run.record.run_id) if name}
    called = [run for run in runs if not _is_candidate(run)]
    pending = [run for at, run in enumerate(called) if at < keep or run.is_running or _made_data(run)]
    kept: set[str] = set()
    while pending:
        run = pending.pop()
        if run.record.run_id not in kept:
            kept.add(run.record.run_id)
            names = (*run.reads, run.document.get("parent"))
            pending += [by_name[name] for name in names if name in by_name]
    # what a search tried stays as long as the search does
    return kept | {
        run.record.run_id for run in runs if run.document.get("parent") in kept and _is_candidate(run)
    }


def _is_candidate(run: Run) -> bool:
    return run.record.process == CANDIDATE


def _made_data(run: Run) -> bool:
    return any(phase.get("data_objects") for phase in run.document.get("phases") or ())


def _old_runs(runs: list[Run], kept: set[str]) -> Iterator[Freed]:
    for run in runs:
        if run.record.run_id not in kept:
            yield Freed("run", run.name, run.folder, _size(run.folder))


def _leftovers(root: Path, known: set[str], now: float) -> Iterator[Freed]:
    """Folders of runs that nobody wrote down."""
    for path in sorted(root.iterdir()) if root.is_dir() else ():
        if path.name not in known and _is_old(path, now):
            yield Freed("leftover", path.name, path, _size(path))


def _scratch(runs: list[Run], kept: set[str]) -> Iterator[Freed]:
    for run in runs:
        path = run.folder / SCRATCH if run.folder else None
        size = _size(path)
        if size and run.record.run_id in kept and not run.is_running:
            yield Freed("scratch", run.name, path, size)


def _searches(root: Path, runs: list[Run], now: float) -> Iterator[Freed]:
    """Folders of searches that are over; one that was cut off can still go on."""
    unfinished = {
        run.record.experiment_id
        for run in runs
        # a candidate that time cut off is none that anybody goes on with
        if not _is_candidate(run) and (run.is_running or run.status in ("interrupted", "error"))
    }
    for path in sorted(root.iterdir()) if root.is_dir() else ():
        if path.name not in unfinished and _is_old(path, now):
            yield Freed("search", path.name, path, _size(path))


def _blobs(root: Path, runs: list[Run], now: float) -> Iterator[Freed]:
    """Blobs of the folder catalogue that nothing leads to. While anything runs, none is taken."""
    if any(run.is_running for run in runs) or not (root / BLOBS).is_dir():
        return
    needed = _needed(root) | {
        text.partition(":")[2] for run in runs for text in _texts(run.document.get("kept"))
    }
    for path in sorted((root / BLOBS).glob("*/*")):
        if path.name not in needed and path.is_file() and _is_old(path, now):
            yield Freed("blob", path.name[:12], path, _size(path))


def _needed(root: Path) -> set[str]:
    """The digits of every blob that an entry refers to, itself or through its record."""
    needed: set[str] = set()
    for entry in root.glob("*/*/entry.json"):
        try:
            digits = str(json.loads(entry.read_bytes())["record"]).partition(":")[2]
            record = json.loads((root / BLOBS / digits[:2] / digits).read_bytes())
        except (OSError, ValueError, KeyError, TypeError) as error:
            # what cannot be read may refer to anything
            raise LoomError(f"{entry} cannot be read", str(error), "loom doctor") from None
        needed |= {digits, *(text.partition(":")[2] for text in _texts(record))}
    return needed


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _free(history: History, found: Freed) -> bool:
    """Take a thing away; false when its run has come to life meanwhile."""
    try:
        if found.kind in ("run", "scratch"):
            run = history.find(found.name)
            if run.is_running:
                return False
        if found.path is not None:
            _remove(found.path, history.home)
        if found.kind == "run" and history.journal is not None:
            history.journal.remove(run.record.run_id)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        fix = f"ls -ld {shlex.quote(str(found.path))}"
        raise LoomError(f"{found.path} cannot be freed", why, fix) from None
    return True


def _remove(path: Path, home: Path) -> None:
    # what a document says is no reason to delete anything that is not a run's own, or a blob
    own = (home / RUNS, home / EXPERIMENTS, home / OBJECTS / BLOBS)
    if not any(root in path.parents for root in own) or ".." in path.parts or not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_dir():
        path.unlink()
    else:
        shutil.rmtree(path)


def _is_old(path: Path, now: float) -> bool:
    return now - path.lstat().st_mtime > YOUNG_SECONDS


def _size(path: Path | None) -> int:
    """What a file or folder takes, links not followed."""
    if path is None or not os.path.lexists(path):
        return 0
    files = path.rglob("*") if path.is_dir() and not path.is_symlink() else [path]
    return sum(file.lstat().st_size for file in files if file.is_symlink() or file.is_file())
