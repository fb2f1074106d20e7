"""Columns as they come when nobody looked: every type and every oddity of cells and of names, 240 rows each."""

from __future__ import annotations

import json
from datetime import date, time, timedelta
from decimal import Decimal

import numpy as np
import polars as pl

ROWS = 240
_RNG = np.random.default_rng(0)
_DAYS = [date(2020, 1, 1) + timedelta(days=int(k)) for k in _RNG.integers(0, 900, ROWS)]
_HOURS = [timedelta(hours=int(k)) for k in _RNG.integers(0, 240, ROWS)]
_SMALL = _RNG.integers(0, 99, ROWS)
FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %B %Y", "%Y%m%d")


def _numbers() -> np.ndarray:
    return _RNG.normal(size=ROWS)


def _choice(values: list[object]) -> list[object]:
    return [values[k] for k in _RNG.integers(0, len(values), ROWS)]


def _gaps(values: list[object]) -> list[object]:
    return [None if _RNG.random() < 0.1 else value for value in values]


NAMES = (
    "emoji 😀\nname", "", " ", "^.*$", "*", "0", "Age", "age", "age ", "level", "count", "row", "x", "words", "answer",
    "a,b", "[1]", '{"k":1}', "\u200b", "ａｇｅ", "y_scaled",
)  # fmt: skip

EMPTY = {
    "all missing": pl.Series([None] * ROWS),
    "missing floats": pl.Series([None] * ROWS, dtype=pl.Float64),
    "missing text": pl.Series([None] * ROWS, dtype=pl.String),
    "not a number": pl.Series([float("nan")] * ROWS),
    "missing levels": pl.Series([None] * ROWS, dtype=pl.Enum(["z"])),
}
CONSTANT = {
    "constant": pl.Series([3] * ROWS),
    "constant text": pl.Series(["a"] * ROWS),
    "constant infinity": pl.Series([float("inf")] * ROWS),
    "always true": pl.Series([True] * ROWS),
    "one level of two": pl.Series(["a"] * ROWS, dtype=pl.Enum(["z", "a"])),
    "two zeros": pl.Series([0.0, -0.0] * (ROWS // 2)),
}
NESTED = {
    "lists": pl.Series([[int(k)] * int(k % 3) for k in _SMALL]),
    "lists with gaps": pl.Series(_gaps([[1, 2], [3]] * (ROWS // 2)), dtype=pl.List(pl.Int64)),
    "records": pl.Series([{"a": int(k), "b": "x"} for k in _SMALL]),
    "lists of records": pl.Series([[{"a": float(k)}] for k in _SMALL]),
    "arrays": pl.Series([[int(k), 2] for k in _SMALL], dtype=pl.Array(pl.Int64, 2)),
    "bytes": pl.Series([b"\xff" * int(k % 5) for k in _SMALL]),
    "lists of bytes": pl.Series([[b"\xff", bytes([int(k)])] for k in _SMALL]),
}
DATES = {
    **{f"dates {form}": pl.Series([day.strftime(form) for day in _DAYS]) for form in FORMATS},
    "dates in five formats": pl.Series([day.strftime(FORMATS[k % 5]) for k, day in enumerate(_DAYS)]),
    "dates": pl.Series(_gaps(list(_DAYS)), dtype=pl.Date),
    "nanoseconds": pl.Series(_DAYS).cast(pl.Datetime("ns")),
    "milliseconds": pl.Series(_DAYS).cast(pl.Datetime("ms")),
    "in Tokyo": pl.Series(_DAYS).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"),
    "first and last day": pl.Series([date(1, 1, 1), date(9999, 12, 31)] * (ROWS // 2)),
}  # fmt: skip
NUMBERS = {
    "times": pl.Series([time(int(k) % 24) for k in _SMALL]),
    "durations": pl.Series(_gaps(list(_HOURS)), dtype=pl.Duration("ns")),
    "infinities": pl.Series(_choice([np.inf, -np.inf, 1.0, np.nan])),
    "only infinities": pl.Series(_choice([np.inf, -np.inf])),
    "some infinite": pl.Series(np.where(_RNG.random(ROWS) < 0.1, np.inf, _numbers())),
    "huge": pl.Series(_RNG.uniform(-1, 1, ROWS) * 1.7e308),
    "tiny": pl.Series(_RNG.uniform(-1, 1, ROWS) * 5e-320),
    "32 bits": pl.Series(_numbers(), dtype=pl.Float32),
    "decimals": pl.Series(_gaps([Decimal(int(k)) / 100 for k in _SMALL]), dtype=pl.Decimal(10, 2)),
    "unsigned": pl.Series([2**64 - 1 - int(k) for k in _SMALL], dtype=pl.UInt64),
    "ends of 64 bits": pl.Series(_choice([2**63 - 1, -(2**63), 0])),
    "8 bits": pl.Series(_SMALL, dtype=pl.Int8),
    "128 bits": pl.Series(_SMALL).cast(pl.Int128),
    "mostly numbers": pl.Series([" " if k < 3 else f"{k}.5" for k in _SMALL]),
}
OTHERS = {
    "true or false": pl.Series(_gaps(_choice([True, False])), dtype=pl.Boolean),
    "true or missing": pl.Series(_gaps([True] * ROWS), dtype=pl.Boolean),
    "odd levels": pl.Series(_choice(["😀", "a\nb", "", " ", "\x00", "ü", None]), dtype=pl.String),
    "categories": pl.Series(_choice(["a", "b", "c"]), dtype=pl.Categorical),
    "unused levels": pl.Series(_choice(["a", "b"]), dtype=pl.Enum(["z", "a", "b", "unused"])),
    "mixed": pl.Series([str(k) if k % 2 else "word" for k in _SMALL]),
    "json": pl.Series([json.dumps({"a": int(k)}) for k in _RNG.permutation(ROWS)]),
    "objects": pl.Series([{1} if k % 2 else None for k in range(ROWS)], dtype=pl.Object),
    "long text": pl.Series(["word " * 400 + str(k) for k in range(ROWS)]),
    "tokens": pl.Series([f"{k:08x}-q" for k in _RNG.permutation(ROWS)]),
    "downwards": pl.Series(range(ROWS, 0, -1)),
    "upwards, unsigned": pl.Series([2**64 - 1 - ROWS + k for k in range(ROWS)], dtype=pl.UInt64),
}
COLUMNS = {**EMPTY, **CONSTANT, **NESTED, **DATES, **NUMBERS, **OTHERS}


def table() -> pl.DataFrame:
    """All of them side by side, numbers under the oddest names, and a target that has to do with none."""
    named = {name or "(blank)": pl.Series(_numbers()) for name in NAMES}
    target = pl.Series(np.random.default_rng(1).integers(0, 2, ROWS))
    return pl.DataFrame([cells.alias(name) for name, cells in {**COLUMNS, **named, "y": target}.items()])
