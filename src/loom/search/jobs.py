"""A candidate to be run, and what became of it; nothing in it that the candidate could have written freely."""

from __future__ import annotations

import builtins
import json
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Status = Literal["ok", "error", "deadline", "memory", "disk", "lost"]

SOLUTION, INPUT, WORKING, SUBMISSION = "solution.py", "input", "working", "submission.csv"
KEPT_BYTES = 1 << 16
"""How much is kept of stdout and of stderr: the first and the last half."""

_MOST_TOLD = 32
_NAME = re.compile(r"[A-Za-z_]\w{0,63}\Z", re.ASCII)
_PLACES = ("<module>", "<lambda>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
_ERRORS = {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
} | {
    *("LinAlgError", "AxisError", "DTypePromotionError"),
    *("EmptyDataError", "ParserError", "MergeError", "DataError", "IntCastingNaNError", "InvalidIndexError"),
    *("OutOfBoundsDatetime", "OutOfBoundsTimedelta", "UndefinedVariableError", "SpecificationError"),
    *("NotFittedError", "ConvergenceWarning", "InvalidParameterError", "UndefinedMetricWarning"),
    *("LightGBMError", "CatBoostError", "XGBoostError", "TooManyThreads"),
    *("ArrowInvalid", "ArrowTypeError", "ArrowKeyError", "ArrowNotImplementedError", "ArrowCapacityError"),
    *("JSONDecodeError", "PicklingError", "UnpicklingError", "FrozenInstanceError"),
}
"""Names of exceptions that say nothing of anybody's data: they were there before the candidate."""


@dataclass(frozen=True, slots=True)
class Job:
    """A candidate in its folder, which holds solution.py, `input` and `working`; and what it may use."""

    id: str
    folder: Path
    seconds: float
    memory_bytes: int
    """What it may take besides the libraries, which are there already."""

    threads: int = 1
    """What the libraries take unasked; one that is asked for more takes more."""

    disk_bytes: int = 1 << 30
    """What each of its files may hold, and all of them."""

    def __post_init__(self) -> None:
        for name in ("seconds", "memory_bytes", "threads", "disk_bytes"):
            if not 0 < getattr(self, name) < 2**53:
                raise ValueError(f"{name} of job {self.id} is {getattr(self, name)}; it must be positive")


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a candidate.

    | status   | it                                                                                   |
    |----------|--------------------------------------------------------------------------------------|
    | ok       | ended by itself with exit code 0; whether it left a submission is another question    |
    | error    | raised, ended with another code or by a signal, or started far too many threads      |
    | deadline | was killed when its time was over                                                    |
    | memory   | was refused memory and ended by that, or held too much and was killed                |
    | disk     | wrote too much into files or to its output                                           |
    | lost     | was under way when what runs it ended, or could not be closed in, and so was not run |
    """

    id: str
    status: Status
    exit_code: int | None = None
    signal: int | None = None
    seconds: float = 0.0
    cpu_s: float = 0.0
    peak_bytes: int = 0
    """The most memory that it held, the libraries included."""

    stdout: bytes = b""
    stderr: bytes = b""
    error: dict[str, Any] = field(default_factory=dict)
    """Where it raised: `type`, `line` and `function`. Never what the exception said."""

    told: dict[str, float] = field(default_factory=dict)
    """The numbers of the last line of stdout that is a JSON object."""


def told_of(stdout: bytes) -> dict[str, float]:
    """The finite numbers of the last line that is a JSON object; names that are no words are left out."""
    for said in _objects(stdout):
        numbers: dict[str, float] = {}
        for name, value in said.items():
            if len(numbers) < _MOST_TOLD and _NAME.match(name) and type(value) in (int, float):
                with suppress(OverflowError):
                    numbers[name] = float(value)
        return {name: value for name, value in numbers.items() if math.isfinite(value)}
    return {}


def _objects(stdout: bytes) -> Iterator[dict[str, Any]]:
    for line in reversed(stdout.splitlines()):
        if line.strip().startswith(b"{"):
            with suppress(ValueError, RecursionError):
                said = json.loads(line)
                if isinstance(said, dict):
                    yield said


def error_of(told: object, source: str) -> dict[str, Any]:
    """What a candidate's process said of its error, where it is something that it did not make up.

    The kind is the first known name among the classes of the exception; a line and a function must be in the
    source. Anything else could carry what the candidate has read.
    """
    if not isinstance(told, dict):
        return {}
    kinds, line, function = told.get("kinds"), told.get("line"), told.get("function")
    known = (
        [kind for kind in kinds if isinstance(kind, str) and kind in _ERRORS]
        if isinstance(kinds, list)
        else []
    )
    there = isinstance(function, str) and (
        function in _PLACES
        or (_NAME.match(function) is not None and re.search(rf"\bdef\s+{function}\b", source) is not None)
    )
    return {
        "type": known[0] if known else "Exception",
        "line": line if type(line) is int and 0 < line <= source.count("\n") + 1 else None,
        "function": function if there else None,
    }
