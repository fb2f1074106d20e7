"""Recomputes `splits.json`: what skfolio's combinatorial purged cross-validation makes of small tables.

    python -m tests.science.oracles.record_splits

needs skfolio, which nothing else in the project does. Rows divide into the blocks: elsewhere the definitions differ.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np

RECORDED = Path(__file__).with_name("splits.json")
# rows, blocks, tested blocks, rows purged on each side, rows embargoed
CASES = ((24, 4, 2, 1, 1), (30, 5, 2, 2, 0), (36, 6, 2, 1, 2), (40, 5, 3, 0, 3), (24, 4, 2, 0, 0))


def recorded() -> list[dict[str, Any]]:
    """The folds as they were recorded."""
    return json.loads(RECORDED.read_text(encoding="utf-8"))


def computed() -> list[dict[str, Any]]:
    """The rows of every fold, and the fold that tests each block on each path, as skfolio makes them now."""
    selection = importlib.import_module("skfolio.model_selection")
    found = []
    for rows, blocks, tested, purged, embargoed in CASES:
        oracle = selection.CombinatorialPurgedCV(
            n_folds=blocks, n_test_folds=tested, purged_size=purged, embargo_size=embargoed
        )
        folds = [
            {"train": train.tolist(), "test": sorted(int(row) for part in parts for row in part)}
            for train, parts in oracle.split(np.zeros((rows, 1)))
        ]
        found.append(
            {
                "rows": rows,
                "blocks": blocks,
                "tested": tested,
                "purged": purged,
                "embargoed": embargoed,
                "folds": folds,
                "paths": oracle.recombined_paths.T.tolist(),
            }
        )
    return found


if __name__ == "__main__":
    RECORDED.write_text(json.dumps(computed()) + "\n", encoding="utf-8")
