"""What may leave of the summaries of the verbs that look at data: ingest, eda, features, viz."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import _words as words
from ._nested import by, either, keyed, level_rows, rows
from ._shapes import OUT, At, column, number, quantile, ref, sha, truth, word

COLUMNS = either(column, rows(column))
LEAK = keyed(
    needs_="column", column=column, reason=word(*words.LEAKS), score=number, also=rows(word(*words.LEAKS)),
    tier=word("flags", "suspects"), accepted=truth,
)  # fmt: skip
_LEVELS = level_rows("level", "count", share=number)
_QUANTILES = keyed(**{f"p{place}": quantile for place in (1, 5, 25, 50, 75, 95, 99)})
_COLUMN = keyed(
    needs_="name", name=column, dtype=word(*words.TYPES), role=word(*words.ROLES), missing=number, n_unique=number, approx=truth,
    quantiles=_QUANTILES, skew=number, levels=_LEVELS,
)  # fmt: skip
_SPEAKING = frozenset({"numeric", "categorical", "boolean", "date"})


def _column(value: Any, at: At) -> Any:
    """A column; where its cells stand for rows, neither levels nor quantiles."""
    if isinstance(value, Mapping) and value.get("role") not in _SPEAKING:
        value = {**value, "levels": [], "quantiles": None}
    return _COLUMN(value, at)


_MADE = keyed(needs_="from", from_=rows(column), op=word(*words.OPERATIONS), stateful=truth)


def _created(value: Any, at: At) -> Any:
    """Features by what they are made of and how: their own names may hold levels, so they are only counted."""
    counted: dict[str, dict[str, Any]] = {}
    for each in value if isinstance(value, list) else []:
        known = (
            {key: one for key, one in each.items() if key != "name"} if isinstance(each, Mapping) else each
        )
        made = _MADE(known, at)
        if made is not OUT and made["from"]:
            found = counted.setdefault(repr(made), {**made, "features": 0})
            found["features"] += 1
    return list(counted.values())


INGEST = keyed(
    dataset_ref=ref, n_rows=number, n_cols=number, target=column, time=COLUMNS, group=column, digest=sha,
    holdout=keyed(rows=number, digest=sha),
)  # fmt: skip
EDA = keyed(
    rows_="n_rows", dataset_ref=ref, n_rows=number, n_cols=number, columns=rows(_column),
    target=keyed(
        needs_="name", name=column, inferred=truth, task=word(*words.TASKS), missing=number,
        balance=keyed(classes=number, smallest=number, levels=_LEVELS),
    ),
    top_correlations=rows(
        keyed(needs_="a", a=column, b=column, measure=word(*words.MEASURES), value=number, rows=number)
    ),
    duplicates=keyed(rows=number, share=number, same_features=number, conflicting=number),
    leakage_flags=rows(LEAK), leakage_suspects=rows(LEAK), leakage_blocking=truth,
    leakage_excluded=rows(keyed(needs_="column", column=column, reason=word(*words.DROPPED))),
    leakage_scores=by("column", column, number), leakage_task=word(*words.TASKS),
    leakage_rows=keyed(all=number, scanned=number),
    leakage_checks=rows(
        keyed(
            needs_="check", check=word(*words.LEAKS), column=column, status=word(*words.LOOKED), value=number,
            threshold=number, rows=number,
        )
    ),
    time_col=COLUMNS, time_declared=truth, group_col=column,
    possible_groups=rows(keyed(needs_="column", column=column, n_unique=number, rows_per_value=number)),
)  # fmt: skip
FEATURES = keyed(
    dataset_ref=ref, source_dataset_ref=ref, target=column, recipe=word(*words.RECIPES), fingerprint=sha,
    n_features_before=number, n_features_after=number, created=_created,
    dropped=rows(keyed(needs_="column", column=column, reason=word(*words.DROPPED), score=number, by=ref)),
)  # fmt: skip
VIZ = keyed(of=ref, images=rows(keyed(needs_="sha256", sha256=sha, bytes=number)))
