"""When a good score is not believed, and what is said of those who come by one wrongly.

A champion is held against what the sealed rows say of it, against what it said of itself, and against a run on
shuffled answers, from which nothing can be learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from loom.kernel.errors import LoomError
from loom.science.metrics import Interval, Metric
from loom.science.metrics import get as metric_called
from loom.science.search.smells import CODES
from loom.science.targets import Task

Floats = NDArray[np.float64]

ERRORS = 3.0
_OWN = frozenset(
    {"score", "cv", "cv_score", "oof", "oof_score", "valid", "valid_score", "validation", "val", "val_score"}
)

WORDS: Mapping[str, str] = {
    **CODES,
    "no_submission": "it wrote no ./working/submission.csv",
    "unreadable": "what it wrote cannot be read",
    "too_large": "its submission is larger than such rows can make it",
    "wrong_columns": "its submission has other columns than the sample",
    "unknown_ids": "it predicted rows that nobody asked about",
    "repeated_ids": "it predicted some rows more than once",
    "missing_rows": "it left rows out",
    "not_finite": "some of its predictions are no finite numbers",
    "not_probabilities": "its predictions are no probabilities",
    "sample_returned": "it handed the sample submission back",
    "link": "it put a link in the place of its submission",
    "constant": "it says the same of every row",
    "gap": "it is much worse on sealed rows than on those that steered the search",
    "boast": "it reported a score of itself that the sealed rows do not bear out",
    "survives_shuffle": "it knows the answers even when those it could learn from are shuffled",
}
"""Every code of a rejected submission, of a smell and of a suspicion, in a sentence without its subject's name."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a candidate is suspect: a code of `WORDS`, and the figures."""

    code: str
    what: str


@dataclass(frozen=True, slots=True)
class Skill:
    """The share of the answers' spread that predictions explain, 0 where they know nothing, and its standard error."""

    value: float
    se: float


def words_for(code: str) -> str:
    """What a code means; the code itself where nobody knows."""
    return WORDS.get(code, code.replace("_", " "))


def suspect(
    metric: Metric, search: Interval, seal: Interval, told: Mapping[str, float] | None = None
) -> Reason | None:
    """Why the score of a candidate is not believed: it fell by more than three standard errors on sealed rows.

    What it told of itself is held against the seal in the same way. None where nothing is wrong, or not enough is
    known to say so.
    """
    if search.value is None or seal.value is None:
        return None
    spread = _spread(search, seal)
    if spread is None:
        return None
    for code, name, value in (("gap", "the search", search.value), *_boasts(metric, told or {})):
        excess = metric.gain(value, seal.value)
        if excess > ERRORS * spread:
            times = f"{excess / spread:.1f} standard errors" if spread > 0 else "beyond any error"
            return Reason(
                code,
                f"{metric.name} is {value:.4g} by {name} and {seal.value:.4g} on sealed rows, {times} apart",
            )
    return None


def skill(task: Task, answers: ArrayLike, said: Floats, learned: int) -> Skill:
    """How much of the answers predictions explain, by squared distance, whatever the metric of the search is.

    A ranking would not do for a run on shuffled answers: a straight line that is drawn through noise still orders
    the rows, well or badly by the side it happens to lean to. The distance of probabilities is honest, for the noise
    makes them lean little. How much they may still lean by chance after `learned` rows is part of the standard error.
    """
    known = np.asarray(answers, np.float64)
    if task == "multiclass":
        hits = (known[:, None] == np.arange(said.shape[1])).astype(np.float64)
        spread, distance = ((hits - hits.mean(0)) ** 2).sum(1), ((hits - said) ** 2).sum(1)
    else:
        spread, distance = (known - known.mean()) ** 2, (known - said) ** 2
    whole = float(spread.mean())
    if whole <= 0 or len(known) < 2:
        return Skill(0.0, float("inf"))
    gains = (spread - distance) / whole
    lean = 2 / np.sqrt(max(learned, 1))
    return Skill(float(gains.mean()), float(np.hypot(gains.std(ddof=1) / np.sqrt(len(gains)), lean)))


def survives_shuffle(score: float, chance: float, se: float, sign: int = 1) -> bool:
    """Whether a score that was reached on shuffled answers is beyond chance, so that it was not learned from them.

    With `skill`, chance is 0: `survives_shuffle(found.value, 0.0, found.se)`. `sign` is that of the metric.
    """
    return sign * (score - chance) > ERRORS * se


def _spread(one: Interval, other: Interval) -> float | None:
    """The standard error of a difference of two scores on different rows; none where one is unknown."""
    parts = []
    for each in (one, other):
        if each.se is None:
            return None
        # where all rows agree, the interval knows more than the spread does
        parts.append(max(each.se, (each.half_width or 0.0) / 2))
    return float(np.hypot(parts[0], parts[1]))


def _boasts(metric: Metric, told: Mapping[str, float]) -> list[tuple[str, str, float]]:
    """The scores that a candidate reported of itself, as far as they are of this metric."""
    return [
        ("boast", f"its own account (`{name[:40]}`)", float(value))
        for name, value in told.items()
        if np.isfinite(value) and (name.casefold() in _OWN or _is(name, metric))
    ]


def _is(name: str, metric: Metric) -> bool:
    try:
        return metric_called(name) == metric
    except LoomError:
        return False
