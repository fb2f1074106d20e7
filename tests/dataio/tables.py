"""Sources to bring in, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loom.dataio.addresses import parse_address
from loom.dataio.blobs import DirectoryStore
from loom.dataio.frames import load
from loom.dataio.ingest import Request, ingest
from loom.dataio.objects import DataObject
from loom.dataio.records import record_blocks
from loom.kernel.errors import LoomError


def write(path: Path, content: str | bytes) -> Path:
    """A file with exactly that content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def bring_in(folder: Path, source: Path | str, **asked: Any) -> DataObject:
    """The data object of a source; nothing is sealed unless that is asked for."""
    request = Request(parse_address(str(source)), **{"share": 0, **asked})
    return ingest(request, DirectoryStore(folder / "blobs"), folder)[1]


def frame_of(found: DataObject, part: str = "train") -> pl.DataFrame:
    """One part as a frame."""
    return load(found.parts[part])


def read(folder: Path, source: Path | str, **asked: Any) -> pl.DataFrame:
    """The table of a source in the types that a data object keeps."""
    return frame_of(bring_in(folder, source, **asked))


def read_text(folder: Path, text: str | bytes, name: str = "table.csv", **asked: Any) -> pl.DataFrame:
    """The table of a file with that content."""
    return read(folder, write(folder / name, text), **asked)


def dtypes(found: DataObject) -> dict[str, str]:
    """The types of its columns in the words of the schema."""
    return {column["name"]: column["dtype"] for column in found.schema["columns"]}


def refusal(folder: Path, source: Path | str, **asked: Any) -> LoomError:
    """Why a source is refused; fails when it is not, or when anything was kept of it."""
    try:
        bring_in(folder, source, **asked)
    except LoomError as error:
        assert not list((folder / "blobs").rglob("*")), "something was kept of a source that was refused"
        assert not list(folder.glob("loom-ingest-*")), "scratch files were left behind"
        return error
    raise AssertionError("the source was not refused")


def refusal_of(folder: Path, text: str | bytes, name: str = "table.csv", **asked: Any) -> LoomError:
    """Why a file with that content is refused."""
    return refusal(folder, write(folder / name, text), **asked)


@contextmanager
def blocks_of(size: int) -> Iterator[None]:
    """Within it, delimited files are read in blocks of so many bytes, or of one row where that is more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "loom.dataio.delimited.record_blocks",
            lambda stream, dialect, start: record_blocks(stream, dialect, start, size),
        )
        yield


def csv_of(columns: Mapping[str, Sequence[object]]) -> str:
    """Columns as plain CSV, for cells that need no quotes."""
    rows = zip(*columns.values(), strict=True)
    return "\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n"
