"""The modules of Loom that some module of it needs, and the libraries behind them: read from the sources, not run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

PACKAGE = "loom"
_ROOT = Path(__file__).parents[2]


def modules_behind(names: Sequence[str]) -> dict[str, Path]:
    """The files of the modules and of all that they import from Loom, also lazily, by name."""
    found: dict[str, Path] = {}
    pending = [parent for name in names for parent in _with_parents(name)]
    while pending:
        name = pending.pop()
        if name in found:
            continue
        path = _file_of(name)
        if path is None:
            continue  # the name of something in a module, not of a module
        found[name] = path
        pending += [parent for each in _imports(path) for parent in _with_parents(each)]
    return dict(sorted(found.items()))


def libraries_behind(
    paths: Iterable[Path], also: Sequence[str] = (), sources: Iterable[str] = ()
) -> dict[str, str]:
    """The installed distributions that files and sources import, each with its version; `also` names more modules."""
    named = {name for path in paths for name in _mentioned(path)}
    named |= {name for source in sources for name in mentioned_in(source.encode())}
    tops = {name.partition(".")[0] for name in named} | set(also)
    names = {owner for top in tops for owner in _owners().get(top, ()) if owner.lower() != PACKAGE}
    return {name: metadata.version(name) for name in sorted(names, key=str.lower)}


def mentioned_in(source: bytes) -> tuple[str, ...]:
    """Every module that a source imports, wherever it does so, and every one it names to `import_module`."""
    return tuple(dict.fromkeys(_named(ast.parse(source))))


@cache
def _owners() -> Mapping[str, list[str]]:
    """The distributions behind each name that can be imported; reading all of them takes a second."""
    return metadata.packages_distributions()


def _with_parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _imports(path: Path) -> Iterator[str]:
    return (name for name in _mentioned(path) if name == PACKAGE or name.startswith(f"{PACKAGE}."))


@cache
def _mentioned(path: Path) -> tuple[str, ...]:
    return mentioned_in(path.read_bytes())


def _named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module" and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def _file_of(name: str) -> Path | None:
    place = _ROOT.joinpath(*name.split(".")[1:])
    return next((path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file()), None)
