"""The graph for a terminal: one block per wave, what runs each phase, and what it waits for."""

from __future__ import annotations

from loom.kernel.diagnostic_formats import clean
from loom.process.plan import Plan, Step
from loom.render.labels import columns, condition, count, runs_as, shorten

WIDTH = 100
MAX_NAME = 32
MAX_DRAWN = 400


def as_waves(plan: Plan) -> str:
    """Phases wave by wave; phases of one wave run at the same time."""
    steps = plan.steps[:MAX_DRAWN]
    width = min(MAX_NAME, max(columns(step.id) for step in steps))
    lines = [
        f"{plan.package.name}: {count(len(plan.steps), 'phase')} in {count(len(plan.waves), 'wave')}",
        "",
    ]
    for number, wave in enumerate(plan.waves, start=1):
        members = [step for step in steps if step.wave == number - 1]
        for at, step in enumerate(members):
            lines.append(f"{_margin(number, at, len(wave))} {_phase(step, width)}")
            lines += [f"{' ' * 7}{'│' if at + 1 < len(wave) else ' '}   if {gate}" for gate in _gates(step)]
        if len(lines) > MAX_DRAWN * 2:
            break
    if len(plan.steps) > MAX_DRAWN:
        lines += [
            "",
            f"… and {count(len(plan.steps) - MAX_DRAWN, 'phase')} more; --format svg draws all of them",
        ]
    return "\n".join(lines)


def _margin(number: int, at: int, size: int) -> str:
    if size == 1:
        return f"{number:>4} ────"
    return f"{number:>4} ──┬─" if at == 0 else f"{'':>7}{'└' if at + 1 == size else '├'}─"


def _phase(step: Step, width: int) -> str:
    name = shorten(step.id, width)
    marks = "".join(
        mark
        for mark, holds in (
            (" × each", step.phase.for_each),
            (" ◆", step.phase.is_synthesis),
            (" !", step.phase.is_critical_path),
        )
        if holds
    )
    head = f"{name}{' ' * (width - columns(name))}  {runs_as(step)}{marks}"
    needs = step.phase.depends_on
    return clean(f"{head}  ← {shorten(', '.join(needs), 60)}" if needs else head)


def _gates(step: Step) -> list[str]:
    return [clean(f"{gate.phase} {condition(gate)}") for gate in step.phase.require]
