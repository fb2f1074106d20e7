"""`python predict.py rows.csv predictions.csv`: what a bundle does, wherever it lies."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from loom.kernel.errors import LoomError
from loom.science.serving.inputs import read_rows
from loom.science.serving.model import Served

MODEL = "model.loom"
CHECKSUMS = "SHA256SUMS"


def main(folder: Path, argv: Sequence[str] | None = None) -> int:
    """Score a table with the model of a bundle. 0 when the predictions are written, 2 when they could not be."""
    parser = argparse.ArgumentParser(
        prog="predict.py", description="Score a table with the model of this folder."
    )
    parser.add_argument("rows", type=Path, help="CSV or Parquet file with the columns of input_schema.json")
    parser.add_argument("predictions", type=Path, help="CSV file to write; one line per row, in their order")
    parser.add_argument(
        "--with-rows", action="store_true", help="repeat the columns that were read, for `loom ops`"
    )
    parser.add_argument(
        "--check", action="store_true", help="check the files of this folder against their digests first"
    )
    given = parser.parse_args(argv)
    try:
        if given.check:
            check(folder)
        score(folder, given.rows, given.predictions, with_rows=given.with_rows)
    except LoomError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def score(folder: Path, rows: Path, predictions: Path, *, with_rows: bool = False) -> None:
    """Write the predictions for a table; what stood there before is replaced whole or not at all."""
    served = Served.from_bytes(_model(folder))
    frame = read_rows(rows, served.columns)
    found = served.table(frame)
    _write(frame.hstack(found) if with_rows else found, predictions)


def check(folder: Path) -> None:
    """Refuse a bundle in which a file is not what it was when it was made."""
    for line in (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise LoomError(f"{name} is not the file that was deployed", "its digest differs", "deploy again")


def _model(folder: Path) -> bytes:
    try:
        return (folder / MODEL).read_bytes()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LoomError(f"{folder / MODEL} cannot be read", why, "deploy again: loom deploy") from None


def _write(frame: pl.DataFrame, path: Path) -> None:
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".predictions-")
        with os.fdopen(handle, "wb") as file:
            frame.write_csv(file)
        Path(name).replace(path)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LoomError(f"{path} cannot be written", why, f"ls -ld {path.parent}") from None
