"""Many tests at once: how many of those that trip would have tripped by chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """The q-value of every p-value: the share of false alarms if it and all smaller ones were raised."""
    values = np.asarray(p, np.float64)
    if not len(values):
        return []
    order = np.argsort(values)
    scaled = values[order] * len(values) / np.arange(1, len(values) + 1)
    q = np.empty(len(values))
    q[order] = np.minimum(1, np.minimum.accumulate(scaled[::-1])[::-1])
    return [float(value) for value in q]
