"""The rules of a verdict, one object each: what is looked at, what would be expected of an honest model, the limit.

`needs` names the measurements. A rule that cannot read one of them asks for a review; it never passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from loom.kernel.verdict import Reason
from loom.science.judgement import checks
from loom.science.judgement.reading import Reading

Level = Literal["FAIL", "REVIEW"]
Check = Callable[[Reading], Iterator[Reason]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason why a model may not be trusted."""

    code: str
    level: Level
    """The worst it can make of a verdict."""

    needs: tuple[str, ...]
    statistic: str
    null: str
    """What holds of an honest model."""

    limit: str
    check: Check


RULES: tuple[Rule, ...] = (
    Rule(
        "leak_used",
        "FAIL",
        ("leakage",),
        "how well each used column alone predicts the target on rows it has not seen",
        "no column knows the answer before it is known",
        "a column that the leak tests would drop is among those used",
        checks.leak_used,
    ),
    Rule(
        "suspect_used",
        "REVIEW",
        ("leakage",),
        "the same, below the limit at which a column is dropped",
        "a very good column was known in time",
        "a suspected column is used and nobody vouches for it",
        checks.suspect_used,
    ),
    Rule(
        "overlap",
        "FAIL",
        ("overlaps",),
        "rows, entities and intervals of time that lie on both sides of a split",
        "none do",
        "more than none",
        checks.overlap,
    ),
    Rule(
        "canary_broken",
        "FAIL",
        ("canary",),
        "the score of the same fit on shuffled answers",
        "it is that of chance",
        "its interval lies above chance",
        checks.canary_broken,
    ),
    Rule(
        "no_holdout",
        "FAIL",
        (),
        "the number of sealed rows with an answer",
        "there are some",
        "none, or of one class only",
        checks.no_holdout,
    ),
    Rule(
        "target_missing",
        "FAIL",
        ("target_missing",),
        "the share of rows without an answer",
        "next to none",
        "more than 5 %",
        checks.target_missing,
    ),
    Rule(
        "not_above_dummy",
        "FAIL",
        ("holdout", "baselines", "metric"),
        "the score on the holdout with its 95 % interval",
        "a model that learned something is above one that says the same of everybody",
        "the worse end of the interval does not beat the dummy",
        checks.not_above_dummy,
    ),
    Rule(
        "chance",
        "FAIL",
        ("permutation_p",),
        "how many of 999 shuffles of the holdout's answers score as well",
        "next to none",
        "p above 0.01",
        checks.chance,
    ),
    Rule(
        "below_cv",
        "FAIL",
        ("holdout", "cv", "metric"),
        "holdout minus cross-validation, in standard errors of the difference",
        "both estimate the same",
        "5 below fails, 3 below is reviewed",
        checks.below_cv,
    ),
    Rule(
        "imprecise",
        "REVIEW",
        ("holdout", "baselines", "metric"),
        "half the width of the 95 % interval of the score",
        "narrow enough to decide by",
        "0.05 of a score between 0 and 1, or of the dummy's score",
        checks.imprecise,
    ),
    Rule(
        "worse_than_simple",
        "REVIEW",
        ("baselines", "holdout", "metric"),
        "the paired difference to a linear model and to the best single column, with its 95 % interval",
        "more effort is not worse",
        "the whole interval says worse, by 2 % or more of what the simple one has over the dummy",
        checks.worse_than_simple,
    ),
    Rule(
        "miscalibrated",
        "FAIL",
        ("calibration",),
        "Brier skill against the base rate; calibration error beside what perfect probabilities show at this size; "
        "slope of the recalibration",
        "probabilities mean what they say",
        "skill whose interval ends at or below 0 fails; an error above the 99th percentile of the noise, of which 0.05 "
        "or more is left without the noise, or a slope wholly outside 0.8 to 1.25, is reviewed",
        checks.miscalibrated,
    ),
    Rule(
        "threshold_missed",
        "FAIL",
        ("metric", "holdout"),
        "the score on the holdout beside the one that was asked for",
        "it is reached",
        "missed by the better end of the interval fails; by the score alone is reviewed",
        checks.threshold_missed,
    ),
    Rule(
        "bad_slice",
        "REVIEW",
        ("slices",),
        "the loss in a part of the rows beyond the loss that the model itself expects there",
        "none is worse than the model says",
        "q below 0.05 with an effect of 0.4 or more",
        checks.bad_slice,
    ),
    Rule(
        "unfair",
        "FAIL",
        ("fairness",),
        "selection rates, error rates and ranking by group, each with its interval",
        "groups are treated alike",
        "ranking no better than chance in a group fails; a ratio below 0.8 or odds apart by more than 0.1 is reviewed",
        checks.unfair,
    ),
    Rule(
        "distinguishable",
        "REVIEW",
        ("adversarial", "splitter"),
        "how well train and holdout can be told apart, as an AUC on rows not seen",
        "they are of one kind",
        "0.60 or more; with a split by time only a note",
        checks.distinguishable,
    ),
    Rule(
        "horizon_assumed",
        "REVIEW",
        ("splitter",),
        "whether it is known how far ahead the target looks",
        "it is",
        "rows have a time, and no horizon was given",
        checks.horizon_assumed,
    ),
    Rule(
        "holdout_reused",
        "REVIEW",
        ("holdout",),
        "how many models the holdout was opened for",
        "one",
        "more than one",
        checks.holdout_reused,
    ),
)
