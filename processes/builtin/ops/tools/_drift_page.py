"""What the page shows of drift: the answers first, then the columns, the worst first, with both sides' shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loom.science.charts import drift_effects
from loom.science.drift import Drift
from loom.tools.card import (
    Block,
    Tone,
    charts,
    column,
    facts,
    level_spark,
    number,
    quantile_spark,
    table,
    tag,
)

_SHOWN = 200
_TINY = 1e-6
_TONES: dict[str, Tone] = {"OK": "fine", "WARN": "wary", "DRIFT": "bad"}
_COLUMNS = (
    column("name", "column", "code"),
    column("marks", "verdict", "tags"),
    column("said", "effect"),
    column("size", "size", "number"),
    column("threshold", "counts from", "number"),
    column("q", "q-value", "number"),
    column("before", "reference", "spark"),
    column("now", "today", "spark"),
    column("compared_as", "compared as"),
)
_EFFECTS = {
    "distribution": "PSI beyond chance",
    "missing": "missing cells, share",
    "unseen_levels": "unseen levels, share",
    "out_of_range": "out of range, share",
    "target": "target moved",
    "prediction": "predictions moved",
    "type": "another type",
}
_METHOD = {
    "a column counts": "where an effect reaches its threshold and its q-value is below 0.01, both",
    "q-value": "Benjamini and Hochberg over all tests of all columns; target and predictions apart",
    "PSI": "less what chance makes of it at this number of rows and cells",
    "tests": "Kolmogorov-Smirnov and χ² for numbers, χ² with rare levels pooled for levels",
    "compared": "the training parts; what is sealed away is not read",
    "time, ids, dates": "only their gaps are compared: they move on by nature",
    "told apart": "boosted trees on two folds tell the rows of one side from those of the other; 0.5 is chance",
    "seed": 0,
}


def drift_page(
    told: Mapping[str, Any], found: Drift, shapes: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[Block]]:
    """Key numbers and sections."""
    about = told["about"]
    both = f"{about['dataset']['pathspec']} against {about['reference']['pathspec']}"
    answers = [{**told[role], "role": role} for role in ("target", "prediction") if told[role]]
    rows = [*answers, *told["columns"]]
    drawn = drift_effects(told, both)
    gone = [
        {"name": name, "marks": [tag(f"{what} column", tone)]}
        for what, tone, names in (
            ("removed", "bad", told["removed_columns"]),
            ("new", "wary", told["new_columns"]),
        )
        for name in names[:_SHOWN]
    ]
    sections = [
        table(
            "Columns, the worst first",
            _COLUMNS,
            [*(_row(row, shapes) for row in rows[: len(answers)]), *gone]
            + [_row(row, shapes) for row in rows[len(answers) : _SHOWN]],
            note=f"{both}; {found.rows[0]:,} rows against {found.rows[1]:,}.",
        ),
        *([charts("How far columns have moved", [drawn.as_json()])] if drawn is not None else []),
        facts("How drift is judged", _METHOD | {"time": ", ".join(about["time"] or ()) or "none declared"}),
    ]
    return {"numbers": list(_numbers(found, told, answers)), "sections": sections}


def _numbers(found: Drift, told: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> list[Block]:
    moved = sum(str(column.verdict) != "OK" for column in found.columns)
    tone: Tone = "fine" if not moved else _TONES.get(str(found.verdict), "wary")
    numbers = [
        number(f"{each['role']} drift", str(each["verdict"]), note=each["name"], tone=_TONES[each["verdict"]])
        for each in answers
    ]
    share = f"{100 * found.share:.0f} %"
    numbers.append(number("columns that moved", share, note=f"{moved} of {len(found.columns)}", tone=tone))
    if found.domain_auc is not None:
        numbers.append(number("told apart, AUC", round(found.domain_auc, 3), note="0.5 is chance"))
    return numbers


def _row(column_: Mapping[str, Any], shapes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    verdict = str(column_["verdict"])
    role = column_.get("role")
    marks = [*([tag(role)] if role else []), tag(verdict, _TONES.get(verdict, "calm"))]
    shape = shapes.get(column_["name"]) or {}
    return {
        **{key: column_[key] for key in ("name", "size", "threshold", "compared_as")},
        "q": "< 0.000001" if column_["q"] is not None and column_["q"] < _TINY else column_["q"],
        "marks": marks,
        "said": _EFFECTS.get(column_["effect"]) if column_["size"] or column_["effect"] == "type" else None,
        "before": _spark(shape, "reference"),
        "now": _spark(shape, "current"),
    }


def _spark(shape: Mapping[str, Any], side: str) -> Block | None:
    if not shape:
        return None
    return quantile_spark(shape[side]) if shape["kind"] == "quantiles" else level_spark(shape[side])
