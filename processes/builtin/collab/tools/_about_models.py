"""What may leave of the summaries of the verbs that look at models: validate, deploy, optimize."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from . import _words as words
from ._about_data import LEAK
from ._names import is_count
from ._nested import by, either, keyed, level_rows, rows
from ._shapes import At, column, length, number, ref, release, sha, truth, word

INTERVAL = rows(number)
_MEASURED = either(word(*words.VERDICTS), number)
REASONS = rows(
    keyed(
        needs_="code", code=word(*words.CODES), severity=word(*words.SEVERITIES), value=_MEASURED,
        threshold=_MEASURED, column=column,
    )
)  # fmt: skip
CANDIDATE = keyed(
    pathspec=ref, family=word(*words.FAMILIES), search=number, seal=number, ci=INTERVAL,
    metric=word(*words.METRICS), direction=word(*words.DIRECTIONS),
)  # fmt: skip
_ESTIMATE = keyed(value=number, low=number, high=number, ci=INTERVAL)
_METRIC = keyed(
    name=word(*words.METRICS), direction=word(*words.DIRECTIONS), bounded=truth, operator=word(*words.OPERATORS),
    threshold=number,
)  # fmt: skip
_BASELINE = keyed(name=word(*words.MODELS), score=number, difference=_ESTIMATE)
_CALIBRATION = keyed(
    task=word(*words.TASKS), n=number, ece=number, noise_floor=keyed(mean=number, p99=number), ece_excess=number,
    brier=number, brier_skill=_ESTIMATE, mse=number, r2=_ESTIMATE, slope=_ESTIMATE, intercept=_ESTIMATE,
    bias=_ESTIMATE, findings=REASONS,
)  # fmt: skip
_SENSITIVE = keyed(
    needs_="column", column=column, task=word(*words.TASKS), threshold=number, findings=REASONS,
    groups_are=word("ranges", "levels"), gaps=keyed(**dict.fromkeys(words.GAPS, _ESTIMATE)),
    groups=level_rows("group", "n", **dict.fromkeys(words.RATES, _ESTIMATE)),
)  # fmt: skip


def _sensitive(value: Any, at: At) -> Any:
    """A sensitive column and its groups. The ends of ranges are cells, so that only levels are told."""
    groups = value.get("groups") if isinstance(value, Mapping) else None
    if not isinstance(groups, list):
        return _SENSITIVE(value, at)
    listed = [each for each in groups if isinstance(each, Mapping)]
    if value.get("groups_are") != "levels":
        listed = [{**each, "group": None} for each in listed]
    counts = [each["n"] for each in listed if is_count(each.get("n"))]
    return _SENSITIVE({**value, "groups": listed}, replace(at, rows=sum(counts)))


VALIDATE = keyed(
    dataset_ref=ref, source_dataset_ref=ref, target=column, task=word(*words.TASKS), metric=_METRIC,
    model_source=word(*words.MODELS),
    splitter=keyed(
        kind=word(*words.SPLITTERS), horizon=length, horizon_assumed=truth, embargo=length, n_purged=number,
        n_embargoed=number, crowded=truth,
        folds=rows(keyed(train=number, test=number, purged=number, embargoed=number, kin=number)),
    ),
    cv=keyed(folds=rows(number), mean=number, se=number, n=number),
    holdout=keyed(
        digest=sha, n=number, sealed=number, missing=number, openings=number, score=number, ci=INTERVAL,
        se=number, needed_rows=number,
    ),
    baselines=keyed(dummy=_BASELINE, simple=rows(_BASELINE)), permutation_p=number,
    canary=keyed(score=number, chance=number, ci=INTERVAL, level=number), calibration=_CALIBRATION,
    slices=rows(keyed(columns=rows(column), n=number, share=number, excess=number, effect=number, q=number)),
    fairness=either(word("not assessed"), rows(_sensitive)), leakage=rows(LEAK),
    adversarial=keyed(auc=number, p=number, columns=rows(column)), model_ref=ref,
    model=keyed(digest=sha, file_digest=sha, bytes=number), digests=by("run", ref, sha), accepted_suspects=rows(column),
)  # fmt: skip
DEPLOY = keyed(
    digest=sha, status=word("staged", "deployed"),
    manifest=keyed(
        format=number, model=keyed(ref=ref, digest=sha, source=word(*words.MODELS)),
        holdout=keyed(digest=sha, rows=number, openings=number),
        data=rows(keyed(needs_="pathspec", pathspec=ref, digest=sha, rows=number)),
        metrics=rows(keyed(metric=word(*words.METRICS), of=word(*words.MODELS), score=number, ci=INTERVAL, se=number)),
        validation=keyed(ref=ref, verdict=word(*words.VERDICTS), reasons=REASONS), bundle=keyed(digest=sha),
        versions=keyed(loom=release, python=release, libraries=by("name", word(*words.LIBRARIES), release)),
    ),
)  # fmt: skip
OPTIMIZE = keyed(
    best=CANDIDATE, leaderboard=rows(CANDIDATE), candidates=number,
    suspects=rows(keyed(needs_="pathspec", pathspec=ref, search=number, seal=number)),
    budget=keyed(asked=length, used=number),
)  # fmt: skip
