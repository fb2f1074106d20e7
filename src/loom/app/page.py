"""The page of a run for people: the one that was stored with it, else one made of what is known of it."""

from __future__ import annotations

import importlib
import os
import shlex
import sys
import tempfile
import webbrowser
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loom.app.history import CANDIDATE, Run
from loom.app.kept_files import SOLUTION, kept_file
from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError
from loom.render.html.page import card_html
from loom.settings.engine import engine_environment
from loom.settings.layers import loom_home

PAGE = "page.html"
_DESKTOPS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and where it lies if it lies anywhere."""

    html: bytes
    path: Path | None = None


def page_of(run: Run, told: Mapping[str, Any], environ: Mapping[str, str]) -> Page:
    """The page of a run. `told` is what the journal knows of it, for when nothing else is left."""
    stored = run.document.get("card_path")
    if stored:
        with suppress(OSError):
            return Page(Path(stored).read_bytes(), Path(stored))
    left = _left_by(run, environ) if stored else None
    if left is not None:
        return Page(card_html(left["envelope"], left["phases"], left.get("card")).encode())
    answer = {**told, "VERDICT": told.get("verdict"), "gate": {"tier": told.get("tier")}}
    keys = (
        "schema_version",
        "verb",
        "status",
        "VERDICT",
        "pathspec",
        "summary",
        "gate",
        "reasons",
        "next",
        "error",
    )
    envelope = {key: answer.get(key) for key in (*keys, "run")}
    shown = told.get("card")
    if run.record.process == CANDIDATE:
        shown = _with_texts(shown, run, environ)
    return Page(card_html(envelope, told.get("phases") or (), shown).encode())


def _with_texts(card: Mapping[str, Any] | None, run: Run, environ: Mapping[str, str]) -> dict[str, Any]:
    """The card of a candidate with its script, which is kept as a file, and what it printed."""
    code_sections = importlib.import_module("loom.app.candidates").code_sections  # it needs all of the search
    try:
        script = kept_file(run, SOLUTION, environ).decode("utf-8")
    except LoomError as error:
        script = f"# {error.what}: {error.why}\n"
    printed = "".join(str(phase.get("output") or "") for phase in run.document.get("phases") or ())
    return {**(card or {}), "sections": code_sections(script, printed)}


def write_page(page: Page, file: Path, run: Run) -> Path:
    """Write a page to a file of the user's choice, whole or not at all; where it is then."""
    if file.is_dir():
        fix = f"loom show {shlex.quote(run.name)} --html {shlex.quote(str(file / PAGE))}"
        raise LoomError(f"{file} cannot be written", "it is a folder", fix)
    write_atomically(file, page.html)
    return file.resolve()


def place_of(page: Page, run: Run) -> Path:
    """Where a page can be opened: where it lies, else beside its run, else among the files of the moment."""
    if page.path is not None:
        return page.path.resolve()
    if run.folder is not None and run.folder.is_dir():
        with suppress(LoomError):
            return write_page(page, run.folder / PAGE, run)
    handle, name = tempfile.mkstemp(prefix="loom-", suffix=".html")
    with os.fdopen(handle, "wb") as file:
        file.write(page.html)
    return Path(name)


def open_page(path: Path, environ: Mapping[str, str]) -> bool:
    """Open a page in the browser; False where there is none to see it in."""
    # without a desktop a browser for terminals would take this one over
    if sys.platform.startswith("linux") and not any(environ.get(name) for name in _DESKTOPS):
        return False
    try:
        return webbrowser.open(path.as_uri())
    except webbrowser.Error:
        return False


def _left_by(run: Run, environ: Mapping[str, str]) -> Mapping[str, Any] | None:
    """What Metaflow keeps of a run whose page is gone."""
    if not run.record.pathspec:
        return None
    # Metaflow reads its configuration when it is loaded
    os.environ.update(engine_environment(loom_home(environ), environ))
    left: Mapping[str, Any] | None = importlib.import_module("loom.dataio.metaflow_runs").left_by(
        run.record.pathspec
    )
    return left
