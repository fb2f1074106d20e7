"""What a chain of runs came to: its stages, its champion, and what was left out on the way."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loom.core.commands import command
from loom.core.index import RunFacts, RunIndex

ACCEPTABLE = ("OK", "FLAGGED", "BUILT", "BEST", "PASS")
PARAMETERS: dict[str, Any] = {
    "stages": {
        "type": "array",
        "description": "The stages that ran, in their order.",
        "items": {
            "type": "object",
            "required": ["verb", "pathspec", "verdict"],
            "properties": {
                "verb": {"type": "string"},
                "pathspec": {"type": ["string", "null"]},
                "verdict": {"type": ["string", "null"]},
                "summary": {"type": ["object", "null"]},
            },
            "additionalProperties": False,
        },
    },
}
"""What a tool is given to answer with `Chain`: see `chain_of`."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One run of the chain."""

    verb: str
    pathspec: str | None
    verdict: str | None
    summary: Mapping[str, Any]
    run: RunFacts | None
    """What the journal knows of it."""

    @property
    def is_acceptable(self) -> bool:
        """Whether its verdict lets the chain go on."""
        return self.verdict in ACCEPTABLE


@dataclass(frozen=True, slots=True)
class Chain:
    """Stages of one experiment, the first one first."""

    stages: tuple[Stage, ...]

    def get(self, verb: str) -> Stage | None:
        """The stage of a verb, if it ran."""
        return next((stage for stage in self.stages if stage.verb == verb), None)

    def found(self, verb: str, *path: str) -> Any:
        """What stands somewhere in the summary of a stage; None where nothing does."""
        stage = self.get(verb)
        value: Any = stage.summary if stage else None
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def summary(self) -> dict[str, Any]:
        """What a chain answers with, whichever it is."""
        failed = next((stage.verb for stage in self.stages if not stage.is_acceptable), None)
        best, holdout = self.found("optimize", "best"), self.found("validate", "holdout")
        return {
            "stages": [
                {"verb": each.verb, "pathspec": each.pathspec, "verdict": each.verdict}
                for each in self.stages
            ],
            "failed_stage": failed,
            "dataset_ref": self.found("eda", "dataset_ref"),
            "target": self.found("eda", "target", "name"),
            "experiment_id": self.found("optimize", "experiment_id"),
            "champion": best,
            "score": holdout
            and {
                "metric": self.found("validate", "metric", "name"),
                "value": holdout.get("score"),
                "ci": holdout.get("ci"),
                "rows": holdout.get("n"),
            },
            "leaks_dropped": self.leaks(),
        }

    def leaks(self) -> list[dict[str, Any]]:
        """The columns that knew the answer and were left out, each with how it gave it away."""
        flags = {each.get("column"): each for each in self.found("eda", "leakage_flags") or ()}
        said = {each.get("column"): each.get("what") for each in reversed(self.said_of("eda"))}
        dropped = [each.get("column") for each in self.found("features", "dropped") or ()]
        return [
            {**{key: flags[name].get(key) for key in ("column", "reason", "score")}, "what": said.get(name)}
            for name in dropped
            if name in flags
        ]

    def reasons(self) -> list[Mapping[str, Any]]:
        """Why the verdict is what it is: what the judge said, and which columns were left out before."""
        dropped = [
            {
                "code": each["reason"],
                "severity": "info",
                "what": f"left out, for it gives the answer away: {each['what'] or each['reason']}",
                "value": each["score"],
                "threshold": None,
                "column": each["column"],
            }
            for each in self.leaks()
        ]
        return [*self.said_of("validate"), *dropped]

    def said_of(self, verb: str) -> Sequence[Mapping[str, Any]]:
        """The reasons that a stage gave for its verdict."""
        stage = self.get(verb)
        return stage.run.reasons if stage is not None and stage.run is not None else ()

    def following(self) -> Iterator[str]:
        """What makes sense now: to plan a release of what passed, else to look at what speaks against it."""
        judged = self.get("validate")
        if judged is not None and judged.pathspec:
            plan = command("deploy", validate=judged.pathspec)
            yield plan if judged.verdict == "PASS" else f"loom show {shlex.quote(judged.pathspec)}"
        best = self.found("optimize", "best") or {}
        if best.get("pathspec"):
            yield f"loom show {shlex.quote(best['pathspec'])}"


def chain_of(stages: Sequence[Mapping[str, Any]], index: RunIndex) -> Chain:
    """The chain that the stages make, with what the journal knows of their runs; a run that is not there is an error."""
    return Chain(
        tuple(
            Stage(
                each["verb"],
                each["pathspec"],
                each["verdict"],
                each.get("summary") or {},
                index.run(each["pathspec"]) if each["pathspec"] else None,
            )
            for each in stages
        )
    )
