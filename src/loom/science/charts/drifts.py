"""How far columns have moved from a reference, against the lines that warn and alarm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loom.science.charts.chart import Chart, Found, framed, labels, listed, plain
from loom.science.charts.drawing import STEP, across, line_at, lollipops, values

_MOST = 15
_WARN, _ALERT = 0.10, 0.25
_FURTHEST = 1.0
_TONES = {"OK": "calm", "WARN": "wary", "DRIFT": "bad"}


def drift_effects(drift: Found, of: str) -> Chart | None:
    """The columns that moved most, target and predictions first; None when none was compared.

    Takes a `Drift`, or what its `as_json` gave.
    """
    found = plain(drift)
    answers = [(found.get(role), role) for role in ("target", "prediction")]
    columns = [(each, role) for each, role in answers if each] + [
        (each, "") for each in found.get("columns") or ()
    ]
    if not columns:
        return None
    rows = _rows(columns[:_MOST])
    title = _title(columns)
    said = "; ".join(row["said"] for row in rows[:5])
    beyond = len(columns) - len(rows)
    rest = f" {beyond:,} more columns are not drawn." if beyond > 0 else ""
    alt = f"Dots of how far columns moved from the reference, worst first: {said}. {title}.{rest}"
    reach = across("value", None, form=".2~f", domain=(0, _FURTHEST if _moved_far(rows) else 2 * _ALERT))
    drawing = {
        "height": {"step": STEP},
        "data": values(rows),
        "layer": [
            *line_at(reach, _WARN, "warn", "@wary"),
            *line_at(reach, _ALERT, "alert", "@bad"),
            *lollipops(reach, label=True),
        ],
    }
    note = "population stability index beyond chance; other changes are named at the dot"
    return framed("drift", title, alt, of, drawing, note=note)


def _rows(columns: Sequence[tuple[Mapping[str, Any], str]]) -> list[dict[str, Any]]:
    names = labels([f"{role}: {each['name']}" if role else str(each["name"]) for each, role in columns], 24)
    rows = []
    for name, (each, _) in zip(names, columns, strict=True):
        psi = float(each.get("psi") or 0.0)
        also = _also(each)
        # two labels would run out of the picture
        label = also[0] if also else (f"{psi:.2f}" if psi >= _WARN / 2 else "")
        said = f"{name}: stability index {psi:.2f}{''.join(f', {what}' for what in also)}"
        row = {"name": name, "value": min(psi, 0.8 * _FURTHEST), "tone": _tone(each), "label": label}
        rows.append(row | {"said": f"{said}, {str(each.get('verdict', 'OK')).lower()}"})
    return rows


def _tone(column: Mapping[str, Any]) -> str:
    return _TONES.get(str(column.get("verdict")), "calm")


def _also(column: Mapping[str, Any]) -> list[str]:
    """What changed beside the distribution, in a few words each."""
    said = []
    codes = column.get("reasons") or ()
    if "type" in codes:
        said.append("another type")
    if "missing" in codes and column.get("missing_delta") is not None:
        said.append(f"missing {100 * column['missing_delta']:+.0f} points")
    if "unseen_levels" in codes and column.get("unseen") is not None:
        said.append(f"{100 * column['unseen']:.0f} % unseen levels")
    if "out_of_range" in codes and column.get("out_of_range") is not None:
        said.append(f"{100 * column['out_of_range']:.1f} % out of range")
    return said


def _moved_far(rows: Sequence[Mapping[str, Any]]) -> bool:
    return any(row["value"] > 1.5 * _ALERT or len(row["label"]) > 4 for row in rows)


def _title(columns: Sequence[tuple[Mapping[str, Any], str]]) -> str:
    for verdict, word in (("DRIFT", "drifted"), ("WARN", "moved a little")):
        named = [str(each["name"]) for each, _ in columns if each.get("verdict") == verdict]
        if named:
            return f"{listed(labels(named, 24))} {word}, of {len(columns):,} columns compared"
    return f"None of the {len(columns):,} columns compared has drifted"
