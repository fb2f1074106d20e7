"""What single columns know of the target, with the lines from which on that is too much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loom.science.charts.chart import Chart, Found, framed, labels, listed, plain
from loom.science.charts.drawing import STEP, across, line_at, lollipops, values

# the lines of the leak tests, which take long to import; a test holds them together
DROP = 0.995
SUSPECT = 0.90
_MOST = 15


def leak_scores(leakage: Found, of: str) -> Chart | None:
    """The columns that know most of the target, flagged and suspected ones first; None when none was asked.

    Takes a `Leakage`, or a summary that holds its findings.
    """
    found = plain(leakage)
    flags, suspects = found.get("leakage_flags") or (), found.get("leakage_suspects") or ()
    rows = _rows(found.get("leakage_scores") or {}, flags, suspects)
    if not rows:
        return None
    explained = found.get("leakage_task") == "regression"
    measure = (
        "share of the target's variance that the column alone explains"
        if explained
        else ("how well the column alone ranks the target (0.5 is chance, 1 is certainty)")
    )
    least = 0.0 if explained else 0.5
    for row in rows:
        row["value"] = max(row["value"], least)
    title = _title(rows)
    said = "; ".join(f"{row['name']} {row['label']}" for row in rows[:5])
    alt = f"Dots of what columns know alone, strongest first: {said}. {title}."
    reach = across("value", None, form=".2~f", domain=(least, 1.0), zero=False)
    drawing = {
        "height": {"step": STEP},
        "data": values(rows),
        "layer": [
            *line_at(reach, SUSPECT, "review", "@wary", align="right"),
            *line_at(reach, DROP, "drop", "@bad", align="right"),
            *lollipops(reach, least=least),
        ],
    }
    return framed("leak-scores", title, alt, of, drawing, note=measure)


def _rows(scores: Mapping[str, float], flags: Any, suspects: Any) -> list[dict[str, Any]]:
    known: dict[str, tuple[float, str, str]] = {name: (value, "calm", "") for name, value in scores.items()}
    for findings, tone in ((suspects, "wary"), (flags, "bad")):
        for each in findings:
            if each.get("column"):
                score = max(float(each.get("score") or 0.0), scores.get(each["column"], 0.0))
                known[each["column"]] = (score, tone, str(each.get("reason", "")).replace("_", " "))
    order = {"bad": 0, "wary": 1, "calm": 2}
    ranked = sorted(known.items(), key=lambda each: (order[each[1][1]], -each[1][0], each[0]))[:_MOST]
    names = labels([name for name, _ in ranked], 24)
    verdict = {"bad": "flagged", "wary": "to be reviewed", "calm": "not conspicuous"}
    return [
        {
            "name": name,
            "value": round(value, 3),
            "tone": tone,
            "label": f"{value:.2f}",
            "said": f"{name}: {value:.3f}, {verdict[tone]}{f' ({reason})' if reason else ''}",
        }
        for name, (_, (value, tone, reason)) in zip(names, ranked, strict=True)
    ]


def _title(rows: list[dict[str, Any]]) -> str:
    flagged = [row["name"] for row in rows if row["tone"] == "bad"]
    if flagged:
        verb = "gives" if len(flagged) == 1 else "give"
        return f"{listed(flagged)} {verb} the target away"
    suspected = [row["name"] for row in rows if row["tone"] == "wary"]
    if suspected:
        verb = "knows" if len(suspected) == 1 else "know"
        return f"{listed(suspected)} {verb} more of the target than is usual"
    return f"No column gives the target away; {rows[0]['name']} knows most"
