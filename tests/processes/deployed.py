"""A home with validations, from which `deploy` runs as a person calls it, without Metaflow."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import polars as pl

from loom.app.call import Call
from loom.app.envelope import Envelope
from loom.app.run import carry_out
from loom.dataio.catalogue import DirectoryCatalogue
from loom.dataio.files import FileRef
from loom.dataio.objects import DataObject
from loom.runtime.journal import FILE_NAME, Journal, RunStatus
from loom.science.serving.model import Served
from tests.processes.deploying import DEPLOY, brought_in, customers, solved, summary_of

READER = "loom.science.serving.model:Served.from_bytes"


def sibling(name: str) -> ModuleType:
    """A module beside the tools of the package, without the tools."""
    package = ModuleType("loom_deploy_tools")
    package.__path__ = [str(DEPLOY / "tools")]
    sys.modules.setdefault(package.__name__, package)
    return importlib.import_module(f"{package.__name__}.{name}")


class Answering:
    """A person at a terminal."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer
        self.shown: list[str] = []

    def confirm(self, text: str) -> bool:
        self.shown.append(text)
        return self.answer


@dataclass
class House:
    """A home, its data object, and what took place there."""

    folder: Path
    objects: dict[str, DataObject] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True)
        self.work.mkdir()
        self.bring()

    @property
    def home(self) -> Path:
        """What LOOM_HOME names."""
        return self.folder / "home"

    @property
    def work(self) -> Path:
        """Where the person is."""
        return self.folder / "work"

    def bring(self) -> str:
        """The customers once more, as a data object of their own."""
        path = self.work / "customers.csv"
        customers().write_csv(path)
        pathspec, found = brought_in(self.home, path)
        self.objects[pathspec] = found
        return pathspec

    @property
    def first(self) -> dict[str, DataObject]:
        """The data object that models are made of."""
        return {"IngestDataset/1": self.objects["IngestDataset/1"]}

    def model(self, **other: Any) -> Served:
        """A model of the first data object."""
        return solved(self.objects["IngestDataset/1"], **other)

    def validated(
        self,
        served: Served | None = None,
        *,
        train: pl.DataFrame | None = None,
        verdict: str | None = "PASS",
        status: str = "ok",
        inputs: Mapping[str, Any] | None = None,
        reasons: tuple[Mapping[str, Any], ...] = (),
        kept: bool = True,
        **summary: Any,
    ) -> str:
        """Write down a validation that took place, with the model it kept; its pathspec."""
        self.count += 1
        name = f"ValidateFlow/{self.count}"
        model = served or self.model(train=train)
        started = 1.7e9 + self.count
        files = {
            "model": FileRef.put(model.to_bytes(), READER, DirectoryCatalogue(self.home / "objects").store)
        }
        told = {
            "request": {"inputs": {"dataset": "IngestDataset/1", **(inputs or {})}},
            "summary": summary_of(model if kept else None, self.first, name, **summary),
            "reasons": list(reasons),
            "kept": {each: file.record() for each, file in files.items()} if kept else {},
        }
        with closing(Journal(self.home / FILE_NAME, clock=lambda: started)) as journal:
            key = f"run-{self.count:010d}"
            journal.begin(key, "validate", told, None)
            journal.locate(key, name)
            journal.conclude(key, cast(RunStatus, status), verdict)
        return name

    def deploy(
        self, *, confirm: str | None = None, asker: Any = None, caller: Any = "person", **inputs: Any
    ) -> Envelope:
        """Call the verb."""
        words = ["loom", "deploy"]
        for name, value in inputs.items():
            words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
        call = Call(
            DEPLOY,
            inputs,
            transport="local",
            workspace=self.work,
            confirm=confirm,
            command=tuple(words),
            caller=caller,
        )
        return carry_out(call, environ={"LOOM_HOME": str(self.home), "HOME": str(self.folder)}, asker=asker)

    def put(self, validation: str, **inputs: Any) -> Envelope:
        """Plan a deployment, agree to it, and carry it out."""
        plan = self.deploy(validate=validation, **inputs)
        assert plan.verdict == "STAGED", plan.reasons
        return self.deploy(
            validate=validation, apply=True, confirm=str((plan.summary or {})["digest"]), **inputs
        )

    @property
    def place(self) -> Path:
        """Where a model is deployed to when nobody says where."""
        return self.home / "deployments" / "customers"
