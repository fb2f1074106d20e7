"""Which rows test which: `choose` makes folds that fit the data, `overlaps` checks any split for what is shared."""

from __future__ import annotations

from loom.science.splits.choosing import choose
from loom.science.splits.clock import Clock, clock_of
from loom.science.splits.overlapping import Marks, Overlap, marks, overlap, overlaps
from loom.science.splits.purging import Combinatorial, combinatorial, kfold, walk_forward
from loom.science.splits.splitting import Fold, Splitting

__all__ = [
    "Clock",
    "Combinatorial",
    "Fold",
    "Marks",
    "Overlap",
    "Splitting",
    "choose",
    "clock_of",
    "combinatorial",
    "kfold",
    "marks",
    "overlap",
    "overlaps",
    "walk_forward",
]
