"""How far a call goes and why, and the plan that a person agrees to."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import pytest

from loom.process.check import check_file
from loom.process.loader import builtin_root
from loom.process.spec.types import TIERS, Tier
from loom.process.spec.verb import Verb
from loom.runtime.consent import (
    Caller,
    CallPlan,
    Contribution,
    Estimate,
    ToolUse,
    call_tier,
    caller_kind,
    command_for,
    contributions,
    effective_tier,
    raised_by,
)
from loom.tools.builtin import builtin_tools
from loom.tools.registry import Tool
from tests.fakes.approval import Does, Mystery

BUILTIN = {tool.name: tool for tool in builtin_tools()}
RELEASE = Does("deploy_release", "reads", "writes", when_applied=("external",))


def verb(name: str) -> Verb:
    """The verb of a package that comes with Loom."""
    package = check_file(builtin_root() / name / "process.yaml").package
    assert package is not None
    assert package.spec.verb is not None
    return package.spec.verb


def a_plan(**changes: Any) -> CallPlan:
    """A plan, and what is different in it."""
    return CallPlan(
        **{
            "name": "deploy",
            "version": "0.1.0",
            "package_digest": "sha256:" + "a" * 64,
            "inputs": {"validate": "ValidateFlow/12", "apply": True},
            "why": (Contribution("verb", "read-only"), Contribution("--apply", "irreversible")),
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("tool", "args", "tier"),
    [
        ("calculator", {"expression": "1"}, "read-only"),
        ("read_file", {"path": "a"}, "read-only"),
        ("spreadsheet", {"operation": "read", "path": "a.csv"}, "read-only"),
        ("spreadsheet", {"operation": "create", "path": "a.csv"}, "workspace-write"),
        ("spreadsheet", None, "workspace-write"),
        ("web_fetch", {"url": "https://example.org"}, "read-only"),
        ("shell_execute", {"command": "ls"}, "workspace-write"),
        (Does("pays", "reads", "spend"), {}, "expensive"),
        (Does("sends", "external"), {}, "irreversible"),
        (RELEASE, {"apply": False}, "workspace-write"),
        (RELEASE, {"apply": "${inputs.apply}"}, "workspace-write"),
        (RELEASE, {"apply": True}, "irreversible"),
        (RELEASE, None, "irreversible"),
        (Mystery(), {}, "irreversible"),
    ],
)
def test_a_call_goes_as_far_as_its_tool_says(
    tool: str | Tool, args: Mapping[str, Any] | None, tier: Tier
) -> None:
    found = call_tier(BUILTIN[tool] if isinstance(tool, str) else tool, args)
    assert found.tier == tier
    assert found.because


class Liar(Mystery):
    """Raises, or answers nonsense, when it is asked what it does."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    @property
    def effects(self) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


@pytest.mark.parametrize(
    "answer", [frozenset({"reads", "magic"}), None, 7, RuntimeError("no"), [["reads"]], "reads"]
)
def test_a_tool_that_says_nonsense_counts_as_irreversible(answer: Any) -> None:
    assert call_tier(Liar(answer), None).tier == "irreversible"
    assert call_tier(Liar(answer), {}).tier == "irreversible"


def test_what_a_tool_says_cannot_change_the_arguments_of_the_call() -> None:
    class Sly(Mystery):
        def effects_of(self, args: Mapping[str, Any]) -> frozenset[Any]:
            args["to"].append("somebody else")
            return frozenset({"reads"})

    args: dict[str, Any] = {"to": ["me"]}
    assert call_tier(Sly(), args).tier == "read-only"
    assert args == {"to": ["me"]}


@pytest.mark.parametrize(
    ("name", "inputs", "raised"),
    [
        ("deploy", {"validate": "ValidateFlow/12", "apply": None}, {}),
        ("deploy", {"apply": False}, {}),
        ("deploy", {"apply": True}, {"apply": "irreversible"}),
        ("deploy", {"apply": "false"}, {"apply": "irreversible"}),
        ("train", {"launch": True, "budget": "full"}, {"launch": "irreversible"}),
        ("report", {"out": "page.html"}, {"out": "workspace-write"}),
    ],
)
def test_an_input_raises_the_tier_only_when_it_is_given(
    name: str, inputs: dict[str, Any], raised: dict[str, Tier]
) -> None:
    assert raised_by(verb(name), inputs) == raised


def test_the_tier_is_the_highest_of_verb_flags_tools_and_processes_inside() -> None:
    inside = a_plan(name="optimize", why=contributions("expensive"))
    for tier in TIERS:
        assert effective_tier(contributions(tier)) == tier
    assert effective_tier(contributions("read-only", {"out": "workspace-write"})) == "workspace-write"
    assert effective_tier(contributions("workspace-write", nested=[inside])) == "expensive"
    assert effective_tier(contributions("expensive", tools=[ToolUse(RELEASE)])) == "irreversible"
    assert effective_tier(contributions("read-only", tools=[ToolUse(RELEASE, {})])) == "workspace-write"
    assert effective_tier(()) == "irreversible"


def test_each_contribution_names_its_source() -> None:
    why = contributions("read-only", {"apply": "irreversible"}, [ToolUse(RELEASE, {"apply": True})])
    assert [(each.source, each.tier) for each in why] == [
        ("verb", "read-only"),
        ("--apply", "irreversible"),
        ("tool deploy_release", "irreversible"),
    ]
    assert why[2].because == "reads, writes files, acts outside this machine"


