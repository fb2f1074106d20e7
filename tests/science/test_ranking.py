"""Ranks, as scipy has them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from loom.science.ranking import ranks


@given(st.lists(st.integers(-5, 5) | st.floats(allow_nan=False), max_size=40))
def test_equal_values_share_the_middle_of_their_places(values: list[float]) -> None:
    cells = np.array(values, np.float64)
    assert np.array_equal(ranks(cells), rankdata(cells))
