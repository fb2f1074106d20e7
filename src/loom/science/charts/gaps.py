"""Missing values: how many each column has, and which columns are missing in the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loom.science.charts.chart import Chart, Found, framed, labels, may_draw, percent, plain
from loom.science.charts.drawing import bars, heat
from loom.science.charts.survey import Survey
from loom.science.columns import Columns

_MOST = 20
_TOGETHER = 12
_NOTABLE = 0.5


def missing(found: Survey | Found, of: str) -> Chart | None:
    """The columns with most missing cells, worst first; None where no cell is missing.

    Takes a survey, a `Profile`, or a summary that holds `columns`.
    """
    shares = _shares(found)
    gaps = sorted((each for each in shares if each[1] > 0), key=lambda each: (-each[1], each[0]))
    if not gaps:
        return None
    drawn = gaps[:_MOST]
    rows: list[dict[str, Any]] = [
        {
            "name": label,
            "value": round(share, 5),
            "label": percent(share),
            "said": f"{label}: {percent(share)} missing",
            "tone": "bad" if share >= 0.5 else "wary" if share >= 0.05 else "calm",
        }
        for label, (_, share) in zip(labels([name for name, _ in drawn]), drawn, strict=True)
    ]
    whole = len(shares) - len(gaps)
    title = f"{rows[0]['name']} is missing in {rows[0]['label']} of the rows"
    title += f"; {whole:,} of {len(shares):,} columns are complete"
    alt = f"Bars of the share of missing cells, worst first: {'; '.join(str(row['said']) for row in rows[:8])}. {title}."
    drawing = bars(rows, most=drawn[0][1], colour=_tones())
    note = "share of the rows without a value"
    if len(gaps) > _MOST:
        note += f"; the worst {_MOST} of {len(gaps):,} columns with gaps"
    return framed("missing", title, alt, of, drawing, note=note)


def _tones() -> dict[str, Any]:
    return {
        "field": "tone",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": ["bad", "wary", "calm"], "range": ["@bad", "@wary", "@accent"]},
    }


def _shares(found: Survey | Found) -> list[tuple[str, float]]:
    if isinstance(found, Survey):
        rows = max(found.table.rows, 1)
        return [(each.name, each.missing / rows) for each in found.columns]
    columns: Sequence[Mapping[str, Any]] = plain(found).get("columns") or ()
    return [(str(each["name"]), float(each.get("missing") or 0.0)) for each in columns]


def missing_together(found: Survey, of: str) -> Chart | None:
    """Which of the columns with most gaps are missing in the same rows; None where fewer than three have any."""
    worst = sorted((each for each in found.columns if may_draw(each.missing)), key=lambda each: -each.missing)
    names = [each.name for each in worst[:_TOGETHER]]
    if len(names) < 3:
        return None
    masks = _masks(found.table, names)
    packed = np.array([np.packbits(mask) for mask in masks])
    both = np.array([[int(np.bitwise_count(a & b).sum()) for b in packed] for a in packed])
    sizes = np.diag(both)
    share = both / np.maximum(sizes[:, None] + sizes[None, :] - both, 1)
    called = labels(names, 22)
    rows: list[dict[str, Any]] = [
        {
            "a": called[i],
            "b": called[j],
            "value": round(float(share[i, j]), 3),
            "label": f"{100 * share[i, j]:.0f}",
            "said": f"{called[i]} and {called[j]}: {percent(float(share[i, j]))} of the gaps are in the same rows",
            "kind": "share",
        }
        for i in range(1, len(names))
        for j in range(i)
    ]
    top = max(rows, key=lambda row: row["value"])
    title = f"{top['a']} and {top['b']} share {percent(top['value'])} of their gaps"
    if top["value"] < _NOTABLE:
        title = (
            f"Columns go missing in different rows; at most {percent(top['value'])} of the gaps are shared"
        )
    alt = f"Heat map of shared gaps of {len(names)} columns. {title}."
    drawing = heat(rows, called[1:], called[:-1], {"share": "@accent"})
    note = "rows in which both are missing, of those in which one is, in %"
    return framed("missing-together", title, alt, of, drawing, note=note)


def _masks(table: Columns, names: Sequence[str]) -> list[NDArray[np.bool_]]:
    found: list[NDArray[np.bool_]] = []
    for block in table.blocks(names):
        for cells in block:
            gaps = cells.is_null() | cells.is_nan() if cells.dtype.is_float() else cells.is_null()
            found.append(gaps.fill_null(True).to_numpy())
    return found
