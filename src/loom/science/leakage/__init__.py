"""What knows the answer and should not: `leakage` looks for it in columns, in rows and in their order."""

from __future__ import annotations

from loom.science.leakage.findings import Check, Finding
from loom.science.leakage.scan import Leakage, leakage

__all__ = ["Check", "Finding", "Leakage", "leakage"]
