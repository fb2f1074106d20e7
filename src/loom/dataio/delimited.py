"""Delimited text: the header first, then blocks of rows whose cells are still the text that was written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from loom.dataio.addresses import Compression
from loom.dataio.records import (
    Block,
    ByteStream,
    Dialect,
    UnclosedQuoteError,
    cells,
    record_blocks,
    record_end,
)
from loom.dataio.refusals import check_names, explain, has_mixed_line_ends, refuse_name, unclosed
from loom.kernel.errors import LoomError

HEAD_BYTES = 1024 * 1024
BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_CANDIDATES = (b",", b";", b"\t", b"|")


class BadBlockError(ValueError):
    """A block that cannot be read; `Delimited.explain` says which row and column is to blame."""


@dataclass(frozen=True, slots=True)
class Delimited:
    """A delimited file whose header was read: its columns, its dialect and where its rows begin."""

    path: Path
    shown: str
    compression: Compression | None
    dialect: Dialect
    names: tuple[str, ...]
    body_start: int
    missing: tuple[str, ...] = ()
    quoted_is_missing: bool = True

    def blocks(self) -> Iterator[Block]:
        """The rows, in blocks of whole records."""
        with closing(open_stream(self.path, self.shown, self.compression)) as stream:
            try:
                _skip(stream, self.body_start)
                yield from record_blocks(stream, self.dialect, self.body_start)
            except UnclosedQuoteError:
                raise unclosed(self.shown) from None
            except (OSError, pa.ArrowException) as error:
                raise broken(self.shown, error) from None

    def parse(self, block: bytes, columns: Sequence[str] | None = None) -> pa.RecordBatch | None:
        """The cells of a block as text, empty cells as missing; None when it holds only blank lines."""
        if b"\0" in block or has_mixed_line_ends(block, self.dialect):
            raise BadBlockError
        several = len(self.names) > 1
        if several and block[:1] in (b"\r", b"\n") and not block.strip(b"\r\n"):
            return None
        try:
            table = pacsv.read_csv(
                pa.py_buffer(block),
                read_options=pacsv.ReadOptions(
                    column_names=list(self.names),
                    use_threads=False,
                    block_size=min(len(block) + 1, 2**31 - 1),
                ),
                parse_options=pacsv.ParseOptions(
                    delimiter=self.dialect.delimiter.decode(),
                    newlines_in_values=b'"' in block,
                    # the only cell of a one-column row may be empty, and is a row all the same
                    ignore_empty_lines=several,
                ),
                convert_options=pacsv.ConvertOptions(
                    column_types={name: pa.string() for name in self.names},
                    strings_can_be_null=True,
                    null_values=["", *self.missing],
                    quoted_strings_can_be_null=self.quoted_is_missing,
                    check_utf8=not block.isascii(),
                    include_columns=None if columns is None else list(columns),
                ),
            )
        except (pa.ArrowInvalid, UnicodeDecodeError):
            raise BadBlockError from None
        batches = table.combine_chunks().to_batches()
        return batches[0] if batches else None

    def explain(self, block: Block, first_row: int) -> LoomError:
        """Why a block cannot be read, naming the row and the column."""
        return explain(self.shown, self.names, self.dialect, block, first_row)


def open_delimited(
    path: Path,
    shown: str,
    compression: Compression | None,
    *,
    tabs: bool = False,
    missing: Sequence[str] = (),
) -> Delimited:
    """Read the header; a file without rows, or with columns that cannot be told apart, is refused."""
    with closing(open_stream(path, shown, compression)) as stream:
        try:
            head = _read(stream, HEAD_BYTES)
        except (OSError, pa.ArrowException) as error:
            raise broken(shown, error) from None
    if head.startswith(_WIDE):
        why, fix = "it begins as UTF-16 text does", f"iconv -f UTF-16 -t UTF-8 {shown} > utf8.csv"
        raise refuse_name(shown, 1, why, fix)
    start = len(BOM) if head.startswith(BOM) else 0
    while head[start : start + 1] in (b"\r", b"\n"):
        start += 1
    if not head[start:].strip():
        why = "it has no row 0 (the header), so there are no columns"
        raise LoomError(f"{shown} is empty", why, "export the table again")
    newline = _newline(head, start)
    dialect = Dialect(b"\t" if tabs else _delimiter(head[start:], newline), newline)
    end = _header_end(head, start, dialect, shown)
    names = check_names(_names(head[start:end], dialect, shown), shown)
    if not head[end:].strip(b"\r\n") and len(head) < HEAD_BYTES and (len(names) > 1 or not head[end:]):
        raise no_rows(shown)
    return Delimited(path, shown, compression, dialect, names, end, tuple(missing))


def no_rows(shown: str) -> LoomError:
    """The refusal of a table that has columns and nothing in them."""
    return LoomError(
        f"{shown} has no rows", "it ends after row 0 (the header)", "export the table with its rows"
    )


def open_stream(path: Path, shown: str, compression: Compression | None) -> Any:
    """The bytes of a file, decompressed on the way."""
    try:
        return pa.input_stream(str(path), compression=compression)
    except (OSError, pa.ArrowException) as error:
        raise broken(shown, error) from None


def broken(shown: str, error: BaseException) -> LoomError:
    """The refusal of a file that ends early or is not what its name says."""
    why = str(error).partition("\n")[0].partition(". Detail:")[0].lower()[:200]
    return LoomError(f"{shown} cannot be read to its end", why, "fetch or write the file again")


def _skip(stream: ByteStream, count: int) -> None:
    while count > 0 and (skipped := len(stream.read(min(count, HEAD_BYTES)))):
        count -= skipped


def _read(stream: ByteStream, size: int) -> bytes:
    parts: list[bytes] = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _newline(head: bytes, start: int) -> bytes:
    """The line end that stands first outside quotes."""
    quoted = False
    for index in range(start, len(head)):
        byte = head[index]
        if byte == 0x22:
            quoted = not quoted
        elif not quoted and byte == 0x0A:
            return b"\n"
        elif not quoted and byte == 0x0D:
            return b"\r\n" if head[index + 1 : index + 2] == b"\n" else b"\r"
    return b"\n"


def _header_end(head: bytes, start: int, dialect: Dialect, shown: str) -> int:
    position = start
    while (found := head.find(dialect.newline, position)) >= 0:
        position = found + len(dialect.newline)
        if record_end(head[start:position], dialect) == position - start:
            return position
    if len(head) < HEAD_BYTES:
        return len(head)
    raise unclosed(shown, 0)


def _delimiter(head: bytes, newline: bytes) -> bytes:
    """A comma, unless the header has none and another sign parts it."""
    line = head.partition(newline)[0]
    counts = {sign: line.count(sign) for sign in _CANDIDATES}
    if counts[b","]:
        return b","
    best = max(_CANDIDATES, key=lambda sign: counts[sign])
    return best if counts[best] else b","


def _names(header: bytes, dialect: Dialect, shown: str) -> list[str]:
    names = []
    for position, cell in enumerate(cells(header.rstrip(b"\r\n"), dialect), 1):
        raw = header[cell.start() : cell.start("end")]
        if b"\0" in raw:
            raise refuse_name(
                shown, position, "its name holds a NUL byte", f"tr -d '\\000' < {shown} > clean.csv"
            )
        try:
            name = raw.decode("utf-8")
        except UnicodeDecodeError:
            fix = f"iconv -f LATIN1 -t UTF-8 {shown} > utf8.csv"
            raise refuse_name(shown, position, "its name is not UTF-8 text", fix) from None
        names.append(name[1:-1].replace('""', '"') if len(name) > 1 and name[0] == name[-1] == '"' else name)
    if header.rstrip(b"\r\n").endswith(dialect.delimiter):
        names.append("")
    return names
