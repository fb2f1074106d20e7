"""Read a loom.toml: its data, and the line on which each key is written."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loom.kernel.errors import LoomError

# the standard parser's time grows with the square of a key's length, so lengths are bounded first
MAX_BYTES = 64 * 1024
MAX_LINE = 2000
MAX_PARTS = 8

_TOKEN = re.compile(
    r"""(?:\"{3}(?:[^"\\]|\\.|"{1,2}(?!"))*+"{3,5}|'{3}(?:[^']|'{1,2}(?!'))*+'{3,5}"""
    r"""|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+'|\#[^\n]*+)|(?P<newline>\n)|(?P<sign>[\[\]{}=])""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class TomlFile:
    """Parsed data and the places of its keys."""

    name: str
    data: dict[str, Any]
    lines: dict[tuple[str, ...], int]

    def where(self, path: tuple[str, ...]) -> str:
        """`file:line` of a key, or of the nearest key around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.name}:{self.lines[path]}" if path else self.name


def read_toml(path: Path) -> TomlFile | None:
    """The file, or None when there is none; one that cannot be read is a LoomError, never a wait."""
    raw = _read(path)
    if raw is None:
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        what = f"{path}:{line} is not UTF-8 text"
        raise LoomError(
            what, f"byte 0x{raw[error.start]:02x} at offset {error.start:,}", "save the file as UTF-8"
        ) from None
    text = text.replace("\r\n", "\n")
    for line, written in enumerate(text.split("\n"), start=1):
        if len(written) > MAX_LINE:
            why = f"{len(written):,} characters; the limit is {MAX_LINE:,}"
            raise LoomError(f"{path}:{line} is too long", why, "break it over several lines")
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise LoomError(
            f"{path} is nested too deeply", "its lists or tables have no end", "write it flat"
        ) from None
    except ValueError as error:  # also numbers and dates that Python cannot hold
        raise _invalid(path, text, str(error)) from None
    return TomlFile(str(path), data, _key_lines(text))


def _invalid(path: Path, text: str, problem: str) -> LoomError:
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", problem)
    line = "" if place is None else f":{place[1] or text.count(chr(10)) + 1}"
    why = problem.replace(place[0], "") if place else problem
    return LoomError(f"{path}{line} is not valid TOML", why, 'write `key = value`; text goes in "quotes"')


def _read(path: Path) -> bytes | None:
    what = f"{path} cannot be read"
    try:
        # a pipe in the file's place is not waited for
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
                raise LoomError(what, f"it is {kind}", "rename it, or put a settings file in its place")
            raw = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise LoomError(what, why, f"check its permissions: ls -l {path}") from None
    if len(raw) > MAX_BYTES:
        raise LoomError(
            f"{path} is too large", f"the limit is {MAX_BYTES:,} bytes", "keep only settings in it"
        )
    return raw


def _key_lines(text: str) -> dict[tuple[str, ...], int]:
    """The line of every key, in a text that is known to be valid TOML."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    line, begins, depth, in_value = 1, 0, 0, False
    for token in _TOKEN.finditer(text):
        written = token[0]
        if token["newline"]:
            if depth == 0:
                in_value = False
            begins = token.end()
        elif token["sign"] and in_value:
            depth += (written in "[{") - (written in "]}")
        elif written == "=":
            _note(lines, table + _path(text[begins : token.start()]), line)
            in_value = True
        elif written == "]":
            table = _path(text[begins : token.start()].strip().lstrip("["))
            _note(lines, table, line)
            in_value = True  # what may follow is the second bracket of [[header]], no key
            depth = int(text[token.end() : token.end() + 1] == "]")
        line += written.count("\n")
    return lines


def _note(lines: dict[tuple[str, ...], int], path: tuple[str, ...], line: int) -> None:
    for length in range(1, min(len(path), MAX_PARTS) + 1):
        lines.setdefault(path[:length], line)


def _path(written: str) -> tuple[str, ...]:
    """The parts of a key as the parser itself reads them: `a."b.c"` has two."""
    node: Any = tomllib.loads(f"{written} = 0")
    parts = []
    while isinstance(node, dict):
        part, node = next(iter(node.items()))
        parts.append(part)
    return tuple(parts)
