"""What a model is judged on: the open rows as they were brought in, the features made of them, and who seals the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from loom.core.column_names import spoken
from loom.core.commands import command
from loom.dataio.carving import about, refuse_other_holdout
from loom.dataio.derive import root_of
from loom.dataio.frames import load
from loom.dataio.objects import DataObject
from loom.kernel.errors import LoomError
from loom.science.columns import Columns
from loom.science.features import BlockedError, Transformer, build
from loom.science.profile import profile
from loom.science.targets import Task, resolve_target
from loom.science.validation import Problem
from loom.tools.context import ToolContext
from loom.tools.naming import refuse_unknown

TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")


@dataclass(frozen=True, slots=True)
class Subject:
    """A data object, the one it comes from, and the problem it poses."""

    pathspec: str
    root: str
    source: DataObject
    """The root itself: its columns are those that were brought in."""

    problem: Problem
    digest: str
    """That of the data object itself."""

    lineage: Mapping[str, Any]

    @property
    def schema(self) -> Mapping[str, Any]:
        """That of the root."""
        return self.source.schema

    def about(self) -> dict[str, Any]:
        """What the conclusion has to know of the data; plain data without a cell."""
        lineage = {name: self.lineage.get(name) for name in ("recipe", "fingerprint", "from")}
        return {
            "dataset_ref": self.pathspec,
            "root": self.root,
            "target": self.problem.target,
            "declared": self.schema.get("target"),
            "time": list(self.problem.time),
            "group": self.problem.group,
            "digests": {self.root: self.schema.get("digest"), self.pathspec: self.digest},
            "features": lineage if self.lineage else None,
            **about(self.schema),
        }


def subject_of(args: Mapping[str, Any], ctx: ToolContext, *, raw: bool) -> Subject:
    """The subject of a call; `raw` says that rows which were brought in are taken as they are."""
    pathspec = args["dataset"]
    found: DataObject = ctx.services["catalogue"].open(pathspec)
    root = root_of(found.schema, pathspec)
    source = found if root == pathspec else ctx.services["catalogue"].open(root)
    return subject_in(pathspec, found, root, source, args, raw=raw)


def subject_in(
    pathspec: str, found: DataObject, root: str, source: DataObject, args: Mapping[str, Any], *, raw: bool
) -> Subject:
    """The subject that a data object makes, with the one whose rows it is made of."""
    transformer = found.files["transformer"].load() if "transformer" in found.files else None
    asked: dict[str, Any] = {
        "target": args.get("target"),
        "time": args.get("time") or [],
        "group": args.get("group"),
    }
    names = source.parts["train"].columns
    refuse_unknown(root, names, asked, "eda")
    refuse_unknown(root, names, {"sensitive": args.get("sensitive")}, "validate")
    refuse_other_holdout(root, source.schema, asked)
    target = _target(pathspec, found, source, transformer, asked["target"])
    time = tuple(asked["time"] or source.schema.get("time") or ())
    group = asked["group"] or source.schema.get("group")
    if target in (*time, group):
        what = f"`{spoken(target)}` cannot be the target"
        raise LoomError(what, f"it is the time or the entity of {root}", command("eda", dataset=root))
    lineage = found.schema.get("lineage") or {}
    problem = _problem(root, source, target, transformer, lineage, time, group, raw=raw)
    return Subject(pathspec, root, source, problem, found.schema["digest"], lineage)


def _target(
    pathspec: str, found: DataObject, source: DataObject, transformer: Transformer | None, asked: str | None
) -> str:
    if transformer is not None:
        if asked not in (None, transformer.target):
            raise LoomError(
                f"{pathspec} was not made for `{spoken(str(asked))}`",
                f"its features were learned with the answers of `{spoken(transformer.target)}`",
                command("features", dataset=found.schema["lineage"]["source"], target=asked),
            )
        return str(transformer.target)
    test = source.parts.get("test")
    declared = asked or source.schema.get("target")
    names = source.parts["train"].columns
    choice = resolve_target(names, declared=declared, test_names=None if test is None else test.columns)
    if choice is None:
        raise LoomError(
            "nobody said what to predict",
            f"{pathspec} names no target, and no column is called target or label",
            command("eda", dataset=pathspec),
        )
    return choice.name


def _problem(
    root: str,
    source: DataObject,
    target: str,
    transformer: Transformer | None,
    lineage: Mapping[str, Any],
    time: tuple[str, ...],
    group: str | None,
    *,
    raw: bool,
) -> Problem:
    ref = source.parts["train"]
    train = load(ref)
    sealed = (source.schema.get("holdout") or {}).get("left_out")
    ids = tuple(one["column"] for one in lineage.get("dropped") or () if one.get("reason") == "id")
    simple = None
    if transformer is None:
        columns = Columns(tuple(ref.columns), ref.rows, lambda names: train[list(names)])
        told = profile(Columns((target,), ref.rows, partial(load, ref)), target=target).target
        try:
            built = build(
                columns,
                target,
                recipe="minimal",
                task=None if told is None else told.task,
                time=time,
                group=group,
            )
        except BlockedError as error:
            raise LoomError(error.what, error.why, command("eda", dataset=root, target=target)) from None
        ids = tuple(one["column"] for one in built.dropped if one["reason"] == "id")
        transformer, simple = (None, built.transformer) if raw else (built.transformer, None)
    known = transformer or simple
    assert known is not None
    task = next(each for each in TASKS if each == known.task)
    return Problem(
        train, target, task, time, group, transformer, ids, simple, None if sealed is None else tuple(sealed)
    )
