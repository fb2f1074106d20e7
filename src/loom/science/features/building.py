"""Features from a training part: what was flagged is dropped first, the rest is built by a recipe and fitted here.

Whatever learns from data learns from the rows given and travels in the transformer; no feature comes from a column
that was dropped. Columns are read a block at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from loom.kernel.errors import LoomError
from loom.science.binning import level_codes, moderate, numbers
from loom.science.boosting import gains, matrix_of
from loom.science.columns import Columns, Source, columns_of
from loom.science.features import recipes
from loom.science.features.fingerprint import cell_words, content, fingerprint, kind_name, spread
from loom.science.features.levels import levels_of
from loom.science.features.recipes import Ingredient, Recipe
from loom.science.features.transformer import Transformer, written
from loom.science.reading import Reading, Use, reading_of
from loom.science.targets import Task, task_in
from loom.science.twins import Words

Obstacle = Literal["target_missing", "target_flagged", "nothing_left"]

_SAMPLE = 5_000
_FEWEST = 40
_UNUSABLE: Mapping[Use, str] = {
    "id": "id",
    "empty": "all_missing",
    "constant": "constant",
    "nested": "nested",
}


class BlockedError(LoomError):
    """Features cannot be built from this data; `code` says which of the known obstacles it is."""

    def __init__(self, code: Obstacle, what: str, why: str, fix: str) -> None:
        super().__init__(what, why, fix)
        self.code = code


@dataclass(frozen=True, slots=True)
class Built:
    """The features of the training rows with the columns passed through, and how they came about."""

    frame: pl.DataFrame
    transformer: Transformer
    created: tuple[dict[str, Any], ...]
    dropped: tuple[dict[str, str], ...]
    fingerprint: str
    n_before: int
    n_after: int

    def as_json(self) -> dict[str, Any]:
        """The facts as plain data, under the keys of `features`' summary."""
        return {
            "target": self.transformer.target,
            "recipe": self.transformer.recipe,
            "fingerprint": self.fingerprint,
            "n_features_before": self.n_before,
            "n_features_after": self.n_after,
            "created": [dict(one) for one in self.created],
            "dropped": [dict(one) for one in self.dropped],
        }


def build(
    train: Source,
    target: str,
    *,
    recipe: Recipe = "full",
    dropped: Sequence[Mapping[str, Any]] = (),
    task: Task | None = None,
    time: Sequence[str] = (),
    group: str | None = None,
    seed: int = 0,
) -> Built:
    """The recipe's features without the dropped columns, fitted on the training part and nothing else."""
    table = columns_of(train)
    reading, answers = _target_of(table, target, dropped)
    for name in (*time, *([group] if group else [])):
        _known(table, name, "it was named as time or group")
    flagged = _flagged(table, dropped)
    task = task or task_in(answers) or "regression"
    survey = _Survey(table, {target, *flagged, *([group] if group else [])}, target)
    ingredients = survey.ingredients
    classes = _classes(answers, task)
    steps = list(recipes.minimal(ingredients, time))
    if recipe == "full":
        weights = survey.weights(answers, task, seed)
        steps += list(recipes.additions(ingredients, weights, time, max(len(classes), 1)))
    if not steps:
        raise BlockedError(
            "nothing_left",
            "no column is left to build features from",
            f"{len(flagged)} were flagged, and the others are ids, constant or empty",
            "look at why they were flagged: loom eda",
        )
    facts = fingerprint(
        recipe=recipe, version=recipes.VERSION, target=target, task=task, time=time, group=group,
        dropped=flagged, seed=seed, content=survey.digest(answers),
    )  # fmt: skip
    keep = tuple(dict.fromkeys([*time, *([group] if group else []), target]))
    unfitted = Transformer(
        steps=tuple(recipes.named_apart(steps, keep)), recipe=recipe, target=target, task=task,
        classes=classes, inputs=tuple(one.name for one in ingredients), keep=keep, group=group,
        written=written({**survey.readings, target: reading}), crowded=survey.crowded, seed=seed, fingerprint=facts,
    )  # fmt: skip
    transformer, frame = unfitted.learn(table, survey.words)
    left_out = [*({"column": name, "reason": why} for name, why in flagged.items()), *survey.left_out]
    return Built(
        frame=frame, transformer=transformer, created=transformer.created,
        dropped=tuple(left_out), fingerprint=facts, n_before=len(table.names) - 1, n_after=len(transformer.features),
    )  # fmt: skip


