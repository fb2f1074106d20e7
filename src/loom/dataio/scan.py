"""Delimited files into typed tables in one pass, with the types of all their cells.

A look at some places of the file says which types to expect. Every block proves or refutes them; what was
refuted is settled afterwards from the evidence of all blocks, and only then is anything read twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import polars as pl
import pyarrow as pa

from loom.dataio.delimited import BadBlockError, Delimited, no_rows
from loom.dataio.ordered import in_order
from loom.dataio.quick import type_column
from loom.dataio.records import Block, record_end
from loom.dataio.refusals import changed
from loom.dataio.spool import Spool
from loom.dataio.table import Table
from loom.dataio.typing import Decision, Evidence, convert, examine, notes

_HEAD, _WINDOW, _WINDOWS = 128 * 1024, 32 * 1024, 5


@dataclass(slots=True)
class _Part:
    """One file on its way to a table."""

    file: Delimited
    spool: Spool
    evidence: dict[str, Evidence]


def scan(
    files: Sequence[Delimited], scratch: Path, fixed: Mapping[str, Decision] | None = None
) -> list[Table]:
    """Read files that share their types: a column has the type that loses nothing in any of them."""
    expected = _expect(files) | dict(fixed or {})
    parts = [_pass(file, expected, scratch / f"scan-{index}") for index, file in enumerate(files)]
    total: dict[str, Evidence] = {}
    for part in parts:
        for name, evidence in part.evidence.items():
            total.setdefault(name, Evidence()).add(evidence)
    decided = {name: evidence.decide() for name, evidence in total.items()}
    # a declared type holds as long as no cell speaks against it: databases know moments that no type has
    decided |= {name: decision for name, decision in (fixed or {}).items() if total[name].allows(decision)}
    tables = []
    for index, part in enumerate(parts):
        spool = _settled(part, decided, scratch / f"settled-{index}")
        schema = pa.schema([(name, decided[name].type) for name in part.file.names])
        said = [line for name in part.file.names for line in notes(name, part.evidence[name], decided[name])]
        tables.append(Table(part.file.shown, schema, spool, warnings=said))
    return tables


def _pass(file: Delimited, expected: Mapping[str, Decision], folder: Path) -> _Part:
    """Every block in the expected types, or as text where it refutes them."""
    part = _Part(file, Spool(folder), {name: Evidence() for name in file.names})

    def work(block: Block) -> tuple[pa.RecordBatch, list[Evidence]] | None:
        cells = file.parse(block.body)
        if cells is None:
            return None
        typed = [type_column(cells.column(name), expected[name]) for name in file.names]
        return pa.record_batch([array for array, _ in typed], list(file.names)), [found for _, found in typed]

    for block, result in in_order(work, file.blocks()):
        try:
            read = result()
        except BadBlockError:
            raise file.explain(block, part.spool.rows) from None
        if read is None:
            continue
        batch, found = read
        part.spool.append(batch)
        for evidence, one in zip(part.evidence.values(), found, strict=True):
            evidence.add(one)
    if not part.spool.rows:
        raise no_rows(file.shown)
    return part


def _settled(part: _Part, decided: Mapping[str, Decision], folder: Path) -> Spool:
    """The rows in their final types; text is read again only for a column whose text was not kept."""
    types = {name: decided[name].type for name in part.file.names}
    lost: set[str] = set()
    differs = False
    for batch in part.spool.batches():
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            if array.type != types[name]:
                differs = True
                if not _is_settled_without_text(array, decided[name]):
                    lost.add(name)
    if not differs:
        return part.spool
    spool = Spool(folder)
    texts = _texts(part.file, [name for name in part.file.names if name in lost])
    for batch in part.spool.batches():
        text = next(texts, None) if lost else None
        if lost and (text is None or text.num_rows != batch.num_rows):
            raise changed(part.file.shown)
        arrays = []
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            if array.type == types[name]:
                arrays.append(array)
            elif text is not None and name in lost:
                arrays.append(_convert(text.column(name), decided[name]))
            else:
                arrays.append(_convert(array, decided[name]))
        spool.append(pa.record_batch(arrays, list(part.file.names)))
    return spool


def _is_settled_without_text(array: pa.Array, decision: Decision) -> bool:
    if len(array) == array.null_count or pa.types.is_string(array.type):
        return True
    return decision.kind in ("float", "unsigned") and pa.types.is_integer(array.type)


def _convert(array: pa.Array, decision: Decision) -> pa.Array:
    if len(array) == array.null_count:
        return pa.nulls(len(array), decision.type)
    if pa.types.is_integer(array.type):
        return array.cast(decision.type, safe=False)
    return convert(cast("pl.Series", pl.from_arrow(array)), decision).to_arrow().cast(decision.type)


def _texts(file: Delimited, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The cells of some columns as they were written, block by block as in the first pass."""
    for _, result in in_order(lambda block: file.parse(block.body, columns), file.blocks()):
        text = result()
        if text is not None:
            yield text


def _expect(files: Sequence[Delimited]) -> dict[str, Decision]:
    """A first guess from some places in the files; wrong guesses cost time only."""
    found: dict[str, Evidence] = {}
    for file in files:
        batches = []
        for piece in _places(file):
            try:
                batches.append(file.parse(piece))
            except BadBlockError:
                continue  # a window may begin inside a quoted cell; the pass over all blocks judges
        sample = pa.Table.from_batches([batch for batch in batches if batch is not None] or [_no_cells(file)])
        for name in file.names:
            found.setdefault(name, Evidence()).add(
                examine(cast("pl.Series", pl.from_arrow(sample.column(name))))
            )
    names = [name for file in files for name in file.names]
    return {name: found[name].decide() for name in names}


def _no_cells(file: Delimited) -> pa.RecordBatch:
    return pa.record_batch([pa.nulls(0, pa.string()) for _ in file.names], list(file.names))


def _places(file: Delimited) -> list[bytes]:
    """The rows at the beginning and at some later places, whole."""
    pieces = []
    for block in file.blocks():
        pieces.append(block.body[: record_end(block.body[:_HEAD], file.dialect)] or block.body)
        break
    size = file.path.stat().st_size
    if file.compression is None and size > 2 * _HEAD:
        with file.path.open("rb") as stream:
            for index in range(1, _WINDOWS + 1):
                stream.seek(_HEAD + (size - _HEAD - _WINDOW) * index // _WINDOWS)
                window = stream.read(_WINDOW)
                begin = window.find(file.dialect.newline) + len(file.dialect.newline)
                pieces.append(window[begin : begin + record_end(window[begin:], file.dialect)])
    return [piece for piece in pieces if piece]
