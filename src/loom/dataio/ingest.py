"""Bring a source in: read it once, check it, seal its holdout, and keep it whole or not at all."""

from __future__ import annotations

import difflib
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from loom.core.row_hashes import Hashes, mix
from loom.dataio.addresses import Address
from loom.dataio.blobs import BlobStore
from loom.dataio.carving import SHARE
from loom.dataio.facts import Facts, measure, row_keys, sums_of
from loom.dataio.frames import FrameRef, PartWriter
from loom.dataio.holdout import (
    Holdout,
    by_content,
    by_group,
    by_time,
    check_share,
    no_holdout,
    seal_digest,
)
from loom.dataio.objects import FORMAT, DataObject
from loom.dataio.ordered import in_order, steady_memory
from loom.dataio.roles import role_of
from loom.dataio.sources import Source, dtype_name, read_source
from loom.dataio.table import Table, pick
from loom.kernel.errors import LoomError

_LIKELY_TARGETS = ("target", "label")


@dataclass(frozen=True, slots=True)
class Staged:
    """A data object whose parts are written and checked but not registered."""

    schema: dict[str, Any]
    files: Mapping[str, Path]
    categories: Mapping[str, tuple[str, ...]]
    columns: Mapping[str, tuple[str, ...]]

    def put(self, store: BlobStore) -> DataObject:
        """Put every part into a store. Until the caller keeps the result, nothing refers to them."""
        parts = {
            name: FrameRef(
                store, store.put(path), self.schema["counts"][name], self.columns[name], self.categories[name]
            )
            for name, path in self.files.items()
        }
        return DataObject(self.schema, parts)


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks of an ingest."""

    source: Address
    name: str | None = None
    target: str | None = None
    time: tuple[str, ...] = ()
    group: str | None = None
    share: float = SHARE
    missing: tuple[str, ...] = ()


def ingest(request: Request, store: BlobStore, scratch: Path | None = None) -> tuple[str, DataObject]:
    """Bring a source in: the key of its record, which exists only when everything it refers to does, and the object."""
    try:
        with tempfile.TemporaryDirectory(prefix="loom-ingest-", dir=scratch) as folder, steady_memory():
            found = stage(request, Path(folder)).put(store)
            return store.put(found.record()), found
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        where = scratch or tempfile.gettempdir()
        raise LoomError(
            f"{request.source.shown} cannot be brought in", f"{where}: {why}", f"df -h {where}"
        ) from None


def stage(request: Request, folder: Path) -> Staged:
    """Read, check and carve a source, and write its parts into a folder; a problem leaves nothing behind."""
    check_share(request.share, 2)
    source = read_source(request.source, folder / "source", missing=request.missing)
    train = source.train
    _check_columns(train, request)
    facts = measure(train)
    warnings = [*train.warnings, *_infinities(facts), *_check_target(train, facts, request.target)]
    left_out = _left_out(source, facts, request.target)
    keys = row_keys(train, facts, left_out)
    holdout = _carve(train, keys, left_out, request)
    files = _write(source, keys, left_out, holdout, folder)
    tables = {
        "train": train,
        "holdout": train,
        "test": source.test,
        "sample_submission": source.sample_submission,
    }
    written = {name: table for name, table in tables.items() if name in files and table is not None}
    counts = {name: table.rows for name, table in written.items()}
    counts |= {"train": train.rows - holdout.rows} | ({"holdout": holdout.rows} if "holdout" in files else {})
    schema = {
        "format": FORMAT,
        "name": request.name or _name_of(source),
        "columns": [_column(train, facts, name) for name in train.names],
        "target": request.target,
        "time": list(request.time) or None,
        "group": request.group,
        "counts": {"rows": train.rows, "columns": len(train.names), **counts},
        "digest": facts.digest,
        "holdout": _sealed(train, facts, holdout, request.share, left_out),
        "provenance": source.provenance | {"missing": list(request.missing)},
        "warnings": [*warnings, *holdout.warnings],
    }
    categories = {name: tuple(c for c in table.names if c in table.levels) for name, table in written.items()}
    return Staged(schema, files, categories, {name: table.names for name, table in written.items()})


def _check_columns(train: Table, request: Request) -> None:
    asked = [("target", request.target), *(("time", name) for name in request.time), ("group", request.group)]
    for role, name in asked:
        if name is None or name in train.names:
            continue
        near = difflib.get_close_matches(name, train.names, 1, 0.6)
        listed = ", ".join(train.names[:20]) + (" ..." if len(train.names) > 20 else "")
        raise LoomError(
            f"{train.shown} has no column `{name}`",
            f"its columns are {listed}",
            f"--{role} {(near or train.names)[0]}",
        )
    if request.target is not None and request.target in (*request.time, request.group):
        raise LoomError(
            f"`{request.target}` cannot be the target",
            "it is also a time or group column",
            "name another target",
        )


def _check_target(train: Table, facts: Facts, target: str | None) -> list[str]:
    if target is None:
        return []
    found = facts.columns[target]
    if found.distinct < 2:
        why = (
            f"every row from 1 to {found.rows:,} has the same value"
            if found.distinct
            else "no row has a value"
        )
        if found.distinct and found.missing:
            why = f"every row from 1 to {found.rows:,} has the same value or none"
        raise LoomError(
            f"{train.shown}: column `{target}` cannot be the target",
            why,
            "name another target, or bring in more rows",
        )
    return [f"target `{target}` is missing in {found.missing:,} rows"] if found.missing else []


def _infinities(facts: Facts) -> list[str]:
    return [
        f"column `{name}`: {found.infinite:,} infinite {'value' if found.infinite == 1 else 'values'} "
        f"(first in row {found.first_infinite + 1:,})"
        for name, found in facts.columns.items()
        if found.infinite
    ]


def _left_out(source: Source, facts: Facts, target: str | None) -> list[str]:
    """The columns that do not tell rows apart as features do: ids, and the target or what is likely to be it."""
    train = source.train
    likely = (
        {target} if target is not None else {name for name in train.names if name.lower() in _LIKELY_TARGETS}
    )
    if target is None and source.test is not None:
        absent = [name for name in train.names if name not in source.test.names]
        likely |= set(absent) if len(absent) == 1 else set()
    ids = {name for name, found in facts.columns.items() if role_of(found) == "id"}
    for left in (likely | ids, likely, set[str | None]()):
        if len(left) < len(train.names):
            return [name for name in train.names if name in left]
    return []


def _carve(train: Table, keys: Hashes, left_out: Sequence[str], request: Request) -> Holdout:
    if not request.share:
        return no_holdout(train.rows)
    group = None if request.group is None else mix(sums_of(train, [request.group]))
    if request.time:
        times = pl.DataFrame({name: pl.from_arrow(train.column(name)) for name in request.time})
        holdout = by_time(times, request.share)
        if group is None:
            return holdout
        both = len(np.intersect1d(group[holdout.mask], group[~holdout.mask]))
        said = f"{both:,} groups of `{request.group}` are on both sides of the holdout, because time decides first"
        return Holdout(holdout.mask, "time", holdout.how, (*holdout.warnings, *((said,) if both else ())))
    if group is not None and request.group is not None:
        return by_group(group, request.share, request.group)
    return by_content(keys, request.share, left_out)


def _write(
    source: Source, keys: Hashes, left_out: Sequence[str], holdout: Holdout, folder: Path
) -> dict[str, Path]:
    """Every part as a Parquet file."""
    train, test, sample = source.train, source.test, source.sample_submission
    files = {"train": folder / "train.parquet"}
    if holdout.kind != "none":
        files["holdout"] = folder / "holdout.parquet"
    _write_train(train, keys, holdout, files)
    if test is not None:
        files["test"] = folder / "test.parquet"
        shared = [name for name in train.names if name in test.names and name not in left_out]
        with PartWriter(files["test"], test.schema, test.levels, keys=True) as part:
            start, hashes = 0, mix(sums_of(test, shared))
            for batch in test.batches():
                part.add(batch, hashes[start : start + batch.num_rows])
                start += batch.num_rows
    if sample is not None:
        files["sample_submission"] = folder / "sample_submission.parquet"
        with PartWriter(files["sample_submission"], sample.schema, sample.levels, keys=False) as part:
            for batch in sample.batches():
                part.add(batch)
    return files


def _write_train(train: Table, keys: Hashes, holdout: Holdout, files: Mapping[str, Path]) -> None:
    """The open rows and the sealed ones into a file each, in the order of the source."""

    def pieces() -> Any:
        start = 0
        for batch in train.batches():
            yield batch, slice(start, start + batch.num_rows)
            start += batch.num_rows

    def split(piece: tuple[pa.RecordBatch, slice]) -> list[tuple[pa.RecordBatch, Hashes]]:
        batch, rows = piece
        sealed, own = holdout.mask[rows], keys[rows]
        if "holdout" not in files:
            return [(batch, own)]
        return [(pick(batch, side), own[side]) for side in (~sealed, sealed)]

    with ExitStack() as stack:
        parts = [
            stack.enter_context(PartWriter(files[name], train.schema, train.levels, keys=True))
            for name in ("train", "holdout")
            if name in files
        ]
        for _, result in in_order(split, pieces()):
            for part, (batch, own) in zip(parts, result(), strict=True):
                part.add(batch, own)


def _column(train: Table, facts: Facts, name: str) -> dict[str, Any]:
    found = facts.columns[name]
    return {
        "name": name,
        "dtype": dtype_name(train, name),
        "role": role_of(found, categorical=name in train.levels),
        "missing": found.missing,
    }


def _sealed(
    train: Table, facts: Facts, holdout: Holdout, share: float, left_out: Sequence[str]
) -> dict[str, Any]:
    columns = [(name, dtype_name(train, name)) for name in train.names]
    digest = seal_digest(facts.row_hashes()[holdout.mask], columns) if holdout.rows else None
    return {
        "rows": holdout.rows,
        "share": share,
        "kind": holdout.kind,
        "how": holdout.how,
        "digest": digest,
        "left_out": list(left_out),
    }


def _name_of(source: Source) -> str:
    """A name for the object, from the name of its source."""
    told = source.provenance["table"] or Path(source.provenance["source"].rstrip("/")).name.partition(".")[0]
    return re.sub(r"[^A-Za-z0-9_-]+", "-", told).strip("-") or "data"
