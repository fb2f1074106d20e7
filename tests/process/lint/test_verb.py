"""The command a package becomes: names that are free, inputs that can be options, sources that exist."""

from __future__ import annotations

import pytest

from loom.process.lint.inputs import GLOBAL_OPTIONS
from loom.process.lint.verb import MAX_SCHEMA_NODES, RESERVED
from tests.process.lint.example import findings


def verb(text: str, phases: str = "") -> str:
    return f"verb: {{command: compare, tier: workspace-write, {text}}}\n{phases}"


def with_input(text: str, name: str = "given") -> str:
    return verb(f"inputs: {{{name}: {{{text}}}}}")


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_name_of_loom_itself_is_neither_command_nor_alias(name: str) -> None:
    assert findings(f"verb: {{command: {name}, tier: read-only}}", "LM720")
    assert findings(verb(f"aliases: [{name}]"), "LM730")


def test_an_alias_is_listed_once_and_differs_from_the_command() -> None:
    found = findings(verb("aliases: [diff, compare, diff]"), "LM730")
    assert [each.path for each in found] == ["verb.aliases[1]", "verb.aliases[2]"]


@pytest.mark.parametrize(
    "text",
    [
        "type: text, default: ten",
        "type: integer, default: 10",
        "type: number, default: 10",
        "type: number, default: 0.5",
        "type: flag, default: false",
        "type: choice, choices: [a, b], default: b",
        "type: choice, choices: [a, b], repeat: true, default: [a, b]",
        "type: columns, default: [a, b]",
        "type: columns, default: a",
        "type: duration, default: 1h30m",
        "type: duration, default: 90",
        "type: pathspec, default: IngestDataset/123",
        "type: metric, default: auc>=0.8",
        "type: integer, default: null",
    ],
)
def test_a_default_that_could_be_typed_is_accepted(text: str) -> None:
    assert not findings(with_input(text), "LM722")


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("type: text, default: 10", "text, not `10`"),
        ("type: text, default: [a]", "text, not a list"),
        ("type: integer, default: true", "a whole number, not `true`"),
        ("type: integer, default: 1.0", "a whole number, not `1.0`"),
        ("type: number, default: '1'", "a number, not `1`"),
        ("type: flag, default: 'yes'", "true or false, not `yes`"),
        ("type: choice, choices: [a, b], default: c", "one of a, b, not `c`"),
        ("type: choice, choices: [a, b], default: [a]", "one of a, b, not a list"),
        ("type: columns, default: [a, 1]", "text, not `1`"),
        ("type: duration, default: soon", "a duration such as 90s, 5m or 1h30m, not `soon`"),
        ("type: path, repeat: true, default: [a, {}]", "text, not a mapping"),
    ],
)
def test_a_default_that_could_not_be_typed_is_refused(text: str, detail: str) -> None:
    (found,) = findings(with_input(text), "LM722")
    assert (found.path, found.detail) == ("verb.inputs.given.default", f"`given` takes {detail}")


@pytest.mark.parametrize(
    ("tier", "refused"), [("read-only", 1), ("workspace-write", 1), ("expensive", 0), ("irreversible", 0)]
)
def test_an_input_raises_the_tier_above_the_verb_or_not_at_all(tier: str, refused: int) -> None:
    assert len(findings(with_input(f"type: flag, raises_tier: {tier}"), "LM723")) == refused


def test_a_misspelt_verdict_is_answered_with_the_one_that_was_meant() -> None:
    (found,) = findings(verb("verdict: {from: phases.work.data.v, values: [PASS, FAIL], ok: [PAS]}"), "LM724")
    assert (found.path, found.fix) == ("verb.verdict.ok[0]", "did you mean `PASS`?")


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("phases.wrok.data.v", "no phase is called `wrok`"),
        ("inputs.target", "`inputs.target` is not the result of a phase"),
        ("phases.work", "`phases.work`: a phase is followed by one of"),
        ("phases.work.nothing", "`phases.work.nothing`: `nothing` is not one of"),
        ("'work data'", "`work data`: "),
    ],
)
@pytest.mark.parametrize("key", ["verdict", "summary"])
def test_verdict_and_summary_come_from_a_phase_of_this_package(key: str, source: str, detail: str) -> None:
    values = ", values: [PASS], ok: [PASS]" if key == "verdict" else ""
    (found,) = findings(verb(f"{key}: {{from: {source}{values}}}"), "LM725")
    assert found.path == f"verb.{key}.from"
    assert found.detail.startswith(detail)


def test_a_source_written_with_braces_is_repaired() -> None:
    (found,) = findings(verb('summary: {from: "${ phases.work.data }"}'), "LM725")
    assert [edit.text for edit in found.edits] == ["phases.work.data"]


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("{type: table}", "verb.summary.schema.type"),
        ("{properties: {n: {minimum: many}}}", "verb.summary.schema.properties.n.minimum"),
        ("{properties: {n: {pattern: '('}}}", "verb.summary.schema.properties.n.pattern"),
        ("{pattern: 'a{99999999999999999999}'}", "verb.summary.schema"),
        ("{required: [" + "a, 1, " * MAX_SCHEMA_NODES + "]}", "verb.summary.schema"),
    ],
)
def test_a_summary_schema_is_checked_at_the_place_that_is_wrong(schema: str, path: str) -> None:
    (found,) = findings(verb(f"summary: {{from: phases.work.data, schema: {schema}}}"), "LM726")
    assert found.path == path
    assert len(found.detail) <= 200


@pytest.mark.parametrize(
    "name", [*sorted(GLOBAL_OPTIONS), "dry_run", "no_color", "Target", "1st", "a b", "täg"]
)
def test_an_input_that_cannot_be_an_option_is_refused(name: str) -> None:
    (found,) = findings(with_input("type: text", f'"{name}"'), "LM727")
    assert found.path == f"verb.inputs.{name}"


def test_two_spellings_of_one_option_are_refused() -> None:
    (found,) = findings(verb("inputs: {time-col: {type: column}, time_col: {type: column}}"), "LM727")
    assert found.detail == "`time_col` and `time-col` are the same option"


@pytest.mark.parametrize(
    ("inputs", "paths"),
    [
        ("a: {type: path, positional: true, required: true}, b: {type: path, positional: true}", []),
        ("a: {type: path, positional: true}, b: {type: path, positional: true}", []),
        ("a: {type: path, positional: true}, b: {type: path, required: true}", []),
        ("a: {type: flag, positional: true}", ["verb.inputs.a.positional"]),
        (
            "a: {type: path, positional: true}, b: {type: path, positional: true, required: true}",
            ["verb.inputs.b"],
        ),
        (
            "a: {type: path, positional: true, required: true, repeat: true}, b: {type: path, positional: true}",
            ["verb.inputs.b"],
        ),
    ],
)
def test_positional_inputs_can_be_told_apart(inputs: str, paths: list[str]) -> None:
    assert [found.path for found in findings(verb(f"inputs: {{{inputs}}}"), "LM729")] == paths


def test_a_process_may_run_any_process_but_itself() -> None:
    phases = "phases:\n  - {id: a, description: A., run: {process: eda}}\n  - {id: b, description: B., run: {process: example}}"
    (found,) = findings(phases, "LM731")
    assert found.path == "phases[1].run.process"
