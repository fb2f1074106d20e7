"""What a call would do, for reading before it does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loom.kernel.diagnostic_formats import clean
from loom.render.tables import PAINT, PLAIN, has_value, joined, pairs, table, value_text

ASKED_FOR = ("expensive", "irreversible")


def preview_text(preview: Mapping[str, Any], *, color: bool = False, width: int = 100) -> str:
    """The phases that would run, how far the call would go and why, and the digest that confirms it."""
    paint = PAINT if color else PLAIN
    head = " ".join(str(preview[key]) for key in ("process", "version") if preview.get(key))
    inputs = {
        f"--{name}": value for name, value in (preview.get("inputs") or {}).items() if value is not False
    }
    facts = {
        "tier": preview.get("tier"),
        "because": "; ".join(_because(each) for each in preview.get("why_tier") or ()),
        "cost": value_text(preview.get("cost") or ""),
        "plan": _plan(preview),
    }
    rows = [_row(phase, preview.get("inputs") or {}) for phase in preview.get("phases") or ()]
    first = f"{paint['bold']}{clean(head)}{paint['off']}  nothing has been done yet"
    return joined(
        [
            [first],
            pairs(facts, paint, whole=True),
            pairs(inputs, paint, width),
            table(rows, paint, width, most=len(rows)),
        ]
    )


def _plan(preview: Mapping[str, Any]) -> str:
    digest = str(preview.get("digest") or "")
    return f"{digest}  agree to it with --confirm {digest}" if preview.get("tier") in ASKED_FOR else digest


def _because(each: Any) -> str:
    if not isinstance(each, Mapping):
        return str(each)
    told = f"{each.get('source')} is {each.get('tier')}"
    return f"{told}, it {each['because']}" if each.get("because") else told


def _row(phase: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    known = {f"${{inputs.{name}}}": value for name, value in inputs.items()}
    args = {
        key: known.get(value, value) if isinstance(value, str) else value
        for key, value in (phase.get("args") or {}).items()
    }
    called = phase.get("calls") or phase.get("tool") or phase.get("process")
    return {
        "phase": phase.get("id"),
        "would": phase.get("would"),
        "by": " ".join(str(part) for part in (phase.get("executor"), called) if part),
        "after": ", ".join(phase.get("after") or ()),
        "with": ", ".join(f"{key}={value_text(value)}" for key, value in args.items() if has_value(value)),
        "because": phase.get("why"),
    }
