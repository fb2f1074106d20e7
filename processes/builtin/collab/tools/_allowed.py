"""The list of what may leave of a run, verb by verb; a verb that is not on it leaves with nothing but its end."""

from __future__ import annotations

from collections.abc import Mapping

from . import _words as words
from ._about_data import COLUMNS, EDA, FEATURES, INGEST, VIZ
from ._about_models import CANDIDATE, DEPLOY, INTERVAL, OPTIMIZE, REASONS, VALIDATE
from ._nested import by, keyed, rows
from ._shapes import Shape, column, length, number, ref, word

__all__ = ["INPUTS", "REASONS", "SUMMARIES"]

INPUTS = keyed(
    dataset=ref, reference=ref, from_=ref, validate=ref, solution=ref, run=ref, runs=rows(ref), target=column,
    group=column, prediction=column, time=COLUMNS, sensitive=COLUMNS, **{"accept-suspect": COLUMNS},
    holdout=number, recipe=word(*words.RECIPES), fairness=word("review", "strict"), metric=word(*words.METRICS),
    horizon=length, embargo=length, budget=length, steps=number,
)  # fmt: skip
_COUNTS: dict[str, Shape] = dict.fromkeys(
    ("runs", "ok", "failed", "interrupted", "blocked", "refused", "running", "success", "median_s", "p95_s"),
    number,
)
_TOLD = keyed(needs_="run", run=ref, status=word(*words.STATUSES), verdict=word(*words.VERDICTS))
_SHIFT = keyed(
    needs_="name", name=column, verdict=word(*words.VERDICTS), compared_as=word(*words.COMPARED), psi=number,
    ks=number, jensen_shannon=number, total_variation=number, unseen=number, missing_delta=number, q=number,
    reasons=rows(word(*words.DRIFTS)),
)  # fmt: skip
_OPS = keyed(
    health=keyed(
        **_COUNTS, success_ci=INTERVAL, latest=_TOLD, failures=rows(_TOLD),
        flows=rows(
            keyed(
                flow=word(*words.FLOWS), verb=word(*words.VERBS), **_COUNTS, success_ci=INTERVAL,
                lately_share=number, latest=ref, latest_status=word(*words.STATUSES),
            )
        ),
    ),
    leaderboard=rows(CANDIDATE),
    drift=keyed(
        verdict=word(*words.VERDICTS), rows_current=number, rows_reference=number, columns=rows(_SHIFT),
        target=_SHIFT, prediction=_SHIFT, share=number, domain_auc=number, missing_delta=by("column", column, number),
        new_columns=rows(column), removed_columns=rows(column),
    ),
)  # fmt: skip
_STAGE = keyed(
    needs_="verb", verb=word(*words.VERBS), pathspec=ref, verdict=word(*words.VERDICTS)
)  # fmt: skip
SUMMARIES: Mapping[str, Shape] = {
    "ingest": INGEST,
    "eda": EDA,
    "features": FEATURES,
    "viz": VIZ,
    "ops": _OPS,
    "validate": VALIDATE,
    "deploy": DEPLOY,
    "optimize": OPTIMIZE,
    "eval-candidate": CANDIDATE,
    "pipeline": keyed(stages=rows(_STAGE), failed_stage=word(*words.VERBS)),
    "report": keyed(runs=rows(ref)),
    "ds-lifecycle": keyed(runs=rows(ref)),
}
