"""What a candidate said of the rows it was asked about: read without trust, and marked.

Nothing that a candidate writes is followed, run or believed. The file is read once, up to the size that such a file
can have, and its rows are found by their ids, whatever their order.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray
from pyarrow import csv

from loom.science import metrics
from loom.science.metrics import Metric
from loom.science.search.keys import Key
from loom.science.targets import Task

Floats = NDArray[np.float64]
Code = Literal[
    "no_submission", "unreadable", "too_large", "wrong_columns", "unknown_ids", "repeated_ids", "missing_rows",
    "not_finite", "not_probabilities", "sample_returned", "link",
]  # fmt: skip

_CELL = 40
_ROOM = 65_536
_SLACK = 1e-6
_SUM = 0.01
_LOCKED = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class Rejected(Exception):  # noqa: N818
    """A submission that is no answer: `code` is short and stable, `what` is for people and holds no cell of it."""

    def __init__(self, code: Code, what: str) -> None:
        super().__init__(code, what)
        self.code: Code = code
        self.what = what

    def __str__(self) -> str:
        return f"{self.code}: {self.what}"


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """One number per row, or one per row and class, in the order of the key's rows."""

    search: Floats = field(repr=False)
    seal: Floats = field(repr=False)
    test: Floats = field(repr=False)
    notes: tuple[str, ...] = ()
    """`constant` where every row is told the same."""


def read_submission(path: Path, key: Key) -> Predictions:
    """The predictions of a submission, or `Rejected`.

    Its folder is the candidate's own, so that neither that folder nor the file may be a link, and the file may have
    no other name. Of two classes there may be one column, or one for each.
    """
    columns = _columns(_content(path, _bound(key)), key)
    values = _values(columns, key)
    said = np.empty_like(values)
    said[key.order] = values
    ends = np.cumsum([len(key.search), len(key.seal)])
    search, seal, test = np.split(said, ends)
    constant = bool((values == values[0]).all()) if len(values) else False
    return Predictions(search, seal, test, ("constant",) if constant and len(values) > 1 else ())


def score(metric: Metric, answers: ArrayLike, said: Floats) -> float:
    """The metric of predictions; amounts below 0 count as 0 where it is one of amounts from 0 up."""
    return metrics.score(metric, answers, settled(metric, said))


def settled(metric: Metric, said: Floats) -> Floats:
    """Predictions as the metric can take them."""
    return np.maximum(said, 0.0) if metric.name == "rmsle" else said


def _bound(key: Key) -> int:
    """The most bytes that a submission of these rows has any use for."""
    width = max(len(key.columns), 2)
    names = sum(len(name.encode()) * 2 + 4 for name in key.columns)
    return _ROOM + names + key.rows * (len(key.ids[0]) + 4 if key.rows else 0) + key.rows * width * _CELL


def _content(path: Path, bound: int) -> bytes:
    """The bytes of a regular file, by way of a folder that is no link."""
    link = Rejected("link", "the submission, or its folder, is a link or no regular file")
    try:
        folder = os.open(path.parent, _LOCKED | os.O_DIRECTORY)
    except FileNotFoundError:
        raise Rejected("no_submission", "there is no file ./working/submission.csv") from None
    except OSError:
        raise link from None
    try:
        # a pipe must not be waited for
        handle = os.open(path.name, _LOCKED | os.O_NONBLOCK, dir_fd=folder)
    except FileNotFoundError:
        raise Rejected("no_submission", "there is no file ./working/submission.csv") from None
    except PermissionError:
        raise Rejected("unreadable", "the submission may not be read") from None
    except OSError:
        raise link from None
    finally:
        os.close(folder)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise link
        with os.fdopen(os.dup(handle), "rb") as file:
            content = file.read(bound + 1)
    except OSError:
        raise Rejected("unreadable", "the submission cannot be read") from None
    finally:
        os.close(handle)
    if len(content) > bound:
        raise Rejected("too_large", f"it is larger than {bound:,} bytes, which so many rows never need")
    if not content:
        raise Rejected("unreadable", "the submission is empty")
    return content


