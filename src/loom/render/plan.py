"""A plan for reading and for machines: what would run, in which order, and what it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loom.kernel.diagnostic_formats import clean
from loom.process.plan import Plan, Step
from loom.process.resolve import ResolvedProcess
from loom.render.labels import columns, condition, count, runs_as, shorten

MAX_ROWS = 400
HEADINGS = ("wave", "phase", "runs as", "checked", "tries", "limit", "delivers")
WIDEST = (4, 30, 34, 10, 5, 7, 40)


def as_text(plan: Plan, resolved: ResolvedProcess, *, color: bool = False) -> str:
    """The plan as a table with what the whole process needs below it."""
    bold, off = ("\x1b[1m", "\x1b[0m") if color else ("", "")
    spec = plan.package.spec
    lines = [
        f"{bold}{spec.name} {spec.version}{off}",
        f"risk {resolved.risk} · phases {spec.phase_mode} · {count(len(plan.steps), 'phase')} in "
        f"{count(len(plan.waves), 'wave')}",
        "",
        *_table([_row(step) for step in plan.steps[:MAX_ROWS]], bold, off),
    ]
    if len(plan.steps) > MAX_ROWS:
        lines.append(f"… and {count(len(plan.steps) - MAX_ROWS, 'phase')} more; --json lists all of them")
    lines += ["", "Every phase would run: no earlier run is known.", ""]
    width = max(len(name) for name, _ in _needs(plan))
    for name, value in _needs(plan):
        lines += _wrapped(f"{name:<{width}}  ", value)
    return "\n".join(lines)


def _row(step: Step) -> tuple[str, ...]:
    phase = step.phase
    checked = ("by rules", "by a model", "by three")[phase.verification_tier - 1]
    limit = f"{step.timeout_seconds:g} s" if step.timeout_seconds else ""
    delivers = ", ".join(item.name for item in phase.deliverables)
    marks = (" × each" if phase.for_each else "") + (" ◆" if phase.is_synthesis else "")
    return (str(step.wave + 1), phase.id, runs_as(step) + marks, checked, str(step.attempts), limit, delivers)


def _table(rows: Sequence[tuple[str, ...]], bold: str, off: str) -> list[str]:
    cells = [
        [shorten(clean(text), most) for text, most in zip(row, WIDEST, strict=True)]
        for row in [HEADINGS, *rows]
    ]
    # a column nobody fills is not worth its place
    kept = [at for at in range(len(HEADINGS)) if any(row[at] for row in cells[1:])]
    widths = [max(columns(row[at]) for row in cells) for at in kept]
    lines = []
    for number, row in enumerate(cells):
        text = "  ".join(
            row[at] + " " * (wide - columns(row[at])) for at, wide in zip(kept, widths, strict=True)
        )
        lines.append(f"{bold}{text.rstrip()}{off}" if number == 0 else text.rstrip())
    return lines


def _wrapped(head: str, text: str, width: int = 100) -> list[str]:
    lines, line = [], head
    for word in text.split(" "):
        if len(line) + len(word) > width and line.strip() and line != head:
            lines.append(line.rstrip())
            line = " " * len(head)
        line += f"{word} "
    return [*lines, line.rstrip()]


def _needs(plan: Plan) -> list[tuple[str, str]]:
    spec, cost = plan.package.spec, plan.cost
    raising = (
        [f"--{name}" for name, item in spec.verb.inputs.items() if item.raises_tier] if spec.verb else []
    )
    tier = plan.tier + (f"; {', '.join(raising)} raises it to {plan.raised_tier}" if raising else "")
    gates = [
        f"{step.id}: {gate.phase} {condition(gate)}" for step in plan.steps for gate in step.phase.require
    ]
    auth = [item.resource_ref or item.provider or item.resource_id or "?" for item in spec.auth.required]
    permissions = spec.permissions
    rows = [
        ("approval tier", tier),
        ("model", ", ".join(f"tier {tier}" for tier in plan.model_tiers) or "none"),
        ("tools", ", ".join(plan.tools) or "none"),
        ("processes", ", ".join(plan.processes)),
        ("sandbox", f"{permissions.sandbox} or better" if permissions.sandbox != "none" else "any"),
        ("network", ", ".join(permissions.network) or "none"),
        ("environment", ", ".join(permissions.env)),
        ("credentials", ", ".join(auth)),
        ("entry gates", "; ".join(gates)),
        (
            "critical path",
            " → ".join(plan.critical_path[:12]) + (" → …" if len(plan.critical_path) > 12 else ""),
        ),
        ("at most", _bounds(cost.model_calls, cost.verifier_calls, cost.tokens, cost.seconds)),
    ]
    return [(name, clean(value)) for name, value in rows if value]


def _bounds(calls: int, checks: int, tokens: int | None, seconds: float | None) -> str:
    parts = [count(calls, "model call"), count(checks, "verifier call")]
    if calls:
        parts.append(f"{tokens:,} tokens" if tokens is not None else "tokens unbounded")
    parts.append(f"{seconds:,.0f} s one after another" if seconds is not None else "time unbounded")
    return ", ".join(parts)


def as_json(plan: Plan, resolved: ResolvedProcess) -> dict[str, Any]:
    """The plan for machines. Keys are stable; keys are only ever added.

    `phases` stand in the order they would start; `attempts` counts loops and retries; a bound that the
    declaration does not set is null.
    """
    spec, cost = plan.package.spec, plan.cost
    return {
        "schema_version": 1,
        "name": spec.name,
        "version": spec.version,
        "risk_level": resolved.risk,
        "phase_mode": spec.phase_mode,
        "tier": plan.tier,
        "raised_tier": plan.raised_tier,
        "model_tiers": list(plan.model_tiers),
        "tools": list(plan.tools),
        "processes": list(plan.processes),
        "permissions": {
            "sandbox": spec.permissions.sandbox,
            "network": list(spec.permissions.network),
            "env": list(spec.permissions.env),
            "processes": spec.permissions.processes,
        },
        "auth": [item.model_dump(mode="json", exclude_none=True) for item in spec.auth.required],
        "waves": [list(wave) for wave in plan.waves],
        "critical_path": list(plan.critical_path),
        "phases": [_phase_json(step) for step in plan.steps],
        "cost": {
            "model_calls": cost.model_calls,
            "verifier_calls": cost.verifier_calls,
            "tokens": cost.tokens,
            "seconds": cost.seconds,
        },
    }


def _phase_json(step: Step) -> dict[str, Any]:
    phase = step.phase
    return {
        "id": phase.id,
        "step": step.step,
        "wave": step.wave + 1,
        "depends_on": list(phase.depends_on),
        "executor": step.executor,
        "tool": phase.run.tool if phase.run else None,
        "process": phase.run.process if phase.run else None,
        "model_tier": step.model_tier,
        "verification_tier": phase.verification_tier,
        "attempts": step.attempts,
        "timeout_seconds": step.timeout_seconds,
        "for_each": phase.for_each,
        "is_synthesis": phase.is_synthesis,
        "is_critical_path": phase.is_critical_path,
        "on_longest_path": step.on_critical_path,
        "deliverables": [item.name for item in phase.deliverables],
        "reads": list(dict.fromkeys(step.reads())),
        "require": [item.model_dump(mode="json") for item in phase.require],
    }
