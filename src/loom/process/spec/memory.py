"""`memory:` — what is worth remembering after the run."""

from __future__ import annotations

from loom.process.spec.model import SpecModel
from loom.process.spec.types import Seq, Text


class MemoryType(SpecModel):
    """One kind of knowledge to keep."""

    type: Text
    """A name for the kind, such as `pricing_fact`."""

    description: str = ""
    """What belongs to it, specific enough to decide by."""


class Memory(SpecModel):
    """Knowledge that is kept between runs."""

    extract_types: Seq[MemoryType] = ()
    """Kinds of knowledge to keep; three to six serve best."""

    extraction_guidance: str = ""
    """What to prefer, and what must be kept with it."""
