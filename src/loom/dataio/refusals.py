"""Why a table is refused, with the row and the column: the slow look that only bad input gets.

Rows are counted from 1 below the header, which is row 0. No message repeats what a cell holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from loom.dataio.records import Block, Dialect, cells, outside_quotes
from loom.kernel.errors import LoomError

_CR, _LF = ord("\r"), ord("\n")


def has_mixed_line_ends(body: bytes, dialect: Dialect) -> bool:
    """Whether a row ends otherwise than the header did; line ends inside quoted cells do not count."""
    return _odd_line_end(body, dialect) is not None


def explain(shown: str, names: Sequence[str], dialect: Dialect, block: Block, first_row: int) -> LoomError:
    """Find the row and the column that the parser stumbled over."""
    body = block.body
    found = body.find(b"\0")
    if found >= 0:
        where = _where(shown, names, dialect, body, found, first_row)
        return LoomError(
            where, "a cell holds a NUL byte, which no text does", f"tr -d '\\000' < {shown} > clean.csv"
        )
    odd = _odd_line_end(body, dialect)
    if odd is not None:
        where = _where(shown, names, dialect, body, odd, first_row)
        why = f"line ends are mixed: the header ends with {_spoken(dialect.newline)}, this row does not"
        return LoomError(where, why, f"sed 's/\\r$//' {shown} > clean.csv")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        where = _where(shown, names, dialect, body, error.start, first_row)
        why = f"byte 0x{body[error.start]:02x} is not UTF-8 text"
        return LoomError(where, why, f"iconv -f LATIN1 -t UTF-8 {shown} > utf8.csv")
    for row, width in _widths(body, dialect, len(names)):
        if width != len(names):
            return ragged(shown, names, first_row + row, width)
    return LoomError(
        f"{shown} cannot be read in the rows from {first_row + 1} on",
        "its cells cannot be told apart",
        "write it again with a CSV library",
    )


def ragged(shown: str, names: Sequence[str], row: int, width: int) -> LoomError:
    """The refusal of a row that is too short or too long."""
    if width < len(names):
        place = f"nothing stands in column {width + 1}, `{names[width]}`"
    else:
        place = f"what follows column {len(names)}, `{names[-1]}`, has no name"
    what = f"{shown}: row {row} has {width} {'cell' if width == 1 else 'cells'}, not {len(names)}"
    return LoomError(what, place, f"complete or quote that row (line {row + 1} if no cell spans lines)")


def refuse_name(shown: str, position: int, why: str, fix: str) -> LoomError:
    """The refusal of a column's name."""
    return LoomError(f"{shown}: row 0 (the header), column {position} cannot be used", why, fix)


def check_names(names: Sequence[str], shown: str) -> tuple[str, ...]:
    """The names as they are, when every column has one of its own."""
    seen: dict[str, int] = {}
    for position, name in enumerate(names, 1):
        if not name.strip():
            raise refuse_name(shown, position, "it has no name", "give every column a name in the first row")
        if name.startswith("__loom_"):
            raise refuse_name(shown, position, "names that begin with __loom_ are Loom's own", "rename it")
        if name in seen:
            why = f"`{name}` is already the name of column {seen[name]}"
            raise refuse_name(shown, position, why, "rename one of the two")
        seen[name] = position
    return tuple(names)


def changed(shown: str) -> LoomError:
    """The refusal of a file that somebody writes at the same time."""
    why = "its size or its rows are not what they were at the beginning"
    return LoomError(f"{shown} changed while it was read", why, "try again when nobody writes to it")


def unclosed(shown: str, row: int | None = None) -> LoomError:
    """The refusal of a quote without an end."""
    what = f"{shown}: a quote is opened{'' if row is None else f' in row {row}'} and never closed"
    return LoomError(
        what, "everything after it would be one cell", "close the quote, or double it inside a cell"
    )


def _odd_line_end(body: bytes, dialect: Dialect) -> int | None:
    """Where the first line end of another kind stands, if one does."""
    newline = dialect.newline
    if newline == b"\n" and b"\r" not in body:
        return None
    view = np.frombuffer(body, np.uint8)
    carriage, feed = np.flatnonzero(view == _CR), np.flatnonzero(view == _LF)
    if newline == b"\r\n":
        if len(carriage) == len(feed) and bool((carriage + 1 == feed).all()):
            return None
        odd = np.union1d(np.setdiff1d(carriage, feed - 1), np.setdiff1d(feed, carriage + 1))
    else:
        odd = carriage if newline == b"\n" else feed
    odd = odd[outside_quotes(body, odd)]
    return int(odd[0]) if len(odd) else None


def _where(
    shown: str, names: Sequence[str], dialect: Dialect, body: bytes, position: int, first_row: int
) -> str:
    row, column = first_row + 1, 0
    for cell in cells(body, dialect):
        if cell.end() > position:
            break
        column += 1
        if cell["end"] == dialect.newline:
            blank = column == 1 and cell.start("end") == cell.start() and len(names) > 1
            row, column = row + (not blank), 0
    name = f"column {column + 1}" + (f", `{names[column]}`" if column < len(names) else "")
    return f"{shown}: row {row}, {name} cannot be read"


def _widths(body: bytes, dialect: Dialect, expected: int) -> Iterator[tuple[int, int]]:
    """The number of cells of each row, blank lines left out."""
    row, width, start = 1, 0, 0
    for cell in cells(body, dialect):
        width += 1
        if cell["end"] == dialect.delimiter and cell.end() < len(body):
            continue
        if cell["end"] == dialect.delimiter:
            width += 1  # the block ends right behind a delimiter: an empty cell follows
        blank = width == 1 and cell.start("end") == start and expected > 1
        if not blank:
            yield row, width
            row += 1
        width, start = 0, cell.end()


def _spoken(newline: bytes) -> str:
    return {b"\n": "LF", b"\r\n": "CR LF", b"\r": "CR"}[newline]
