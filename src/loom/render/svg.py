"""The graph as one self-contained picture: waves from left to right, light or dark as the reader has it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from html import escape

from loom.kernel.diagnostic_formats import clean
from loom.process.plan import Plan, Step
from loom.render.arrows import Arrow, arrows
from loom.render.labels import columns, condition, count, runs_as, shorten
from loom.render.layout import Layout, Spacing, Stop, arrange
from loom.render.svg_style import SIGNS, style_sheet

MARGIN = 36
HEAD = 84
LEGEND = 52
BEND = 9


@dataclass(frozen=True, slots=True)
class _Scale:
    """How much is said about each phase: less, the more there are."""

    most: int
    text: float
    height: float
    narrow: float
    wide: float
    detailed: bool
    spacing: Spacing


_SCALES = (
    _Scale(120, 13, 52, 148, 272, True, Spacing(18, 62, 14, 64, 2400)),
    _Scale(800, 11, 26, 84, 190, False, Spacing(8, 54, 8, 48, 3200)),
    _Scale(1 << 62, 8, 16, 48, 110, False, Spacing(4, 46, 4, 34, 4200)),
)


def as_svg(plan: Plan) -> str:
    """The picture as text, ready to be written to a file or set into a page."""
    steps, found = plan.steps, arrows(plan)
    # an arrow that does not lead onwards belongs to a declaration that does not hold
    found = [arrow for arrow in found if steps[arrow.source].wave < steps[arrow.target].wave]
    scale = next(scale for scale in _SCALES if len(steps) <= scale.most)
    number = {step.id: index for index, step in enumerate(steps)}
    layout = arrange(
        [[number[name] for name in wave] for wave in plan.waves],
        [(arrow.source, arrow.target) for arrow in found],
        [_width(step, scale) for step in steps],
        [_height(step, scale) for step in steps],
        scale.spacing,
    )
    legend = _legend(plan, found)
    reach = scale.spacing.gap / 2 if len(layout.bands) > 1 else 0.0
    across = max(layout.width + 2 * (MARGIN + reach), 420.0, legend[1] + 2 * MARGIN)
    down = HEAD + layout.height + LEGEND + MARGIN
    left = (across - layout.width) / 2
    body = [
        *_waves(layout),
        *(_arrow(arrow, route, layout, scale) for arrow, route in zip(found, layout.routes, strict=True)),
        *(_card(step, stop, scale) for step, stop in zip(steps, layout.stops, strict=False)),
    ]
    return "\n".join(
        [
            *_head(plan, across, down),
            f'<g transform="translate({_n(left)} {HEAD})">',
            *body,
            "</g>",
            f'<g transform="translate({MARGIN} {_n(down - MARGIN)})">{legend[0]}</g>',
            "</svg>",
        ]
    )


def _head(plan: Plan, across: float, down: float) -> list[str]:
    name, version = _x(plan.package.name), _x(plan.package.spec.version)
    size = f"{count(len(plan.steps), 'phase')} in {count(len(plan.waves), 'wave')}"
    told = " ".join(plan.package.spec.description.split())
    shown = shorten(plan.package.name, int((across - 2 * MARGIN) / 10.5))
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(across)}" height="{_n(down)}" '
        f'viewBox="0 0 {_n(across)} {_n(down)}" role="img" aria-labelledby="loom-title loom-desc">',
        f'<title id="loom-title">{name}: the phases and what they wait for</title>',
        f'<desc id="loom-desc">{size}.{f" {_x(told)}" if told else ""}</desc>',
        f"<style>\n{style_sheet()}</style>",
        f"<defs>{_tip('tip')}{_tip('gated')}</defs>",
        '<rect class="paper" width="100%" height="100%"/>',
        f'<text class="id name" x="{MARGIN}" y="38">{_x(shown)}</text>',
        f'<text class="key" x="{MARGIN}" y="57">{_x(shorten(version, 24))} · {size}</text>',
    ]


def _tip(name: str) -> str:
    return (
        f'<marker id="loom-{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path class="tip {name}" d="M0 .6L7.4 4L0 7.4L1.6 4Z"/></marker>'
    )


def _waves(layout: Layout) -> list[str]:
    lines = []
    for band in layout.bands:
        for wave, left, width in band.columns:
            lines.append(
                f'<text class="label" text-anchor="middle" x="{_n(left + width / 2)}" y="{_n(band.top - 8)}">'
                f"{'WAVE ' if width > 70 else ''}{wave + 1}</text>"
            )
    return lines


def _width(step: Step, scale: _Scale) -> float:
    name = columns(step.id) * scale.text * 0.6
    if not scale.detailed:
        return min(scale.wide, max(scale.narrow, name + scale.height + 10))
    name += 58 if step.phase.for_each else 0
    by = columns(clean(runs_as(step))) * 6.3
    gates = max(
        (columns(clean(_gate(step, at))) * 6.05 - 30 for at in range(len(step.phase.require))), default=0.0
    )
    return min(scale.wide, max(scale.narrow, max(name, by, gates) + 64))


def _height(step: Step, scale: _Scale) -> float:
    gates = len(step.phase.require)
    return scale.height + (8 + 15 * gates if scale.detailed and gates else 0)


def _gate(step: Step, at: int) -> str:
    gate = step.phase.require[at]
    return f"◇ {gate.phase} {condition(gate)}"


def _card(step: Step, stop: Stop, scale: _Scale) -> str:
    phase, kind = step.phase, step.executor
    width, height = stop.right - stop.left, _height(step, scale)
    marks = [
        kind,
        *(["critical"] if phase.is_critical_path else []),
        *(["synthesis"] if phase.is_synthesis else []),
    ]
    # a tool has corners, a model is rounded, a process has side rails, as in the mermaid form
    corner = min(height / 2, 15.0) if kind == "model" else 5.0
    box = f'width="{_n(width)}" height="{_n(height)}" rx="{_n(corner)}"'
    parts = [
        f'<g class="{" ".join(marks)}" transform="translate({_n(stop.left)} {_n(stop.y - height / 2)})">',
        f"<title>{_x(_tooltip(step))}</title>",
    ]
    if phase.for_each and scale.detailed:
        parts.append(f'<rect class="under" x="5" y="-5" {box}/>')
    parts.append(f'<rect class="card" {box}/>')
    if kind == "process" and scale.detailed:
        parts.append(f'<path class="rail" d="M6 0V{_n(height)}M{_n(width - 6)} 0V{_n(height)}"/>')
    parts += _details(step, width, scale) if scale.detailed else _brief(step, width, height, scale)
    return "".join([*parts, "</g>"])


def _details(step: Step, width: float, scale: _Scale) -> list[str]:
    room = width - 64
    parts = [f'<g transform="translate(29 26)"><circle class="chip" r="14"/>{SIGNS[step.executor]}</g>']
    name = shorten(step.id, int((room - (58 if step.phase.for_each else 0)) / (scale.text * 0.6)))
    parts.append(f'<text class="id" font-size="{scale.text}" x="51" y="23.5">{_x(name)}</text>')
    by = shorten(clean(runs_as(step)), int(room / 6.3))
    parts.append(f'<text class="by" font-size="10.5" x="51" y="39">{_x(by)}</text>')
    if step.phase.for_each:
        right = width - 14
        parts.append(f'<rect class="pill" x="{_n(right - 44)}" y="11" width="44" height="16" rx="8"/>')
        parts.append(
            f'<text class="key" text-anchor="middle" font-size="10" x="{_n(right - 22)}" y="22.5">× each</text>'
        )
    if step.phase.is_synthesis:
        parts.append(f'<path class="star" d="M{_n(width - 16)} 8l5 5l-5 5l-5-5Z"/>')
    if step.phase.require:
        parts.append(f'<path class="rail" d="M14 {_n(scale.height)}H{_n(width - 14)}"/>')
    for at in range(len(step.phase.require)):
        text = shorten(clean(_gate(step, at)), int((width - 34) / 6.05))
        parts.append(
            f'<text class="gate" font-size="10" x="17" y="{_n(scale.height + 16 + 15 * at)}">{_x(text)}</text>'
        )
    return parts


def _brief(step: Step, width: float, height: float, scale: _Scale) -> list[str]:
    size, middle = height / 26, height / 2
    name = shorten(step.id, int((width - height - 8) / (scale.text * 0.6)))
    return [
        f'<g transform="translate({_n(middle + 1)} {_n(middle)}) scale({_n(size * 0.9)})">{SIGNS[step.executor]}</g>',
        f'<text class="id" font-size="{scale.text}" x="{_n(height)}" y="{_n(middle + scale.text * 0.36)}">{_x(name)}</text>',
    ]


def _tooltip(step: Step) -> str:
    each = f", once per item of {step.phase.for_each}" if step.phase.for_each else ""
    gates = "".join(f"\n{_gate(step, at)}" for at in range(len(step.phase.require)))
    return f"{step.id} ({runs_as(step)}{each})\n{' '.join(step.phase.description.split())}{gates}"


def _arrow(arrow: Arrow, route: list[int], layout: Layout, scale: _Scale) -> str:
    stops = [layout.stops[stop] for stop in route]
    path = [f"M{_n(stops[0].right)} {_n(stops[0].y)}"]
    for here, there in itertools.pairwise(stops):
        if here is not stops[0]:
            path.append(f"H{_n(here.right)}")
        path.append(
            _curve(here, there) if here.band == there.band else _detour(here, there, layout, scale, route[0])
        )
    kind, title = ("gated", f"<title>{_x('; '.join(arrow.gates))}</title>") if arrow.gates else ("tip", "")
    name = "arrow gated" if arrow.gates else "arrow"
    thin = "" if scale.detailed else ' stroke-width=".8"'
    opening = f'<path class="{name}"{thin} marker-end="url(#loom-{kind})" d="{"".join(path)}"'
    return f"{opening}>{title}</path>" if title else f"{opening}/>"


def _curve(here: Stop, there: Stop) -> str:
    reach = min((there.left - here.right) * 0.5, 90.0)
    return (
        f"C{_n(here.right + reach)} {_n(here.y)} {_n(there.left - reach)} {_n(there.y)} "
        f"{_n(there.left)} {_n(there.y)}"
    )


def _detour(here: Stop, there: Stop, layout: Layout, scale: _Scale, lane: int) -> str:
    """Down into the gutter below the band, along it, and up to the target through the gaps between columns."""
    spread = (lane % 5 - 2) * scale.spacing.gutter / 16
    level = layout.bands[here.band].bottom + scale.spacing.gutter * 0.38 + spread
    out, back = here.right + scale.spacing.gap * 0.36 + spread, there.left - scale.spacing.gap * 0.42 + spread
    b, side = BEND, 1 if back > out else -1
    if abs(back - out) < 2 * b:
        return f"C{_n(out + 20)} {_n(here.y)} {_n(back - 20)} {_n(there.y)} {_n(there.left)} {_n(there.y)}"
    return (
        f"H{_n(out - b)}q{b} 0 {b} {b}V{_n(level - b)}q0 {b} {side * b} {b}"
        f"H{_n(back - side * b)}q{side * b} 0 {side * b} {b}V{_n(there.y - b)}q0 {b} {b} {b}H{_n(there.left)}"
    )


def _legend(plan: Plan, found: list[Arrow]) -> tuple[str, float]:
    """What the marks mean, for those that occur; and how wide it is."""
    kinds = {step.executor for step in plan.steps}
    named = (("tool", "run by a tool"), ("process", "run as a process"), ("model", "run by a model"))
    entries = [(f'<g class="{kind}">{SIGNS[kind]}</g>', text) for kind, text in named if kind in kinds]
    swatch = '<rect class="card" x="-7" y="-6" width="14" height="12" rx="3"/>'
    if any(step.phase.is_critical_path for step in plan.steps):
        entries.append((f'<g class="critical">{swatch}</g>', "its failure stops the process"))
    if any(step.phase.is_synthesis for step in plan.steps):
        entries.append(('<path class="star" d="M0-5l5 5l-5 5l-5-5Z"/>', "draws the conclusion"))
    if any(arrow.gates for arrow in found):
        entries.append(('<path class="arrow gated" d="M-9 0H9"/>', "only if the condition holds"))
    if any(step.phase.for_each for step in plan.steps):
        entries.append(('<text class="key" text-anchor="middle" y="4">×</text>', "once per item"))
    parts, x = [], 8.0
    for sign, text in entries:
        parts.append(
            f'<g transform="translate({_n(x)} 0)">{sign}<text class="key" x="15" y="4">{text}</text></g>'
        )
        x += 15 + len(text) * 6.1 + 26
    return "".join(parts), x - 26


def _n(value: float) -> str:
    """A coordinate, short."""
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


def _x(text: str) -> str:
    return escape("\n".join(clean(line) for line in text.split("\n")))
