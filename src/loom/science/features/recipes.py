"""Which features a recipe makes of which columns; what they hold is learned later, from training rows only.

`minimal` fills, scales and encodes. `full` adds parts of dates and the days between them, encodings of columns with
many levels, differences and ratios of the numbers that matter most, means by level, and hashed words of texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np
import polars as pl

from loom.science.binning import numbers, repeats
from loom.science.disclosure import LONGEST_LEVEL, is_personal_name, may_show_level
from loom.science.features.levels import MISSING, levels_of
from loom.science.features.operations import BUCKETS, Step
from loom.science.reading import Use

Recipe = Literal["full", "minimal"]

VERSION = 1
ONE_HOT = 12
_ONE_HOT_BUDGET = 2_000
_PAIRED = 5
_GROUPED = 3
_DATES_PAIRED = 4
CLASSES = 5  # more of them, and a target encoding has a column for the commonest only
_SHARED = 5


@dataclass(frozen=True, slots=True)
class Ingredient:
    """What a recipe knows of a column: what it is for, whether cells are missing, its levels, the parts its dates vary in.

    `many` counts levels (for numbers: whether they come again), `shared` says that a level has five rows or more on
    average, so that a mean over them is one.
    """

    name: str
    use: Use
    missing: bool
    levels: tuple[str, ...] = ()
    shown: tuple[bool, ...] = ()
    many: int = 0
    shared: bool = False
    parts: tuple[str, ...] = ()

    def narrowed(self, widest: int) -> Ingredient:
        """The same with no more levels than may have a column of their own."""
        return replace(self, levels=self.levels[:widest], shown=self.shown[:widest])


def ingredient_of(column: pl.Series, use: Use) -> Ingredient:
    """One column as the recipes see it."""
    missing = bool(column.null_count())
    if use == "numeric":
        missing = not bool(np.isfinite(numbers(column)).all())
    if use == "categorical":
        levels, counts = levels_of(column)
        shown = [
            may_show_level(int(count), len(column)) and not is_personal_name(column.name)
            for count in counts[:ONE_HOT]
        ]
        return Ingredient(
            column.name,
            use,
            missing,
            tuple(levels[:ONE_HOT]),
            tuple(shown),
            len(levels),
            _SHARED * len(levels) <= len(column),
        )
    if use == "date":
        return Ingredient(column.name, use, missing, parts=tuple(_varying(column)))
    return Ingredient(
        column.name, use, missing, many=0 if use != "numeric" else int(repeats(numbers(column)))
    )


def widest_one_hot(categorical: int) -> int:
    """How many levels may have a column of their own, so that a wide table stays one."""
    return max(2, min(ONE_HOT, _ONE_HOT_BUDGET // max(categorical, 1)))


def minimal(ingredients: Sequence[Ingredient], clock: Sequence[str]) -> Iterator[Step]:
    """Fill, scale and encode; columns of the declared time give only what comes round again."""
    for one in ingredients:
        name = one.name
        if one.use == "numeric" and (name not in clock or one.many):
            yield Step("fill_scale", (name,), (f"{name}__scaled" if name in clock else name,))
        elif one.use == "boolean":
            yield Step("truth", (name,), (name,))
        elif one.use == "categorical":
            yield from _levels(one)
        elif one.use == "text":
            yield Step("text_shape", (name,), (f"{name}__length", f"{name}__words"))
        elif one.use == "date" and name not in clock:
            yield Step("days", (name,), (f"{name}__days",))
        if one.missing and one.use in ("numeric", "boolean", "date", "text") and name not in clock:
            yield Step("is_missing", (name,), (f"{name}__missing",), {"number": one.use == "numeric"})


def additions(
    ingredients: Sequence[Ingredient], weights: Mapping[str, float], clock: Sequence[str], outputs: int
) -> Iterator[Step]:
    """What `full` adds; `weights` say how much each column helped a small model."""
    by_weight = sorted(
        (one for one in ingredients if one.name not in clock),
        key=lambda each: (-weights.get(each.name, 0.0), each.name),
    )
    amounts = [one.name for one in by_weight if one.use == "numeric"]
    dates = [one for one in ingredients if one.use == "date"]
    for one in dates:
        parts = [part for part in one.parts if part != "year" or one.name not in clock]
        if parts:
            yield Step(
                "date_parts", (one.name,), tuple(f"{one.name}__{part}" for part in parts), {"parts": parts}
            )
    for first, second in combinations([one.name for one in dates][:_DATES_PAIRED], 2):
        yield Step("days", (first, second), (f"{first}__days_since__{second}",))
    for one in ingredients:
        if one.use == "categorical" and one.many > len(one.levels):
            ends = [""] if outputs == 1 else [f"_{place}" for place in range(outputs)]
            yield Step(
                "target_encode",
                (one.name,),
                tuple(f"{one.name}__target{end}" for end in ends),
                {"outputs": outputs},
            )
        if one.use == "text":
            yield Step(
                "text_hash",
                (one.name,),
                tuple(f"{one.name}__hash_{place}" for place in range(BUCKETS)),
                {"buckets": BUCKETS},
            )
        if one.use == "categorical" and 2 < one.many <= len(one.levels):
            yield Step("frequency", (one.name,), (f"{one.name}__share",))
    for first, second in combinations(amounts[:_PAIRED], 2):
        yield Step("difference", (first, second), (f"{first}__minus__{second}",))
        yield Step("ratio", (first, second), (f"{first}__over__{second}",))
    for group in [one.name for one in by_weight if _groups(one)][:_GROUPED]:
        for amount in amounts[:_GROUPED]:
            yield Step(
                "group_mean", (group, amount), (f"{amount}__mean_by__{group}", f"{amount}__beyond__{group}")
            )


def _groups(one: Ingredient) -> bool:
    """Whether means by this column are taken: it has a few shared levels.

    A column of many levels has its target encoded instead. With both, a mean tells which level a row has, and then
    the encodings of its other folds give the row's own fold away (AUC 0.51 on a shuffled target, measured).
    """
    return one.use == "categorical" and 2 < one.many <= len(one.levels) and one.shared


def named_apart(steps: Sequence[Step], taken: Sequence[str]) -> list[Step]:
    """The steps with every feature under a name of its own, apart from the columns that are passed through."""
    seen, result = set(taken), []
    for step in steps:
        names = []
        for name in step.names:
            fresh, number = name, 2
            while fresh in seen:
                fresh, number = f"{name}__{number}", number + 1
            seen.add(fresh)
            names.append(fresh)
        result.append(Step(step.op, step.source, tuple(names), step.options, step.state))
    return result


def _levels(one: Ingredient) -> Iterator[Step]:
    """One column per level of a column with few; of one with many, the share of rows that have the level."""
    if one.many > len(one.levels):
        yield Step("frequency", (one.name,), (f"{one.name}__share",))
        return
    # of two levels one says it all; of more, "none of them" is a new level
    places = list(range(len(one.levels))) if one.many > 2 else [len(one.levels) - 1]
    names = tuple(_level_name(one, place) for place in places)
    yield Step("one_hot", (one.name,), names, {"levels": list(one.levels), "places": places})


def _level_name(one: Ingredient, place: int) -> str:
    """The level by its name where enough rows have it, else by its rank: names travel further than data does."""
    level = one.levels[place]
    if level == MISSING:
        return f"{one.name}__missing"
    return f"{one.name}={level[:LONGEST_LEVEL]}" if one.shown[place] else f"{one.name}#{place + 1}"


def _varying(column: pl.Series) -> Iterator[str]:
    moments = column.drop_nulls()
    if not len(moments) or column.dtype in (pl.Time, pl.Duration):
        return
    parts = ["year", "month", "day", "weekday"] + (["hour"] if isinstance(column.dtype, pl.Datetime) else [])
    for part in parts:
        if getattr(moments.dt, part)().n_unique() > 1:
            yield part


def weighed(ingredients: Sequence[Ingredient]) -> list[str]:
    """The columns whose weight a recipe asks for."""
    return [one.name for one in ingredients if one.use in ("numeric", "categorical")]
