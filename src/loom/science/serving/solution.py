"""A solution: Python source with `fit(train, ctx)` and `predict(model, frame)`, and what its `fit` returned."""

from __future__ import annotations

import ast
import importlib
import pickle
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from loom.kernel.errors import LoomError
from loom.science.targets import Task

MODULE = "loom_solution"
FUNCTIONS = ("fit", "predict")


@dataclass(frozen=True, slots=True)
class Solution:
    """Source and fitted model of a solution. Using it runs the source."""

    source: str
    fitted: bytes

    def predict(self, frame: pl.DataFrame, task: Task, classes: int) -> npt.NDArray[np.float64]:
        """What the solution says of the rows, checked for its shape."""
        module = load(self.source)
        found = module.predict(pickle.loads(self.fitted), frame.to_pandas())
        return checked(found, frame.height, task, classes)


def source_of(content: bytes) -> str:
    """The source that bytes hold."""
    return content.decode("utf-8")


def functions_of(source: str) -> tuple[str, ...]:
    """Which of the two functions a source defines at its top level; it is read, not run."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        where = f"line {error.lineno}: {error.msg}"
        raise LoomError("the solution is not Python", where, "run it once: python solution.py") from None
    named = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return tuple(name for name in FUNCTIONS if name in named)


def load(source: str) -> ModuleType:
    """The solution as a module, under a name by which its own classes can be unpickled."""
    module = ModuleType(MODULE)
    module.__file__ = "solution.py"
    sys.modules[MODULE] = module
    exec(compile(source, "solution.py", "exec"), module.__dict__)
    return module


def checked(found: Any, rows: int, task: Task, classes: int) -> npt.NDArray[np.float64]:
    """Predictions as an array of the right shape; a LoomError that says what is wrong with them."""
    fix = "return one probability or value per row, in the order of the rows"
    try:
        array = np.asarray(found, np.float64)
    except (TypeError, ValueError) as error:
        raise LoomError("the solution predicts no numbers", str(error), fix) from None
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if task == "binary" and array.ndim == 2 and array.shape[1] == 2:
        array = array[:, 1]
    wanted = (rows, classes) if task == "multiclass" else (rows,)
    if array.shape != wanted:
        raise LoomError("the predictions have the wrong shape", f"{array.shape} instead of {wanted}", fix)
    if not np.isfinite(array).all():
        count = int((~np.isfinite(array)).sum())
        raise LoomError(
            "the solution predicts what is no number", f"{count} of {array.size} are NaN or infinite", fix
        )
    if task != "regression" and (array.min(initial=0) < -1e-9 or array.max(initial=0) > 1 + 1e-9):
        raise LoomError("the predictions are no probabilities", "some are below 0 or above 1", fix)
    return array


def fitted_by(module: ModuleType, frame: pl.DataFrame, target: str, **ctx: Any) -> bytes:
    """What the solution's `fit` makes of training rows, as bytes."""
    namespace = importlib.import_module("types").SimpleNamespace(target=target, **ctx)
    return pickle.dumps(module.fit(frame.to_pandas(), namespace), 5)
