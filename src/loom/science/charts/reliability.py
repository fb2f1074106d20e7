"""Whether predictions mean what they say: what came true for what was said, beside what chance alone makes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from loom.science.charts.chart import Chart, figure, framed, percent
from loom.science.charts.drawing import SAID, across, by_tone, values

_SURE = 1.96


def reliability(calibration: Mapping[str, Any], of: str) -> Chart | None:
    """The reliability curve with its noise band; of amounts, what was true in each tenth of the predictions."""
    if calibration.get("task") == "regression":
        return _amounts(calibration.get("deciles") or (), of)
    rows = [_point(each) for each in calibration.get("points") or ()]
    if len(rows) < 2:
        return None
    outside = sum(row["tone"] == "bad" for row in rows)
    error, noise = calibration["ece"], calibration["noise_floor"]["p99"]
    title = (
        f"Predictions are off by {percent(error)} in the mean; chance alone makes up to {percent(noise)}"
        if error > noise
        else f"Predictions mean what they say: off by {percent(error)}, no more than chance makes"
    )
    ends = f"{rows[0]['said']}; {rows[-1]['said']}"
    alt = f"What came true against what was said, in {len(rows)} groups of rows, {outside} of them outside the band: {ends}."
    which = " of the most likely class" if calibration.get("task") == "multiclass" else ""
    note = f"each dot is a group of rows by its predicted share{which}; the band is what right predictions would show"
    return framed(
        "reliability", title, alt, of, _drawn(rows, (0, 1), "%", "predicted", "came true"), note=note
    )


def _point(point: Mapping[str, Any]) -> dict[str, Any]:
    said, rows = point["said"], point["rows"]
    reach = _SURE * math.sqrt(max(said * (1 - said), 0.25 / max(rows, 1)) / max(rows, 1))
    low, high = max(0.0, said - reach), min(1.0, said + reach)
    return {
        "x": said,
        "y": point["true"],
        "low": round(low, 5),
        "high": round(high, 5),
        "tone": "calm" if low <= point["true"] <= high else "bad",
        "said": f"said {percent(said)}, came true {percent(point['true'])} of {rows:,} rows",
    }


def _amounts(deciles: Sequence[Mapping[str, Any]], of: str) -> Chart | None:
    if len(deciles) < 2:
        return None
    rows = []
    for each in deciles:
        off = each["bias"]
        sure = off["low"] is not None and (off["low"] > 0 or off["high"] < 0)
        rows.append(
            {
                "x": each["said"],
                "y": each["true"],
                "tone": "bad" if sure else "calm",
                "said": f"said {figure(each['said'])}, was {figure(each['true'])} in the mean of {each['rows']:,} rows",
            }
        )
    ends = [row[key] for row in rows for key in ("x", "y")]
    air = 0.04 * (max(ends) - min(ends)) or 1.0
    off = sum(row["tone"] == "bad" for row in rows)
    title = (
        f"In {off} of {len(rows)} parts, predictions are off by more than chance"
        if off
        else "Predictions are right in the mean, from the smallest to the largest"
    )
    alt = (
        f"Mean answer against mean prediction, in {len(rows)} groups: {rows[0]['said']}; {rows[-1]['said']}."
    )
    drawing = _drawn(rows, (min(ends) - air, max(ends) + air), "~s", "predicted", "was")
    return framed(
        "reliability", title, alt, of, drawing, note="each dot is a tenth of the rows by prediction"
    )


def _drawn(
    rows: Sequence[Mapping[str, Any]], domain: tuple[float, float], form: str, x: str, y: str
) -> dict[str, Any]:
    right = [{"x": end, "y": end} for end in domain]
    along = across("x", x, form=form, domain=domain, zero=False)
    down = {**across("y", y, form=form, domain=domain, zero=False)}
    layers: list[dict[str, Any]] = [
        {
            "data": values(right),
            "mark": {"type": "line", "color": "@muted", "strokeDash": [3, 3], "aria": False},
            "encoding": {"x": along, "y": down},
        }
    ]
    if all("low" in row for row in rows):
        layers.append(
            {
                "mark": {"type": "area", "color": "@muted", "opacity": 0.18, "aria": False},
                "encoding": {"x": along, "y": {**down, "field": "low"}, "y2": {"field": "high"}},
            }
        )
    layers.append(
        {
            "mark": {"type": "point", "size": 70, "filled": True, "tooltip": True},
            "encoding": {"x": along, "y": down, "color": by_tone(), **SAID},
        }
    )
    return {"height": 240, "data": values(rows), "layer": layers}
