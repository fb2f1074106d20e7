"""P6: bringing in a million rows costs at most twice what reading and writing them must cost; reading back, 1.3 times.

Ours types every cell, digests the content, keys every row and seals a holdout; the peer does none of that.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from measure import compare, cpu_of

from loom.dataio.addresses import parse_address
from loom.dataio.blobs import DirectoryStore
from loom.dataio.frames import load
from loom.dataio.ingest import Request, ingest
from loom.dataio.objects import DataObject

ROWS = 1_000_000
SOME = ["f0", "n3", "c0"]


def generated(rows: int, seed: int = 0) -> pl.DataFrame:
    """Fifty columns as tables have them: an id, codes, amounts, counts, levels, dates, switches, gaps."""
    random = np.random.default_rng(seed)
    levels = np.array(["red", "green", "blue", "a long level name", "x"])
    columns: dict[str, pl.Series] = {
        "id": pl.Series(np.arange(rows) + 10_000_000),
        "zip": pl.Series(random.integers(1, 99_999, rows)).cast(pl.String).str.zfill(5),
    }
    for index in range(24):
        columns[f"f{index}"] = pl.Series(np.round(random.normal(100, 25, rows), 3))
    for index in range(12):
        columns[f"n{index}"] = pl.Series(random.integers(0, 10 ** (1 + index % 6), rows))
    for index in range(5):
        columns[f"c{index}"] = pl.Series(levels[random.integers(0, 5, rows)])
    columns["day"] = pl.Series(np.datetime64("2020-01-01") + random.integers(0, 1_500, rows))
    moments = np.datetime64("2020-01-01T00:00:00", "us") + random.integers(0, 10**8, rows) * np.timedelta64(
        10**6, "us"
    )
    columns["at"] = pl.Series(moments).dt.strftime("%Y-%m-%d %H:%M:%S")
    columns["b0"] = pl.Series(random.random(rows) < 0.3)
    columns["b1"] = pl.Series(np.where(random.random(rows) < 0.3, "Yes", "No"))
    columns["m0"] = _with_gaps(pl.Series(random.integers(0, 1_000, rows)), random.random(rows) < 0.1)
    columns["m1"] = _with_gaps(pl.Series(np.round(random.normal(0, 1, rows), 4)), random.random(rows) < 0.2)
    columns["y"] = pl.Series((random.random(rows) < 0.2).astype(np.int64))
    return pl.DataFrame(columns)


def _with_gaps(values: pl.Series, gaps: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> pl.Series:
    return pl.select(pl.when(~pl.Series(gaps)).then(values)).to_series()


def wall_of(call: Callable[[], object]) -> Callable[[], float]:
    """Seconds on the clock of one call."""

    def timed() -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    return timed


def main() -> None:
    """Ingest and reading back, in CPU seconds and on the clock."""
    with tempfile.TemporaryDirectory(prefix="loom-p6-") as name:
        folder = Path(name)
        source, peer = folder / "table.csv", folder / "peer.parquet"
        generated(ROWS).write_csv(source)
        objects: list[DataObject] = []

        def ours() -> None:
            shutil.rmtree(folder / "store", ignore_errors=True)
            objects[:] = [
                ingest(
                    Request(parse_address(str(source)), target="y"), DirectoryStore(folder / "store"), folder
                )[1]
            ]

        def theirs() -> None:
            pl.read_csv(source).write_parquet(peer, compression="zstd")

        compare("P6 ingest 1M x 50", cpu_of(ours), cpu_of(theirs), budget=2.0, n=5)
        compare("P6 ingest 1M x 50, wall", wall_of(ours), wall_of(theirs), budget=2.0, n=5)
        train, holdout = objects[0].parts["train"], objects[0].parts["holdout"]
        assert train.rows + holdout.rows == ROWS

        def back(columns: list[str] | None) -> Callable[[], None]:
            return lambda: [load(part, columns) for part in (train, holdout)].clear()

        for label, columns in (("all columns", None), ("3 columns", SOME)):
            read = back(columns)
            name = f"P6 read back, {label}"
            compare(
                name,
                cpu_of(read),
                cpu_of(lambda c=columns: pl.read_parquet(peer, columns=c)),
                budget=1.3,
                n=15,
            )
            compare(
                f"{name}, wall",
                wall_of(read),
                wall_of(lambda c=columns: pl.read_parquet(peer, columns=c)),
                budget=1.3,
                n=15,
            )


if __name__ == "__main__":
    main()