def test_everything_in_a_plan_is_part_of_its_digest() -> None:
    changed = [
        a_plan(),
        a_plan(name="ship"),
        a_plan(version="0.1.1"),
        a_plan(package_digest="sha256:" + "b" * 64),
        a_plan(inputs={"validate": "ValidateFlow/13", "apply": True}),
        a_plan(inputs={"validate": "ValidateFlow/12"}),
        a_plan(why=contributions("irreversible")),
        a_plan(cost=Estimate(minutes=1)),
        a_plan(hosts=("example.org",)),
    ]
    assert len({plan.digest for plan in changed}) == len(changed)
    assert a_plan(inputs={"apply": True, "validate": "ValidateFlow/12"}).digest == a_plan().digest


def test_a_plan_keeps_its_inputs_when_the_mapping_it_was_made_of_changes() -> None:
    inputs: dict[str, Any] = {"to": ["me"]}
    plan = a_plan(inputs=inputs)
    before = plan.digest
    inputs["to"].append("somebody else")
    assert plan.digest == before
    assert plan.inputs == {"to": ["me"]}


def test_a_digest_follows_a_plan_that_is_changed_in_place() -> None:
    plan = a_plan(inputs={"to": ["me"]})
    before = plan.digest
    plan.inputs["to"].append("somebody else")  # type: ignore[union-attr]
    assert plan.digest != before


@pytest.mark.parametrize("inputs", [{"a": float("nan")}, {1: "a"}, {"a": object()}])
def test_a_plan_that_has_no_digest_cannot_be_made(inputs: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        a_plan(inputs=inputs)


def test_a_plan_is_named_by_its_digest_or_by_enough_of_it() -> None:
    plan = a_plan()
    whole = plan.digest
    bare = whole.removeprefix("sha256:")
    for name in (whole, bare, bare[:16], bare[:40], bare.upper(), f" {plan.short_digest}\n"):
        assert plan.is_named_by(name), name
    other = a_plan(version="2").digest
    for name in ("", "y", "yes", bare[:15], other, other[7:23], bare + "0", "sha256:", bare[:15] + "z", "*"):
        assert not plan.is_named_by(name), name


def test_a_plan_on_a_screen_cannot_steer_it_show_a_secret_or_add_a_line() -> None:
    plan = a_plan(
        name="deploy\x1b[2K\rread_file",
        inputs={
            "goal": "fine\n  verb: read-only\n\x1b[1A",
            "api_key": "sk-ant-0123456789abcdef0123",
            "none": None,
            "long": "x" * 5_000,
        },
        hosts=("a\n.org",),
    )
    shown = str(plan)
    assert "\x1b" not in shown
    assert "\r" not in shown
    assert "0123456789abcdef" not in shown
    # its name, three inputs, two reasons, the cost, the hosts and the digest
    assert len(shown.splitlines()) == 9
    assert "characters)" in shown
    assert shown.splitlines()[-1] == f"  plan {plan.short_digest}"


def test_a_plan_reads_as_sentences() -> None:
    plan = a_plan(
        name="optimize",
        inputs={"dataset": "FeaturesFlow/9", "budget": "5m"},
        why=(*contributions("expensive"), call_tier(Does("search", "reads", "process"), {})),
        cost=Estimate(minutes=5, money=0, rows=12_000, candidates=40),
    )
    assert str(plan).splitlines()[:-1] == [
        "optimize 0.1.0 is expensive",
        '  dataset = "FeaturesFlow/9"',
        '  budget = "5m"',
        "  verb: expensive",
        "  tool search: workspace-write, reads, starts programs",
        "  cost: 12,000 rows, 40 candidates, at most 5 minutes, no money, on local cpu",
        "  hosts: none",
    ]


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_an_estimate_is_a_number_or_unknown(value: float) -> None:
    with pytest.raises(ValueError, match="not known is None"):
        Estimate(minutes=value)


def test_the_command_to_run_says_the_same_as_the_plan() -> None:
    plan = a_plan(inputs={"apply": True, "dry": False, "target": None, "columns": ["a b", "c"], "floor": 0.8})
    assert command_for(plan, Caller("person"), "1234") == (
        "loom deploy --apply --columns 'a b' --columns c --floor 0.8 --confirm 1234"
    )


def test_the_command_that_was_typed_is_kept_but_for_its_confirmation() -> None:
    typed = ("loom", "-w", "my folder", "deploy", "--confirm", "old", "--apply", "--confirm=older")
    found = command_for(a_plan(), Caller("person", typed), "1234")
    assert shlex.split(found) == ["loom", "-w", "my folder", "deploy", "--apply", "--confirm", "1234"]


@pytest.mark.parametrize(
    ("environ", "kind"),
    [
        ({}, "person"),
        ({"LOOM_CALLER": "agent"}, "agent"),
        ({"LOOM_CALLER": "package"}, "package"),
        ({"LOOM_CALLER": "ci"}, "ci"),
        ({"LOOM_CALLER": "a person, really"}, "agent"),
        ({"LOOM_CALLER": ""}, "agent"),
    ],
)
def test_a_marked_process_is_not_taken_for_a_person(environ: dict[str, str], kind: str) -> None:
    assert caller_kind(environ) == kind