class _Survey:
    """One pass over the columns that may be used: what each is, and the words of the rows."""

    def __init__(self, table: Columns, without: set[str], target: str) -> None:
        self.table = table
        self.left_out: list[dict[str, str]] = []
        self._schema: dict[str, str] = {}
        self.readings: dict[str, Reading] = {}
        found: list[Ingredient] = []
        total = np.zeros(table.rows, np.uint64)
        everything = np.zeros(table.rows, np.uint64)
        for column in table.each([name for name in table.names if name != target]):
            words = cell_words(column)
            self._schema[column.name] = kind_name(column.dtype)
            everything += words
            if column.name in without:
                continue
            reading = reading_of(column)
            if reading.use in _UNUSABLE:
                self.left_out.append({"column": column.name, "reason": _UNUSABLE[reading.use]})
                continue
            self.readings[column.name] = reading
            found.append(recipes.ingredient_of(reading.of(column), reading.use))
            total += words
        self.words: Words = spread(total)
        self._everything: Words = everything
        widest = recipes.widest_one_hot(sum(one.use == "categorical" for one in found))
        self.ingredients = [one.narrowed(widest) for one in found]

    def _read(self, names: Sequence[str]) -> Iterator[pl.Series]:
        return (self.readings[column.name].of(column) for column in self.table.each(names))

    @property
    def crowded(self) -> bool:
        """Whether most rows are equal to another one, as in a table of few levels."""
        return pl.Series(self.words).n_unique() < 0.5 * len(self.words)

    def digest(self, answers: pl.Series) -> str:
        """The digest of all columns, the target among them."""
        schema = {**self._schema, answers.name: kind_name(answers.dtype)}
        return content(spread(self._everything + cell_words(answers)), schema)

    def weights(self, answers: pl.Series, task: Task, seed: int) -> dict[str, float]:
        """How much each column helped a small model, on rows chosen by their content so that order does not matter."""
        names = recipes.weighed(self.ingredients)
        answers = answers.alias("cells")
        known = answers.is_not_null().to_numpy()
        if task == "regression":
            known &= np.isfinite(numbers(answers))
        rows = np.argsort(self.words, kind="stable")
        rows = rows[known[rows]][:_SAMPLE]
        if len(names) < 2 or len(rows) < _FEWEST:
            return {}
        truth = answers.gather(rows)
        values = moderate(numbers(truth) if task == "regression" else level_codes(truth).codes.astype(float))
        classes = 0 if task == "regression" else int(values.max()) + 1
        if values.min() == values.max():
            return {}
        matrix = matrix_of(column.alias("cells").gather(rows) for column in self._read(names))
        return dict(zip(names, gains(matrix, values, classes=classes, seed=seed).tolist(), strict=True))


def _target_of(
    table: Columns, target: str, dropped: Sequence[Mapping[str, Any]]
) -> tuple[Reading, pl.Series]:
    if target not in table.names:
        raise BlockedError(
            "target_missing",
            f"the data has no column `{target}`",
            "it was named as the target",
            "name a column of the data: loom features --target COLUMN",
        )
    if any(one.get("column") == target for one in dropped):
        raise BlockedError(
            "target_flagged",
            f"the target `{target}` is itself flagged",
            "no model can be judged by a column that has to be dropped",
            "name another target: loom features --target COLUMN",
        )
    cells = table.column(target)
    reading = reading_of(cells)
    answers = reading.of(cells)
    if answers.alias("cells").drop_nulls().n_unique() < 2:
        raise BlockedError(
            "target_missing",
            f"the target `{target}` has fewer than two values",
            f"it is the same, or missing, in all {table.rows:,} rows",
            "name another target: loom features --target COLUMN",
        )
    return reading, answers


def _flagged(table: Columns, dropped: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    flagged = {
        str(one["column"]): str(one.get("reason", "flagged"))
        for one in dropped
        if one.get("column") is not None
    }
    for name in flagged:
        _known(table, name, "it was flagged, so the findings are about other data")
    return flagged


def _known(table: Columns, name: str, why: str) -> None:
    if name not in table.names:
        raise LoomError(f"the data has no column `{name}`", why, "list the columns of the data: loom eda")


def _classes(answers: pl.Series, task: Task) -> tuple[str, ...]:
    """The classes an encoding speaks of: of two the one that sorts last, such as `yes`; else the commonest five."""
    if task == "regression":
        return ()
    levels, _ = levels_of(answers.alias("cells").drop_nulls())
    return (max(levels),) if len(levels) == 2 else tuple(levels[: recipes.CLASSES])
