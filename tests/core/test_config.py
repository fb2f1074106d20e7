from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.core.config import (
    ConfigValidationError,
    OrchestratorConfig,
    PipelineConfig,
    RouterRules,
    WorkerConfig,
    load_config,
    validate_orchestrator_config,
    validate_pipeline_config,
    validate_router_rules,
    validate_worker_config,
)
from loom.core.families.orchestrator import CheckpointRule
from loom.core.families.pipeline import Stage
from loom.core.families.worker import KnowledgeSilo
from loom.kernel.document import walk
from loom.kernel.errors import LoomError
from tests.core.test_plain import plain

TIERS = "['frontier', 'local', 'standard']"
SUBJECT = "letters, digits, '_', '-' and ':', at most 128, because it becomes part of a subject"


def worker(**changes: Any) -> dict[str, Any]:
    return {"name": "w", "system_prompt": "p", **changes}


def stage(name: Any = "a", **changes: Any) -> dict[str, Any]:
    return {"name": name, "worker_type": "w", **changes}


def pipeline(*stages: Any, **changes: Any) -> dict[str, Any]:
    return {"name": "p", "pipeline_stages": list(stages), **changes}


def orchestrator(**changes: Any) -> dict[str, Any]:
    return {"name": "o", "system_prompt": "p", **changes}


FAMILIES = [
    (validate_worker_config, "worker config", worker()),
    (validate_pipeline_config, "pipeline config", pipeline(stage())),
    (validate_orchestrator_config, "orchestrator config", orchestrator()),
    (validate_router_rules, "router rules", {}),
]


@pytest.mark.parametrize(
    ("validate", "family", "sound"), FAMILIES, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_sound_config_is_not_complained_about_and_a_list_is_no_config(
    validate: Any, family: str, sound: dict[str, Any]
) -> None:
    assert validate(sound) == []
    assert validate(sound, Path("x.yaml")) == []
    assert validate([]) == [f"{family} at <unknown>: expected dict, got list"]
    assert validate(None, "x.yaml") == [f"{family} at x.yaml: expected dict, got NoneType"]


@pytest.mark.parametrize(
    ("validate", "family", "sound"), FAMILIES, ids=lambda value: getattr(value, "__name__", "")
)
def test_unknown_keys_are_refused(validate: Any, family: str, sound: dict[str, Any]) -> None:
    said = validate({**sound, "zzz": 1})
    assert len(said) == 1
    assert said[0].startswith(f"{family} at <unknown>: unknown key 'zzz' (known: ")
    assert validate({**sound, 5: 1}) == [f"{family} at <unknown>: keys must be strings, got '5'"]


def test_an_unknown_key_is_met_with_the_one_that_was_meant() -> None:
    assert validate_worker_config(worker(timeout_second=1)) == [
        "worker config at <unknown>: unknown key 'timeout_second' (did you mean 'timeout_seconds'?)"
    ]
    assert validate_pipeline_config(pipeline(stage(workertype="w"))) == [
        "pipeline config at <unknown>: pipeline_stages[0]: unknown key 'workertype' (did you mean 'worker_type'?)"
    ]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, ["missing required key 'name'", "LLM worker missing required key 'system_prompt'"]),
        (worker(system_prompt=3), ["'system_prompt' must be a string"]),
        (worker(system_prompt=" "), ["'system_prompt' must not be empty"]),
        (worker(worker_kind="x"), ["'worker_kind' must be 'llm' or 'processor', got 'x'"]),
        (worker(worker_kind=["llm"]), ["'worker_kind' must be 'llm' or 'processor', got '['llm']'"]),
        ({"name": "w", "worker_kind": "processor"}, ["processor worker missing 'processing_backend'"]),
        (worker(processing_backend=3), ["'processing_backend' must be a string"]),
        (
            worker(processing_backend="x"),
            ["'processing_backend' must be a dotted path, such as package.module.Name, got 'x'"],
        ),
        (worker(default_model_tier="x"), [f"'default_model_tier' must be one of {TIERS}, got 'x'"]),
        (worker(timeout_seconds="5"), ["'timeout_seconds' must be a number, got str"]),
        (worker(timeout_seconds=None), ["'timeout_seconds' must be a number, got NoneType"]),
        (worker(timeout_seconds=True), ["'timeout_seconds' must be a number, got bool"]),
        (worker(timeout_seconds=0), ["'timeout_seconds' must be positive, got 0"]),
        (worker(max_input_tokens=-1), ["'max_input_tokens' must be positive, got -1"]),
        (worker(max_output_tokens=-0.5), ["'max_output_tokens' must be positive, got -0.5"]),
        (worker(reset_after_task=False), ["'reset_after_task' must be true (workers are stateless)"]),
        (worker(reset_after_task=1), ["'reset_after_task' must be true (workers are stateless)"]),
        (worker(knowledge_sources="x"), ["'knowledge_sources' must be a list"]),
        (worker(knowledge_silos={}), ["'knowledge_silos' must be a list"]),
        (
            worker(resolve_file_refs="x", workspace_dir="w"),
            ["'resolve_file_refs' must be a list of field names"],
        ),
        (worker(resolve_file_refs=["x"]), ["'resolve_file_refs' requires 'workspace_dir' to be set"]),
        (worker(input_schema=[]), ["'input_schema' must be a dict"]),
        (worker(output_schema=None), ["'output_schema' must be a dict"]),
        (worker(input_schema_ref=3), ["'input_schema_ref' must be a string"]),
        (
            worker(backend_config={"a": float("nan")}),
            ["'backend_config' must be plain data: a is nan, which JSON has no number for"],
        ),
        (
            worker(knowledge_silos=[3, {"type": "folder"}, {"name": "a", "type": "folder"}]),
            [
                "knowledge_silos[0]: expected dict, got int",
                "knowledge_silos[1]: missing required key 'name'",
                "knowledge_silos[1]: a silo of type 'folder' is missing 'path'",
                "knowledge_silos[2]: a silo of type 'folder' is missing 'path'",
            ],
        ),
        (
            worker(knowledge_silos=[{"name": "a", "type": "tool", "provider": "a.B", "path": "x"}]),
            ["knowledge_silos[0]: a silo of type 'tool' has no 'path'"],
        ),
        (
            worker(knowledge_silos=[{"name": "a", "type": "folder", "path": "x", "permissions": "all"}]),
            ["knowledge_silos[0]: 'permissions' must be 'read' or 'read_write', got 'all'"],
        ),
        (
            worker(knowledge_silos=[{"name": "a", "type": "folder", "path": "x"}] * 2),
            ["'knowledge_silos' must have names of their own, got 'a' twice"],
        ),
    ],
)
def test_what_is_wrong_with_a_worker_is_said(config: dict[str, Any], said: list[str]) -> None:
    assert validate_worker_config(config, "w.yaml") == [f"worker config at w.yaml: {line}" for line in said]


