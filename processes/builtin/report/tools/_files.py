"""The report as files: written whole or not at all, and only after every number was found again."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path

from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError

FORMS = ("html", "md", "json")
STEM = "report"


def places_of(out: str, cwd: Path) -> dict[str, Path]:
    """Where each form goes: the ending of a file names its form, a folder gets all of them."""
    path = cwd / Path(out).expanduser()
    ending = path.suffix.removeprefix(".").lower()
    if path.is_dir() or not ending:
        return {form: path / f"{STEM}.{form}" for form in FORMS}
    form = {"htm": "html", "markdown": "md"}.get(ending, ending)
    if form not in FORMS:
        raise LoomError(
            f"{path.name} is no report that can be written",
            f"its ending is one of {', '.join(f'.{each}' for each in FORMS)}; a folder gets all three",
            f"loom report --out {shlex.quote(path.with_suffix('.html').name)}",
        )
    return {form: path}


def place_of(places: Mapping[str, Path]) -> Path | None:
    """The file, or the folder of several; None where nothing is written."""
    first = next(iter(places.values()), None)
    return first.parent if first is not None and len(places) > 1 else first


def ready(places: Mapping[str, Path]) -> None:
    """Make sure that files can be written there, before any work is done for them."""
    for path in places.values():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path.parent, prefix=".loom-"):
                pass
            is_folder = path.is_dir()
        except OSError as error:
            taken = isinstance(error, FileExistsError | NotADirectoryError)
            why = "there is a file of that name" if taken else (error.strerror or str(error)).lower()
            raise _refused(path.parent, why) from None
        if is_folder:
            raise _refused(path, "it is a folder")


def written(places: Mapping[str, Path], contents: Mapping[str, str]) -> None:
    """Write each form where it goes."""
    for form, path in places.items():
        write_atomically(path, contents[form].encode())


def _refused(path: Path, why: str) -> LoomError:
    return LoomError(f"no report can be written to {path}", why, f"ls -ld {shlex.quote(str(path))}")
