"""What stands in the way of features: an outcome with reasons, not an error."""

from __future__ import annotations

from loom.core.column_names import spoken
from loom.science.features import BlockedError
from loom.tools.registry import ToolContext

from ._findings import VERB, earlier
from ._reasons import Reason, reason
from ._subject import Subject


def obstacle_of(subject: Subject) -> Reason | None:
    """What can be seen before anything is built."""
    findings, target = subject.findings, subject.target
    if findings is not None and findings.dataset != subject.pathspec:
        what = f"{findings.run} looked at {findings.dataset}, not at {subject.pathspec}"
        return reason("from_other_data", what, severity="error", value=findings.dataset)
    if target is None:
        what = "nobody said which column to predict, and none is called target or label"
        return reason("target_missing", what, severity="error")
    if findings is not None and findings.target != target:
        of = f"leaks of `{spoken(findings.target)}`" if findings.target else "leaks of no column at all"
        what = f"{findings.run} looked for {of}, not of `{spoken(target)}`"
        return reason("from_other_target", what, severity="error", value=findings.target, column=target)
    return None


def obstacle_in(error: BlockedError, subject: Subject) -> Reason:
    """What was seen while building."""
    column = subject.target if error.code != "nothing_left" else None
    return reason(error.code, f"{error.what}: {error.why}", severity="error", column=column)


def way_out(obstacle: Reason, subject: Subject, ctx: ToolContext) -> list[str]:
    """The commands that lead past an obstacle."""
    code, findings = obstacle["code"], subject.findings
    if code in ("from_other_data", "from_other_target"):
        looked = earlier(subject.pathspec, subject.target, ctx)
        if looked is not None:
            return [subject.rebuild(**{"from": looked})]
        return [subject.command(VERB)]
    if code == "target_missing":
        near = subject.nearest()
        asked = {"from": findings.run if findings else None}
        if near is not None and near != subject.target:
            return [subject.rebuild(target=near, **asked)]
        return [subject.command(VERB, target=None)]
    return [f"loom show {findings.run}"] if findings else [subject.command(VERB)]