def test_a_bad_schema_is_refused_when_a_config_is_checked() -> None:
    said = validate_worker_config(worker(input_schema={"type": "int"}))
    assert said[0].startswith(
        "worker config at <unknown>: 'input_schema' is not a valid JSON Schema: schema.type:"
    )
    said = validate_pipeline_config(pipeline(stage(output_schema={"$ref": "#/x"})))
    assert "pipeline_stages[0]: 'output_schema' is not a valid JSON Schema" in said[0]


def test_a_worker_with_everything_is_sound() -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    config = worker(
        description="d",
        worker_kind="llm",
        default_model_tier="local",
        input_schema=schema,
        output_schema=schema,
        timeout_seconds=30,
        max_input_tokens=1000,
        max_output_tokens=1e3,
        reset_after_task=True,
        knowledge_silos=[
            {"name": "guide", "type": "folder", "path": "guide/", "permissions": "read"},
            {"name": "db", "type": "tool", "provider": "pack.db.Query", "config": {"limit": 3}},
        ],
        knowledge_sources=["a.md"],
        workspace_dir="/srv/ws",
        resolve_file_refs=["file_ref"],
    )
    assert validate_worker_config(config) == []
    model = WorkerConfig.model_validate(config)
    assert model.resolve_file_refs == ("file_ref",)
    assert model.knowledge_silos is not None
    assert model.knowledge_silos[1].provider == "pack.db.Query"


NUMBERS = [float("nan"), float("inf"), 10**400]


@pytest.mark.parametrize("number", NUMBERS, ids=["nan", "inf", "huge"])
def test_nan_and_infinite_numbers_are_refused(number: float) -> None:
    for key in ("timeout_seconds", "max_input_tokens", "max_output_tokens"):
        assert len(validate_worker_config(worker(**{key: number}))) == 1
    assert len(validate_pipeline_config(pipeline(stage(), timeout_seconds=number))) == 1
    assert len(validate_pipeline_config(pipeline(stage(timeout_seconds=number)))) == 1
    assert len(validate_pipeline_config(pipeline(stage(), max_concurrent_goals=number))) == 1
    assert len(validate_orchestrator_config(orchestrator(timeout_seconds=number))) == 1
    rules = {"rate_limits": {"local": {"tokens_per_minute": number}}}
    assert validate_router_rules(rules) == [
        "router rules at <unknown>: rate_limits['local']: 'tokens_per_minute' must be a positive number"
    ]


