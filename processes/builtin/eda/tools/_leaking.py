"""The leak tests of a data object as their tool answers them, with the plot of what each column knows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl

from loom.science.charts import leak_scores
from loom.science.columns import Columns
from loom.science.leakage import Leakage, leakage, rules
from loom.science.leakage.copies import COPY
from loom.science.profile import profile
from loom.science.targets import Task
from loom.tools.registry import ToolContext

from ._subject import SEED, Subject, subject_of

THRESHOLDS: dict[str, float] = {
    "separates_target": rules.DROP,
    "monotone_copy": COPY,
    "missingness": rules.DROP_MISSING,
    "post_event_name": rules.DROP_NAMED,
    "strong_alone": rules.SUSPECT,
    "id_knows_target": rules.SUSPECT,
    "separates_class": rules.DROP,
    "missingness_informative": rules.SUSPECT_MISSING,
    "stands_alone": rules.SUSPECT,
}
"""From which score a test trips; tests with a bound of their own are not here."""

NOTHING: dict[str, Any] = {
    "leakage_flags": [],
    "leakage_suspects": [],
    "leakage_blocking": False,
    "leakage_excluded": [],
    "leakage_checks": [],
    "leakage_scores": {},
    "leakage_task": None,
    "leakage_rows": {"all": 0, "scanned": 0},
    "thresholds": THRESHOLDS,
    "charts": [],
}
"""The answer where no target is known."""


def tested(args: Mapping[str, Any], ctx: ToolContext) -> tuple[list[str], dict[str, Any]]:
    """What a reader is told, and the findings under the keys of the verb's summary."""
    subject = subject_of(args, ctx)
    if subject.target is None:
        return ["no target is known: no leak test was possible"], NOTHING
    found = leakage(
        subject.train,
        subject.target.name,
        task=_task(subject, subject.target.name),
        time=subject.time,
        group=subject.group,
        test=subject.test,
        seed=SEED,
        now=datetime.now(UTC),
    )
    data = {**found.as_json(), "leakage_blocking": _blocks(found), "thresholds": THRESHOLDS}
    drawn = leak_scores(data, subject.spoken)
    return _lines(found), data | {"charts": [drawn.as_json()] if drawn is not None else []}


def _task(subject: Subject, target: str) -> Task | None:
    """The task as the profile tells it, so that both looks mean the same; None where only the cells decide."""
    train = subject.train
    alone = profile(Columns((target,), train.rows, train.read), target=target).target
    if alone is None or (alone.task == "regression" and train.read([target]).dtypes[0] == pl.String):
        return None
    return alone.task


def _blocks(found: Leakage) -> bool:
    """Whether nothing is left to model; where nothing could be tested, that is not for this look to say."""
    return found.blocking and found.scanned > 0


def _lines(found: Leakage) -> list[str]:
    return [
        f"{len(found.scores):,} columns tested on {found.scanned:,} of {found.rows:,} open rows",
        f"{len(found.flags):,} flagged, {len(found.suspects):,} suspects",
        *(["nothing would be left to model"] if _blocks(found) else []),
    ]
