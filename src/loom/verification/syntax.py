"""Whether a file can be read as what its name says it is."""

from __future__ import annotations

import ast
import csv
import importlib
import io
import json
import re
import warnings
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from posixpath import normpath
from typing import Any, NoReturn
from urllib.parse import unquote

from loom.tools.paths import PathRefusedError, resolve_path
from loom.tools.sections import outside_of_code

_LINK = re.compile(
    r"!?\[(?:[^\[\]\\]|\\.|\[[^\[\]]*\])*\]\(\s*(?P<target><[^<>\n]*>|[^\s()<>]*(?:\([^\s()]*\)[^\s()]*)*)"
    r"""(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)"""
)
_DEFINITION = re.compile(r" {0,3}\[[^\[\]]+\]:\s*(?P<target><[^<>\n]*>|\S+)")
_CODE_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|#")


class MisreadError(ValueError):
    """Why a file is not what its name says, and the line."""

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why)
        self.line = line


def check_syntax(
    name: str, content: bytes, workspace: Path, promised: Collection[str] = ()
) -> Iterator[MisreadError]:
    """Everything that is wrong with a file as the kind of file its name says it is; other kinds pass.

    A link may also lead to a file that is `promised`.
    """
    suffix = Path(name).suffix.lower()
    if suffix in (".md", ".markdown"):
        yield from _dead_links(name, content, workspace, promised)
    elif suffix in _READERS:
        try:
            _READERS[suffix](content)
        except MisreadError as error:
            yield error
        except (RecursionError, MemoryError):
            yield MisreadError("it is nested too deeply")


def _python(content: bytes) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape is no error
            ast.parse(content)
    except SyntaxError as error:
        raise MisreadError(f"it is not Python: {error.msg}", error.lineno) from None
    except ValueError as error:
        raise MisreadError(f"it is not Python: {error}") from None


def _json(content: bytes) -> None:
    def refuse(word: str) -> NoReturn:
        raise MisreadError(f"it is not JSON: it holds {word}")

    try:
        json.loads(content.decode("utf-8"), parse_constant=refuse)
    except UnicodeDecodeError:
        raise MisreadError("it is not JSON: it is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise MisreadError(f"it is not JSON: {error.msg}", error.lineno) from None


def _yaml(content: bytes) -> None:
    yaml: Any = importlib.import_module("yaml")  # few packages deliver any
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for _ in yaml.compose_all(content, Loader=loader):
            continue
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else None
        raise MisreadError(f"it is not YAML: {error.problem or error.context}", line) from None
    except yaml.YAMLError as error:
        raise MisreadError(f"it is not YAML: {str(error).splitlines()[0]}") from None


def _table(delimiters: str) -> Callable[[bytes], None]:
    def read(content: bytes) -> None:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise MisreadError("it is not a table: it is not UTF-8 text", line) from None
        header = "".join(text.lstrip("\r\n").partition("\n")[0].split('"')[::2])
        # a decimal comma further down does not cut a cell
        delimiter = max(delimiters, key=header.count)
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            width = len(next((row for row in rows if row), ()))
            for row in rows:
                if row and len(row) != width:
                    why = f"{len(row)} cells, and {width} in the first line"
                    raise MisreadError(f"it is not a table: {why}", rows.line_num)
        except csv.Error as error:
            raise MisreadError(f"it is not a table: {error}", rows.line_num) from None

    return read


def _dead_links(
    name: str, content: bytes, workspace: Path, promised: Collection[str]
) -> Iterator[MisreadError]:
    """The links of a Markdown document to files of the workspace that are not there."""
    folder = Path(name).parent
    for number, line in outside_of_code(content.decode("utf-8", "replace")):
        prose = _CODE_SPAN.sub("", line)
        for found in (*_LINK.finditer(prose), *filter(None, [_DEFINITION.match(prose)])):
            target = found["target"].removeprefix("<").removesuffix(">")
            path = unquote(target.partition("#")[0].partition("?")[0])
            if not path or _ELSEWHERE.match(target):
                continue
            if normpath(folder / path) in promised:
                continue
            if why := _why_dead(folder / path, workspace):
                yield MisreadError(f"the link to `{target[:100]}` leads nowhere: {why}", number + 1)


def _why_dead(path: Path, workspace: Path) -> str:
    try:
        there = resolve_path(path, workspace).exists()
    except PathRefusedError as error:
        return str(error)
    return "" if there else "there is no such file"


_READERS: dict[str, Callable[[bytes], None]] = {
    ".py": _python,
    ".json": _json,
    ".yaml": _yaml,
    ".yml": _yaml,
    ".csv": _table(",;\t|"),
    ".tsv": _table("\t"),
}
