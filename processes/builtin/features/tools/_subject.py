"""What features are built from: a data object that was brought in, its columns, and the target."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from loom.core.column_names import spoken
from loom.core.commands import command
from loom.dataio.frames import FrameRef, load
from loom.dataio.objects import DataObject
from loom.kernel.errors import LoomError
from loom.science.columns import Columns
from loom.science.features.recipes import Recipe
from loom.science.targets import resolve_target
from loom.tools.registry import ToolContext

from ._findings import Findings, findings_of


@dataclass(frozen=True, slots=True)
class Subject:
    """A data object without its sealed rows, what eda found about it, and what is asked of it."""

    pathspec: str
    object: DataObject
    recipe: Recipe
    findings: Findings | None
    target: str | None
    why_target: str | None
    """Why it is that column, where nobody named one."""

    @property
    def train(self) -> Columns:
        """The open rows."""
        return columns_of_part(self.object.parts["train"])

    @property
    def test(self) -> Columns | None:
        """The rows without answers, where there are any."""
        ref = self.object.parts.get("test")
        return None if ref is None else columns_of_part(ref)

    @property
    def time(self) -> tuple[str, ...]:
        """The columns of the time."""
        return tuple(self.object.schema.get("time") or ())

    @property
    def group(self) -> str | None:
        """The column of the entity."""
        return self.object.schema.get("group")

    @property
    def left_out(self) -> list[dict[str, Any]]:
        """The columns that may not be used: those that eda flagged, and those that rows to predict do not have."""
        flagged = [] if self.findings is None else [dict(flag) for flag in self.findings.flags]
        test = self.test
        if test is None:
            return flagged
        kept = {self.target, *self.time, self.group, *(flag["column"] for flag in flagged)}
        absent = [name for name in self.train.names if name not in test.names and name not in kept]
        return flagged + [{"column": name, "reason": "absent_in_test"} for name in absent]

    def rebuild(self, **options: str | None) -> str:
        """The call that builds these features, with other options."""
        return self.command("features", recipe=None if self.recipe == "full" else self.recipe, **options)

    def command(self, verb: str, **options: str | None) -> str:
        """A call of a verb about the same data and the same target."""
        named = self.target if self.target != self.object.schema.get("target") else None
        return command(verb, **{"dataset": self.pathspec, "target": named, **options})

    def nearest(self) -> str | None:
        """The column whose name is closest to a target that is not there."""
        folded = {name.casefold(): name for name in self.train.names}
        near = difflib.get_close_matches((self.target or "").casefold(), folded, 1)
        return folded[near[0]] if near else None


def subject_of(args: Mapping[str, Any], ctx: ToolContext) -> Subject:
    """The subject of a call; what cannot be meant is a LoomError."""
    pathspec, asked, recipe = args["dataset"], args.get("target"), args.get("recipe") or "full"
    found: DataObject = ctx.services["catalogue"].open(pathspec)
    if source := (found.schema.get("lineage") or {}).get("source"):
        raise LoomError(
            f"{pathspec} holds features already",
            f"a recipe starts from columns that were brought in; these are in {source}",
            command("features", dataset=source, target=asked, recipe=recipe if recipe != "full" else None),
        )
    findings = findings_of(args.get("from"), pathspec, asked, ctx)
    target, why = asked or found.schema.get("target"), None
    if target is None and findings is not None and findings.dataset == pathspec and findings.target:
        target, why = findings.target, f"{findings.run} looked for leaks of it"
    if target is None:
        test = found.parts.get("test")
        if choice := resolve_target(found.parts["train"].columns, test_names=test and test.columns):
            target, why = choice.name, choice.why
    subject = Subject(pathspec, found, recipe, findings, target, why)
    if target is not None and target in (*subject.time, subject.group):
        raise LoomError(
            f"`{spoken(target)}` cannot be the target",
            f"it is the time or the entity of {pathspec}",
            command("eda", dataset=pathspec),
        )
    return subject


def columns_of_part(ref: FrameRef) -> Columns:
    """A part as columns that are read when they are needed."""
    return Columns(ref.columns, ref.rows, partial(load, ref))
