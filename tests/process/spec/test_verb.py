"""`verb:` makes a package a command with typed inputs, a verdict and a summary."""

from __future__ import annotations

import pytest

from loom.process.spec.verb import Input, Verb
from tests.process.checking import spec_of


def verb_with(keys: str) -> Verb:
    verb = spec_of(f"verb: {{command: c, tier: read-only, {keys}}}\n").verb
    assert verb is not None
    return verb


def test_a_command_and_a_tier_are_enough() -> None:
    verb = Verb.model_validate({"command": "c", "tier": "read-only"})
    assert (verb.aliases, verb.flow, verb.model, verb.inputs, verb.card) == ((), None, "none", {}, None)
    assert (verb.verdict, verb.summary) == (None, None)


@pytest.mark.parametrize("tier", ["read-only", "workspace-write", "expensive", "irreversible"])
@pytest.mark.parametrize("model", ["none", "optional", "required"])
def test_every_tier_goes_with_every_need_for_a_model(tier: str, model: str) -> None:
    verb = spec_of(f"verb: {{command: c, tier: {tier}, model: {model}}}\n").verb
    assert verb is not None
    assert (verb.tier, verb.model) == (tier, model)


@pytest.mark.parametrize(
    "kind",
    ["text", "integer", "number", "flag", "column", "columns", "pathspec", "path", "duration", "metric"],
)
def test_an_input_is_optional_and_single_by_default(kind: str) -> None:
    given = verb_with(f"inputs: {{a: {{type: {kind}}}}}").inputs["a"]
    assert given == Input.model_validate({"type": kind})
    assert (given.required, given.repeat, given.positional, given.default, given.raises_tier) == (
        False,
        False,
        False,
        None,
        None,
    )


def test_inputs_keep_their_order() -> None:
    verb = verb_with("inputs: {zeta: {type: text}, alpha: {type: text}, mid: {type: text}}")
    assert list(verb.inputs) == ["zeta", "alpha", "mid"]


@pytest.mark.parametrize(
    ("keys", "default"),
    [
        ("type: integer, default: 10", 10),
        ("type: number, default: 0.5", 0.5),
        ("type: number, default: 1", 1),
        ("type: flag, default: true", True),
        ("type: choice, choices: [a, b], default: b", "b"),
        ("type: columns, default: [a, b]", ["a", "b"]),
        ("type: text, repeat: true, default: [a]", ["a"]),
        ("type: duration, default: 1h30m", "1h30m"),
        ("type: text, default: ''", ""),
    ],
)
def test_a_default_is_of_the_type_of_its_input(keys: str, default: object) -> None:
    assert verb_with(f"inputs: {{a: {{{keys}}}}}").inputs["a"].default == default


def test_a_verdict_and_a_summary_are_read_from_a_phase() -> None:
    verb = verb_with(
        "flow: CFlow, card: c, verdict: {from: phases.work.data.verdict, values: [A, B], ok: []},"
        " summary: {from: phases.work.data, schema: {type: object, properties: {a: {type: [string, 'null']}}}}"
    )
    assert verb.verdict is not None and verb.summary is not None
    assert (verb.verdict.from_, verb.verdict.values, verb.verdict.ok) == (
        "phases.work.data.verdict",
        ("A", "B"),
        (),
    )
    assert verb.summary.schema_["properties"] == {"a": {"type": ["string", "null"]}}
    assert verb.flow == "CFlow"
