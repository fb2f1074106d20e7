"""Sources into typed tables: whatever a person names, read with bounded memory and without losing a value."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from loom.dataio.addresses import Address, Compression, Format, format_of, is_table_file
from loom.dataio.columnar import read_arrow, read_parquet
from loom.dataio.databases import (
    TableShape,
    read_duckdb,
    read_sqlite,
    shapes_of_duckdb,
    shapes_of_sqlite,
)
from loom.dataio.delimited import broken, open_delimited, open_stream
from loom.dataio.jsonl import read_jsonl
from loom.dataio.postgres import read_postgres, shapes_of_postgres
from loom.dataio.refusals import changed
from loom.dataio.scan import scan
from loom.dataio.table import Table
from loom.dataio.web import fetch
from loom.kernel.errors import LoomError

_READERS = {"sqlite": read_sqlite, "duckdb": read_duckdb, "postgresql": read_postgres}
_SHAPES = {"sqlite": shapes_of_sqlite, "duckdb": shapes_of_duckdb, "postgresql": shapes_of_postgres}
_SUBMISSIONS = ("sample_submission", "samplesubmission", "sample-submission")


@dataclass(slots=True)
class Source:
    """What a source gave: a table to learn from, and for a folder perhaps a test table and a sample submission."""

    train: Table
    test: Table | None = None
    sample_submission: Table | None = None
    provenance: dict[str, Any] = field(default_factory=dict)


def read_source(address: Address, scratch: Path, *, missing: Sequence[str] = ()) -> Source:
    """Read everything a source has; `missing` are texts that mean a missing cell wherever they stand."""
    if address.kind == "directory":
        return _read_directory(address, scratch, missing)
    provenance: dict[str, Any] = {"kind": address.kind, "source": address.shown, "table": address.table}
    if address.kind == "database":
        assert address.engine is not None
        table = _READERS[address.engine](address, scratch)
        provenance |= {"format": address.engine, "table": table.shown.rpartition("::")[2]}
        return Source(table, provenance=provenance)
    assert address.kind == "web" or address.path is not None
    path = fetch(address, scratch / "web") if address.kind == "web" else address.path
    assert path is not None
    form, _ = format_of(path.name)
    (table,) = _read_files([(path, address.shown)], scratch, missing)
    return Source(table, provenance=provenance | {"format": form, "bytes": path.stat().st_size})


def describe_source(address: Address, scratch: Path) -> list[TableShape]:
    """The tables of a source with their columns, types and row counts; cells are read, and none is shown."""
    if address.kind == "database":
        assert address.engine is not None
        shapes = _SHAPES[address.engine](address)
        if address.table is None:
            return shapes
        return [shape for shape in shapes if shape.name == address.table]
    source = read_source(address, scratch)
    named = (("train", source.train), ("test", source.test), ("sample_submission", source.sample_submission))
    single = address.kind != "directory"
    return [
        TableShape(
            Path(address.shown).name if single else name,
            tuple((item.name, dtype_name(table, item.name)) for item in table.schema),
            table.rows,
        )
        for name, table in named
        if table is not None
    ]


def dtype_name(table: Table, name: str) -> str:
    """The type of a column in the words of a data object's schema."""
    type_ = table.schema.field(name).type
    if name in table.levels:
        return "category"
    if pa.types.is_timestamp(type_):
        return f"datetime[{type_.tz}]" if type_.tz else "datetime"
    if pa.types.is_decimal(type_):
        return f"decimal({type_.precision},{type_.scale})"
    if pa.types.is_time(type_):
        return "time"
    if pa.types.is_duration(type_):
        return "duration"
    names = {
        "string": "text",
        "bool": "boolean",
        "double": "float64",
        "float": "float32",
        "date32[day]": "date",
    }
    return names.get(str(type_), str(type_))


