"""A solution as a contender: somebody's code, run apart for every fold, and judged as it is."""

from __future__ import annotations

import ast
import json
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from loom.kernel.errors import LoomError
from loom.science.columns import spelled
from loom.science.serving import trying
from loom.science.serving.model import Served
from loom.science.serving.solution import FUNCTIONS, Solution, checked, functions_of
from loom.science.targets import Task
from loom.science.validation.contender import Fitted
from loom.science.validation.problem import Answers, Prepared, Problem

Floats = npt.NDArray[np.float64]

PROGRAM = "loom.science.serving.trying"
VOICE = "solution"
_SUM = 0.01
_STUCK = re.compile(rf'File "{re.escape(trying.SOURCE)}", line (\d+)')
_NOTICE = 10.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: `why` says it in words where it did not end by itself and well."""

    well: bool
    why: str = ""
    timed_out: bool = False


Run = Callable[[Sequence[str], Path, float], Ended]
"""Runs a module of Loom with arguments, closed in to a folder, for at most so many seconds."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A solution: `fit` and `predict`, called in a process of their own that sees one fold and nothing else."""

    source: str
    """What it is called."""

    code: str
    run: Run
    scratch: Path
    metric: str
    seconds: float = 900.0
    """How long one fit with its predictions may take."""

    recalibrates: bool = False

    def __post_init__(self) -> None:
        lacks = [name for name in FUNCTIONS if name not in functions_of(self.code)]
        if lacks:
            said = " and ".join(f"`{name}`" for name in lacks)
            raise LoomError(
                f"{self.source} is no solution: it does not define {said}",
                "a model is refitted for every fold, with fit(train, ctx) and predict(model, frame)",
                f"def {lacks[0]}({'train, ctx' if lacks[0] == 'fit' else 'model, frame'}): ...  (write it at the top level)",
            )

    def fit(self, problem: Problem, prepared: Prepared, answers: Answers, seed: int) -> Fitted:
        """Fit on the training rows, and predict the others, in one process."""
        names = list(prepared.features or problem.used)
        train = _shown(prepared.train, [*names, problem.target])
        job = {
            "target": problem.target,
            "task": problem.task,
            "classes": list(problem.classes),
            "features": names,
            "metric": self.metric,
            "seed": seed,
            "time": [name for name in problem.time if name in names],
            "group": problem.group if problem.group in names else None,
        }
        tables = [_shown(other, names) for other in prepared.others]
        fitted, said = self._tried(train, job, None, tables, problem.task, len(problem.classes))
        return _Solved(fitted, said)

    def frozen(self, fitted: Fitted) -> Mapping[str, object]:
        """The source with what it fitted."""
        return {VOICE: Solution(self.code, fitted.parts()[VOICE])}

    def answer(self, model: Served, rows: pl.DataFrame) -> Floats:
        """What the frozen solution says of rows, in a process of its own as well."""
        assert model.solution is not None
        frame = rows if model.transformer is None else model.transformer.transform(rows)
        _, said = self._tried(
            None, None, model.solution.fitted, [model.shown(frame)], model.task, len(model.classes)
        )
        return said[0]

    def _tried(
        self,
        train: pl.DataFrame | None,
        job: Mapping[str, Any] | None,
        fitted: bytes | None,
        tables: Sequence[pl.DataFrame],
        task: Task,
        classes: int,
    ) -> tuple[bytes, list[Floats]]:
        with tempfile.TemporaryDirectory(prefix="solution-", dir=self.scratch) as name:
            folder = Path(name)
            (folder / trying.SOURCE).write_text(self.code, encoding="utf-8")
            told = {
                "fit": job,
                "tables": len(tables),
                "seconds": max(self.seconds / 2, self.seconds - _NOTICE),
            }
            (folder / trying.JOB).write_text(json.dumps(told), encoding="utf-8")
            if train is not None:
                train.write_parquet(folder / trying.TRAIN)
            if fitted is not None:
                (folder / trying.FITTED).write_bytes(fitted)
            for at, table in enumerate(tables):
                table.write_parquet(folder / trying.rows_of(at))
            ended = self.run([PROGRAM, str(folder)], folder, self.seconds)
            if not ended.well:
                raise self._failure(folder, ended)
            said = [self._read(folder, at, table.height, task, classes) for at, table in enumerate(tables)]
            return (folder / trying.FITTED).read_bytes(), said

    def _read(self, folder: Path, at: int, rows: int, task: Task, classes: int) -> Floats:
        """Predictions, if they are any."""
        place = f"{self.source}, line {self._line('predict')}"
        try:
            found = np.load(folder / trying.said_of(at), allow_pickle=False)
            said = checked(found, rows, task, classes)
        except LoomError as error:
            raise LoomError(f"{place}: {error.what}", error.why, error.fix) from None
        except (OSError, ValueError, EOFError):
            raise LoomError(
                f"{place}: there are no predictions", "its process ended early", self._again
            ) from None
        if task == "multiclass" and np.abs(said.sum(axis=1) - 1).max(initial=0) > _SUM:
            raise LoomError(
                f"{place}: the probabilities of a row do not add up to 1",
                f"there is one for each of {classes} classes, in the order of ctx.classes",
                self._again,
            )
        return said

    def _failure(self, folder: Path, ended: Ended) -> LoomError:
        """Where the solution failed, in three lines and without what it says itself."""
        if ended.timed_out:
            lines = _STUCK.findall(_text(folder / trying.STUCK))
            place = f", line {lines[-1]}" if lines else ""
            why = (
                f"one fit with its predictions may take {self.seconds:g} s, and this one was not over by then"
            )
            return LoomError(f"{self.source}{place}: it does not come to an end", why, self._again)
        try:
            told = json.loads((folder / trying.FAILED).read_bytes())
            kind, line, function = str(told["kind"])[:80], told["line"], told["function"]
        except (OSError, ValueError, KeyError, TypeError):
            lines = _STUCK.findall(_text(folder / trying.STUCK))
            kind, line, function = ended.why or "its process ended early", lines[0] if lines else None, None
        place = f", line {line}" if line else ""
        inside = f" in {function}" if function and not function.startswith("<") else ""
        shown = self._written(line)
        return LoomError(
            f"{self.source}{place}: it fails{inside}",
            f"{kind}{f', at `{shown}`' if shown else ''}",
            self._again,
        )

    @property
    def _again(self) -> str:
        return f"python -i {self.source if self.source.endswith('.py') else trying.SOURCE}"

    def _line(self, function: str) -> int:
        tree = ast.parse(self.code)
        return next((n.lineno for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == function), 1)

    def _written(self, line: Any) -> str:
        """What stands in a line of the solution."""
        lines = self.code.splitlines()
        if not isinstance(line, int | str) or not str(line).isdigit() or not 0 < int(line) <= len(lines):
            return ""
        return lines[int(line) - 1].strip()[:120]


@dataclass(frozen=True, slots=True)
class _Solved:
    fitted: bytes
    said: list[Floats]

    def predict(self, prepared: Prepared, which: int) -> Mapping[str, Floats]:
        """What was said when it was fitted."""
        return {VOICE: self.said[which]}

    def parts(self) -> Mapping[str, bytes]:
        """What was fitted."""
        return {VOICE: self.fitted}


def _shown(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The columns that a solution may see, in types that are the same wherever it is used."""
    return pl.DataFrame([spelled(frame.get_column(name)) for name in names])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[-20_000:]
    except OSError:
        return ""
