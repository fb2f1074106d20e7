"""Lengths of time as people write them: `90s`, `5m`, `1h30m`."""

from __future__ import annotations

import math
import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")


def seconds_of(text: str) -> float | None:
    """The length in seconds; None where the text is none, or one without an end."""
    if not _WHOLE.fullmatch(text):
        return None
    found = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    return found if math.isfinite(found) else None
