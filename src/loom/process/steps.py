"""Phase ids as names of steps."""

from __future__ import annotations

import keyword

RESERVED = frozenset(
    {"input", "index", "next", "name", "cmd", "start", "end", "self", "foreach-stack", "merge-artifacts"}
)


def step_name(phase_id: str) -> str:
    """The step a phase becomes: a Python identifier that the engine does not keep for itself."""
    step = phase_id.replace("-", "_")
    if phase_id in RESERVED or keyword.iskeyword(step) or step[:1].isdigit():
        return f"phase_{step}" if step[:1].isdigit() else f"{step}_phase"
    return step
