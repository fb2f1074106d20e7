"""A CSV or TSV table: read whole, checked for shape, summed up by column."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Cell = str | int | float | bool | None

MAX_COLUMNS = 1_000
MAX_DISTINCT = 10_000
_DELIMITERS = {".csv": ",", ".tsv": "\t"}


class TableError(ValueError):
    """What is wrong with a table, by row and column."""


@dataclass(frozen=True, slots=True)
class Table:
    """Column names and rows of text."""

    columns: tuple[str, ...]
    rows: list[list[str]]


def delimiter_of(path: Path) -> str:
    """The sign between cells, by the ending of the name."""
    found = _DELIMITERS.get(path.suffix.lower())
    if found is None:
        raise TableError(f"{path.name} does not end in .csv or .tsv")
    return found


def read_table(content: bytes, delimiter: str) -> Table:
    """The table in a file; TableError names the row that does not fit."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TableError(f"line {line} is not UTF-8 text") from None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    columns: tuple[str, ...] = ()
    try:
        for row in reader:
            if not row:
                continue
            if not columns:
                columns = check_columns(row)
            elif len(row) != len(columns):
                raise TableError(f"line {reader.line_num} has {len(row)} cells, not {len(columns)}")
            else:
                rows.append(row)
    except csv.Error as error:
        raise TableError(f"line {reader.line_num}: {error}") from None
    if not columns:
        raise TableError("it has no header line")
    return Table(columns, rows)


def check_columns(names: Sequence[str]) -> tuple[str, ...]:
    """Column names that can be told apart."""
    stripped = tuple(name.strip() for name in names)
    if not 0 < len(stripped) <= MAX_COLUMNS:
        raise TableError(f"a table has 1 to {MAX_COLUMNS:,} columns, not {len(stripped):,}")
    for index, name in enumerate(stripped):
        if not name:
            raise TableError(f"column {index + 1} has no name")
        if name in stripped[:index]:
            raise TableError(f"two columns are called {name}")
    return stripped


def lay_out(columns: Sequence[str], rows: Sequence[Sequence[Cell] | Mapping[str, Cell]]) -> list[list[str]]:
    """Rows as text in the order of the columns, given as lists or by column name."""
    laid = []
    for number, row in enumerate(rows, 1):
        if isinstance(row, Mapping):
            unknown = [name for name in row if name not in columns]
            if unknown:
                raise TableError(f"row {number}: there is no column {unknown[0]}")
            cells: list[Cell] = [row.get(name) for name in columns]
        else:
            if len(row) != len(columns):
                raise TableError(f"row {number} has {len(row)} cells, not {len(columns)}")
            cells = list(row)
        laid.append([_written(cell) for cell in cells])
    return laid


def write_rows(rows: Sequence[Sequence[str]], delimiter: str) -> bytes:
    """Rows as they stand in a file."""
    lines = [delimiter.join(_quoted(cell, delimiter, alone=len(row) == 1) for cell in row) for row in rows]
    return "".join(line + "\n" for line in lines).encode("utf-8", "surrogatepass")


def _quoted(cell: str, delimiter: str, alone: bool) -> str:
    # the writer of the standard library leaves a lone carriage return bare, and its reader ends the row there
    if any(sign in cell for sign in (delimiter, '"', "\r", "\n")) or (alone and not cell):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def summarise(table: Table) -> list[dict[str, Any]]:
    """Per column: empty cells, distinct values, and for numbers their range, sum and mean."""
    return [_column(name, [row[index] for row in table.rows]) for index, name in enumerate(table.columns)]


def _column(name: str, cells: Sequence[str]) -> dict[str, Any]:
    filled = [cell for cell in (each.strip() for each in cells) if cell]
    distinct = set(filled)
    found: dict[str, Any] = {
        "name": name,
        "count": len(filled),
        "empty": len(cells) - len(filled),
        "distinct": min(len(distinct), MAX_DISTINCT),
    }
    numbers = [_number(cell) for cell in filled]
    if filled and all(number is not None for number in numbers):
        values = [number for number in numbers if number is not None]
        total = math.fsum(values)
        found |= {
            "type": "number",
            "min": min(values),
            "max": max(values),
            "sum": total,
            "mean": total / len(values),
        }
    else:
        found["type"] = "text" if filled else "empty"
    return found


def _number(cell: str) -> float | None:
    # `00501` is a code: its zeros would be lost
    if (cell[0] == "0" and cell[1:2].isdigit()) or "_" in cell:
        return None
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return repr(cell) if isinstance(cell, float) else str(cell)
