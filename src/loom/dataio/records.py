"""Bytes into blocks of whole records: a block never ends inside a row, also where a cell holds a line end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 4 * 1024 * 1024
MAX_RECORD_BYTES = 256 * 1024 * 1024

_QUOTE, _CR, _LF = ord('"'), ord("\r"), ord("\n")


class ByteStream(Protocol):
    """Something that gives bytes, fewer than asked for only at its end."""

    def read(self, size: int, /) -> bytes:
        """The next bytes; none at the end."""


class UnclosedQuoteError(ValueError):
    """A quote was opened and the data ended, or went on for too long, before it closed."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited file is written: what parts its cells and what ends its rows."""

    delimiter: bytes
    newline: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole records and where in the stream they begin."""

    start: int
    body: bytes


def record_blocks(
    stream: ByteStream, dialect: Dialect, start: int = 0, size: int = BLOCK_BYTES
) -> Iterator[Block]:
    """The stream in blocks of whole records, in order, none much larger than `size` unless a record is."""
    carry = b""
    while True:
        chunk = _read_fully(stream, size)
        data = carry + chunk if carry else chunk
        if not chunk:
            break
        end = record_end(data, dialect)
        if end:
            yield Block(start, data[:end] if end < len(data) else data)
            start += end
        elif len(data) > MAX_RECORD_BYTES:
            raise UnclosedQuoteError(start)
        carry = data[end:]
    if carry:
        if b'"' in carry and _is_open(carry, dialect):
            raise UnclosedQuoteError(start)
        yield Block(start, carry)


def record_end(data: bytes, dialect: Dialect) -> int:
    """Where the last complete record of the data ends; 0 where none does."""
    newline = dialect.newline
    end = data.rfind(newline) + len(newline)
    if end < len(newline):
        return 0
    if b'"' not in data:
        return end
    quotes = _quotes(data)
    if has_stray_quotes(data, quotes, dialect):
        return _exact_end(data, dialect)
    while True:
        before = int(np.searchsorted(quotes, end))
        if before % 2 == 0:
            return end
        # the line end stands inside a quoted cell: look before the quote that opened it
        found = data.rfind(newline, 0, int(quotes[before - 1]))
        if found < 0:
            return 0
        end = found + len(newline)


def has_stray_quotes(data: bytes, quotes: NDArray[np.int64], dialect: Dialect) -> bool:
    """Whether a quote stands where it neither opens, closes nor doubles: then counting them proves nothing."""
    view = np.frombuffer(data, np.uint8)
    borders = np.zeros(256, bool)
    borders[[dialect.delimiter[0], _CR, _LF, _QUOTE]] = True
    opens, closes = quotes[0::2], quotes[1::2]
    opens = opens[opens > 0]
    closes = closes[closes < len(data) - 1]
    return not (borders[view[opens - 1]].all() and borders[view[closes + 1]].all())


def outside_quotes(data: bytes, positions: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which positions do not stand inside a quoted cell, by counting the quotes before them."""
    return np.asarray(np.searchsorted(_quotes(data), positions) % 2 == 0)


def _quotes(data: bytes) -> NDArray[np.int64]:
    return np.flatnonzero(np.frombuffer(data, np.uint8) == _QUOTE)


def _is_open(data: bytes, dialect: Dialect) -> bool:
    quotes = _quotes(data)
    if not has_stray_quotes(data, quotes, dialect):
        return len(quotes) % 2 == 1
    return any(cell["open"] is not None for cell in cells(data, dialect))


def _exact_end(data: bytes, dialect: Dialect) -> int:
    """Walk cell by cell, as a parser does: a quote counts only at the start of a cell."""
    end = 0
    for cell in cells(data, dialect):
        if cell["end"] == dialect.newline:
            end = cell.end()
    return end


def cells(data: bytes, dialect: Dialect) -> Iterator[re.Match[bytes]]:
    """Cell by cell with the sign that ends it (`end`), as a parser walks: exact, and slow."""
    part, line = re.escape(dialect.delimiter), re.escape(dialect.newline)
    plain = rb"(?:(?!" + part + rb"|" + line + rb")[\s\S])*+"
    quoted = rb'"(?:[^"]|"")*+(?:"' + plain + rb"|(?P<open>\Z))"
    cell = re.compile(rb"(?:" + quoted + rb"|" + plain + rb")(?P<end>" + part + rb"|" + line + rb"|\Z)")
    position = 0
    while position < len(data) and (found := cell.match(data, position)) is not None:
        yield found
        position = found.end()


def _read_fully(stream: ByteStream, size: int) -> bytes:
    """As many bytes as asked for: a pipe or a decompressor may give fewer at a time."""
    first = stream.read(size)
    if len(first) == size or not first:
        return first
    parts, missing = [first], size - len(first)
    while missing and (more := stream.read(missing)):
        parts.append(more)
        missing -= len(more)
    return b"".join(parts)