def test_a_tier_that_is_a_list_is_refused_rather_than_a_crash() -> None:
    assert validate_worker_config(worker(default_model_tier=["local"])) == [
        f"worker config at <unknown>: 'default_model_tier' must be one of {TIERS}, got '['local']'"
    ]
    assert validate_pipeline_config(pipeline(stage(tier=["local"]))) == [
        f"pipeline config at <unknown>: pipeline_stages[0]: 'tier' must be one of {TIERS}, got '['local']'"
    ]
    assert validate_router_rules({"tier_overrides": {"w": ["local"]}}) == [
        "router rules at <unknown>: tier_overrides['w'] must be a string"
    ]


@pytest.mark.parametrize("name", ["a b", "a.b", ">", "*", "a\n", "tasks.>", "ä"])
def test_names_that_are_unsafe_in_a_subject_are_refused(name: str) -> None:
    for said in (
        validate_worker_config(worker(name=name)),
        validate_pipeline_config(pipeline(stage(), name=name)),
        validate_pipeline_config(pipeline(stage(name))),
        validate_pipeline_config(pipeline(stage(worker_type=name))),
        validate_orchestrator_config(orchestrator(name=name)),
        validate_orchestrator_config(orchestrator(available_workers=[{"name": name, "description": "d"}])),
        validate_router_rules({"tier_overrides": {name: "local"}}),
    ):
        assert len(said) == 1
        assert SUBJECT in said[0]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, ["missing required key 'name'", "missing 'system_prompt' (required for LLM orchestrator)"]),
        (orchestrator(system_prompt=3), ["'system_prompt' must be a string"]),
        (orchestrator(checkpoint=3), ["'checkpoint' must be a dict"]),
        (
            orchestrator(checkpoint={"token_threshold": 0, "recent_window": -1}),
            [
                "checkpoint.token_threshold must be a positive integer",
                "checkpoint.recent_window must be a non-negative integer",
            ],
        ),
        (orchestrator(max_concurrent_goals=True), ["'max_concurrent_goals' must be a positive integer"]),
        (orchestrator(max_concurrent_tasks=1.0), ["'max_concurrent_tasks' must be a positive integer"]),
        (orchestrator(timeout_seconds=0), ["'timeout_seconds' must be positive, got 0"]),
        (orchestrator(available_workers={}), ["'available_workers' must be a list"]),
        (
            orchestrator(available_workers=[3, {}]),
            [
                "available_workers[0]: expected dict, got int",
                "available_workers[1]: missing required key 'name'",
                "available_workers[1]: missing required key 'description'",
            ],
        ),
        (
            orchestrator(available_workers=[{"name": "a", "description": "d"}] * 2),
            ["'available_workers' must have names of their own, got 'a' twice"],
        ),
    ],
)
def test_what_is_wrong_with_an_orchestrator_is_said(config: dict[str, Any], said: list[str]) -> None:
    found = validate_orchestrator_config(config, "o.yaml")
    assert found == [f"orchestrator config at o.yaml: {line}" for line in said]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"tier_overrides": []}, ["'tier_overrides' must be a dict"]),
        (
            {"tier_overrides": {"a": "x", "b": 3}},
            [
                f"tier_overrides['a'] = 'x' is not a valid tier (must be one of {TIERS})",
                "tier_overrides['b'] must be a string",
            ],
        ),
        ({"rate_limits": []}, ["'rate_limits' must be a dict"]),
        (
            {"rate_limits": {"x": {}, "local": 3}},
            [
                f"rate_limits['x']: unknown tier (must be one of {TIERS})",
                "rate_limits['local']: must be a dict",
            ],
        ),
        (
            {"rate_limits": {"local": {"max_concurrent": 0, "tokens_per_minute": 0, "x": 1}}},
            [
                "rate_limits['local']: 'max_concurrent' must be a positive integer",
                "rate_limits['local']: 'tokens_per_minute' must be a positive number",
                "rate_limits['local']: unknown key 'x' (known: max_concurrent, tokens_per_minute)",
            ],
        ),
    ],
)
def test_what_is_wrong_with_router_rules_is_said(config: dict[str, Any], said: list[str]) -> None:
    assert validate_router_rules(config, "r.yaml") == [f"router rules at r.yaml: {line}" for line in said]


