"""`replanning:` — when the plan no longer fits, and what to do then."""

from __future__ import annotations

from loom.process.spec.model import SpecModel


class Replanning(SpecModel):
    """When to change the plan in mid-run. Without it the plan stands."""

    triggers: str = ""
    """Signs that the plan no longer fits."""

    guidance: str = ""
    """How to adapt."""
