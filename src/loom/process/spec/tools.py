"""`tools:` — which tools the package needs, and which it does without."""

from __future__ import annotations

from loom.process.spec.model import SpecModel
from loom.process.spec.types import Seq, Text


class Tools(SpecModel):
    """Which tools must be there before a run starts, and which the model may not use."""

    guidance: str = ""
    """How to use the tools; the same as the top-level `tool_guidance`, and joined with it."""

    required: Seq[Text] = ()
    """Tools that must be available. A run refuses to start when one is missing."""

    excluded: Seq[Text] = ()
    """Tools the model must not use in this process. They need not exist."""
