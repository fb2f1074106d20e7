from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from loom.core.config import PipelineConfig, validate_pipeline_config
from loom.core.families.references import Path, Quoted, parse_condition, parse_source
from loom.core.messages import OrchestratorGoal, TaskResult, TaskStatus
from tests.core.test_config import pipeline, stage

GOAL = OrchestratorGoal(
    goal_id="g", instruction="do it", context={"file": "a.pdf", "n": 5, "items": [{"x": 1}]}
)
DONE = TaskResult(
    task_id="t",
    worker_type="w",
    status=TaskStatus.COMPLETED,
    output={"n": 5, "f": 5.0, "text": "5", "yes": True, "none": None, "kind": "two words"},
)
CONTEXT = {"goal": GOAL.model_dump(mode="json"), "a": DONE.model_dump(mode="json")}


def _said(*stages: Any, **changes: Any) -> list[str]:
    start = "pipeline config at <unknown>: "
    found = validate_pipeline_config(pipeline(*stages, **changes))
    assert all(line.startswith(start) for line in found)
    return [line.removeprefix(start) for line in found]


def test_empty_stages_are_refused() -> None:
    assert _said() == ["'pipeline_stages' must not be empty"]
    assert validate_pipeline_config({"name": "p", "pipeline_stages": None}) == [
        "pipeline config at <unknown>: 'pipeline_stages' must be a list"
    ]


def test_a_stage_that_depends_on_itself_is_refused() -> None:
    assert _said(stage("a", depends_on=["a"])) == [
        "pipeline_stages[0]: depends_on refers to the stage itself"
    ]
    assert _said(stage("a", input_mapping={"x": "a.output"})) == [
        "pipeline_stages[0]: input_mapping['x'] refers to the stage itself"
    ]
    assert _said(stage("a", condition="a.status == ok")) == [
        "pipeline_stages[0]: condition refers to the stage itself"
    ]


def test_a_dependency_on_a_later_stage_is_legal() -> None:
    stages = (stage("a", depends_on=["c"]), stage("b", input_mapping={"x": "c.output"}), stage("c"))
    assert _said(*stages) == []
    assert PipelineConfig.model_validate(pipeline(*stages)).waves() == (("c",), ("a", "b"))


def test_a_circle_of_stages_is_refused_and_named() -> None:
    assert _said(
        stage("a", depends_on=["b"]),
        stage("b", input_mapping={"x": "c.output.y"}),
        stage("c", condition="a.status == completed"),
    ) in (
        ["stages wait for each other in a circle: a -> b -> c -> a"],
        ["stages wait for each other in a circle: b -> c -> a -> b"],
        ["stages wait for each other in a circle: c -> a -> b -> c"],
    )


def test_explicit_dependencies_are_united_with_inferred_ones() -> None:
    model = PipelineConfig.model_validate(
        pipeline(
            stage("a"),
            stage("b"),
            stage("c"),
            stage(
                "d",
                depends_on=["a"],
                input_mapping={"x": "b.output.y", "z": "goal.context.q", "t": "'c.output'"},
                condition="c.status == completed",
            ),
            stage("e", input_mapping={"t": "'a'"}),
        )
    )
    assert model.dependencies() == {
        "a": frozenset(),
        "b": frozenset(),
        "c": frozenset(),
        "d": {"a", "b", "c"},
        "e": frozenset(),
    }
    assert model.waves() == (("a", "b", "c", "e"), ("d",))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"worker_type": 3}, "'worker_type' must be a string"),
        ({"tier": "x"}, "'tier' must be one of ['frontier', 'local', 'standard'], got 'x'"),
        ({"input_mapping": []}, "'input_mapping' must be a dict"),
        ({"input_mapping": {"x": 3}}, "input_mapping['x'] must be a string path"),
        ({"input_mapping": {"x": ""}}, "input_mapping['x'] must not be empty"),
        (
            {"input_mapping": {"x": "z.output"}},
            "input_mapping['x'] references unknown source 'z' (must be 'goal' or a stage name)",
        ),
        ({"input_mapping": {"x": "goal..y"}}, "input_mapping['x'] is not a dotted path: 'goal..y'"),
        (
            {"input_mapping": {"x": "goal.contxt.y"}},
            "input_mapping['x'] 'goal.contxt.y': the goal has no 'contxt'; did you mean 'context'?",
        ),
        ({"depends_on": "b"}, "'depends_on' must be a list"),
        ({"depends_on": [3]}, "depends_on entries must be strings"),
        ({"depends_on": ["z"]}, "depends_on references unknown stage 'z'"),
        ({"condition": 3}, "'condition' must be a string"),
        ({"condition": "x y"}, "'condition' must be 'path op value' (3 space-separated parts), got 2 parts"),
        ({"condition": "goal.priority > low"}, "condition operator must be '==' or '!=', got '>'"),
        (
            {"condition": "z.status == ok"},
            "condition references unknown source 'z' (must be 'goal' or a stage name)",
        ),
        (
            {"condition": "goal == ok"},
            "'condition' compares all of 'goal'; name what in it, such as goal.instruction",
        ),
        ({"timeout_seconds": 0}, "'timeout_seconds' must be positive, got 0"),
        ({"output_schema": 3}, "'output_schema' must be a dict"),
    ],
)
def test_what_is_wrong_with_a_stage_is_said(changes: dict[str, Any], said: str) -> None:
    assert _said(stage("a", **changes)) == [f"pipeline_stages[0]: {said}"]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert _said(
        3, {}, stage("a", tier="x"), stage("a", depends_on=["z"]), stage("goal"), max_concurrent_goals=0
    ) == [
        "pipeline_stages[0]: expected dict, got int",
        "pipeline_stages[1]: missing required key 'name'",
        "pipeline_stages[1]: missing required key 'worker_type'",
        "pipeline_stages[2]: 'tier' must be one of ['frontier', 'local', 'standard'], got 'x'",
        "'max_concurrent_goals' must be a positive integer",
        "pipeline_stages[3]: duplicate stage name 'a'",
        "pipeline_stages[3]: depends_on references unknown stage 'z'",
        "pipeline_stages[4]: the name 'goal' is taken: it stands for the goal itself",
    ]


