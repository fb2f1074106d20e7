"""Loads the tools a package brings along, from their source and nothing else.

No bytecode is read or written, so what runs is what lies there. A file may import its siblings relatively
(`from ._shapes import area`); every package has names of its own, so that two never meet.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import logging
import os
import sys
import threading
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import Any

from loom.kernel.errors import LoomError
from loom.tools.failures import place_of
from loom.tools.files import read_bytes
from loom.tools.invoke import Raised, attempt
from loom.tools.paths import PathRefusedError
from loom.tools.registry import ToolRegistry, shape_errors
from loom.tools.schema import schema_errors
from loom.tools.tool import Tool

FOLDER = "tools"
MAX_FILES = 200
MAX_BYTES = 1024 * 1024
PREFIX = "loom_bundled_"

_log = logging.getLogger(__name__)
_lock = threading.RLock()


@dataclass(frozen=True, slots=True)
class LoadedTool:
    """A tool of a package, and the file it comes from."""

    tool: Tool
    file: str
    line: int


def load_tools(folder: Path) -> tuple[LoadedTool, ...]:
    """The tools in `tools/*.py` of a package; files that start with `_` are for their siblings only.

    A file that cannot be loaded is a LoomError naming it and the line.
    """
    home = folder / FOLDER
    names = _files(home)
    if not names:
        return ()
    home = _inside(home, folder)
    with _lock:
        package = _fresh_package(home)
        return tuple(found for name in names for found in _load(package, home, name))


def register_tools(registry: ToolRegistry, folder: Path) -> tuple[str, ...]:
    """Add the tools of a package to a registry, and answer with the names that were added.

    A name that is taken already is left out with a warning, within one package too.
    """
    added = []
    for found in load_tools(folder):
        if registry.register_bundled(found.tool, f"{folder.name}/{found.file}"):
            added.append(found.tool.name)
    return tuple(added)


def _files(home: Path) -> list[str]:
    try:
        with os.scandir(home) as entries:
            names = sorted(e.name for e in entries if e.name.endswith(".py") and e.name[0] not in "_.")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise LoomError(
            f"{home} cannot be read", (error.strerror or str(error)).lower(), f"ls -ld {home}"
        ) from None
    if len(names) > MAX_FILES:
        raise LoomError(f"{home} holds {len(names):,} files", f"the limit is {MAX_FILES}", f"ls {home}")
    return names


def _inside(home: Path, folder: Path) -> Path:
    """The folder of the tools, without links; one that lies outside of its package is refused."""
    real = Path(os.path.realpath(home))
    if not real.is_relative_to(os.path.realpath(folder)):
        what = f"the tools of {folder.name} cannot be loaded"
        raise LoomError(what, f"{FOLDER} is a link to a place outside the package", f"ls -ld {home}")
    return real


def _fresh_package(home: Path) -> str:
    """A module name for the folder; what an earlier load left behind is forgotten."""
    package = PREFIX + hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    for name in [name for name in sys.modules if name == package or name.startswith(package + ".")]:
        del sys.modules[name]
    module = types.ModuleType(package, "The tools of one package.")
    module.__path__ = [str(home)]
    sys.modules[package] = module
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    return package


def _load(package: str, home: Path, file: str) -> Iterator[LoadedTool]:
    shown = f"{FOLDER}/{file}"
    name = f"{package}.{file.removesuffix('.py')}"
    module = attempt(lambda: importlib.import_module(name))
    if isinstance(module, Raised):
        raise _cannot_load(module.error, home, shown)
    for found in _tool_classes(module):
        line = _line_of(found)
        tool: Tool | Raised = attempt(found)
        if isinstance(tool, Raised):
            raise _cannot_load(tool.error, home, shown, line)
        wrong = attempt(lambda tool=tool: [*shape_errors(tool), *schema_errors(tool.parameters)])  # type: ignore[misc]
        if isinstance(wrong, Raised):
            raise _cannot_load(wrong.error, home, shown, line)
        if wrong:
            raise _malformed(shown, line, found.__name__, wrong)
        yield LoadedTool(tool, shown, line)


def _tool_classes(module: types.ModuleType) -> list[type[Tool]]:
    """The tools a module defines itself; one whose name starts with `_` is there to be derived from."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Tool)
        and value.__module__ == module.__name__
        and not (value.__name__.startswith("_") and inspect.isabstract(value))
    ]


def _line_of(found: type) -> int:
    located = attempt(lambda: inspect.getsourcelines(found)[1])
    return located if isinstance(located, int) else 1


def _cannot_load(error: BaseException, home: Path, shown: str, line: int = 1) -> LoomError:
    place = place_of(error, home)
    if place is not None:
        shown, line = f"{FOLDER}/{Path(place[0]).name}", place[1]
    _log.debug("%s, line %d", shown, line, exc_info=error)
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    why = f"{type(error).__name__}: {said}"[:500].replace("\n", " ")
    fix = "correct the file; `loom process check` parses it without running it"
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith(PREFIX):
        fix = f"install {error.name.partition('.')[0]}, or list its distribution under `dependencies`"
    return LoomError(f"{shown}, line {line}: the tool cannot be loaded", why, fix)


def _malformed(shown: str, line: int, name: str, wrong: Sequence[str]) -> LoomError:
    what = f"{shown}, line {line}: {name} is not a usable tool"
    return LoomError(what, "; ".join(wrong[:5]), "correct the class; `loom process check` parses it")


class _Finder:
    """Finds the modules of packages' tools, in the folder of their own package only."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:
        """The module of that name, if it belongs to a package's tools."""
        if not name.startswith(PREFIX) or not path:
            return None
        file = Path(path[0]) / f"{name.rpartition('.')[2]}.py"
        if not file.is_file():
            return None
        return importlib.util.spec_from_file_location(name, file, loader=_FromSource(name, str(file)))


class _FromSource(SourceFileLoader):
    """Compiles the source each time: a `.pyc` beside it may be older, or somebody else's."""

    def get_code(self, fullname: str) -> types.CodeType:
        """The code of the source as it is now."""
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)

    def get_data(self, path: Any) -> bytes:
        """The source; one that is a link to somewhere else, or too large, is refused."""
        file = Path(os.path.realpath(path))
        if not file.is_relative_to(Path(path).parent.parent):
            raise ImportError(f"{Path(path).name} is a link to a place outside the package")
        try:
            content, more = read_bytes(file, MAX_BYTES)
        except PathRefusedError as error:
            raise ImportError(str(error)) from None
        if more:
            raise ImportError(f"{file.name} is larger than {MAX_BYTES:,} bytes")
        return content

    def set_data(self, path: Any, data: Any, *, _mode: int = 0o666) -> None:
        """Write nothing."""
