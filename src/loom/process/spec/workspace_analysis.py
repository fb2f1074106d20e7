"""`workspace_analysis:` — what to look for before planning."""

from __future__ import annotations

from loom.process.spec.model import SpecModel
from loom.process.spec.types import Seq, Text


class WorkspaceAnalysis(SpecModel):
    """What is already there, and how to build on it."""

    scan_for: Seq[Text] = ()
    """File patterns with what they mean, such as `*.csv — exports with one row per order`."""

    guidance: str = ""
    """How to use what is found."""
