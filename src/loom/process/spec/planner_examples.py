"""`planner_examples:` — how a goal is cut into tasks, shown rather than told."""

from __future__ import annotations

from loom.process.spec.model import SpecModel
from loom.process.spec.phases import ModelTier
from loom.process.spec.types import Seq, Text


class Subtask(SpecModel):
    """One task of an example; its id mirrors a phase."""

    id: Text
    """The phase this task stands for."""

    description: str = ""
    """The task in terms of the example's goal."""

    depends_on: Seq[Text] = ()
    """Tasks of the same example that come first."""

    model_tier: ModelTier = 2
    """How capable the model must be."""


class PlannerExample(SpecModel):
    """A goal and the tasks that reach it."""

    goal: Text
    """One realistic sentence."""

    subtasks: Seq[Subtask] = ()
    """The tasks, with their dependencies."""
