"""Small pictures in a line of text: the shape of a column from its quantiles, or from the shares of its levels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from loom.render.html.markup import number, percent, plain, text

WIDE, HIGH = 132, 30
MOST_LEVELS = 24
_GROUND, _PEAK, _EDGE = 22.0, 2.0, 3.0
_MONTH = len("2024-05")


def spark(value: Any) -> str:
    """A spark block as inline SVG with its text alternative; its values as text where it cannot be drawn."""
    if not isinstance(value, Mapping):
        return text(value)
    values = value.get("values")
    if value.get("spark") == "quantiles" and isinstance(values, Mapping):
        return _quantiles(values) or text(values)
    if value.get("spark") == "levels" and isinstance(values, Sequence) and not isinstance(values, str):
        return _levels(values)
    return text(value)


def meter(share: float) -> str:
    """A share of a whole as a bar; the number itself stands beside it."""
    wide = max(0.0, min(1.0, share))
    return f'<span class="meter" aria-hidden="true"><i style="width:{100 * wide:.1f}%"></i></span>'


def _quantiles(values: Mapping[Any, Any]) -> str:
    """A silhouette: how dense the values lie between neighbouring quantiles, the middle half below it."""
    known = sorted(
        (q, at)
        for name, each in values.items()
        if (q := _share_of(name)) and (at := _place(each)) is not None
    )
    ordered = all(one[1] <= other[1] for one, other in pairwise(known))
    if len(known) < 2 or not ordered:
        return ""
    low, high = known[0][1], known[-1][1]
    told = _told({_share_of(name): each for name, each in values.items()})
    if not low / 2 < high / 2:
        return _picture(f'<path class="rule" d="M{WIDE / 2} {_PEAK}V{_GROUND}"/>', told)

    def across(at: float) -> float:
        # halves first: the span of the largest numbers is no number itself
        return _EDGE + (WIDE - 2 * _EDGE) * ((at / 2 - low / 2) / (high / 2 - low / 2))

    places = [(q, across(at)) for q, at in known]
    outline = _outline(list(_heights(places)))
    parts = [f'<path class="area" d="{outline}"/>', _box(dict(places))]
    return _picture("".join(parts), told)


def _heights(places: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Where the silhouette stands how high: at each gap between quantiles, and at values that many rows share."""
    thin = (WIDE - 2 * _EDGE) * 0.03
    stacks = [(x, [q for q, _ in group]) for x, group in groupby(places, key=lambda place: place[1])]
    for (x, shares), after in pairwise([*stacks, (0.0, [])]):
        if len(shares) > 1:
            yield x, (shares[-1] - shares[0]) / thin
        if after[1]:
            yield (x + after[0]) / 2, (after[1][0] - shares[-1]) / max(thin, after[0] - x)


def _outline(heights: Sequence[tuple[float, float]]) -> str:
    """A closed curve above the ground line. It bends towards its points and never swings beyond them."""
    # roots keep thin tails to be seen beside a peak
    top = max(height for _, height in heights) ** 0.5
    points = [(x, _GROUND - (_GROUND - _PEAK) * height**0.5 / top) for x, height in heights]
    points = [(_EDGE, points[0][1]), *points, (WIDE - _EDGE, points[-1][1])]
    drawn = [f"M{_EDGE:g} {_GROUND:g}L{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x, y), (after, next_y) in pairwise(points[1:]):
        drawn.append(f"Q{x:.1f} {y:.1f} {(x + after) / 2:.1f} {(y + next_y) / 2:.1f}")
    drawn.append(f"L{points[-1][0]:.1f} {points[-1][1]:.1f}V{_GROUND:g}Z")
    return "".join(drawn)


def _box(places: Mapping[float, float]) -> str:
    below = _GROUND + 4.5
    drawn = [f'<path class="rule" d="M{min(places.values()):.1f} {below}H{max(places.values()):.1f}"/>']
    if 0.25 in places and 0.75 in places:
        drawn.append(f'<path class="half" d="M{places[0.25]:.1f} {below}H{places[0.75]:.1f}"/>')
    if 0.5 in places:
        drawn.append(f'<circle class="middle" cx="{places[0.5]:.1f}" cy="{below}" r="2.6"/>')
    return "".join(drawn)


def _levels(values: Sequence[Any]) -> str:
    shares = [max(0.0, share) for each in values[:MOST_LEVELS] if (share := number(each)) is not None]
    whole = max(1.0, sum(shares))
    at, drawn = 0.0, []
    rest = max(0.0, 1 - sum(shares))
    for rank, share in enumerate(shares):
        wide = WIDE * share / whole
        if wide >= 0.5:
            # the eye tells the first few apart; the rest may look alike
            fade = max(0.2, 0.8 * 0.72**rank)
            drawn.append(
                f'<rect class="level" x="{at:.1f}" y="10" width="{max(0.6, wide - 1):.1f}" height="11" '
                f'opacity="{fade:.2f}"/>'
            )
        at += wide
    if rest > 0.004:
        drawn.append(f'<rect class="rest" x="{at:.1f}" y="10" width="{WIDE - at:.1f}" height="11"/>')
    first = ", ".join(map(percent, shares[:5]))
    named = f"{first or 'none shown'}{', …' if len(shares) > 5 else ''}"
    told = f"shares of the levels: {named}" + (f"; all others {percent(rest)}" if rest > 0.004 else "")
    return _picture("".join(drawn), told)


def _told(values: Mapping[float | None, Any]) -> str:
    """The quantiles in words."""
    shares = sorted(share for share in values if share is not None)
    said = [f"median {plain(values[0.5], 24)}"] if 0.5 in values else []
    if 0.25 in values and 0.75 in values:
        said.append(f"half of them from {plain(values[0.25], 24)} to {plain(values[0.75], 24)}")
    ends = (shares[0], shares[-1])
    said.append(
        f"{percent(ends[1] - ends[0])} from {plain(values[ends[0]], 24)} to {plain(values[ends[1]], 24)}"
    )
    return "; ".join(said)


def _picture(drawn: str, told: str) -> str:
    return (
        f'<svg class="spark" viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" height="{HIGH}" role="img" '
        f'aria-label="{text(told, 400)}">{drawn}</svg>'
    )


def _share_of(name: Any) -> float | None:
    """`p25` is a quarter."""
    digits = str(name).removeprefix("p")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 2):
        return None
    return int(digits) / 100


def _place(value: Any) -> float | None:
    """Where a value lies: a number by itself, a date by its day."""
    if not isinstance(value, str):
        return number(value)
    try:
        moment = datetime.fromisoformat(f"{value}-01" if len(value) == _MONTH else value)
    except ValueError:
        return None
    return moment.toordinal() + moment.hour / 24
