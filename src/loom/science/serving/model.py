"""One frozen model with everything it needs to answer: columns it reads, fitted features, members, calibration."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from loom.kernel.errors import LoomError
from loom.science.calibration import Recalibration
from loom.science.columns import spelled
from loom.science.features.transformer import Transformer
from loom.science.portfolio.blending import mixed
from loom.science.portfolio.members import Floats, Matrix, Model
from loom.science.serving.inputs import InputColumn
from loom.science.serving.solution import Solution
from loom.science.targets import Task

FORMAT = 1
_MOMENT = (1980, 1, 1, 0, 0, 0)  # a date would make equal models different


@dataclass(frozen=True, slots=True)
class Served:
    """A model that was frozen once; the same one is judged, kept and deployed."""

    task: Task
    target: str
    classes: tuple[str, ...]
    """The classes in the order of the probabilities; of two, the second one is the one asked about."""

    columns: tuple[InputColumn, ...]
    transformer: Transformer | None = None
    """Makes the features; a solution that takes rows as they are has none."""

    members: Mapping[str, bytes] = field(default_factory=dict)
    """Fitted members as they were packed: unpacked and packed again they would be other bytes."""

    weights: Mapping[str, float] = field(default_factory=dict)
    recalibration: Recalibration | None = None
    solution: Solution | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    """Where it comes from; no part of what it is."""

    def predict(self, rows: pl.DataFrame) -> Floats:
        """Probabilities of the second class, of each class, or values, in the order of the rows."""
        frame = rows if self.transformer is None else self.transformer.transform(rows)
        if self.solution is not None:
            return self.solution.predict(self.shown(frame), self.task, len(self.classes))
        matrix = matrix_of(frame, self.transformer)
        members: list[Model] = [pickle.loads(self.members[name]) for name in self.weights]
        found = mixed([member.predict(matrix) for member in members], list(self.weights.values()))
        return found if self.recalibration is None else self.recalibration.apply(found)

    def shown(self, frame: pl.DataFrame) -> pl.DataFrame:
        """What a solution is given of prepared rows: the features, or the columns as they came in; never an answer."""
        names = (
            [each.name for each in self.columns]
            if self.transformer is None
            else list(self.transformer.features)
        )
        return pl.DataFrame([spelled(frame.get_column(name)) for name in names])

    def table(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The predictions as columns: the answer, and the probabilities it rests on."""
        found = self.predict(rows)
        if self.task == "regression":
            return pl.DataFrame({"prediction": found})
        every = np.column_stack([1 - found, found]) if self.task == "binary" else found
        answer = pl.Series("prediction", self.classes).gather(every.argmax(axis=1))
        shown = [(f"probability_{name}", column) for name, column in zip(self.classes, every.T, strict=True)]
        return pl.DataFrame([answer, *(pl.Series(name, column) for name, column in shown)])

    @property
    def digest(self) -> str:
        """What the model is, without where it comes from."""
        return "sha256:" + hashlib.sha256(self._packed({})).hexdigest()

    def to_bytes(self) -> bytes:
        """The model as an archive: equal models give equal bytes."""
        return self._packed(self.about)

    def _packed(self, about: Mapping[str, Any]) -> bytes:
        told = {
            "format": FORMAT,
            "task": self.task,
            "target": self.target,
            "classes": list(self.classes),
            "columns": [column.as_json() for column in self.columns],
            "weights": dict(self.weights),
            "recalibration": None if self.recalibration is None else self.recalibration.as_json(),
            "about": dict(about),
        }
        files = {"model.json": json.dumps(told, indent=1, sort_keys=True).encode()}
        if self.transformer is not None:
            files["transformer.npz"] = self.transformer.to_bytes()
        if self.solution is not None:
            files |= {"solution.py": self.solution.source.encode(), "solution.pkl": self.solution.fitted}
        files |= {f"members/{name}.pkl": packed for name, packed in self.members.items()}
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(files.items()):
                archive.writestr(zipfile.ZipInfo(name, _MOMENT), content, zipfile.ZIP_DEFLATED)
        return whole.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Served:
        """The model that bytes hold. They run code when read: only those that Loom kept itself may be given."""
        try:
            archive = zipfile.ZipFile(io.BytesIO(content))
            files = {name: archive.read(name) for name in archive.namelist()}
            told = json.loads(files["model.json"])
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise LoomError(
                "this is not a model of Loom's", str(error), "validate again: loom validate"
            ) from None
        recalibration = told["recalibration"]
        return cls(
            task=told["task"],
            target=told["target"],
            classes=tuple(told["classes"]),
            columns=tuple(InputColumn(**column) for column in told["columns"]),
            transformer=Transformer.from_bytes(files["transformer.npz"])
            if "transformer.npz" in files
            else None,
            members={
                name.removeprefix("members/").removesuffix(".pkl"): packed
                for name, packed in files.items()
                if name.startswith("members/")
            },
            weights=told["weights"],
            recalibration=None if recalibration is None else Recalibration.from_json(recalibration),
            solution=Solution(files["solution.py"].decode(), files["solution.pkl"])
            if "solution.py" in files
            else None,
            about=told["about"],
        )


def pack(model: Model) -> bytes:
    """A fitted member as bytes."""
    return pickle.dumps(model, 5)


def matrix_of(frame: pl.DataFrame, transformer: Transformer | None) -> Matrix:
    """The features of a frame as numbers; what is missing is not a number."""
    names = frame.columns if transformer is None else transformer.features
    columns = [frame.get_column(name).cast(pl.Float32).fill_null(np.nan).to_numpy() for name in names]
    return np.column_stack(columns) if columns else np.zeros((frame.height, 0), np.float32)
