"""The target: how its classes or amounts are shared out, what goes together with it, and its rate along columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from loom.core.column_names import spoken
from loom.science.charts.answers import REST
from loom.science.charts.chart import (
    Chart,
    Found,
    distinct_slugs,
    framed,
    labels,
    percent,
    plain,
)
from loom.science.charts.distributions import distribution
from loom.science.charts.drawing import (
    STEP,
    across,
    bars,
    by_class,
    lollipops,
    values,
)
from loom.science.charts.rates import target_rates
from loom.science.charts.survey import WEAK, Survey
from loom.science.profile.inspection import inspect

_MOST = 15


def target_charts(found: Survey, of: str, *, most: int = 8) -> list[Chart]:
    """The balance of the target, the columns that go together with it, and its rate along the strongest of them."""
    if found.target is None or found.answer is None:
        return []
    balance = target_balance(found, of)
    ranking = target_strengths(found, of)
    return distinct_slugs(
        [
            *([] if balance is None else [balance]),
            *([] if ranking is None else [ranking]),
            *target_rates(found, of, most=most),
        ]
    )


def target_balance(found: Survey, of: str) -> Chart | None:
    """The share of every class that may be named; of amounts, how they lie."""
    answer = found.answer
    if answer is None:
        return None
    if answer.values is not None:
        (one,), _ = inspect(block := next(found.table.blocks([answer.name])), 0)
        chart = distribution(one, block.to_series(), of)
        return None if chart is None else Chart("target", chart.title, chart.alt, of, chart.spec)
    counts = np.bincount(answer.codes[answer.codes >= 0], minlength=len(answer.classes))
    shares = counts / counts.sum()
    missing = float((answer.codes < 0).mean())
    rows: list[dict[str, Any]] = [
        {
            "name": label,
            "value": round(float(share), 4),
            "label": percent(float(share)),
            "class": label,
            "said": f"{label}: {percent(float(share))}, {int(count):,} rows",
        }
        for label, share, count in zip(answer.classes, shares, counts, strict=True)
    ]
    name = spoken(answer.name)
    at = answer.event if len(answer.classes) == 2 else int(np.argmax(shares))
    title = f"{name} is {answer.classes[at]} in {percent(float(shares[at]))} of the rows"
    alt = f"Bars of the classes of {name}: {'; '.join(str(row['said']) for row in rows)}."
    colour = by_class("class", answer.classes, rest=answer.rest, legend=False)
    drawing = bars(rows, most=float(shares.max()), colour=colour)
    note = (
        f"share of the rows with a target ({percent(missing)} have none)" if missing else "share of the rows"
    )
    return framed("target", title, alt, of, drawing, note=note)


def target_shares(target: Found, of: str) -> Chart | None:
    """The share of every class that may be named, from the `Target` of a profile or its plain data."""
    told = plain(target)
    levels = (told.get("balance") or {}).get("levels") or ()
    if not levels or not told.get("name"):
        return None
    names = labels([str(each["level"]) for each in levels[:_MOST]], 20)
    shares = [(label, float(each["share"])) for label, each in zip(names, levels, strict=False)]
    rest = 1 - sum(share for _, share in shares)
    if rest > 0.005:
        shares.append((REST, rest))
    rows: list[dict[str, Any]] = [
        {
            "name": label,
            "value": round(share, 4),
            "label": percent(share),
            "class": label,
            "said": f"{label}: {percent(share)}",
        }
        for label, share in shares
    ]
    name = spoken(str(told["name"]))
    title = f"{name} is {rows[0]['name']} in {rows[0]['label']} of the rows"
    alt = f"Bars of the classes of {name}: {'; '.join(str(row['said']) for row in rows)}."
    colour = by_class(
        "class", [str(row["name"]) for row in rows], rest=REST if rest > 0.005 else None, legend=False
    )
    drawing = bars(rows, most=max(share for _, share in shares), colour=colour)
    return framed("target", title, alt, of, drawing, note="share of the rows with a target")


def target_strengths(found: Survey, of: str) -> Chart | None:
    """The columns that go together with the target most, strongest first."""
    ranked = [each for each in found.drawable() if each.strength is not None][:_MOST]
    if not ranked or found.target is None:
        return None
    rows: list[dict[str, Any]] = [
        {
            "name": label,
            "value": round(each.strength or 0.0, 3),
            "tone": "calm",
            "label": f"{each.strength:.2f}",
            "said": f"{label}: {each.strength:.2f}",
        }
        for label, each in zip(labels([each.name for each in ranked], 24), ranked, strict=True)
    ]
    name = spoken(found.target)
    title = f"{rows[0]['name']} goes together with {name} most"
    if (ranked[0].strength or 0.0) < WEAK:
        title = f"No single column goes together with {name}"
    alt = f"Dots of how strongly columns go together with {name}: {'; '.join(str(row['said']) for row in rows[:6])}."
    most = max(row["value"] for row in rows)
    drawing = {
        "height": {"step": STEP},
        "data": values(rows),
        "layer": lollipops(across("value", None, domain=(0, 1.15 * most or 1.0), axis=False), label=True),
    }
    note = "from 0 (nothing in common) to 1 (the column tells it); each column alone"
    return framed("target-strengths", title, alt, of, drawing, note=note)
