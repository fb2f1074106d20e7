"""How MLflow reads a deployed model, and asks it: a pandas table of rows in, a pandas table of predictions out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from loom.science.serving.inputs import conform
from loom.science.serving.model import Served
from loom.science.serving.predicting import MODEL


@dataclass(frozen=True, slots=True)
class Answering:
    """A model that answers as `predict.py` does."""

    served: Served

    def predict(self, model_input: Any, params: Any = None) -> Any:
        """The answer of each row, and the probabilities it rests on; `params` are MLflow's, and unused."""
        rows = pl.from_pandas(model_input)
        # a column of whole numbers in which a cell is empty comes as fractions
        return self.served.table(conform(rows, self.served.columns)).to_pandas()


def _load_pyfunc(path: str) -> Answering:
    """The model of a folder; the name is MLflow's."""
    return Answering(Served.from_bytes((Path(path) / MODEL).read_bytes()))
