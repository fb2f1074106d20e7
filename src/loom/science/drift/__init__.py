"""Whether a table still looks like another: `drift` compares target and predictions first, then every column."""

from __future__ import annotations

from loom.science.drift.comparing import ColumnDrift, Drift, drift

__all__ = ["ColumnDrift", "Drift", "drift"]
