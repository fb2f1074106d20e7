"""A folder that is on the disk whole or not there: written under another name, and renamed when everything is in it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

HALF = ".half-"
"""How folders are called that are not whole yet."""


def write(versions: Path, version: str, files: Mapping[str, bytes]) -> None:
    """Every file on the disk before the folder has its name."""
    half = Path(tempfile.mkdtemp(dir=versions, prefix=HALF))
    try:
        for name, content in files.items():
            path = half / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for inner in {path.parent for path in half.rglob("*")} | {half}:
            settle(inner)
        half.chmod(versions.stat().st_mode & 0o777)
        half.rename(versions / version)
        settle(versions)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise


def settle(folder: Path) -> None:
    """Have the names in a folder written to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
