"""A model writes candidates, rules grow the tree, and nothing that a model says or fails to say ends a search."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
import pytest

from loom.core.model import Answer, FailureKind, Model, ModelError, ModelEvent, ModelRequest, TextDelta, Usage
from loom.kernel.errors import LoomError
from loom.kernel.redact import Secret
from loom.models.anthropic import AnthropicModel
from loom.models.scripted import Line, ScriptedModel
from loom.science.metrics import get
from loom.science.search.lint import ast_digest, lint
from loom.science.search.nodes import Challenge, Node, Proposal, Trial, Try, View
from loom.science.search.order import Order
from loom.science.validation.problem import Problem
from loom.search.modelled import ModelProposer, modelled, read_answer
from loom.search.prompt import instructions
from tests.fakes.messages_server import MessagesServer
from tests.fakes.model_server import FailsMidway, HangsUp, Says, Status

FOLDS = 2
PROBLEM = Problem(pl.DataFrame({"x": [1, 2], "y": [0, 1]}), "y", "binary")
CHALLENGE = Challenge("binary", get("auc"), 100, {"x": "number"}, 2, FOLDS)
Judge = Callable[[Node], tuple[float | str, ...]]


def order_of(**changes: Any) -> Order:
    return replace(
        Order("it", "sha256:0", PROBLEM, get("auc"), 100.0, "loom-1", proposer="anthropic"), **changes
    )


def says(number: int, family: str = "lightgbm", **more: str) -> dict[str, str]:
    """A good answer."""
    return {"family": family, "note": f"the {number}th", "code": f"number = {number}\n"} | more


def failure(kind: FailureKind, **more: Any) -> ModelError:
    return ModelError("it failed", "for a reason", "loom config explain models.provider", kind=kind, **more)


@dataclass
class Clock:
    """Time that passes only where somebody rests."""

    left: float = 100.0
    rests: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.left

    def rest(self, seconds: float) -> None:
        self.rests.append(seconds)
        self.left -= seconds


def proposer_of(
    lines: Iterable[Line], order: Order | None = None, clock: Clock | None = None
) -> ModelProposer:
    found = modelled(ScriptedModel(lines), order or order_of(), clock or (clock := Clock()))
    found.rest = (clock or Clock()).rest
    return found


def asked(proposer: ModelProposer) -> list[ModelRequest]:
    assert isinstance(proposer.model, ScriptedModel)
    return proposer.model.requests


def grow(proposer: ModelProposer, judge: Judge, most: int = 30, lag: int = 0) -> list[Node]:
    """The tree that a proposer grows where each candidate fares as it is judged; the last ones are not known yet."""
    nodes: list[Node] = []
    while len(nodes) < most:
        known = len(nodes) - lag
        seen = tuple(node if node.number < known else replace(node, trials=()) for node in nodes)
        step = proposer.next(View(CHALLENGE, seen, 0.1))
        if step is None:
            break
        assert isinstance(step, Try)
        assert step.folds == tuple(range(FOLDS))
        node = Node(len(nodes), step.proposal)
        nodes.append(replace(node, trials=tuple(_trials(node, judge(node)))))
    return nodes


def _trials(node: Node, fared: Sequence[float | str]) -> Iterator[Trial]:
    for fold, came in enumerate(fared):
        if isinstance(came, str):
            yield Trial(node.number, fold, None, came, {"type": "ValueError", "line": 1, "function": None})
            return
        yield Trial(node.number, fold, came)


def shape(nodes: Iterable[Node]) -> list[tuple[str, tuple[int, ...]]]:
    return [(node.proposal.operator, node.proposal.parents) for node in nodes]


def always(score: float) -> Judge:
    return lambda node: (score,) * FOLDS


def test_drafts_come_first_then_the_best_is_improved_and_now_and_then_two_are_merged() -> None:
    families = ["lightgbm", "linear", "forest"]
    lines = [says(at, families[at] if at < 3 else "lightgbm") for at in range(12)]
    scores = [0.7, 0.8, 0.6, 0.75, 0.85, 0.7, 0.9, *[0.5] * 5]
    proposer = proposer_of(lines, order_of(steps=12))
    nodes = grow(proposer, lambda node: (scores[node.number],) * FOLDS)
    assert shape(nodes) == [
        *(("draft", ()), ("draft", ()), ("draft", ())),
        *(("improve", (1,)), ("improve", (1,)), ("improve", (4,)), ("merge", (4, 1))),
        *(("improve", (6,)), ("improve", (6,)), ("improve", (6,)), ("merge", (6, 1)), ("improve", (4,))),
    ]
    wanted = [request.messages[0].parts[0] for request in asked(proposer)[:3]]
    assert [
        "LightGBM would be" in wanted[0],
        "linear model" in str(wanted[1]),
        "forest" in str(wanted[2]),
    ] == [True] * 3
    assert nodes[0].proposal == Proposal("draft", "lightgbm", "number = 0\n", (), (), "the 0th")


def test_two_that_were_merged_already_are_not_merged_again() -> None:
    scores = {0: 0.9, 1: 0.8, 2: 0.7}
    proposer = proposer_of([says(at, f"family {at}") for at in range(12)], order_of(steps=12))
    nodes = grow(proposer, lambda node: (scores.get(node.number, 0.1),) * FOLDS)
    operators = (
        [("improve", (0,))] * 3 + [("merge", (0, 1))] + [("improve", (1,))] * 3 + [("improve", (2,))] * 2
    )
    assert shape(nodes)[3:] == operators


def test_a_lower_score_is_better_where_the_metric_says_so() -> None:
    view = View(replace(CHALLENGE, metric=get("log_loss"), folds=1), tuple(
        Node(at, Proposal("draft", "f", f"a = {at}\n"), (Trial(at, 0, score),)) for at, score in enumerate((0.5, 0.2, 0.4))
    ), 0.1)  # fmt: skip
    step = proposer_of([says(3)]).next(view)
    assert isinstance(step, Try)
    assert (step.proposal.operator, step.proposal.parents) == ("improve", (1,))


def test_what_failed_is_debugged_three_times_at_most_and_then_left_alone() -> None:
    def judge(node: Node) -> tuple[float | str, ...]:
        return (0.5, "error") if node.number not in (1, 2) else (0.7, 0.7)

    nodes = grow(proposer_of([says(at) for at in range(9)], order_of(steps=9)), judge)
    assert shape(nodes) == [
        *(("draft", ()), ("draft", ()), ("draft", ())),
        *(("debug", (0,)), ("debug", (3,)), ("debug", (4,))),
        *(("improve", (1,)), ("debug", (6,)), ("debug", (7,))),
    ]


def test_a_draft_that_was_mended_counts_as_any_other_candidate() -> None:
    def judge(node: Node) -> tuple[float | str, ...]:
        return ("deadline",) if node.number == 2 else (0.9 if node.number == 3 else 0.7,) * FOLDS

    nodes = grow(proposer_of([says(at) for at in range(5)], order_of(steps=5)), judge)
    assert shape(nodes)[3:] == [("debug", (2,)), ("improve", (3,))]


def test_a_duplicate_is_not_debugged_and_a_debug_without_code_is_tried_again() -> None:
    def judge(node: Node) -> tuple[float | str, ...]:
        return {0: ("duplicate",), 1: ("error",), 3: ("no_submission",)}.get(node.number, (0.7, 0.7))

    lines: list[Line] = [says(0), says(1), says(2), "", says(4), says(5)]
    nodes = grow(proposer_of(lines, order_of(steps=6)), judge)
    assert shape(nodes)[3:] == [("debug", (1,)), ("debug", (1,)), ("improve", (2,))]


def test_when_nothing_works_new_drafts_are_asked_for_until_the_steps_are_used_up() -> None:
    nodes = grow(proposer_of([says(at) for at in range(20)], order_of(steps=20)), lambda node: ("memory",))
    operators = [operator for operator, _ in shape(nodes)]
    assert operators == ["draft"] * 3 + ["debug"] * 9 + ["draft", *["debug"] * 3] * 2


def test_what_is_under_way_is_waited_for_by_nobody() -> None:
    nodes = grow(proposer_of([says(at) for at in range(6)], order_of(steps=6)), always(0.7), lag=1)
    assert shape(nodes)[3:] == [("improve", (0,)), ("improve", (0,)), ("improve", (0,))]


@pytest.mark.parametrize("lag", [0, 1])
def test_the_same_answers_make_the_same_tree_and_the_same_questions(lag: int) -> None:
    def judge(node: Node) -> tuple[float | str, ...]:
        return ("error",) if node.number % 4 == 1 else (0.5 + 0.1 * (node.number % 3), 0.6)

    first, second = (proposer_of([says(at) for at in range(15)], order_of(steps=15)) for _ in range(2))
    trees = [[node.proposal for node in grow(each, judge, lag=lag)] for each in (first, second)]
    assert trees[0] == trees[1]
    assert [each.as_json() for each in asked(first)] == [each.as_json() for each in asked(second)]


HARMFUL = "import subprocess\nsubprocess.run(['rm', '-rf', '/'])\n"
BAD: dict[str, Line] = {
    "empty": "",
    "blank code": says(0, code=" \n\t"),
    "no object": "[1, 2]",
    "no code": {"family": "x", "note": "y"},
    "prose": "I would rather not write code today.",
    "a fence that never ends": "```python\nimport os\n",
    "enormous": says(0, code="x = 1\n" * 100_000),
    "more than anybody reads": "a" * 2_100_000,
    "cut off": Answer('{"family": "x", "code": "import', stop_reason="length"),
    "refused": failure("refused"),
    "invalid": failure("invalid", retryable=True),
    "timeout": failure("timeout"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_answer_without_code_is_a_candidate_that_fails(name: str) -> None:
    [node] = grow(proposer_of([BAD[name]], order_of(steps=1)), always(0.0))
    assert (node.proposal.operator, node.proposal.family, node.proposal.code) == ("draft", "model", "")
    assert node.proposal.note.startswith("the model gave no code (")
    assert Proposal.from_json(json.loads(json.dumps(node.proposal.as_json()))) == node.proposal


@pytest.mark.parametrize(
    "code",
    [HARMFUL, "def (", "x = '\0'", "(" * 50_000, "while True: pass", "\ud800 = 1"],
)
def test_harmful_code_is_a_candidate_like_any_other(code: str) -> None:
    written = read_answer(says(0, code=code), "")
    proposal = Proposal("draft", written.family, written.code)
    json.dumps(proposal.as_json(), ensure_ascii=False).encode("utf-8")
    ast_digest(proposal.code)
    refused = any(smell.severity == "refuse" for smell in lint(proposal.code))
    assert refused == (code != "while True: pass")


@pytest.mark.parametrize(
    "text",
    [
        "Here it is:\n```python\nx = 1\n```\nand a test:\n```\ny\n```\n",
        "```py\r\nx = 1\r\n```",
        '{"family": "a", "note": "b", "code": "```python\\nx = 1\\n```"}',
    ],
)
def test_code_in_a_fence_is_taken(text: str) -> None:
    [node] = grow(proposer_of([text], order_of(steps=1)), always(0.5))
    assert node.proposal.code == "x = 1\n"


def test_fences_without_end_are_read_in_time() -> None:
    assert read_answer(None, "```python\n" * 200_000).code == ""


def test_what_a_model_calls_its_work_is_short_and_steers_no_terminal() -> None:
    written = read_answer(says(0, "Light GBM!\x1b[2J" * 99, note="a\n\x1b[31mb " * 500_000), "")
    assert written.family.startswith("light_gbm_2jlight_gbm")
    assert len(written.family) <= 40
    assert written.note.isprintable()
    assert len(written.note) <= 3 * 120
    assert read_answer({"family": 7, "note": None, "code": "x = 1"}, "").family == "7"


def test_what_passes_is_asked_again_after_a_rest() -> None:
    lines: list[Line] = [failure("overloaded"), failure("rate_limit", retry_after=9.0), says(0)]
    clock = Clock()
    [node] = grow(proposer_of(lines, order_of(steps=1), clock), always(0.5))
    assert (node.proposal.code, clock.rests) == ("number = 0\n", [1.0, 9.0])


def test_what_does_not_pass_is_a_candidate_that_fails_and_five_in_a_row_are_the_end() -> None:
    clock = Clock()
    proposer = proposer_of([failure("rate_limit")] * 99, clock=clock)
    nodes = grow(proposer, lambda node: ("no_submission",))
    assert [node.proposal.note for node in nodes] == ["the model gave no code (rate limit)"] * 5
    assert clock.rests == [1.0, 4.0] * 5
    assert len(asked(proposer)) == 15


def test_nobody_rests_for_longer_than_the_search_goes_on() -> None:
    clock = Clock()
    lines: list[Line] = [failure("rate_limit", retry_after=3_600.0), says(1)]
    nodes = grow(proposer_of(lines, order_of(steps=2), clock), always(0.5))
    assert [bool(node.proposal.code) for node in nodes] == [False, True]
    assert clock.rests == []


@pytest.mark.parametrize("error", [failure("auth"), failure("invalid"), LoomError("no tape", "gone", "ls")])
def test_what_a_person_must_mend_is_told_to_them(error: LoomError) -> None:
    with pytest.raises(LoomError) as raised:
        proposer_of([error]).next(View(CHALLENGE, (), 0.0))
    assert raised.value is error


@pytest.mark.parametrize(
    ("left", "progress", "seconds"), [(90.0, 0.1, 70.0), (90.0, 0.5, 30.0), (41.0, 0.0, 21.0)]
)
def test_an_answer_may_take_the_time_in_which_trees_grow(
    left: float, progress: float, seconds: float
) -> None:
    proposer = proposer_of([says(0)], clock=Clock(left))
    proposer.next(View(CHALLENGE, (), progress))
    assert asked(proposer)[0].seconds == pytest.approx(seconds)


def test_where_the_best_is_slow_time_is_kept_for_fitting_it_again() -> None:
    trials = tuple(Trial(0, fold, 0.5, seconds=10.0) for fold in range(FOLDS))
    proposer = proposer_of([says(0)], clock=Clock(90.0))
    proposer.next(View(CHALLENGE, (Node(0, Proposal("draft", "f", "x = 1\n"), trials),), 0.0))
    assert asked(proposer)[0].seconds == pytest.approx(90.0 - 31.0 - 10.0)


def test_nothing_is_asked_when_there_is_no_time_to_try_it_or_nothing_more_is_wanted() -> None:
    slow = Node(0, Proposal("draft", "f", "x = 1\n"), (Trial(0, 0, 0.5, seconds=60.0),))
    late = proposer_of([says(0)], clock=Clock(22.0))
    tired = proposer_of([says(0)], clock=Clock(82.0))
    full = proposer_of([says(0)], order_of(steps=1))
    assert late.next(View(CHALLENGE, (), 0.0)) is None
    assert tired.next(View(CHALLENGE, (slow,), 0.0)) is None
    assert full.next(View(CHALLENGE, (slow,), 0.0)) is None
    assert asked(late) == asked(tired) == asked(full) == []


def test_a_model_that_stops_in_the_middle_of_its_events_gave_no_code() -> None:
    class Stops:
        name = provider = "stops"

        def complete(self, request: ModelRequest) -> Iterator[ModelEvent]:
            yield TextDelta("{")

    step = ModelProposer(Stops(), order_of(), Clock()).next(View(CHALLENGE, (), 0.0))
    assert isinstance(step, Try)
    assert step.proposal.note == "the model gave no code (truncated)"


def test_tokens_are_counted_over_the_whole_search() -> None:
    line = Answer(json.dumps(says(0)), usage=Usage(100, 20, 60, 5))
    proposer = proposer_of([line, replace(line, text=json.dumps(says(1)))], order_of(steps=2))
    grow(proposer, always(0.5))
    assert proposer.usage == Usage(200, 40, 120, 10)


def test_every_question_is_one_turn_with_the_same_instructions_and_no_tools() -> None:
    proposer = proposer_of([says(0), says(1)], order_of(steps=2))
    grow(proposer, always(0.5))
    for request in asked(proposer):
        assert (request.system, request.tools, len(request.messages)) == (instructions(), (), 1)
        assert request.output_schema is not None
        assert request.output_schema["required"] == ["family", "note", "code"]


def test_over_the_wire_answers_become_candidates_and_failures_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with MessagesServer() as server:
        server.then(
            *(Status(529, "overloaded_error"), FailsMidway("overloaded_error"), Says(json.dumps(says(0)))),
            *(HangsUp('{"family": "x'), Says(json.dumps(says(1)), usage=Usage(50, 5))),
            Says("Sure:\n```python\nnumber = 2\n```\n"),
            Status(429, "rate_limit_error", headers={"retry-after": "7"}),
            *(Says("{}"), Says("no", stop="refused"), Status(401, "authentication_error")),
        )
        clock = Clock()
        model: Model = AnthropicModel("a-model", Secret("the-key"), server.address)
        proposer = ModelProposer(model, order_of(steps=9), clock, clock.rest)
        nodes = grow(proposer, always(0.5), most=3)
        assert [node.proposal.code for node in nodes] == [f"number = {at}\n" for at in range(3)]
        for note in ("invalid", "refused"):
            step = proposer.next(View(CHALLENGE, tuple(nodes), 0.1))
            assert isinstance(step, Try)
            assert step.proposal.note == f"the model gave no code ({note})"
        with pytest.raises(LoomError, match="lets nobody in"):
            proposer.next(View(CHALLENGE, tuple(nodes), 0.1))
        assert clock.rests == [1.0, 4.0, 1.0, 7.0]
        assert proposer.usage.output_tokens >= 12
        body = server.asked[0].body
        assert body["output_config"]["format"]["type"] == "json_schema"
        assert body["system"][0]["text"] == instructions()


def test_the_example_in_the_instructions_is_python() -> None:
    example = instructions().partition("```python\n")[2].partition("```")[0]
    assert [type(each).__name__ for each in ast.parse(example).body] == ["FunctionDef", "If"]