def test_a_model_made_without_the_validators_is_as_strict() -> None:
    with pytest.raises(ValidationError, match="circle"):
        PipelineConfig.model_validate(pipeline(stage("a", depends_on=["b"]), stage("b", depends_on=["a"])))


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        ("'x'", "x"),
        ("''", ""),
        ("'it''s'", "it's"),
        ('"a.b"', "a.b"),
        ('"say ""hi"""', 'say "hi"'),
        ("'  '", "  "),
    ],
)
def test_a_quoted_literal_that_validates_is_read_when_it_runs(literal: str, text: str) -> None:
    assert _said(stage("a", input_mapping={"x": literal})) == []
    model = PipelineConfig.model_validate(pipeline(stage("a", input_mapping={"x": literal})))
    assert model.pipeline_stages[0].sources()["x"].read({}) == text


@pytest.mark.parametrize("literal", ["'", "'x", "x'", "'it's'", '"', "'x\"", "'''", "'a' + 'b'"])
def test_a_literal_whose_quotes_do_not_match_is_refused_when_it_is_loaded(literal: str) -> None:
    assert len(_said(stage("a", input_mapping={"x": literal}))) == 1


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("goal.instruction", "do it"),
        ("goal.context.file", "a.pdf"),
        ("goal.context.items.0.x", 1),
        ("a.output.n", 5),
        ("a.output", DONE.output),
        ("goal", CONTEXT["goal"]),
    ],
)
def test_a_path_reads_the_goal_and_results(source: str, value: Any) -> None:
    assert parse_source(source).read(CONTEXT) == value


@pytest.mark.parametrize(
    "source", ["a.output.nothing", "goal.context.items.1", "goal.context.items.-1", "b.output"]
)
def test_a_path_that_leads_nowhere_is_a_lookup_error(source: str) -> None:
    with pytest.raises(LookupError, match="leads nowhere"):
        parse_source(source).read(CONTEXT)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("a.output.n == 5", True),
        ("a.output.n == 5.0", True),
        ("a.output.f == 5", True),
        ("a.output.n != 5", False),
        ("a.output.n == '5'", False),
        ("a.output.text == '5'", True),
        ("a.output.text == 5", False),
        ("a.output.yes == true", True),
        ("a.output.yes == True", True),
        ("a.output.yes == 1", False),
        ("a.output.yes == 'true'", False),
        ("a.output.none == null", True),
        ("a.output.kind == 'two words'", True),
        ('a.output.kind != "two words"', False),
        ("a.status == completed", True),
        ("a.status == 'completed'", True),
        ("a.output.nothing == null", True),
        ("a.output.nothing != 5", True),
        ("b.output.nothing == 5", False),
        ("goal.priority == normal", True),
        ("  a.output.n   ==   5  ", True),
    ],
)
def test_a_condition_compares_values_of_one_kind_and_five_is_the_integer_five(
    condition: str, holds: bool
) -> None:
    assert _said(stage("a"), stage("b"), stage("c", condition=condition)) == []
    assert parse_condition(condition).holds(CONTEXT) is holds


@pytest.mark.parametrize(
    "condition", ["a.status == x y", "a.status == 'x", "a..b == 1", "", "==", "a.output == {}"]
)
def test_a_condition_that_cannot_be_read_is_refused_when_it_is_loaded(condition: str) -> None:
    assert len(_said(stage("a"), stage("b", condition=condition))) == 1


@given(st.text(alphabet="a.'\"= !05goal\n"))
def test_what_is_parsed_can_be_read_and_what_is_not_is_a_value_error(text: str) -> None:
    try:
        source = parse_source(text)
    except ValueError:
        pass
    else:
        assert isinstance(source, Quoted | Path)
        if isinstance(source, Path):
            assert parse_source(str(source)) == source
    with suppress(ValueError):
        assert parse_condition(text).holds({}) in (True, False)


@given(st.text(), st.sampled_from("'\""))
def test_any_text_can_be_quoted(text: str, quote: str) -> None:
    assert parse_source(quote + text.replace(quote, quote * 2) + quote) == Quoted(text)


graphs = st.lists(st.lists(st.integers(0, 5), max_size=3), min_size=1, max_size=6)


@given(graphs)
def test_every_stage_runs_after_what_it_waits_for_or_the_circle_is_refused(graph: list[list[int]]) -> None:
    stages = [
        stage(f"s{n}", depends_on=[f"s{d}" for d in deps if d < len(graph)]) for n, deps in enumerate(graph)
    ]
    if _said(*stages):
        return
    model = PipelineConfig.model_validate(pipeline(*stages))
    seen: set[str] = set()
    for wave in model.waves():
        for name in wave:
            assert model.dependencies()[name] <= seen
        seen.update(wave)
    assert seen == {f"s{n}" for n in range(len(graph))}
