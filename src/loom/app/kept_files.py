"""A file that a run kept beside its data, for whoever wants to see it."""

from __future__ import annotations

import importlib
import os
import shlex
from collections.abc import Mapping

from loom.app.history import Run
from loom.dataio.blobs import DirectoryStore
from loom.dataio.files import from_record
from loom.dataio.kept import KeptFiles
from loom.kernel.errors import LoomError
from loom.settings.engine import engine_environment
from loom.settings.layers import loom_home

SOLUTION = "solution"
"""The file in which a candidate keeps its script."""

_FOLDER_KEYS = "sha256:"


def kept_file(run: Run, name: str, environ: Mapping[str, str]) -> bytes:
    """The bytes of a file; a LoomError that lists what the run kept where there is none of that name."""
    kept = run.document.get("kept") or {}
    if name not in kept:
        there = ", ".join(sorted(kept))
        fix = f"loom show {shlex.quote(run.name)}" + (f" --file {next(iter(sorted(kept)))}" if kept else "")
        raise LoomError(f"{run.name} kept no file called {name[:80]}", f"it kept {there or 'none'}", fix)
    home = loom_home(environ)
    if str(kept[name]["key"]).startswith(_FOLDER_KEYS):
        return from_record(kept[name], DirectoryStore(home / "objects" / "blobs")).read()
    # Metaflow reads its configuration when it is loaded
    os.environ.update(engine_environment(home, environ))
    find = importlib.import_module("loom.dataio.kept").in_metaflow
    return KeptFiles(find).open(f"{run.record.pathspec}/{name}").read()
