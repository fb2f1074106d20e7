"""`planner_examples:` are goals with the tasks that reach them."""

from __future__ import annotations

from loom.process.spec.planner_examples import PlannerExample, Subtask
from tests.process.checking import spec_of


def test_a_task_stands_alone_by_default() -> None:
    assert Subtask.model_validate({"id": "a"}).model_dump() == {
        "id": "a",
        "description": "",
        "depends_on": (),
        "model_tier": 2,
    }
    assert PlannerExample.model_validate({"goal": "Go."}).subtasks == ()


def test_tasks_mirror_the_phases() -> None:
    (example,) = spec_of(
        "planner_examples: [{goal: Go., subtasks: [{id: plan}, {id: work, depends_on: [plan], model_tier: 3, description: Do.}]}]\n"
    ).planner_examples
    assert [task.id for task in example.subtasks] == ["plan", "work"]
    assert example.subtasks[1].depends_on == ("plan",)