def test_what_may_be_left_open_may_be_null() -> None:
    assert validate_router_rules({"tier_overrides": None, "rate_limits": None}) == []
    assert validate_router_rules({"rate_limits": {"local": {"max_concurrent": None}}}) == []
    nothing = dict.fromkeys(("tier", "input_mapping", "depends_on", "condition"))
    assert validate_pipeline_config(pipeline(stage(**nothing), max_concurrent_goals=None)) == []
    assert validate_orchestrator_config(orchestrator(checkpoint=None, available_workers=None)) == []
    assert validate_worker_config(worker(default_model_tier=None, reset_after_task=None)) == []


MODELS = (WorkerConfig, KnowledgeSilo, PipelineConfig, Stage, OrchestratorConfig, CheckpointRule, RouterRules)
keys = st.sampled_from(sorted({key for model in MODELS for key in model.model_fields} | {"local", "a"}))
scalars = (
    plain
    | st.sampled_from(["a", "goal", "a.output.x", "'", "a.status == ok", "local", "llm", "folder"])
    | st.builds(lambda: 10**5000)
)
configs = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | st.integers(0, 3), inner, max_size=4),
)


@settings(deadline=None, max_examples=200)
@given(configs)
def test_no_config_makes_a_validator_raise_and_a_sound_one_makes_a_model(config: Any) -> None:
    for validate, model in (
        (validate_worker_config, WorkerConfig),
        (validate_pipeline_config, PipelineConfig),
        (validate_orchestrator_config, OrchestratorConfig),
        (validate_router_rules, RouterRules),
    ):
        said = validate(config)
        assert all(isinstance(line, str) for line in said)
        if not said:
            model.model_validate(config)


SOUND: dict[Any, dict[str, Any]] = {
    validate_worker_config: worker(
        default_model_tier="local",
        input_schema={"type": "object"},
        timeout_seconds=3,
        knowledge_silos=[{"name": "a", "type": "folder", "path": "x"}],
        workspace_dir="w",
        resolve_file_refs=["a"],
    ),
    validate_pipeline_config: pipeline(
        stage("a", tier="local", timeout_seconds=1.5),
        stage(
            "b", depends_on=["a"], input_mapping={"x": "a.output.y", "z": "'z'"}, condition="a.status == ok"
        ),
        max_concurrent_goals=3,
    ),
    validate_orchestrator_config: orchestrator(
        checkpoint={"token_threshold": 5, "recent_window": 0},
        available_workers=[{"name": "a", "description": "d"}],
    ),
    validate_router_rules: {
        "tier_overrides": {"a": "local"},
        "rate_limits": {"local": {"max_concurrent": 3, "tokens_per_minute": 5.5}},
    },
}


@pytest.mark.parametrize("validate", SOUND)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_sound_config_with_one_value_replaced_never_makes_it_raise(
    validate: Any, data: st.DataObject
) -> None:
    config = copy.deepcopy(SOUND[validate])
    assert validate(config) == []
    path, _ = data.draw(st.sampled_from([node for node in walk(config) if node[0]]))
    here: Any = config
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = data.draw(configs)
    said = validate(config)
    assert all(line.isprintable() for line in said)


def test_a_config_is_read_strictly(tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    file.write_text("name: w\nsystem_prompt: hello\nenabled: no\n")
    assert load_config(file) == {"name": "w", "system_prompt": "hello", "enabled": "no"}
    assert load_config(str(file), resolve_refs=False)["name"] == "w"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: 1\na: 2\n", "line 2, column 1: duplicate key"),
        ("a: &x 1\nb: *x\n", "anchors are not allowed"),
        ("a: !!python/object/apply:os.system [id]\n", "explicit tags are not allowed"),
        ("a: .nan\n", "the number is not finite"),
        ("a: [1\n", "the file is not valid YAML"),
        ("- 1\n", "expected YAML mapping, got list"),
        ("just text\n", "expected YAML mapping, got str"),
        ("", "the file is empty"),
    ],
)
def test_a_file_that_is_no_config_is_a_config_validation_error(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "w.yaml"
    file.write_text(text)
    with pytest.raises(ConfigValidationError) as caught:
        load_config(file)
    assert isinstance(caught.value, LoomError)
    assert why in caught.value.why
    assert caught.value.fix


def test_a_missing_config_is_file_not_found_and_a_folder_is_no_config(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_config(tmp_path / "none.yaml")
    with pytest.raises(ConfigValidationError):
        load_config(tmp_path)
