"""The graph as mermaid source, which code hosts and wikis draw where it stands."""

from __future__ import annotations

import re

from loom.kernel.diagnostic_formats import clean
from loom.process.plan import Executor, Plan, Step
from loom.render.arrows import Arrow, arrows
from loom.render.labels import runs_as

MAX_WAVES_ACROSS = 8
DRAWN_ARROWS = 500  # what mermaid draws unless it is configured otherwise

_SHAPES: dict[Executor, tuple[str, str]] = {"tool": ("[", "]"), "process": ("[[", "]]"), "model": ("(", ")")}
_UNSAFE = re.compile(r"[^\w \-.,:/×…+=!?^()|]")
_CLASSES = {
    "critical": "stroke:#d9480f,stroke-width:2.5px",
    "synthesis": "fill:#7c3aed26,font-weight:bold",
}


def as_mermaid(plan: Plan) -> str:
    """A flowchart: from left to right, or downwards when it is long."""
    found = arrows(plan)
    lines = [f"flowchart {'LR' if len(plan.waves) <= MAX_WAVES_ACROSS else 'TB'}"]
    if len(found) > DRAWN_ARROWS:
        lines.append(f"  %% {len(found)} arrows: mermaid draws {DRAWN_ARROWS} unless its maxEdges is raised")
    lines.append(f"  accTitle: {plan.package.name}")
    lines += [f"  p{number}{_node(step)}" for number, step in enumerate(plan.steps)]
    lines += [f"  {_arrow(arrow)}" for arrow in found]
    marked = {
        "critical": [number for number, step in enumerate(plan.steps) if step.phase.is_critical_path],
        "synthesis": [number for number, step in enumerate(plan.steps) if step.phase.is_synthesis],
    }
    for name, numbers in marked.items():
        if numbers:
            lines.append(f"  classDef {name} {_CLASSES[name]}")
            lines.append(f"  class {','.join(f'p{number}' for number in numbers)} {name}")
    return "\n".join(lines)


def _node(step: Step) -> str:
    opening, closing = _SHAPES[step.executor]
    parts = [step.id, runs_as(step), *(["× each"] if step.phase.for_each else [])]
    return f'{opening}"{"<br/>".join(_escaped(part) for part in parts)}"{closing}'


def _arrow(arrow: Arrow) -> str:
    if not arrow.gates:
        return f"p{arrow.source} --> p{arrow.target}"
    label = "<br/>".join(_escaped(gate) for gate in arrow.gates)
    return f'p{arrow.source} -. "{label}" .-> p{arrow.target}'


def _escaped(text: str) -> str:
    """Text that mermaid shows and never reads: whatever could mean something is written as its number."""
    return _UNSAFE.sub(lambda match: f"#{ord(match[0])};", clean(text))
