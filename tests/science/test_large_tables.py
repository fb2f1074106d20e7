"""A table's size never decides how much memory a look at it takes, nor its width how often a column is read.

`LOOM_SOAK=1` measures it on 5,000 columns and on 5 million rows, each look in a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from loom.science.columns import Columns
from loom.science.drift import drift
from loom.science.features import build
from loom.science.leakage import leakage
from loom.science.profile import profile

SOAK = bool(os.environ.get("LOOM_SOAK"))
LOOKS: dict[str, Callable[[Columns], object]] = {
    "profile": lambda table: profile(table, target="y"),
    "leakage": lambda table: leakage(table, "y"),
    "drift": lambda table: drift(table, table, target="y"),
    "build": lambda table: build(table, "y"),
}
READINGS = {"profile": 1, "leakage": 2, "drift": 2, "build": 4}
MEGABYTES = {"wide": 1_000, "long": 2_000}

PROGRAM = """
import resource, sys
import polars as pl
from loom.science.columns import Columns
from tests.science.test_large_tables import LOOKS
path = sys.argv[2]
rows = pl.scan_parquet(path).select(pl.len()).collect().item()
names = tuple(pl.read_parquet_schema(path))
LOOKS[sys.argv[1]](Columns(names, rows, lambda some: pl.read_parquet(path, columns=list(some))))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def _wide(rows: int, columns: int) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    kinds: list[Callable[[], object]] = [
        lambda: rng.normal(size=rows),
        lambda: rng.integers(0, 50, rows),
        lambda: rng.choice(["a", "b", "c"], rows),
        lambda: np.where(rng.random(rows) < 0.3, np.nan, rng.normal(size=rows)),
    ]
    return pl.DataFrame(
        {f"c{k}": kinds[k % 4]() for k in range(columns - 1)} | {"y": rng.integers(0, 2, rows)}
    )


def _long(rows: int) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {f"f{k}": rng.normal(size=rows) for k in range(6)}
        | {"n": rng.integers(0, 1_000, rows), "level": pl.Series(rng.integers(0, 200, rows)).cast(pl.String)}
        | {"code": pl.Series(rng.integers(0, rows // 5, rows)).cast(pl.String), "y": rng.integers(0, 2, rows)}
    )


@pytest.mark.parametrize("look", LOOKS)
def test_columns_are_read_a_block_at_a_time_and_few_times(look: str) -> None:
    frame, read = _wide(60, 700), Counter[str]()

    def reading(names: Sequence[str]) -> pl.DataFrame:
        assert len(names) <= 512
        read.update(names)
        return frame[list(names)]

    LOOKS[look](Columns(tuple(frame.columns), frame.height, reading))
    assert set(read) == set(frame.columns)
    del read["y"]
    assert max(read.values()) <= READINGS[look]


@pytest.mark.skipif(not SOAK, reason="takes a minute and a gigabyte")
@pytest.mark.parametrize("shape", MEGABYTES)
@pytest.mark.parametrize("look", LOOKS)
def test_memory_is_bounded(look: str, shape: str, tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    (_wide(2_000, 5_000) if shape == "wide" else _long(5_000_000)).write_parquet(path)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, look, str(path)],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert float(done.stdout) <= MEGABYTES[shape]