def _read_directory(address: Address, scratch: Path, missing: Sequence[str]) -> Source:
    assert address.path is not None
    files = sorted(path for path in address.path.iterdir() if path.is_file() and is_table_file(path))
    train = _only(files, ("train",), address)
    if train is None:
        if len(files) != 1:
            listed = ", ".join(path.name for path in files[:10]) or "no table at all"
            raise LoomError(
                f"{address.shown} has no train.csv", f"it holds {listed}", "name one file, or rename it"
            )
        train = files[0]
    test = _only(files, ("test",), address)
    sample = _only(files, _SUBMISSIONS, address)
    pair = [(path, path.name) for path in (train, test) if path is not None]
    tables = _read_files(pair, scratch / "pair", missing)
    source = Source(tables[0], tables[1] if len(tables) > 1 else None)
    if sample is not None:
        (source.sample_submission,) = _read_files([(sample, sample.name)], scratch / "sample", missing)
    source.provenance = {
        "kind": "directory",
        "source": address.shown,
        "table": None,
        "format": format_of(train.name)[0],
        "bytes": sum(path.stat().st_size for path in (train, test, sample) if path is not None),
        "files": [path.name for path in (train, test, sample) if path is not None],
    }
    if source.test is not None:
        _compare(source.train, source.test)
    return source


def _only(files: Sequence[Path], stems: Sequence[str], address: Address) -> Path | None:
    found = [path for path in files if path.name.lower().partition(".")[0] in stems]
    if len(found) > 1:
        raise LoomError(
            f"{address.shown} has {len(found)} files for {stems[0]}",
            f"they are {', '.join(path.name for path in found)}",
            "keep one of them",
        )
    return found[0] if found else None


def _read_files(files: Sequence[tuple[Path, str]], scratch: Path, missing: Sequence[str]) -> list[Table]:
    """Files that belong together, as they are before and after; delimited ones share their types."""
    before = [_state(path) for path, _ in files]
    tables = _tables(files, scratch, missing)
    for (path, shown), state in zip(files, before, strict=True):
        if _state(path) != state:
            raise changed(shown)
    return tables


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _tables(files: Sequence[tuple[Path, str]], scratch: Path, missing: Sequence[str]) -> list[Table]:
    formats = [format_of(path.name) for path, _ in files]
    if all(form in ("csv", "tsv") for form, _ in formats):
        opened = [
            open_delimited(path, shown, compression, tabs=form == "tsv", missing=missing)
            for (path, shown), (form, compression) in zip(files, formats, strict=True)
        ]
        return scan(opened, scratch)
    return [
        _read_file(path, shown, form, compression, scratch / str(index), missing)
        for index, ((path, shown), (form, compression)) in enumerate(zip(files, formats, strict=True))
    ]


def _read_file(
    path: Path,
    shown: str,
    form: Format,
    compression: Compression | None,
    scratch: Path,
    missing: Sequence[str],
) -> Table:
    if form in ("csv", "tsv"):
        return scan([open_delimited(path, shown, compression, tabs=form == "tsv", missing=missing)], scratch)[
            0
        ]
    if form == "jsonl":
        return read_jsonl(path, shown, compression, scratch)
    if not path.stat().st_size:
        raise LoomError(f"{shown} is empty", "it has no columns and no row 1", "export the table again")
    if compression is not None:
        path = _expanded(path, shown, compression, scratch)
    return (read_parquet if form == "parquet" else read_arrow)(path, shown, scratch)


def _expanded(path: Path, shown: str, compression: Compression, scratch: Path) -> Path:
    """The file without its compression: these formats are read from their end."""
    scratch.mkdir(parents=True, exist_ok=True)
    target = scratch / "expanded"
    with target.open("wb") as file, open_stream(path, shown, compression) as stream:
        try:
            shutil.copyfileobj(stream, file, 1024 * 1024)
        except pa.ArrowException as error:
            raise broken(shown, error) from None
    return target


def _compare(train: Table, test: Table) -> None:
    """Columns of the same name mean the same in both; what only one has is worth a word."""
    shared = [name for name in train.names if name in test.names]
    if not shared:
        raise LoomError(
            "train and test have no column in common", "they are different tables", "check the folder"
        )
    for name in shared:
        if _family(train.schema.field(name).type) != _family(test.schema.field(name).type):
            raise LoomError(
                f"column `{name}` differs between train and test",
                f"it is {dtype_name(train, name)} from row 1 on in train and {dtype_name(test, name)} in test",
                "write both with the same type",
            )
    absent = [name for name in train.names if name not in test.names]
    extra = [name for name in test.names if name not in train.names]
    if len(absent) > 1:
        train.warnings.append(f"test lacks {len(absent)} columns of train: {', '.join(absent[:10])}")
    if extra:
        train.warnings.append(f"test has {len(extra)} columns that train lacks: {', '.join(extra[:10])}")


def _family(type_: pa.DataType) -> str:
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return "number"
    return "moment" if pa.types.is_timestamp(type_) or pa.types.is_date(type_) else str(type_)
