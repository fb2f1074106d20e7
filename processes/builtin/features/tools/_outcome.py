"""What a run of features answers: its summary, its reasons, what to do next, its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from loom.core.column_names import spoken
from loom.core.commands import command
from loom.dataio.derive import root_of
from loom.science.features import Built
from loom.tools.registry import ToolContext, ToolResult

from ._findings import VERB, earlier
from ._obstacles import way_out
from ._page import REASONS, page
from ._reasons import Reason, flagged, notes
from ._subject import Subject

FOLLOWING = ("run", "validate", "viz", "eda")
"""The verbs that take features as they are, in the order in which they make sense."""

_NAMED = 10
_ABOUT_FLAGS = ("nothing_left", "target_flagged")


def built_data(
    subject: Subject, built: Built, ctx: ToolContext, *, transformer: str, seed: int
) -> dict[str, Any]:
    """The answer when features were built."""
    data = {
        "verdict": "BUILT",
        "dataset_ref": ctx.services.get("pathspec"),
        "source_dataset_ref": subject.pathspec,
        **built.as_json(),
    }
    by_eda = {one["column"]: one for one in flagged(subject)}
    data["dropped"] = [by_eda.get(one["column"], one) for one in data["dropped"]]
    data["reasons"] = list(notes(subject))
    data["next"] = list(_next(subject, data, ctx))
    sealed = subject.object.schema["holdout"]
    told = {
        "recipe": subject.recipe,
        "target": subject.target,
        "task": built.transformer.task,
        "fingerprint": built.fingerprint,
        "transformer": transformer,
        "seed": seed,
        "built from": subject.pathspec,
        "brought in as": root_of(subject.object.schema, subject.pathspec),
        "leaks from": subject.findings.run if subject.findings else "nobody: no --from",
        "sealed rows": f"{sealed['rows']:,} in {subject.pathspec}, not read" if sealed["rows"] else "none",
        "test rows": subject.test.rows if subject.test else "none",
    }
    return {**data, "card": page(subject, data, told)}


def blocked(subject: Subject, obstacle: Reason, ctx: ToolContext) -> ToolResult:
    """The answer when nothing can be built: the same keys, a reason, and the way out."""
    columns = subject.train.names
    data: dict[str, Any] = {
        "verdict": "BLOCKED",
        "dataset_ref": None,
        "source_dataset_ref": subject.pathspec,
        "target": subject.target,
        "recipe": subject.recipe,
        "fingerprint": None,
        "n_features_before": len(columns) - (subject.target in columns),
        "n_features_after": 0,
        "created": [],
        "dropped": flagged(subject) if obstacle["code"] in _ABOUT_FLAGS else [],
        "reasons": [obstacle],
        "next": way_out(obstacle, subject, ctx),
    }
    told = {"recipe": subject.recipe, "target": subject.target or "none", "built from": subject.pathspec}
    return ToolResult.ok(f"blocked: {obstacle['what']}", {**data, "card": page(subject, data, told)})


def lines(data: Mapping[str, Any]) -> Iterator[str]:
    """The answer in a few words."""
    yield f"{data['n_features_after']:,} features of {data['n_features_before']:,} columns ({data['recipe']})"
    for said, names in (
        ("dropped as leaks", [one["column"] for one in data["dropped"] if one["reason"] not in REASONS]),
        (
            "left out",
            [f"{one['column']} ({one['reason']})" for one in data["dropped"] if one["reason"] in REASONS],
        ),
    ):
        if names:
            more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
            yield f"{said}: {', '.join(map(spoken, names[:_NAMED]))}{more}"


def _next(subject: Subject, data: Mapping[str, Any], ctx: ToolContext) -> Iterator[str]:
    """Look for leaks where nobody has; then what can be done with the features."""
    if subject.findings is None:
        looked = earlier(subject.pathspec, subject.target, ctx)
        yield subject.rebuild(**{"from": looked}) if looked else subject.command(VERB)
    if data["dataset_ref"]:
        yield from (command(verb, dataset=data["dataset_ref"]) for verb in FOLLOWING)
