"""The sealed holdout: which rows nobody may look at until a model is validated.

Three rules, one of which applies: the latest block of time, whole groups, or rows chosen by what their
features hold. None depends on chance, on the machine or on the order of the rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.core.row_hashes import Hashes
from loom.kernel.errors import LoomError

Kind = Literal["time", "group", "content", "none"]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Holdout:
    """The rows that are sealed (`mask` is true for them) and how they were chosen."""

    mask: Mask = field(repr=False)
    kind: Kind
    how: str
    warnings: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows are sealed."""
        return int(self.mask.sum())


def check_share(share: float, rows: int) -> None:
    """Refuse a share that leaves one side without rows."""
    if not 0 <= share < 1:
        raise LoomError(
            f"a holdout of {share:g} cannot be carved", "it is a share of the rows", "--holdout 0.2"
        )
    if share and rows < 2:
        raise LoomError(
            "a holdout cannot be carved", f"the table has {rows} row", "bring in more rows, or --holdout 0"
        )


def no_holdout(rows: int) -> Holdout:
    """Nothing is sealed."""
    return Holdout(np.zeros(rows, bool), "none", "none: a share of 0 was asked for")


def by_time(times: pl.DataFrame, share: float) -> Holdout:
    """The latest block: every sealed row is later than every other, and equal times stay together."""
    check_share(share, len(times))
    spoken = ", ".join(times.columns)
    # names of our own: one such as `*` would be taken for a pattern of names
    clock = pl.DataFrame([_comparable(each).alias(f"t{at}") for at, each in enumerate(times.get_columns())])
    names = clock.columns
    moments = clock.group_by(names).len("__loom_rows").sort(names)
    if len(moments) < 2:
        raise LoomError(
            f"a holdout cannot be cut by time ({spoken})", "all rows have the same time", "leave --time out"
        )
    later = moments["__loom_rows"].reverse().cum_sum().reverse().to_numpy()
    wanted = max(1, round(len(times) * share))
    cut = 1 + int(np.argmin(np.abs(later[1:] - wanted)))
    mask = clock.select(_from(names, [moments[name][cut] for name in names])).to_series().to_numpy()
    sealed = int(mask.sum())
    how = f"the latest {sealed:,} of {len(times):,} rows by {spoken}; rows of one time stay together"
    return Holdout(np.asarray(mask, bool), "time", how, _off_share(sealed, len(times), share, "equal times"))


def by_group(groups: Hashes, share: float, name: str) -> Holdout:
    """Whole groups, in the order of their hashes, until the share is reached; missing is one group."""
    check_share(share, len(groups))
    mask, count = _choose(groups, share)
    if count == 0:
        why = "all rows are of one group" if not mask.any() else "one group holds most of the rows"
        raise LoomError(
            f"a holdout of whole groups cannot be carved by `{name}`",
            why,
            "leave --group out, or name another",
        )
    sealed = int(mask.sum())
    how = f"{count:,} whole groups of `{name}`, {sealed:,} of {len(groups):,} rows, chosen by their hashes"
    return Holdout(mask, "group", how, _off_share(sealed, len(groups), share, "large groups"))


def by_content(keys: Hashes, share: float, without: Sequence[str]) -> Holdout:
    """Rows in the order of the hashes of their features: rows with the same features stay together."""
    check_share(share, len(keys))
    mask, count = _choose(keys, share)
    if count == 0:
        raise LoomError(
            "a holdout cannot be carved by content",
            "most rows have exactly the same features, so that any holdout would hold copies of the rest",
            "name a time or group column: --time COL or --group COL",
        )
    sealed = int(mask.sum())
    left = f" (left out: {', '.join(without)})" if without else ""
    how = f"{sealed:,} of {len(keys):,} rows, chosen by a hash of their features{left}; equal rows stay together"
    return Holdout(mask, "content", how, _off_share(sealed, len(keys), share, "equal rows"))


def seal_digest(rows: Hashes, columns: Sequence[tuple[str, str]]) -> str:
    """The digest of some rows as a set: the same for every order, and for no other rows."""
    whole = hashlib.sha256(json.dumps(["loom holdout 1", len(rows), list(columns)]).encode())
    whole.update(np.sort(rows).astype("<u8").data)
    return "sha256:" + whole.hexdigest()


def _choose(keys: Hashes, share: float) -> tuple[Mask, int]:
    """Whole sets of equal keys, the smallest keys first, as near to the share as they allow; and their number.

    A set larger than the share is passed over. Where all are, the smallest is taken if it leaves the larger part.
    """
    values, counts = np.unique(keys, return_counts=True)
    wanted = max(1, round(len(keys) * share))
    fits = counts <= wanted
    if len(values) < 2:
        return np.zeros(len(keys), bool), 0
    if not fits.any():
        smallest = int(np.argmin(counts))
        if counts[smallest] * 2 > len(keys):
            return np.ones(len(keys), bool), 0
        return keys == values[smallest], 1
    reached = np.cumsum(np.where(fits, counts, 0))
    last = int(np.searchsorted(reached, wanted))
    if last == len(values) or (
        last and abs(int(reached[last - 1]) - wanted) < int(reached[last]) - wanted and reached[last - 1]
    ):
        last -= 1
    chosen = values[: last + 1][fits[: last + 1]]
    if len(chosen) == len(values):
        chosen = chosen[:-1]
    place = np.minimum(np.searchsorted(chosen, keys), len(chosen) - 1)
    return chosen[place] == keys, len(chosen)


def _comparable(column: pl.Series) -> pl.Series:
    """A time column whose order is the order of time; text only where it is digits, such as `01`."""
    missing = column.null_count()
    if missing:
        row = int(column.is_null().arg_max() or 0) + 1
        raise LoomError(
            f"column `{column.name}` cannot order rows by time",
            f"{missing:,} of its cells are missing, the first in row {row:,}",
            "drop those rows, or leave --time out",
        )
    if column.dtype == pl.String:
        plain = column.alias("text").str.contains(r"^[0-9]{1,18}$")
        if not plain.all():
            row = int((~plain).arg_max() or 0) + 1
            raise LoomError(
                f"column `{column.name}` cannot order rows by time",
                f"it is text, and what row {row:,} holds is not known to be a date",
                "write dates as YYYY-MM-DD, or leave --time out",
            )
        return column.cast(pl.Int64)
    if column.dtype.is_temporal():
        return column.to_physical()
    if not column.dtype.is_numeric():
        raise LoomError(
            f"column `{column.name}` cannot order rows by time",
            f"its type is {column.dtype}",
            "name a column of dates or numbers, or leave --time out",
        )
    return column


def _from(names: Sequence[str], values: Sequence[object]) -> pl.Expr:
    """Whether a composite time is at a moment or after it."""
    result = pl.col(names[-1]) >= pl.lit(values[-1])
    for name, value in zip(reversed(names[:-1]), reversed(values[:-1]), strict=True):
        moment = pl.lit(value)
        result = (pl.col(name) > moment) | ((pl.col(name) == moment) & result)
    return result


def _off_share(sealed: int, rows: int, share: float, cause: str) -> tuple[str, ...]:
    if abs(sealed / rows - share) <= max(0.05 * share, 1.0 / rows):
        return ()
    return (
        f"the holdout is {sealed / rows:.1%} of the rows, not {share:.1%}, because {cause} stay together",
    )
