"""Bytes to data and positions: a strict, bounded YAML 1.2 reader that explains itself."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from loom.kernel.builder import Builder, StopError
from loom.kernel.diagnostics import START, Diagnostic, KeyPath, Source, Span
from loom.kernel.positions import Place, locate

MAX_BYTES = 1024 * 1024
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
# libyaml takes these for line breaks, as YAML 1.1 did; YAML 1.2 and every editor do not
_SEPARATOR = re.compile("[\x85\u2028\u2029]")


@dataclass(slots=True)
class Document:
    """Plain data and, for every key and item, where it stands in the source."""

    source: Source
    data: Any
    dropped: tuple[KeyPath, ...] = ()
    nulls: tuple[KeyPath, ...] = ()
    _positions: Place | None = field(default=None, repr=False)

    def value_at(self, path: KeyPath) -> Span:
        """Where the value at a key path stands, or where it is missing."""
        return self._places().find(path, key=False)

    def key_at(self, path: KeyPath) -> Span:
        """Where the key itself stands; for a list item, the item."""
        return self._places().find(path, key=True)

    def _places(self) -> Place:
        if self._positions is None:
            self._positions = locate(self.source.text)
        return self._positions


def read_document(path: Path, name: str | None = None) -> tuple[Document | None, list[Diagnostic], Source]:
    """Read one file; what cannot be read is a diagnostic, never an exception and never a wait."""
    shown = name or str(path)
    try:
        raw = _read_bytes(path)
    except _UnreadableError as problem:
        source = Source(shown, "")
        return (
            None,
            [Diagnostic(problem.code, "error", problem.message, START, "", problem.detail, problem.fix)],
            source,
        )
    return parse_document(raw, shown)


class _UnreadableError(Exception):
    def __init__(self, code: str, message: str, detail: str, fix: str) -> None:
        super().__init__(message)
        self.code, self.message, self.detail, self.fix = code, message, detail, fix


def _read_bytes(path: Path) -> bytes:
    cannot = "the file cannot be read"
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise _UnreadableError("LM101", cannot, why.lower(), "check the path and its permissions") from None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        kind = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise _UnreadableError("LM101", cannot, f"it is {kind}", "name a process.yaml file or its folder")
    with os.fdopen(handle, "rb") as file:
        raw = b"" if status.st_size > MAX_BYTES else file.read(MAX_BYTES + 1)
    if status.st_size > MAX_BYTES or len(raw) > MAX_BYTES:
        raise _UnreadableError(
            "LM102",
            "the file is too large",
            f"{max(status.st_size, MAX_BYTES + 1):,} bytes; the limit is {MAX_BYTES:,}",
            "split the package, or move data out of the declaration",
        )
    return raw


def parse_document(raw: bytes, name: str) -> tuple[Document | None, list[Diagnostic], Source]:
    """Build plain data with positions from one YAML document; collect every complaint."""
    if len(raw) > MAX_BYTES:
        detail = f"{len(raw):,} bytes; the limit is {MAX_BYTES:,}"
        fix = "split the package, or move data out of the declaration"
        return (
            None,
            [Diagnostic("LM102", "error", "the file is too large", START, "", detail, fix)],
            Source(name, ""),
        )
    try:
        # a byte order mark has no place of its own
        text = raw.decode("utf-8").lstrip("\ufeff")
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode("utf-8").lstrip("\ufeff")
        line, column = _place(good, len(good))
        detail = f"byte 0x{raw[error.start]:02x} at offset {error.start:,}"
        shown = Source(name, raw.decode("utf-8", "replace").lstrip("\ufeff"))
        span = Span(line, column, line, column + 1)
        fix = "save the file as UTF-8"
        return (
            None,
            [Diagnostic("LM103", "error", "the file is not UTF-8 text", span, "", detail, fix)],
            shown,
        )
    source = Source(name, text)
    separator = None if text.isascii() else _SEPARATOR.search(text)
    if separator:
        return None, [_control(source, separator.start())], source
    builder = Builder(source)
    try:
        builder.build()
    except yaml.YAMLError as error:
        builder.found.append(_syntax(error, source))
        return None, builder.found, source
    except StopError:
        return None, builder.found, source
    return Document(source, builder.data, tuple(builder.dropped), tuple(builder.nulls)), builder.found, source


def _syntax(error: yaml.YAMLError, source: Source) -> Diagnostic:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(getattr(error, "reason", None) or error).split("\n")[0]
    if mark is None:
        # a reader error names only an offset in the bytes
        before = source.text.encode()[: getattr(error, "position", 0) or 0]
        return _control(source, len(before.decode("utf-8", "ignore")))
    line, column = mark.line + 1, mark.column + 1
    written = source.text.rstrip()
    if not source.text[mark.index :].strip() and written:
        # what is missing at the end is missing after the last word
        line, column = _place(written, len(written))
    shown = source.line(line)
    indent = shown[: len(shown) - len(shown.lstrip())]
    if "\t" in indent or shown[column - 1 : column] == "\t":
        column = shown.index("\t") + 1
        span = Span(line, column, line, column + 1)
        return Diagnostic(
            "LM106",
            "error",
            "a tab is used for indentation",
            span,
            "",
            "YAML indents with spaces",
            "use spaces",
        )
    context = getattr(error, "context", None)
    detail = f"{problem} {context}".strip() if context else str(problem)
    fix = "check quotes, colons, brackets and indentation just before this place"
    end = min(column + 1, len(source.line(line)) + 1)
    return Diagnostic(
        "LM105", "error", "the file is not valid YAML", Span(line, column, line, end), "", detail, fix
    )


def _control(source: Source, offset: int) -> Diagnostic:
    line, column = _place(source.text, offset)
    span = Span(line, column, line, column + 1)
    character = source.text[offset : offset + 1]
    detail = f"U+{ord(character):04X} is not allowed" if character else "it is at the end"
    fix = "remove it, or write it as an escape inside double quotes"
    return Diagnostic("LM104", "error", "the file holds a control character", span, "", detail, fix)


def _place(text: str, offset: int) -> tuple[int, int]:
    """The line and the column of an offset, as editors count them."""
    ends = [found.end() for found in _LINE_BREAK.finditer(text, 0, offset)]
    return len(ends) + 1, offset - (ends[-1] if ends else 0) + 1


def walk(data: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every node of plain data with its key path, parents first, without recursion."""
    pending: list[tuple[KeyPath, Any]] = [(path, data)]
    while pending:
        here, node = pending.pop()
        yield here, node
        if isinstance(node, dict):
            pending.extend(((*here, key), value) for key, value in reversed(node.items()))
        elif isinstance(node, list):
            pending.extend(((*here, index), node[index]) for index in reversed(range(len(node))))
