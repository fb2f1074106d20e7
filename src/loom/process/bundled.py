"""The tools a package brings along, as their source declares them: parsed, never imported, never executed."""

from __future__ import annotations

import ast
import os
import stat
import warnings
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from loom.process.package import Package

FOLDER = "tools"
MAX_FILES = 200
MAX_BYTES = 1024 * 1024
MAX_TOTAL = 4 * MAX_BYTES
MAX_CLASSES = 200
MAX_LINEAGE = 20
MAX_NODES = 5_000
MAX_DEPTH = 40
MAX_BITS = 1024

_ABSENT, _DYNAMIC = object(), object()


@dataclass(frozen=True, slots=True)
class BundledTool:
    """One tool, and what can be known of it before it is loaded."""

    name: str
    file: str
    line: int
    parameters: dict[str, Any] | None
    """Its JSON Schema; None when it is computed rather than written down."""

    is_mutating: bool = False
    target_arg_keys: tuple[str, ...] | None = ()
    """Arguments that name what it writes; None when they are computed."""

    auth_requirements: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class BadTool:
    """A file in which tools were expected and could not be looked for."""

    file: str
    line: int
    why: str


class Bundled(NamedTuple):
    """The tools of a folder, and the files that could not be read."""

    tools: tuple[BundledTool, ...] = ()
    bad: tuple[BadTool, ...] = ()


class UnreadableError(Exception):
    """Why a file of a package cannot be read, and at which line."""

    def __init__(self, why: str, line: int = 1) -> None:
        super().__init__(why)
        self.why = why
        self.line = line


def tools_of(package: Package) -> Bundled:
    """The tools of a package; none when it is not known to have a folder."""
    return read_tools(package.folder) if package.folder is not None else Bundled()


def read_tools(folder: Path) -> Bundled:
    """Look through `tools/*.py` of a package folder; files that start with `_` are no tools."""
    try:
        with os.scandir(folder / FOLDER) as entries:
            names = sorted(e.name for e in entries if e.name.endswith(".py") and e.name[0] not in "_.")
    except (FileNotFoundError, NotADirectoryError):
        return Bundled()
    except OSError as error:
        return Bundled(bad=(BadTool(FOLDER, 1, (error.strerror or str(error)).lower()),))
    tools: list[BundledTool] = []
    bad: list[BadTool] = []
    if len(names) > MAX_FILES:
        bad.append(BadTool(FOLDER, 1, f"it holds {len(names):,} files; the limit is {MAX_FILES}"))
    left = MAX_TOTAL
    for name in names[:MAX_FILES]:
        file = f"{FOLDER}/{os.fsencode(name).decode('utf-8', 'replace')}"
        try:
            text = read_inside(folder, f"{FOLDER}/{name}")
            left -= len(text)
            if left < 0:
                raise UnreadableError(f"the files before it already hold {MAX_TOTAL:,} bytes")
            tools += _tools_in(file, text)
        except UnreadableError as error:
            bad.append(BadTool(file, error.line, error.why))
    return Bundled(tuple(tools), tuple(bad))


