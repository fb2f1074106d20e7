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
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs leave it out

from loom.kernel.diagnostics import START, Diagnostic, Edit, KeyPath, Source, Span, dotted
from loom.kernel.positions import Place, locate, span_of

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_COMPLAINTS = 1000
MAX_DIGITS = 300
LARGEST = 10**300

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_INFINITE = (float("inf"), float("-inf"))
_NUMERIC = frozenset("-+.0123456789")
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
    builder = _Builder(source)
    try:
        builder.build()
    except yaml.YAMLError as error:
        builder.found.append(_syntax(error, source))
        return None, builder.found, source
    except _StopError:
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


class _StopError(Exception):
    """Reading cannot go on past this point."""


_KEY = object()  # the next scalar is a key
_ITEM = object()  # the open container is a list
_IGNORED = object()  # the value belongs to a key that was already written


class _Builder:
    """Turns libyaml's events into data; knows nothing about processes, and nothing about positions
    except those it complains about (kernel/positions.py finds the rest when somebody asks)."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: list[Diagnostic] = []
        self.dropped: list[KeyPath] = []
        self.nulls: list[KeyPath] = []
        self.data: Any = None
        # the open containers around the current one, each with the key it waits to fill
        self.stack: list[tuple[Any, Any]] = []

    def build(self) -> None:
        """Consume the whole stream; one long loop because it is the hot path."""
        get_event, stack = CParser(self.source.text).get_event, self.stack
        scalar, map_start, map_end = yaml.ScalarEvent, yaml.MappingStartEvent, yaml.MappingEndEvent
        seq_start, seq_end = yaml.SequenceStartEvent, yaml.SequenceEndEvent
        container: Any = []  # the stream itself, a list of documents
        key: Any = _ITEM
        documents = 0
        while True:
            event: Any = get_event()
            kind = type(event)
            if kind is scalar:
                value = event.value
                if event.anchor is not None or event.tag is not None:
                    self._refuse_properties(event)
                if key is _KEY:
                    if not event.style and (value in _WORDS or (value[0] in _NUMERIC and _is_number(value))):
                        self._refuse_key(event, container)
                    key = value
                    if key in container:
                        self._refuse_duplicate(event, container)
                        key = _IGNORED
                    continue
                if not event.style:
                    if value in _WORDS:
                        value = _WORDS[value]
                        if value is None and key is not _IGNORED:
                            at = len(container) if key is _ITEM else key
                            self.nulls.append((*self._path(container), at))
                    elif value[0] in _NUMERIC:
                        value = self._number(event, container, key)
                if key is _ITEM:
                    container.append(value)
                else:
                    if key is not _IGNORED:
                        container[key] = value
                    key = _KEY
            elif kind is map_start or kind is seq_start:
                if event.anchor is not None or event.tag is not None:
                    self._refuse_properties(event)
                if len(stack) >= MAX_DEPTH:
                    self._fatal(
                        "LM111",
                        event,
                        "the document is nested too deeply",
                        f"more than {MAX_DEPTH} levels",
                        "flatten it",
                    )
                if key is _KEY:
                    self._fatal(
                        "LM112",
                        event,
                        "a key must be text",
                        "a list or mapping cannot be a key",
                        "write a plain word",
                    )
                child: Any = {} if kind is map_start else []
                if key is _ITEM:
                    container.append(child)
                elif key is not _IGNORED:
                    container[key] = child
                stack.append((container, key))
                container, key = child, _KEY if kind is map_start else _ITEM
            elif kind is map_end or kind is seq_end:
                container, key = stack.pop()
                if key is not _ITEM:
                    key = _KEY
            elif kind is yaml.AliasEvent:
                key = self._alias(event, container, key)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self._fatal(
                        "LM110", event, "more than one document in the file", "a second `---`", "keep one"
                    )
            elif kind is yaml.StreamEndEvent:
                break
        if documents == 0 or (container == [None] and not self.found):
            found = Diagnostic(
                "LM113",
                "error",
                "the file is empty",
                START,
                "",
                "nothing is declared",
                "loom process new NAME",
            )
            self.found.append(found)
            raise _StopError
        self.data = container[0] if container else None

    def _alias(self, event: Any, container: Any, key: Any) -> Any:
        """Refuse an alias and leave a hole where it stood; returns what the reader expects next."""
        name = f"`*{event.anchor}`"
        if key is _KEY:
            self._fatal(
                "LM108", event, "aliases are not allowed", f"{name} is used as a key", "write the key out"
            )
        if not self.stack:
            self._fatal("LM108", event, "aliases are not allowed", f"{name} is all there is", "write it out")
        path = self._path(container)
        if key is _ITEM:
            path = (*path, len(container))
            container.append("")
        elif key is not _IGNORED:
            path = (*path, key)
        if key is not _IGNORED:
            self.dropped.append(path)
        self._complain(
            "LM108",
            event,
            "aliases are not allowed",
            f"{name} repeats another node",
            "write the value out",
            path,
        )
        return key if key is _ITEM else _KEY

    def _refuse_properties(self, event: Any) -> None:
        if event.anchor is not None:
            detail = f"`&{event.anchor}` names this node"
            self._complain("LM108", event, "anchors are not allowed", detail, "remove the anchor")
        if event.tag is not None:
            self._complain(
                "LM109",
                event,
                "explicit tags are not allowed",
                f"`{event.tag.replace('tag:yaml.org,2002:', '!!')}` sets a type",
                "remove the tag",
            )

    def _refuse_key(self, event: Any, container: Any) -> None:
        edits = (Edit(span_of(event), f'"{event.value}"'),) if event.value else ()
        fix = f'quote it: "{event.value}"' if event.value else "write a plain word"
        detail = f"`{event.value}` is not text" if event.value else "it is empty"
        path = (*self._path(container), event.value)
        self.dropped.append(path)
        self._complain("LM112", event, "a key must be text", detail, fix, path, edits)

    def _refuse_duplicate(self, event: Any, container: Any) -> None:
        detail = f"`{event.value}` is already written in this mapping"
        fix = "keep one of the two; YAML has no way to say both"
        self._complain("LM107", event, "duplicate key", detail, fix, (*self._path(container), event.value))

    def _number(self, event: Any, container: Any, key: Any) -> Any:
        """What may be a number; one the machine cannot hold is refused and read as zero."""
        written = event.value
        if _NOT_FINITE.match(written):
            message, detail = "the number is not finite", f"`{written}`"
        elif len(written) > MAX_DIGITS and (_INT.match(written) or _FLOAT.match(written)):
            message, detail = "the number is too large", f"{len(written)} digits"
        else:
            value = _resolve(written)
            if not (isinstance(value, int) and abs(value) >= LARGEST) and value not in _INFINITE:
                return value
            message, detail = "the number is too large", f"`{written}` overflows"
        path: KeyPath = ()
        if key is not _IGNORED:
            path = (*self._path(container), len(container) if key is _ITEM else key)
            self.dropped.append(path)
        fix = "write a number the machine can hold, or quote it as text"
        self._complain("LM114", event, message, detail, fix, path)
        return 0

    def _path(self, container: Any) -> KeyPath:
        """The key path of an open container: the last key or index of each one around it."""
        parts = [len(outer) - 1 if key is _ITEM else key for outer, key in self.stack]
        return tuple(part if part is not _IGNORED else "?" for part in parts[1:])

    def _complain(
        self,
        code: str,
        event: Any,
        message: str,
        detail: str,
        fix: str,
        path: KeyPath = (),
        edits: tuple[Edit, ...] = (),
    ) -> None:
        self.found.append(
            Diagnostic(code, "error", message, span_of(event), dotted(path), detail, fix, edits)
        )
        if len(self.found) >= MAX_COMPLAINTS:
            raise _StopError

    def _fatal(self, code: str, event: Any, message: str, detail: str, fix: str) -> None:
        self._complain(code, event, message, detail, fix)
        raise _StopError


def _is_number(written: str) -> bool:
    return bool(_INT.match(written) or _FLOAT.match(written) or _NOT_FINITE.match(written))


def _resolve(written: str) -> Any:
    """YAML 1.2 core schema: integers and floats; everything else is text."""
    if _INT.match(written):
        bases = {"0o": 8, "0x": 16}
        base = bases.get(written[:2], 10)
        return int(written[2:] if base != 10 else written, base)
    return float(written) if _FLOAT.match(written) else written


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