def _columns(content: bytes, key: Key) -> dict[str, pl.Series]:
    """The columns of a submission by the names that they should have, all as text."""
    wanted = (key.id, *key.columns)
    broken = any("\n" in name or "\r" in name for name in wanted)
    try:
        table = csv.read_csv(
            io.BytesIO(content),
            read_options=csv.ReadOptions(
                use_threads=False, block_size=max(1 << 20, min(len(content), 1 << 24))
            ),
            parse_options=csv.ParseOptions(newlines_in_values=broken),
            convert_options=csv.ConvertOptions(
                default_column_type=pa.string(), strings_can_be_null=False, check_utf8=True
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError, UnicodeDecodeError):
        raise Rejected("unreadable", "the submission is no CSV, or its rows differ in length") from None
    try:
        found = table.column_names
    except UnicodeDecodeError:
        raise Rejected("unreadable", "the names of its columns are no text") from None
    places = _places(found, key)
    return {name: pl.Series(name, pl.from_arrow(table.column(at))) for name, at in places.items()}


def _places(found: Sequence[str], key: Key) -> dict[str, int]:
    """Where each column stands; of two classes, their own columns may stand for the one."""
    choices = [(key.id, *key.columns)]
    if key.task == "binary":
        choices.append((key.id, *key.classes))
    for wanted in choices:
        for form in (str, _form):
            names = [form(name) for name in wanted]
            at = {form(name): place for place, name in enumerate(found)}
            if len(found) == len(wanted) == len(at) == len(set(names)) and set(at) == set(names):
                return {name: at[form(name)] for name in wanted}
    # classes are cells, and what is said here may be read by a model
    count = len(key.columns)
    shown = (
        f"`{key.id}` and `{key.columns[0]}`"
        if count == 1
        else f"`{key.id}` and one for each of {count} classes"
    )
    raise Rejected(
        "wrong_columns", f"its columns should be {shown}, as in sample_submission.csv; there are {len(found)}"
    )


def _form(name: str) -> str:
    """A name as different libraries may write the same class: `True` and `true`, `1.0` and `1`."""
    plain = name.strip().casefold()
    try:
        return repr(float(plain))
    except ValueError:
        return plain


def _values(columns: dict[str, pl.Series], key: Key) -> Floats:
    """The predictions in the order of `test.csv`, checked one after the other."""
    ids = columns.pop(key.id)
    place = _place(ids, key)
    numbers = [_numbers(column) for column in columns.values()]
    said = np.column_stack(numbers)[place] if len(numbers) > 1 else numbers[0][place]
    bad = int((~np.isfinite(said)).sum())
    if bad:
        raise Rejected("not_finite", f"{bad:,} of {said.size:,} predictions are no finite numbers")
    if key.task != "regression":
        said = _probabilities(said, key.task)
    if key.rows > 1 and bool((np.abs(said - key.sample) <= 1e-12).all()):
        raise Rejected("sample_returned", "it says of every row what the sample submission says")
    return said


def _place(ids: pl.Series, key: Key) -> NDArray[np.int64]:
    """For each row of `test.csv`, where it stands in the submission."""
    if ids.n_unique() < len(ids):
        raise Rejected("repeated_ids", f"{len(ids) - ids.n_unique():,} rows repeat the id of another")
    given = pl.DataFrame({"id": ids, "place": np.arange(len(ids), dtype=np.int64)})
    asked = pl.DataFrame({"id": pl.Series(key.ids, dtype=pl.String)})
    found = asked.join(given, on="id", how="left", maintain_order="left").get_column("place")
    missing = found.null_count()
    unknown = len(ids) - (len(asked) - missing)
    if unknown:
        raise Rejected("unknown_ids", f"{unknown:,} ids are not among those of test.csv")
    if missing:
        raise Rejected("missing_rows", f"{missing:,} of {len(asked):,} rows are not predicted")
    return found.to_numpy()


def _numbers(column: pl.Series) -> Floats:
    numbers = column.str.strip_chars().cast(pl.Float64, strict=False)
    found: Floats = numbers.fill_null(np.nan).to_numpy()
    return found


def _probabilities(said: Floats, task: Task) -> Floats:
    """Probabilities between 0 and 1; those of all classes made to add up to 1 where they nearly do."""
    outside = int(((said < -_SLACK) | (said > 1 + _SLACK)).sum())
    if outside:
        raise Rejected("not_probabilities", f"{outside:,} of {said.size:,} are below 0 or above 1")
    said = np.clip(said, 0.0, 1.0)
    if said.ndim == 1:
        return said
    total = said.sum(axis=1, keepdims=True)
    off = int((np.abs(total - 1) > _SUM).sum())
    if off:
        raise Rejected(
            "not_probabilities", f"the classes of {off:,} of {len(said):,} rows do not add up to 1"
        )
    shares: Floats = said / total
    of_second: Floats = shares[:, 1]
    return of_second if task == "binary" else shares
