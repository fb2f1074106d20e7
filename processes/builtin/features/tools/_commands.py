"""The verbs that come after features."""

from __future__ import annotations

FOLLOWING = ("validate", "viz", "eda")
"""Those that take features as they are, in the order in which they make sense."""
