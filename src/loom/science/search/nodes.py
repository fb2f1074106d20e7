"""What a search consists of: proposals, how each fared on each fold, and the steps that a proposer may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol

from loom.science.metrics import Metric
from loom.science.targets import Task

Operator = Literal["draft", "improve", "debug", "ablate", "merge", "ensemble"]

GROWTH = 0.8
"""The share of the budget in which a tree grows; the rest belongs to the ensemble and the final fit."""

Member = Mapping[str, Any]
"""One model of a rendered solution, as plain data: its `family`, `params`, `blocks` and `weight`."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A complete script that may solve the problem, and how somebody came to it."""

    operator: Operator
    family: str
    code: str
    parents: tuple[int, ...] = ()
    """The nodes it was made from."""

    members: tuple[Member, ...] = ()
    """What the script was rendered from; empty where somebody wrote it."""

    note: str = ""
    """What is tried, in a few words."""

    def as_json(self) -> dict[str, Any]:
        """The proposal as plain data."""
        return {
            "operator": self.operator,
            "family": self.family,
            "code": self.code,
            "parents": list(self.parents),
            "members": [dict(member) for member in self.members],
            "note": self.note,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Proposal:
        """The proposal that plain data describes."""
        return cls(
            data["operator"],
            data["family"],
            data["code"],
            tuple(data["parents"]),
            tuple(data["members"]),
            data["note"],
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """One proposal on one fold: its score as the host measured it, or why there is none."""

    node: int
    fold: int
    score: float | None
    """In the unit of the metric; none where the trial failed."""

    why: str = ""
    """A short stable code: why it failed (`error`, `deadline`, `missing_rows`), or what is odd about it (`constant`)."""

    error: Mapping[str, Any] = field(default_factory=dict)
    """Of a script that raised: `type` of the exception, `line` and `function` in the script. Never its message."""

    seconds: float = 0.0
    told: Mapping[str, float] = field(default_factory=dict)
    """Numbers that the script printed of itself, as one line of JSON. Nothing is decided by them but suspicion."""

    @property
    def is_ok(self) -> bool:
        """Whether it came to a score."""
        return self.score is not None

    def as_json(self) -> dict[str, Any]:
        """The trial as plain data."""
        return {
            "node": self.node,
            "fold": self.fold,
            "score": self.score,
            "why": self.why,
            "error": dict(self.error),
            "seconds": self.seconds,
            "told": dict(self.told),
        }


@dataclass(frozen=True)
class Node:
    """A proposal with all its trials so far."""

    number: int
    proposal: Proposal
    trials: tuple[Trial, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether a trial failed; such a node is never tried again."""
        return any(not trial.is_ok for trial in self.trials)

    @cached_property
    def scores(self) -> dict[int, float]:
        """Its score on each fold that it was tried on."""
        return {trial.fold: trial.score for trial in self.trials if trial.score is not None}

    @property
    def score(self) -> float | None:
        """The mean of its scores; none where it failed or was not tried."""
        return sum(self.scores.values()) / len(self.scores) if self.scores and not self.failed else None

    @property
    def seconds(self) -> float:
        """How long one trial takes, on average."""
        return sum(trial.seconds for trial in self.trials) / max(len(self.trials), 1)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a proposer may know of what is to be solved: shapes and kinds, never a cell."""

    task: Task
    metric: Metric
    rows: int
    """Rows to learn from, in all."""

    columns: Mapping[str, str]
    """The kind of each feature: `number`, `word`, `text`, `date` or `flag`; by name."""

    classes: int = 0
    folds: int = 1
    """How many folds there are to be tried on."""

    time: bool = False
    """Whether rows have an order in time, and are split by it."""

    group: bool = False
    goal: str = ""
    brief: Mapping[str, Any] = field(default_factory=dict)
    """What else may be told about the columns: counts, rounded quantiles, common levels. For prompts only."""


@dataclass(frozen=True)
class View:
    """What is known when the next step is chosen."""

    challenge: Challenge
    nodes: tuple[Node, ...]
    """In the order in which they were proposed; some may still be under way."""

    progress: float
    """How much of the budget is used, from 0 to 1; the last fifth belongs to the ensemble and the final fit."""

    seed: int = 0
    asked: frozenset[tuple[int, int]] = frozenset()
    """The nodes and folds that were asked for, also those that are not over yet."""

    @cached_property
    def complete(self) -> tuple[Node, ...]:
        """The nodes that were tried on all folds, the best first."""
        found = [node for node in self.nodes if len(node.scores) == self.challenge.folds and not node.failed]
        sign = self.challenge.metric.sign
        return tuple(sorted(found, key=lambda node: (-sign * (node.score or 0.0), node.number)))


@dataclass(frozen=True, slots=True)
class Try:
    """Take up a proposal, and try it on some folds, one after the other until one fails."""

    proposal: Proposal
    folds: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class Again:
    """Try a node on a further fold."""

    node: int
    fold: int


Step = Try | Again


class Proposer(Protocol):
    """Says what to try next."""

    def next(self, view: View) -> Step | None:
        """The next step; none where nothing is left to try."""
