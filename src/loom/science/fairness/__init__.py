"""Whether a model treats groups of people alike: `assess` looks at one sensitive column."""

from __future__ import annotations

from loom.science.fairness.assessing import NOT_ASSESSED, Fairness, Group, assess

__all__ = ["NOT_ASSESSED", "Fairness", "Group", "assess"]
