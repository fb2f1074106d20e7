"""What the machine and the interpreter are like: Python, Loom's own files, space, clock, cores, encoding."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import locale
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import loom

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "NUMEXPR_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)
_LOCALE_VARIABLES = ("LC_ALL", "LC_CTYPE", "LANG", "PYTHONUTF8", "PYTHONIOENCODING")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_TESTED = "Programming Language :: Python :: 3."


def python() -> dict[str, Any]:
    """The interpreter, and the releases Loom says it works with."""
    said = _distribution()
    minor = sorted(
        int(line.removeprefix(_TESTED))
        for line in (said.metadata.get_all("Classifier") or () if said else ())
        if line.startswith(_TESTED) and line.removeprefix(_TESTED).isdigit()
    )
    return {
        "version": ".".join(map(str, sys.version_info[:3])),
        "tested": [f"3.{each}" for each in minor],
        "implementation": sys.implementation.name,
        "executable": sys.executable,
    }


def installation(environ: Mapping[str, str]) -> dict[str, Any]:
    """Which Loom this is, how it was installed, and whether Python keeps its bytecode."""
    said = _distribution()
    kind = "source" if said is None else "wheel"
    if said is not None:
        with suppress(OSError, ValueError):
            direct = json.loads(said.read_text("direct_url.json") or "{}")
            kind = "editable" if direct.get("dir_info", {}).get("editable") else kind
    folder = Path(loom.__file__).parent
    return {
        "version": said.version if said is not None else None,
        "kind": kind,
        "folder": str(folder),
        "bytecode_off": bool(environ.get("PYTHONDONTWRITEBYTECODE")),
        "uncompiled": [*filter(None, map(_uncompiled, ("loom", "metaflow")))],
    }


def _distribution() -> importlib.metadata.Distribution | None:
    try:
        return importlib.metadata.distribution("loom")
    except importlib.metadata.PackageNotFoundError:
        return None


def _uncompiled(name: str) -> str:
    """The folder of a package that has no bytecode; nothing when it has, or is not there."""
    with suppress(ImportError, ValueError, NotImplementedError):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            compiled = Path(importlib.util.cache_from_source(spec.origin))
            return "" if compiled.exists() else str(Path(spec.origin).parent)
    return ""


def space(path: Path) -> dict[str, Any]:
    """How much room is left where a path lies, or would lie."""
    facts: dict[str, Any] = {"path": str(path), "problem": ""}
    try:
        there = nearest(path)
        status = os.statvfs(there)
    except OSError as error:
        return {**facts, "problem": (error.strerror or str(error)).lower()}
    return {
        **facts,
        "free_bytes": status.f_bavail * status.f_frsize,
        "total_bytes": status.f_blocks * status.f_frsize,
        "free_files": status.f_favail,
        "total_files": status.f_files,  # 0 where the file system does not count them
    }


def nearest(path: Path) -> Path:
    """The path itself, or the nearest folder above it that exists; OSError when none can be looked at."""
    for each in (path, *path.parents):
        with suppress(FileNotFoundError, NotADirectoryError):
            each.stat()
            return each
    raise FileNotFoundError(f"nothing of {path} exists")


def clock(home: Path | None) -> dict[str, Any]:
    """The time, how far a new file's time is from it, and what there is from the future or before Loom."""
    now = time.time()
    facts: dict[str, Any] = {"now": now, "skew": None, "installed": None, "newest": None}
    with suppress(OSError):
        facts["installed"] = Path(loom.__file__).stat().st_mtime
    if home is None:
        return facts
    with suppress(OSError):
        with os.scandir(home) as entries:
            facts["newest"] = max(
                (entry.stat(follow_symlinks=False).st_mtime for entry in entries), default=None
            )
        with tempfile.TemporaryFile(dir=home) as file:
            file.write(b"1")
            file.flush()
            facts["skew"] = os.fstat(file.fileno()).st_mtime - time.time()
    return facts


def cores(environ: Mapping[str, str]) -> dict[str, Any]:
    """How many processors there are, how many we may use, and what tells libraries to use more."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "cores": os.cpu_count() or 1,
        "usable": usable,
        "quota": _quota(),
        "threads": {name: environ[name] for name in THREAD_VARIABLES if environ.get(name)},
    }


def _quota() -> float | None:
    """How many processors' time a container may use; None for no limit."""
    with suppress(OSError, ValueError, ZeroDivisionError):
        allowed, period = _QUOTA.read_text(encoding="ascii").split()
        return None if allowed == "max" else int(allowed) / int(period)
    return None


def encoding(environ: Mapping[str, str]) -> dict[str, Any]:
    """How Python reads text, names files and prints."""
    return {
        "text": "utf-8" if sys.flags.utf8_mode else locale.getencoding().lower(),
        "files": sys.getfilesystemencoding().lower(),
        "output": (getattr(sys.stdout, "encoding", None) or "").lower(),
        "variables": {name: environ[name] for name in _LOCALE_VARIABLES if environ.get(name)},
    }