def read_inside(folder: Path, relative: str) -> str:
    """The text of a file of a package, or why it cannot be had; never waits and never leaves the folder."""
    root, path = os.path.realpath(folder), os.path.realpath(folder / relative)
    if os.path.commonpath([root, path]) != root:
        raise UnreadableError("it is a link to a place outside the package")
    try:
        # without O_NONBLOCK a named pipe would wait for a writer
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnreadableError("it is not a regular file")
            raw = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise UnreadableError("it is a directory") from None
    except OSError as error:
        raise UnreadableError((error.strerror or str(error)).lower()) from None
    if len(raw) > MAX_BYTES:
        raise UnreadableError(f"it is larger than {MAX_BYTES:,} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError("it is not UTF-8 text", raw.count(b"\n", 0, error.start) + 1) from None


@lru_cache(maxsize=256)
def _tools_in(file: str, text: str) -> tuple[BundledTool, ...]:
    """The tools one source declares. Several rules ask; the text itself is the key, so it is never stale."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        raise UnreadableError(error.msg or "invalid syntax", error.lineno or 1) from None
    except (ValueError, RecursionError, MemoryError):
        raise UnreadableError("it is not Python, or nested too deeply") from None
    return tuple(_Module(tree).tools(file))


class _Module:
    """The classes and the constants of one source."""

    def __init__(self, tree: ast.Module) -> None:
        self.classes: dict[str, ast.ClassDef] = {}
        self.roots = {"Tool"}
        for statement in _statements(tree.body):
            if isinstance(statement, ast.ClassDef):
                self.classes[statement.name] = statement
            elif isinstance(statement, ast.ImportFrom):
                self.roots |= {a.asname for a in statement.names if a.name == "Tool" and a.asname}
        if len(self.classes) > MAX_CLASSES:
            raise UnreadableError(f"it declares {len(self.classes):,} classes; the limit is {MAX_CLASSES}")
        self.constants = _constants(tree.body)

    def tools(self, file: str) -> Iterator[BundledTool]:
        for found in self.classes.values():
            lineage, is_tool = self._lineage(found)
            if not is_tool:
                continue
            name = self._member(lineage, "name")
            if not isinstance(name, str) or not name:
                continue
            parameters = self._member(lineage, "parameters")
            targets = self._member(lineage, "mutation_target_arg_keys")
            keys = tuple(key for key in _items(targets) if isinstance(key, str))
            auth = self._member(lineage, "auth_requirements")
            yield BundledTool(
                name=name,
                file=file,
                line=found.lineno,
                parameters=parameters if isinstance(parameters, dict) else None,
                is_mutating=self._member(lineage, "is_mutating") is True,
                target_arg_keys=None if targets is _DYNAMIC else keys,
                auth_requirements=tuple(item for item in _items(auth) if isinstance(item, dict)),
            )

    def _lineage(self, start: ast.ClassDef) -> tuple[list[ast.ClassDef], bool]:
        """The class and its ancestors in this file, nearest first, and whether they lead to `Tool`."""
        found: dict[str, ast.ClassDef] = {}
        pending, is_tool = [start], False
        while pending and len(found) < MAX_LINEAGE:
            current = pending.pop(0)
            if current.name in found:
                continue
            found[current.name] = current
            for base in current.bases:
                if isinstance(base, ast.Name) and base.id in self.classes:
                    pending.append(self.classes[base.id])
                elif isinstance(base, ast.Name):
                    is_tool = is_tool or base.id in self.roots
                elif isinstance(base, ast.Attribute):
                    is_tool = is_tool or base.attr == "Tool"
        return list(found.values()), is_tool

    def _member(self, lineage: list[ast.ClassDef], member: str) -> Any:
        """What a property returns or an attribute holds, when it is written as a literal."""
        for owner in lineage:
            for statement in reversed(owner.body):
                if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    if statement.name != member:
                        continue
                    expression = _returned(statement)
                else:
                    name, expression = _assigned(statement)
                    if name != member or expression is None:
                        continue
                if expression is None:
                    return _DYNAMIC
                scope = ChainMap(*[_constants(each.body) for each in lineage], self.constants)
                try:
                    return _Literal(scope).read(expression)
                except _NotLiteralError:
                    return _DYNAMIC
        return _ABSENT


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported, those under `if` and `try` included."""
    pending = list(reversed(body))
    while pending:
        statement = pending.pop()
        yield statement
        if isinstance(statement, (ast.If, ast.Try)):
            pending += reversed([*statement.body, *statement.orelse])


def _assigned(statement: ast.stmt) -> tuple[str | None, ast.expr | None]:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        return (target.id, statement.value) if isinstance(target, ast.Name) else (None, None)
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id, statement.value
    return None, None


def _constants(body: list[ast.stmt]) -> dict[str, ast.expr]:
    """Names that are assigned exactly once."""
    found: dict[str, ast.expr] = {}
    twice: set[str] = set()
    for statement in body:
        name, value = _assigned(statement)
        if name is not None and value is not None:
            if name in found:
                twice.add(name)
            found[name] = value
    return {name: value for name, value in found.items() if name not in twice}


def _returned(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.expr | None:
    """The value of a function that ends in its only `return`."""
    last = function.body[-1]
    returns = sum(isinstance(node, ast.Return) for node in ast.walk(function))
    return last.value if isinstance(last, ast.Return) and returns == 1 else None


class _NotLiteralError(Exception):
    """The expression has to be executed to be known."""


class _Literal:
    """Reads displays of constants and follows names to them, within a bound of size and depth."""

    def __init__(self, constants: Mapping[str, ast.expr]) -> None:
        self.constants = constants
        self.left = MAX_NODES

    def read(self, node: ast.expr, depth: int = 0) -> Any:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise _NotLiteralError
        match node:
            case ast.Constant(value=int() as number) if number.bit_length() > MAX_BITS:
                pass
            case ast.Constant(value=None | bool() | int() | float() | str()):
                return node.value
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self.read(item, depth + 1) for item in items]
            case ast.Dict():
                return self._mapping(node, depth)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return -number
            case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                if name in self.constants:
                    return self.read(self.constants[name], depth + 1)
        raise _NotLiteralError

    def _mapping(self, node: ast.Dict, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            read = self.read(value, depth + 1)
            if key is None and isinstance(read, dict):
                found |= read
                continue
            name = self.read(key, depth + 1) if key is not None else None
            if not isinstance(name, str):
                raise _NotLiteralError
            found[name] = read
        return found
