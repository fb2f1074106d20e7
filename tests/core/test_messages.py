from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from loom.core.messages import (
    CheckpointState,
    Message,
    ModelTier,
    OrchestratorGoal,
    TaskError,
    TaskMessage,
    TaskPriority,
    TaskResult,
    TaskStatus,
)
from tests.core.test_plain import plain

tokens = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_:-]{0,20}", fullmatch=True)
data = st.dictionaries(st.text(max_size=5), plain, max_size=3)
moments = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=2))]))
errors = st.builds(
    TaskError,
    kind=st.sampled_from(["model", "tool", "io", "timeout", "contract", "safety"]),
    message=st.text(),
)
messages = st.one_of(
    st.builds(
        TaskMessage,
        task_id=tokens,
        worker_type=tokens,
        payload=data,
        metadata=data,
        deadline=st.none() | moments,
        model_tier=st.sampled_from(ModelTier),
        priority=st.sampled_from(TaskPriority),
    ),
    st.builds(
        TaskResult,
        task_id=tokens,
        worker_type=tokens,
        status=st.just(TaskStatus.FAILED),
        error=errors,
        output=st.none() | data,
        token_usage=st.dictionaries(st.text(), st.integers(0, 2**63 - 1)),
    ),
    st.builds(OrchestratorGoal, goal_id=tokens, instruction=st.text(), context=data),
    st.builds(
        CheckpointState,
        goal_id=tokens,
        completed_tasks=st.lists(data, max_size=2),
        open_issues=st.lists(st.text(), max_size=2),
    ),
)


@given(messages)
def test_every_message_comes_back_equal_from_json_text_and_from_json_data(message: Message) -> None:
    assert type(message).model_validate_json(message.model_dump_json()) == message
    body = json.loads(json.dumps(message.model_dump(mode="json")))
    assert type(message).model_validate(body) == message
    assert type(message).model_validate(message.model_dump()) == message


def _task(**changes: Any) -> TaskMessage:
    return TaskMessage(**{"worker_type": "w", "payload": {}, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"payload": {"x": float("nan")}},
        {"payload": {"x": [float("inf")]}},
        {"payload": {"x": b"bytes"}},
        {"payload": {"x": (1, 2)}},
        {"payload": {1: 2}},
        {"payload": {"\ud800": 1}},
        {"payload": []},
        {"metadata": {"x": {1}}},
        {"request_id": "\ud800"},
        {"max_retries": -1},
        {"retry_count": True},
        {"attempt": 0},
        {"attempt": 1.0},
        {"attempt": "1"},
        {"attempt": 2**63},
        {"deadline": "2030-01-01T00:00:00"},
        {"deadline": datetime(2030, 1, 1)},
        {"deadline": 5},
        {"deadline": "1700000000"},
        {"model_tier": "huge"},
        {"model_tier": ["local"]},
        {"priority": 1},
        {"schema_version": 2},
        {"schema_version": True},
        {"schema_version": "1"},
        {"worker_type": None},
        {"unknown": 1},
    ],
    ids=str,
)
def test_a_value_that_would_not_survive_the_way_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _task(**changes)


@pytest.mark.parametrize(
    "name", ["", "a b", "a.b", "loom.tasks.>", "*", ">", "a\n", "ä", "-a", "a" * 129, " a"]
)
def test_names_that_are_no_word_of_a_subject_are_refused(name: str) -> None:
    for field in ("worker_type", "task_id", "parent_task_id"):
        with pytest.raises(ValidationError):
            _task(**{field: name})
    with pytest.raises(ValidationError):
        OrchestratorGoal(goal_id=name, instruction="x")


def test_a_digest_can_be_a_task_id() -> None:
    assert _task(task_id="sha256:" + "0" * 64).task_id.endswith("0")


def test_defaults_are_those_of_the_contract() -> None:
    task = _task()
    assert (task.model_tier, task.priority) == (ModelTier.STANDARD, TaskPriority.NORMAL)
    assert (task.max_retries, task.retry_count, task.attempt, task.schema_version) == (2, 0, 1, 1)
    assert (task.idempotency_key, task.deadline, task.request_id, task.parent_task_id) == (None,) * 4
    assert task.created_at.tzinfo is not None
    assert _task().task_id != task.task_id


def test_a_message_shares_nothing_with_what_it_was_made_from() -> None:
    payload: dict[str, Any] = {"a": {"b": [1]}}
    task = _task(payload=payload)
    payload["a"]["b"].append(2)
    assert task.payload == {"a": {"b": [1]}}


def test_a_message_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        _task().attempt = 2  # type: ignore[misc]


def test_a_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(ValidationError) as caught:
        _task(payload={"password": "hunter2", "x": float("nan")})
    assert "hunter2" not in str(caught.value)


def test_a_failed_task_says_why_and_a_completed_one_has_no_error() -> None:
    why = TaskError(kind="io", message="x", retryable=True)
    with pytest.raises(ValidationError, match="says why"):
        TaskResult(task_id="t", worker_type="w", status=TaskStatus.FAILED)
    with pytest.raises(ValidationError, match="no error"):
        TaskResult(task_id="t", worker_type="w", status=TaskStatus.COMPLETED, error=why)
    assert TaskResult(task_id="t", worker_type="w", status=TaskStatus.RETRY, error=why).error == why


@pytest.mark.parametrize(("tier", "model"), [(1, "local"), (2, "standard"), (3, "frontier")])
def test_a_phase_tier_maps_to_a_model_tier(tier: int, model: str) -> None:
    assert ModelTier.of_phase(tier) == model


@pytest.mark.parametrize("tier", [0, -1, 4, True, 1.0, "1", None])
def test_a_phase_tier_that_does_not_exist_is_refused(tier: Any) -> None:
    with pytest.raises(ValueError):
        ModelTier.of_phase(tier)
