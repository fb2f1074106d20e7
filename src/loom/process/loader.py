"""Find a package by path or name, and load it or say everything that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import loom
from loom.kernel.diagnostic_formats import render
from loom.kernel.diagnostics import Report, suggest
from loom.kernel.errors import LoomError
from loom.process.check import FILE_NAME, Checked, check_file
from loom.process.resolve import ResolvedProcess
from loom.process.trust import TrustStore
from loom.settings.layers import loom_home

Origin = Literal["builtin", "user", "workspace", "path"]
WORKSPACE_FOLDERS = ("loom-processes", ".loom/processes")
SHOWN_FINDINGS = 20


class ProcessError(LoomError):
    """A package that does not hold: the report says where and why."""

    def __init__(self, report: Report) -> None:
        self.report = report
        errors = tuple(d for d in report.diagnostics if d.severity == "error")
        shown = render([Report(report.source, errors[:SHOWN_FINDINGS])], "text")
        count = f"{len(errors)} error" + ("" if len(errors) == 1 else "s")
        fix = f"loom process check {report.source.name}"
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
        self.home = home or loom_home(os.environ)

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
        is_name = isinstance(reference, str) and os.sep not in text and not text.endswith((".yaml", ".yml"))
        if is_name and text not in ("", ".", ".."):
            found = self._by_name(text)
            if found:
                return found
        path = Path(text).expanduser()
        path = path if path.is_absolute() or path.exists() else self.workspace / path
        if is_name and not (path / FILE_NAME).exists():
            raise self._unknown(text)
        if path.is_dir():
            if not (path / FILE_NAME).exists():
                raise LoomError(
                    f"{text} is not a package", f"it has no {FILE_NAME}", "name a package's folder or file"
                )
            path = path / FILE_NAME
        elif not path.exists():
            raise LoomError(f"{text} does not exist", "there is no such file or folder", "loom process list")
        return Found(path.parent.name, "path", path)

    def candidates(self, name: str) -> list[Found]:
        """Every package of that name, the one that counts most last."""
        return [found for found in self.all() if found.name == name]

    def all(self) -> Iterator[Found]:
        """Every package that can be named here, shadowed ones included, builtin first."""
        yield from _in(builtin_root(), "builtin")
        yield from _in(self.home / "processes", "user")
        for folder in WORKSPACE_FOLDERS:
            yield from _in(self.workspace / folder, "workspace")

    def _by_name(self, name: str) -> Found | None:
        candidates = self.candidates(name)
        if not candidates:
            return None
        chosen = candidates[-1]
        shadowed = [found for found in candidates if found.origin != "workspace"]
        if chosen.origin == "workspace" and shadowed and not TrustStore(self.home).is_trusted(chosen.folder):
            raise LoomError(
                f"two packages are called {name}, and the nearer one is not trusted",
                f"{_shown(chosen.file)} would replace {_shown(shadowed[-1].file)}",
                f"loom trust add {_shown(chosen.folder)}",
            )
        return chosen

    def _unknown(self, name: str) -> LoomError:
        names = sorted({found.name for found in self.all()})
        meant = suggest(name, names)
        why = f"no builtin, user or workspace package has that name{f'; did you mean {meant}?' if meant else ''}"
        return LoomError(
            f"no process is called {name}",
            why,
            f"loom process show {meant}" if meant else "loom process list",
        )


def _in(root: Path, origin: Origin) -> Iterator[Found]:
    try:
        entries = sorted(root.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return
    except PermissionError as error:
        raise LoomError(f"{root} cannot be read", str(error.strerror).lower(), f"ls -ld {root}") from None
    for entry in entries:
        if entry.suffix in (".yaml", ".yml") and entry.is_file():
            yield Found(entry.stem, origin, entry)
        elif (entry / FILE_NAME).exists():
            yield Found(entry.name, origin, entry / FILE_NAME)


def _shown(path: Path) -> str:
    """A path as the user would type it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
