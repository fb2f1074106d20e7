"""Find a package by path or name, and load it or say everything that is wrong with it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import loom
from loom.kernel.diagnostic_formats import render
from loom.kernel.diagnostics import Report, suggest
from loom.kernel.errors import LoomError
from loom.process.check import FILE_NAME, Checked, check_file, kind_of
from loom.process.resolve import ResolvedProcess
from loom.process.trust import TrustStore
from loom.settings.layers import loom_home

Origin = Literal["builtin", "user", "workspace", "path"]
WORKSPACE_FOLDERS = ("loom-processes", ".loom/processes")
ENDINGS = (".yaml", ".yml")
SHOWN_FINDINGS = 20


class ProcessError(LoomError):
    """A package that does not hold: the report says where and why."""

    def __init__(self, report: Report) -> None:
        self.report = report
        errors = tuple(d for d in report.diagnostics if d.severity == "error")
        shown = render([Report(report.source, errors[:SHOWN_FINDINGS])], "text")
        count = f"{len(errors)} error" + ("" if len(errors) == 1 else "s")
        fix = f"loom process check {shlex.quote(report.source.name)}"
        super().__init__(
            f"{report.source.name} has {count}", f"the declaration does not hold\n\n{shown}\n", fix
        )


@dataclass(frozen=True, slots=True)
class Found:
    """A package that is there, not yet read."""

    name: str
    origin: Origin
    file: Path

    @property
    def folder(self) -> Path:
        """The package's folder."""
        return self.file.parent


def builtin_root() -> Path:
    """Where the packages that come with Loom are: inside the wheel, or beside the source tree."""
    inside = Path(loom.__file__).parent / "processes" / "builtin"
    return inside if inside.is_dir() else Path(loom.__file__).parents[2] / "processes" / "builtin"


class ProcessLoader:
    """Loads packages for one workspace."""

    def __init__(self, workspace: Path | None = None, *, home: Path | None = None) -> None:
        self.workspace = workspace or Path.cwd()
        self._home = home

    @cached_property
    def home(self) -> Path:
        """The user's own folder; asked for only when a name is looked up."""
        return self._home or loom_home(os.environ)

    def load(self, reference: str | Path) -> ResolvedProcess:
        """Load a package by path (a file or folder) or by name; raises ProcessError with all findings."""
        checked = self._read(reference, warnings=False)
        if checked.package is None or checked.report.errors:
            raise ProcessError(checked.report)
        return ResolvedProcess(checked.package)

    def check(self, reference: str | Path) -> Checked:
        """Everything that can be said about a package, sound or not."""
        return self._read(reference, warnings=True)

    def _read(self, reference: str | Path, *, warnings: bool) -> Checked:
        found = self.find(reference)
        return check_file(found.file, _shown(found.file), warnings=warnings)

    def find(self, reference: str | Path) -> Found:
        """The package a reference means. A bare name is looked up before it is taken for a path."""
        text = str(reference)
        if not text.strip():
            raise LoomError("no package is named", "the name is empty", "loom process list")
        is_name = isinstance(reference, str) and os.sep not in text and not text.endswith(ENDINGS)
        is_name = is_name and text not in (".", "..")
        if is_name:
            found = self._by_name(text)
            if found:
                return found
        path = self.locate(reference)
        is_folder = kind_of(path) == "folder"
        path = path / FILE_NAME if is_folder else path
        if is_name and not (is_folder and kind_of(path)):
            raise self._unknown(text)
        if kind_of(path) is None:
            raise _missing(text, is_folder=is_folder)
        return Found(path.parent.name, "path", path)

    def locate(self, reference: str | Path) -> Path:
        """The path a reference spells: below the current folder if it is there, otherwise the workspace."""
        path = Path(reference)
        with suppress(RuntimeError):  # no home folder to expand `~` to
            path = path.expanduser()
        elsewhere = self.workspace / path
        return elsewhere if not kind_of(path) and kind_of(elsewhere) else path

    def candidates(self, name: str) -> list[Found]:
        """Every package of that name, the one that counts most last."""
        return [found for found in self.all() if found.name == name]

    def all(self) -> Iterator[Found]:
        """Every package that can be named here, shadowed ones included, builtin first."""
        for root, origin in self.roots():
            yield from packages_in(root, origin)

    def roots(self) -> Iterator[tuple[Path, Origin]]:
        """The folders in which packages have names, the one that counts most last."""
        yield builtin_root(), "builtin"
        yield self.home / "processes", "user"
        for folder in WORKSPACE_FOLDERS:
            yield self.workspace / folder, "workspace"

    def _by_name(self, name: str) -> Found | None:
        candidates = self.candidates(name)
        if not candidates:
            return None
        chosen, replaced = candidates[-1], self.replaced_without_trust(candidates)
        if replaced is not None:
            raise LoomError(
                f"two packages are called {name}, and the nearer one is not trusted",
                f"{_shown(chosen.file)} would replace {_shown(replaced.file)}",
                f"loom trust add {shlex.quote(_shown(chosen.folder))}",
            )
        return chosen

    def replaced_without_trust(self, candidates: Sequence[Found]) -> Found | None:
        """What the last of several packages with one name would replace without being trusted to."""
        chosen = candidates[-1]
        replaced = [found for found in candidates if found.origin != "workspace"]
        if chosen.origin != "workspace" or not replaced or TrustStore(self.home).is_trusted(chosen.folder):
            return None
        return replaced[-1]

    def _unknown(self, name: str) -> LoomError:
        names = sorted({found.name for found in self.all()})
        meant = suggest(name, names)
        why = f"no builtin, user or workspace package has that name{f'; did you mean {meant}?' if meant else ''}"
        return LoomError(
            f"no process is called {name}",
            why,
            f"loom process show {meant}" if meant else "loom process list",
        )


def packages_in(root: Path, origin: Origin) -> Iterator[Found]:
    """The packages of a folder: folders with a process.yaml, and single files."""
    try:
        entries = sorted(root.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LoomError(f"{root} cannot be read", why, f"ls -ld {shlex.quote(str(root))}") from None
    for entry in entries:
        if entry.name.startswith("."):
            continue  # a package that is just being written
        if entry.suffix in ENDINGS and kind_of(entry) == "file":
            yield Found(entry.stem, origin, entry)
        elif kind_of(entry) == "folder" and kind_of(entry / FILE_NAME):
            yield Found(entry.name, origin, entry / FILE_NAME)


def _missing(text: str, *, is_folder: bool) -> LoomError:
    if is_folder:
        return LoomError(
            f"{text} is not a package", f"it has no {FILE_NAME}", "name a package's folder or file"
        )
    return LoomError(f"{text} does not exist", "there is no such file or folder", "loom process list")


def _shown(path: Path) -> str:
    """A path as the user would type it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)
