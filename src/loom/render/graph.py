"""A process drawn: for a page (mermaid), for a picture (svg), for a terminal (text)."""

from __future__ import annotations

from typing import Literal

from loom.process.plan import Plan
from loom.render.mermaid import as_mermaid
from loom.render.svg import as_svg
from loom.render.waves import as_waves

GraphForm = Literal["mermaid", "svg", "text"]


def draw(plan: Plan, form: GraphForm) -> str:
    """The phases, who runs them and what they wait for, in one of the forms."""
    if form == "mermaid":
        return as_mermaid(plan)
    return as_svg(plan) if form == "svg" else as_waves(plan)
