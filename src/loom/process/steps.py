"""Phase ids as names of steps."""

from __future__ import annotations

import keyword

RESERVED = frozenset(
    {
        # what a flow has already
        *("input", "index", "next", "name", "cmd", "start", "end", "self", "script-name"),
        *("foreach-stack", "merge-artifacts"),
        # what its steps are decorated with
        *("step", "resources", "retry", "timeout"),
    }
)


def step_name(phase_id: str) -> str:
    """The step a phase becomes: a Python identifier that the engine does not keep for itself."""
    step = phase_id.replace("-", "_")
    taken = phase_id in RESERVED or step.startswith("loom_")
    if taken or keyword.iskeyword(step) or step[:1].isdigit():
        return f"phase_{step}" if step[:1].isdigit() else f"{step}_phase"
    return step
