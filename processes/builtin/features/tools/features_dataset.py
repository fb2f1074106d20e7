"""Build features into a new data object: what was flagged is dropped first, the rest is fitted on train alone."""

from __future__ import annotations

from typing import Any, ClassVar

from loom.dataio.derive import Making, derive
from loom.dataio.files import digest_of
from loom.science.columns import Columns
from loom.science.features import BlockedError, Built, build
from loom.science.profile import profile
from loom.science.resources import pinned
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._obstacles import obstacle_in, obstacle_of
from ._outcome import blocked, built_data, lines
from ._subject import Subject, subject_of

SEED = 0
READER = "loom.science.features:Transformer.from_bytes"


class FeaturesDataset(Tool):
    """Reads the open rows of a data object and keeps features of them, whole or not at all; the run registers them."""

    name = "features_dataset"
    description = (
        "Build features into a new data object: columns that eda flagged are dropped first with all that would "
        "come of them, and what was learned from the training rows is kept as a transformer."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "dataset": {
                "type": "string",
                "minLength": 1,
                "description": "Data object to build on, such as IngestDataset/7.",
            },
            "target": {
                "type": ["string", "null"],
                "description": "Column to predict; as ingested when null.",
            },
            "from": {
                "type": ["string", "null"],
                "minLength": 1,
                "description": "The eda run whose flagged columns are dropped, such as EdaFlow/7.",
            },
            "recipe": {
                "enum": ["full", "minimal", None],
                "description": "How much to build; full when null.",
            },
        },
        "required": ["dataset"],
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset({"reads", "writes"})
    timeout_seconds = 1800.0

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The summary of the features, and the key of the data object's record."""
        subject = subject_of(args, ctx)
        obstacle = obstacle_of(subject)
        if obstacle is not None:
            return blocked(subject, obstacle, ctx)
        try:
            with pinned():
                built = _build(subject)
        except BlockedError as error:
            return blocked(subject, obstacle_in(error, subject), ctx)
        packed = built.transformer.to_bytes()
        record = _keep(subject, built, packed, ctx)
        data = built_data(subject, built, ctx, transformer=digest_of(packed), seed=SEED)
        return ToolResult.ok("\n".join(lines(data)), {**data, "data_object": record})


def _build(subject: Subject) -> Built:
    train, target = subject.train, subject.target
    assert target is not None  # an obstacle otherwise
    # the task is the one that eda speaks of
    answers = (
        profile(Columns((target,), train.rows, train.read), target=target).target
        if target in train.names
        else None
    )
    return build(
        train,
        target,
        recipe=subject.recipe,
        dropped=subject.left_out,
        task=answers and answers.task,
        time=subject.time,
        group=subject.group,
        seed=SEED,
    )


def _keep(subject: Subject, built: Built, packed: bytes, ctx: ToolContext) -> str:
    """Write the features, the transformer and where they come from; nothing is there before all of it is."""
    frames = {"train": built.frame}
    if subject.test is not None:
        frames["test"] = built.transformer.transform(subject.test)
    lineage = {
        "verb": "features",
        "from": subject.findings.run if subject.findings else None,
        "recipe": subject.recipe,
        "fingerprint": built.fingerprint,
        "task": built.transformer.task,
        "seed": SEED,
        "dropped": [dict(one) for one in built.dropped],
        "created": [dict(one) for one in built.created],
        "transformer": digest_of(packed),
    }
    making = Making(
        subject.object, subject.pathspec, frames, built.transformer.keep, subject.target,
        files={"transformer": (packed, READER)}, lineage=lineage,
    )  # fmt: skip
    return derive(making, ctx.services["blobs"], ctx.scratch_dir)[0]
