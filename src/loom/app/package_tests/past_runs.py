"""`tests/runs/*.json`: runs that took place before a case starts, each with what others may know of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from loom.core.index import RunFacts
from loom.kernel.errors import LoomError
from loom.process.spec.model import SpecModel
from loom.process.spec.types import Seq, Text

FOLDER = "tests/runs"
_STEP = 60.0
_BEGINNING = 1_750_000_000.0


class PastRun(SpecModel):
    """A run that took place: how it ended and what it found."""

    verb: Text
    """The package that ran."""

    status: Literal["ok", "failed", "blocked", "refused", "error", "interrupted"] = "ok"
    """How it ended."""

    verdict: Text | None = None
    """Its verdict."""

    pathspec: Text | None = None
    """What it is called; the name of the file when left out: `EdaFlow-2.json` is EdaFlow/2."""

    experiment_id: Text | None = None
    """The experiment it belongs to."""

    started: float | None = None
    """When, in seconds since 1970; one minute after the run before it when left out."""

    seconds: Annotated[float, Field(ge=0)] = 1.0
    """How long it took."""

    inputs: dict[str, Any] = Field(default_factory=dict)
    """What it was given."""

    summary: dict[str, Any] = Field(default_factory=dict)
    """What it found."""

    reasons: Seq[dict[str, Any]] = ()
    """Why it ended as it did."""

    error: dict[str, str] | None = None
    """What, why and fix, where it went wrong."""

    reads: Seq[Text] = ()
    """The pathspecs it used."""


def read_runs(folder: Path) -> tuple[RunFacts, ...]:
    """The runs a package wants to have taken place, in the order of their file names."""
    found = (folder / FOLDER).glob("*.json")
    return tuple(_read(path, place) for place, path in enumerate(sorted(found, key=_order)))


def _order(path: Path) -> tuple[str, int, str]:
    flow, _, number = path.stem.rpartition("-")
    return flow, int(number) if number.isdecimal() else 0, path.stem


def _read(path: Path, place: int) -> RunFacts:
    try:
        run = PastRun.model_validate(json.loads(path.read_bytes()))
    except ValidationError as error:
        wrong = error.errors()[0]
        named = ".".join(map(str, wrong["loc"]))
        raise _refused(path, f"{named}: {wrong['msg']}" if named else wrong["msg"]) from None
    except (OSError, ValueError) as error:
        raise _refused(path, str(error)) from None
    pathspec = run.pathspec or "/".join(path.stem.rsplit("-", 1))
    started = _BEGINNING + place * _STEP if run.started is None else run.started
    return RunFacts.from_json(run.model_dump() | {"name": pathspec, "pathspec": pathspec, "started": started})


def _refused(path: Path, why: str) -> LoomError:
    return LoomError(
        f"{path}: not a run that took place",
        why.lower(),
        'write, for example: {"verb": "eda", "verdict": "OK"}',
    )
