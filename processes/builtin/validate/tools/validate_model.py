"""Measure a model: refit it on every split, freeze it, open the holdout with it, and take every look the rules need."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

from loom.dataio.files import FileRef
from loom.dataio.frames import load
from loom.kernel.errors import LoomError
from loom.science.metrics import Wanted, wanted_for
from loom.science.resources import pinned
from loom.science.serving.inputs import InputColumn, input_columns
from loom.science.serving.model import Served
from loom.science.validation import Asked, Opened, Portfolio, measure
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult
from loom.tools.subject import Subject, subject_of

from ._asked import PARAMETERS
from ._solution import candidate_of

SEED = 0
READER = "loom.science.serving.model:Served.from_bytes"


class ValidateModel(Tool):
    """Keeps the frozen model beside the run. Of the sealed rows only figures leave it."""

    name = "validate_model"
    description = (
        "Refit a model on every split, freeze one on all training rows, open the sealed holdout with it, and take "
        "every measurement that a verdict needs, each with its interval or the reason why it is unknown."
    )
    parameters: ClassVar[dict[str, Any]] = PARAMETERS
    effects: frozenset[Effect] = frozenset({"reads", "writes", "process"})
    timeout_seconds = 7200.0

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The measurements, and the model as a file."""
        data = await asyncio.to_thread(_measured, args, ctx)
        holdout = data["holdout"] or {}
        score = (
            f"{data['metric']['name']} {holdout['score']:.4g}"
            if holdout.get("score") is not None
            else "no score"
        )
        return ToolResult.ok(f"{score} on {holdout.get('n', 0):,} sealed rows", data)


def _measured(args: Mapping[str, Any], ctx: ToolContext) -> dict[str, Any]:
    given = args.get("solution")
    subject = subject_of(args, ctx, raw=given is not None)
    problem = subject.problem
    wanted = wanted_for(args.get("metric"), problem.task)
    contender = candidate_of(given, wanted.metric.name, ctx) if given else Portfolio()
    columns = _columns(subject)
    kept: list[FileRef] = []

    def open_holdout(model: Served) -> Opened | None:
        # the model is kept before a sealed row is read: what was judged is what can be deployed
        kept.append(FileRef.put(model.to_bytes(), READER, ctx.services["blobs"]))
        found = ctx.services["holdouts"].open(subject.root, model.digest, ctx.services.get("pathspec"))
        return None if found is None else Opened(load(found.part), found.digest, found.openings)

    with pinned():
        found = measure(problem, contender, _asked(args, wanted), columns, open_holdout)
    if not kept:
        raise LoomError("the model was not kept", "it could not be written", "df -h")
    file = kept[0]
    model = {"digest": found.model.digest, "file": file.digest, "bytes": file.size}
    told = {"data": subject.about(), "call": {name: args.get(name) for name in _CALL}, "seed": SEED}
    return {**found.figures, **told, "model": model, "kept": {"model": file.record()}}


_CALL = ("dataset", "target", "solution", "sensitive", "metric", "time", "group", "horizon", "embargo")


def _asked(args: Mapping[str, Any], wanted: Wanted) -> Asked:
    return Asked(
        wanted.metric,
        wanted.operator,
        wanted.threshold,
        tuple(dict.fromkeys(args.get("sensitive") or ())),
        args.get("horizon"),
        args.get("embargo"),
        seed=SEED,
    )


def _columns(subject: Subject) -> tuple[InputColumn, ...]:
    """What the frozen model has to be given, in the types that were brought in."""
    return input_columns(subject.schema["columns"], subject.problem.used)
