"""Purging and embargo against skfolio and against the definition, and walking forward through time."""

from __future__ import annotations

import importlib.util
from collections import Counter
from math import comb

import numpy as np
import pytest

from loom.kernel.errors import LoomError
from loom.science.splits import combinatorial, kfold, walk_forward
from tests.science.oracles import record_splits


@pytest.mark.parametrize("case", record_splits.recorded())
def test_combinatorial_folds_and_paths_are_skfolios(case: dict[str, object]) -> None:
    rows, blocks, tested, purged, embargoed = (
        int(case[name])
        for name in ("rows", "blocks", "tested", "purged", "embargoed")  # type: ignore[call-overload]
    )
    t0 = np.arange(rows, dtype=float)
    found = combinatorial(t0, t0 + purged, blocks=blocks, tested=tested, embargo=embargoed)
    assert [{"train": f.train.tolist(), "test": f.test.tolist()} for f in found.folds] == case["folds"]
    assert found.paths.tolist() == case["paths"]


def test_skfolio_still_says_what_was_recorded() -> None:
    if importlib.util.find_spec("skfolio") is None:
        pytest.skip("skfolio is not here")
    assert record_splits.computed() == record_splits.recorded()


@pytest.mark.parametrize(("blocks", "tested"), [(4, 1), (6, 2), (6, 3), (5, 4)])
def test_every_path_goes_through_all_blocks_once(blocks: int, tested: int) -> None:
    t0 = np.random.default_rng(0).integers(0, 50, 200).astype(float)
    found = combinatorial(t0, blocks=blocks, tested=tested)
    assert len(found.folds) == comb(blocks, tested)
    assert found.paths.shape == (comb(blocks - 1, tested - 1), blocks)
    used = Counter((int(fold), block) for path in found.paths for block, fold in enumerate(path))
    assert set(used.values()) == {1}
    for (fold, block), _ in used.items():
        assert np.isin(np.flatnonzero(found.blocks == block), found.folds[fold].test).all()


def test_moments_are_cut_and_not_rows_so_that_ties_stay_together() -> None:
    t0 = np.repeat([1.0, 2.0, 3.0, 4.0], [50, 1, 1, 2])
    folds = kfold(t0, folds=2)
    assert [len(fold.test) for fold in folds] == [51, 3]


def test_an_interval_that_reaches_into_the_block_is_purged_and_what_follows_closely_is_left_out() -> None:
    t0 = np.arange(10.0)
    t1 = t0 + np.array([0, 0, 5, 0, 0, 0, 0, 0, 0, 0])
    middle = kfold(t0, t1, folds=5, embargo=1)[2]
    assert middle.test.tolist() == [4, 5]
    assert middle.train.tolist() == [0, 1, 3, 7, 8, 9]
    assert (middle.purged, middle.embargoed) == (1, 1)
    first = kfold(t0, t1, folds=5, embargo=1)[1]
    assert first.test.tolist() == [2, 3]
    # the row of 2 knows something until 7
    assert (first.train.tolist(), first.purged, first.embargoed) == ([0, 1, 9], 4, 1)


def test_walking_forward_learns_from_what_has_ended() -> None:
    t0 = np.repeat(np.arange(12.0), 3)
    entities = np.arange(36) % 12
    for fold in walk_forward(t0, t0 + 1, folds=3, embargo=1):
        assert t0[fold.train].max() + 1 < t0[fold.test].min() - 1
    assert [len(fold.test) for fold in walk_forward(t0, folds=3)] == [9, 9, 9]
    for fold in walk_forward(t0, folds=3, entities=entities):
        assert not np.isin(entities[fold.train], entities[fold.test]).any()


def test_what_is_no_choice_of_blocks_or_no_interval_is_refused() -> None:
    t0 = np.arange(10.0)
    for refused in (
        lambda: combinatorial(t0, blocks=4, tested=4),
        lambda: combinatorial(t0, blocks=11, tested=2),
        lambda: kfold(t0, t0 - 1, folds=2),
        lambda: walk_forward(t0, t0[:3], folds=2),
    ):
        with pytest.raises(LoomError):
            refused()
