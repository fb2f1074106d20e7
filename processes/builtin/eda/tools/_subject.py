"""What a look at a data object is about: its open rows, its test rows, and the columns that play a part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from loom.core.column_names import spoken
from loom.core.commands import command
from loom.dataio.carving import refuse_other_holdout, source_of
from loom.dataio.frames import load
from loom.dataio.objects import DataObject
from loom.kernel.errors import LoomError
from loom.science.columns import Columns
from loom.science.targets import Choice, resolve_target
from loom.tools.naming import refuse_unknown
from loom.tools.registry import ToolContext

SEED = 0
_TOLD = 20


@dataclass(frozen=True, slots=True)
class Subject:
    """A data object without its sealed rows, and the parts that its columns play."""

    pathspec: str
    schema: Mapping[str, Any]
    train: Columns
    test: Columns | None
    declared: str | None
    """The target that somebody named, now or at ingest."""

    target: Choice | None
    time: tuple[str, ...]
    group: str | None

    @property
    def test_names(self) -> tuple[str, ...] | None:
        """The columns of the test part, where there is one."""
        return None if self.test is None else self.test.names

    @property
    def made_of(self) -> str | None:
        """The data object that these features were made of; None where the data was brought in."""
        return (self.schema.get("lineage") or {}).get("source")

    @property
    def spoken(self) -> str:
        """What plots say that they were drawn from."""
        return f"{self.train.rows:,} open rows of {self.pathspec}"

    def about(self) -> dict[str, Any]:
        """What the conclusion has to know of the data object; plain data without a cell."""
        holdout = _holdout(self.schema)
        return {
            "dataset_ref": self.pathspec,
            "name": self.schema.get("name") or "",
            # what was made of another object has columns that its source does not have
            "source": None if self.made_of else source_of(self.schema),
            "made_of": self.made_of,
            "holdout": {key: holdout.get(key) for key in ("rows", "share", "kind", "how")},
            "warnings": list(self.schema.get("warnings") or ())[:_TOLD],
            "test_rows": None if self.test is None else self.test.rows,
            "seed": SEED,
        }


def subject_of(args: Mapping[str, Any], ctx: ToolContext) -> Subject:
    """The data object of a call. What was not given is as it was ingested; what does not fit is a LoomError."""
    pathspec = args["dataset"]
    found: DataObject = ctx.services["catalogue"].open(pathspec)
    schema = found.schema
    train = _columns(found, "train")
    assert train is not None  # every data object has one
    test = _columns(found, "test")
    asked = {"target": args.get("target"), "time": args.get("time") or [], "group": args.get("group")}
    refuse_unknown(pathspec, train.names, asked, "eda")
    refuse_other_holdout(pathspec, {**schema, "holdout": _holdout(schema)}, asked)
    declared = asked["target"] or schema.get("target")
    # what features were made of may not be among them
    time = tuple(name for name in asked["time"] or schema.get("time") or () if name in train.names)
    group = next((name for name in (asked["group"], schema.get("group")) if name in train.names), None)
    choice = resolve_target(train.names, declared=declared, test_names=None if test is None else test.names)
    if choice is not None and choice.name in (*time, group):
        raise LoomError(
            f"`{spoken(choice.name)}` cannot be the target",
            "it is also the time or the entity",
            command("eda", dataset=pathspec, target=_other(train.names, (*time, group))),
        )
    return Subject(pathspec, schema, train, test, declared, choice, time, group)


def _holdout(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is sealed of the rows: of features, what is sealed of the data they were made of."""
    return (schema.get("lineage") or {}).get("holdout") or schema.get("holdout") or {}


def _columns(found: DataObject, part: str) -> Columns | None:
    ref = found.parts.get(part)
    return None if ref is None else Columns(tuple(ref.columns), ref.rows, partial(load, ref))


def _other(names: Sequence[str], taken: Sequence[str | None]) -> str | None:
    return next((name for name in reversed(names) if name not in taken), None)
