"""JSON lines into tables: every line is looked at before a type is decided."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import polars as pl
import pyarrow as pa

from loom.dataio.addresses import Compression
from loom.dataio.columnar import collect
from loom.dataio.delimited import BOM, broken, open_stream
from loom.dataio.records import BLOCK_BYTES, MAX_RECORD_BYTES
from loom.dataio.refusals import check_names
from loom.dataio.spool import Spool
from loom.dataio.table import Table
from loom.dataio.typing import Decision, Evidence, convert, examine, notes
from loom.kernel.errors import LoomError

_WIDEST = pl.Int128()
_EXACT = 2**53
# a NUL or a part of a character that takes two escapes: what polars does not refuse
_ODD_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_PYTHON: dict[type, pl.DataType] = {
    bool: pl.Boolean(),
    float: pl.Float64(),
    str: pl.String(),
    type(None): pl.Null(),
}


def read_jsonl(path: Path, shown: str, compression: Compression | None, scratch: Path) -> Table:
    """One object per line; keys are columns, and a key that a line leaves out is missing there."""
    types: dict[str, pl.DataType] = {}
    mixed: dict[str, int] = {}
    row = 0
    for block in _blocks(path, shown, compression):
        found, lines = _types_in(block, shown, row)
        for name, dtype in found.items():
            union = _union(types.get(name, pl.Null()), dtype)
            if union is None:
                mixed.setdefault(name, row + 1)
            types[name] = union or pl.String()
        row += lines
    if not row:
        raise LoomError(f"{shown} is empty", "it has no row 1", "export the table again")
    names = check_names(list(types), shown)
    # what exceeds 64 bits has no number type of its own here
    schema = {name: pl.String() if dtype == _WIDEST else dtype for name, dtype in types.items()}
    schema = {name: pl.String() if dtype == pl.Null else dtype for name, dtype in schema.items()}

    decimals = [name for name, dtype in schema.items() if dtype.is_float()]
    large: set[str] = set()

    def batches() -> Iterator[pa.RecordBatch]:
        for block in _blocks(path, shown, compression):
            try:
                frame = pl.read_ndjson(io.BytesIO(block), schema=schema)[names]
            except pl.exceptions.PolarsError:
                raise _unreadable(shown, None, "its lines cannot be told apart") from None
            large.update(
                name for name in decimals if bool((frame[name].alias("cells").abs() >= _EXACT).any())
            )
            yield from frame.to_arrow(compat_level=pl.CompatLevel.oldest()).to_batches()

    kept = pl.DataFrame(schema=schema).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    table = collect(batches(), kept, shown, scratch / "lines")
    for name, start in mixed.items():
        table.warnings.append(
            f"column `{name}` holds values of several types (from row {start:,} on); kept as text"
        )
    for name, dtype in types.items():
        if name in large:
            table.warnings.append(f"column `{name}`: whole numbers beyond 2^53 may be rounded")
        if dtype == _WIDEST:
            table.warnings.append(f"column `{name}` is kept as text: whole numbers exceed 64 bits")
    return with_dates(table, scratch / "dates")


def with_dates(table: Table, scratch: Path) -> Table:
    """The same table, where columns of text that hold nothing but dates hold dates."""
    texts = [
        item.name for item in table.schema if pa.types.is_string(item.type) and item.name not in table.levels
    ]
    evidence = {name: Evidence() for name in texts}
    settled: set[str] = set()
    for batch in table.batches(texts):
        for name in texts:
            if name in settled:
                continue
            found = examine(cast("pl.Series", pl.from_arrow(batch.column(name))))
            evidence[name].add(found)
            if found["other"] or found["integer"] or found["float"] or found["boolean"]:
                settled.add(name)  # some cell is no date, so the column is none
    decided = {name: evidence[name].decide(only_dates=True) for name in texts if name not in settled}
    dates = {name: decision for name, decision in decided.items() if decision.kind == "date"}
    for name, decision in decided.items():
        if evidence[name]["date"] or decision.kind == "empty":
            table.warnings.extend(notes(name, evidence[name], decision))
    return _converted(table, dates, scratch) if dates else table


def _converted(table: Table, dates: dict[str, Decision], scratch: Path) -> Table:
    schema = pa.schema(
        [(item.name, dates[item.name].type if item.name in dates else item.type) for item in table.schema]
    )
    spool = Spool(scratch)
    for batch in table.batches():
        arrays = [
            convert(cast("pl.Series", pl.from_arrow(array)), dates[name]).to_arrow().cast(dates[name].type)
            if name in dates
            else array
            for name, array in zip(batch.schema.names, batch.columns, strict=True)
        ]
        spool.append(pa.record_batch(arrays, schema=schema))
    return Table(table.shown, schema, spool, table.levels, table.warnings)


def _blocks(path: Path, shown: str, compression: Compression | None) -> Iterator[bytes]:
    """The lines in blocks; JSON has no line ends inside its texts."""
    with closing(open_stream(path, shown, compression)) as stream:
        carry, first = b"", True
        while True:
            try:
                chunk = stream.read(BLOCK_BYTES)
            except (OSError, pa.ArrowException) as error:
                raise broken(shown, error) from None
            if not chunk:
                break
            data = (carry + chunk).removeprefix(BOM if first else b"")
            end = data.rfind(b"\n") + 1
            if data[:end].strip():
                yield data[:end]
            carry, first = data[end:], False
            if len(carry) > MAX_RECORD_BYTES:
                raise _unreadable(shown, None, "a line has no end")
    if carry.strip():
        yield carry


def _types_in(block: bytes, shown: str, row: int) -> tuple[dict[str, pl.DataType], int]:
    """The type of each key in some lines, and how many lines there are."""
    if _ODD_ESCAPE.search(block):
        return _types_line_by_line(block, shown, row)
    try:
        frame = pl.read_ndjson(io.BytesIO(block), infer_schema_length=None)
    except pl.exceptions.PolarsError:
        return _types_line_by_line(block, shown, row)
    if any(dtype.is_nested() for dtype in frame.schema.values()):
        return _types_line_by_line(block, shown, row)
    return cast("dict[str, pl.DataType]", dict(frame.schema)), len(frame)


def _types_line_by_line(block: bytes, shown: str, row: int) -> tuple[dict[str, pl.DataType], int]:
    types: dict[str, pl.DataType] = {}
    lines = [line for line in block.split(b"\n") if line.strip()]
    for number, line in enumerate(lines, row + 1):
        try:
            values = json.loads(line, parse_constant=_no_constant, object_pairs_hook=_Pairs)
        except (ValueError, RecursionError) as error:
            column = getattr(error, "pos", None)
            why = "it is not one JSON object" + (f" (character {column + 1})" if column is not None else "")
            raise _unreadable(shown, number, why) from None
        if not isinstance(values, _Pairs):
            raise _unreadable(shown, number, "it is no object")
        seen: set[str] = set()
        for name, value in values:
            if name in seen:
                raise _unreadable(shown, number, f"it has the key `{name}` twice")
            seen.add(name)
            wrong = _wrong_with(value)
            if wrong is not None:
                raise LoomError(
                    f"{shown}: row {number:,}, column `{name}` cannot be kept",
                    wrong,
                    "write one number, truth value or text, or leave the column out",
                )
            union = _union(types.get(name, pl.Null()), _type_of(value))
            types[name] = union or pl.String()
    return types, len(lines)


class _Pairs(list[tuple[str, Any]]):
    """The keys and values of an object as they are written."""


def _wrong_with(value: object) -> str | None:
    """Why a value cannot be a cell, if it cannot."""
    if isinstance(value, list):
        return "it holds a list or an object, not one value"
    if isinstance(value, float) and not math.isfinite(value):
        return "the number in it is too large"
    if isinstance(value, str):
        if "\0" in value:
            return "it holds a NUL character, which no text does"
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            return "it holds half of a character"
    return None


def _unreadable(shown: str, row: int | None, why: str) -> LoomError:
    what = f"{shown} cannot be read" if row is None else f"{shown}: row {row:,} cannot be read"
    return LoomError(what, why, "write one object per line")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _type_of(value: object) -> pl.DataType:
    if type(value) is int:
        return pl.Int64() if -(2**63) <= value < 2**63 else _WIDEST
    return _PYTHON[type(value)]


def _union(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    """The type that holds both without loss; None where only text does."""
    if one == other or other == pl.Null:
        return one
    if one == pl.Null:
        return other
    if one.is_integer() and other.is_integer():
        return _WIDEST
    if one.is_numeric() and other.is_numeric():
        return pl.Float64()
    return None
