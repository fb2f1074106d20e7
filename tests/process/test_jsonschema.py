"""The schema says what the loader says: an editor and `loom process check` never contradict each other."""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import loom.process.jsonschema as module
from loom.kernel.document import parse_document, walk
from loom.process.jsonschema import Schema, process_schema
from loom.process.structure import validate
from tests.process.lint.example import overlay

ROOT = Path(__file__).parents[2]
MAXIMAL = Path(__file__).parent / "maximal.yaml"
PACKAGES = sorted(
    [*ROOT.glob("processes/builtin/*/process.yaml"), *ROOT.glob("packages/*/process.yaml"), MAXIMAL]
)
VALIDATOR = jsonschema.Draft202012Validator(process_schema())


def data_of(text: str) -> Any:
    document, found, _ = parse_document(text.encode(), "process.yaml")
    assert document is not None and not found, text
    return document.data


def loads(data: Any) -> bool:
    """Whether the loader finds nothing wrong with keys, types and choices."""
    document, _, _ = parse_document(json.dumps(data).encode(), "process.yaml")
    assert document is not None
    found = validate(document).diagnostics
    return not any(d.severity == "error" and d.code.startswith("LM2") for d in found)


def phase(text: str) -> str:
    return f"phases: [{{id: work, description: Work., {text}}}]"


def gate(text: str) -> str:
    return phase(f"iteration: {{gates: [{{id: g, {text}}}]}}")


def verb(text: str) -> str:
    return f"verb: {{command: compare, tier: read-only, {text}}}"


ACCEPTED = [
    "tags: []",
    "tags: [research, pricing]",
    'persona: ""',
    "x-team: null",
    "x-team: {any: [thing]}",
    "risk_level: standard",
    "risk_level: critical",
    "schema_version: 2",
    "schema_version: 1",
    "validity_contract: true",
    "validity_contract: {min_supported_ratio: 1}",
    "validity_contract: {x-why: policy}",
    phase("deliverables: [notes.md, 'notes.md — what was found', 'notes.md - text', ./a/b.md]"),
    phase("deliverables: [notes.md: what was found, 'notes.md: text']"),
    phase("deliverables: [{name: notes.md, description: Text.}, {name: a.md, x-size: 3}]"),
    phase("deliverables: ['ends with a bar — see a/ or \\ there']"),
    phase("depends_on: [], retries: 10, model_tier: 3"),
    phase("x-owner: {team: null}"),
    phase("run: {tool: look, args: {limit: null, rows: [null, {a: null}]}}"),
    phase("require: [{phase: a, field: data.x, operator: eq, value: [1, two]}]"),
    phase("resources: {cpu: 0.5, memory_mb: 1, gpu: 0}"),
    gate("type: tool_metric, tool: t, metric_path: a.b, operator: gte, value: 0.5"),
    gate("type: artifact_regex, pattern: done, x-note: mine"),
    gate("type: command_exit, command: pytest -q"),
    gate("type: command_exit, command: [pytest, -q]"),
    gate("type: verifier_field, field: score, operator: gt, value: 3"),
    "verification: {rules: [{name: r, check: TBD, applies_to_phases: work}]}",
    "verification: {rules: [{name: r, check: TBD, applies_to_phases: [work, '*']}]}",
    "verification: {remediation: {retry_budget: 3}}",
    "verification: {remediation: {retry_budget: {own: null}}}",
    "verification: {remediation: {strategies: [{name: again, own: 1}]}}",
    "verification: {remediation: {strategies: {again: {description: Again., own: null}}}}",
    "verification: {policy: {outcome_policy: {own: null, pass_states: [good]}}}",
    "prompt_contracts: {remediation_instructions: Try again.}",
    "prompt_contracts: {remediation_instructions: {default: Try again., numbers: Count.}}",
    "evidence: {extraction: {title: a.b, web_fetch: {url: null}}}",
    verb("flow: EdaFlow, model: optional"),
    verb("inputs: {rows: {type: integer, default: null}}"),
    verb("summary: {from: phases.work.data, schema: {default: null}}"),
    verb("verdict: {from: phases.work.data.verdict, values: [PASS], ok: []}"),
    "tests: [{id: smoke, mode: live, goal: Go., script: {work: [{output: Done.}]}, inputs: {a: null}}]",
]
REFUSED = [
    phase("model_tier: true"),
    verb("inputs: {rows: {type: text, raises_tier: null}}"),
    phase("colour: red"),
    "colour: red",
    "Name: again",
    "phases: []",
    "phases: {}",
    "phases: null",
    "tags: research",
    "tags: [1]",
    "tags: null",
    "tags: ['']",
    "tags: [null]",
    "version: 1.10",
    'version: " "',
    "persona: 3",
    "persona: null",
    "name: My_Process",
    "name: ''",
    "name: null",
    "name: -x",
    "schema_version: 3",
    "schema_version: '2'",
    "risk_level: huge",
    "risk_level: Medium",
    "risk_level: null",
    "phase_mode: loose",
    "validity_contract: null",
    "validity_contract: maybe",
    "validity_contract: {min_supported_ratio: 75}",
    "validity_contract: {enabled: 'no'}",
    "validity_contract: {max_contradicted_count: -1}",
    "validity_contract: {final_gate: null}",
    "verb: null",
    "verb: {command: compare}",
    verb("flow: eda"),
    verb("inputs: {rows: {type: rows}}"),
    verb("inputs: {rows: null}"),
    verb("verdict: {from: phases.work.data.verdict, values: [], ok: []}"),
    verb("summary: {from: null}"),
    "phases: [work]",
    "phases: [{id: work}]",
    "phases: [{id: Work, description: Work.}]",
    "phases: [null]",
    phase("retries: 11"),
    phase("retries: true"),
    phase("model_tier: 4"),
    phase("depends_on: look"),
    phase("deliverables: notes.md"),
    phase("deliverables: ['']"),
    phase("deliverables: [/tmp/notes.md]"),
    phase("deliverables: [../notes.md]"),
    phase("deliverables: [~/notes.md]"),
    phase("deliverables: ['C:\\notes.md']"),
    phase("deliverables: [' — no name']"),
    phase("deliverables: [{a.md: one, b.md: two}]"),
    phase("deliverables: [notes.md: null]"),
    phase("deliverables: [{name: ../notes.md}]"),
    phase("deliverables: [3]"),
    phase("run: tool"),
    phase("run: {tools: look}"),
    phase("run: null"),
    phase("resources: {cpu: 0}"),
    phase("require: [{phase: a, field: b, operator: is, value: 1}]"),
    phase("for_each: null"),
    phase("iteration: true"),
    phase("require: [{phase: a, field: b, operator: eq, value: null}]"),
    gate("type: metric"),
    gate("pattern: done"),
    gate("type: artifact_regex"),
    gate("type: command_exit, command: ''"),
    gate("type: command_exit, command: [pytest, '']"),
    gate("type: artifact_regex, pattern: a, tool: b"),
    gate("type: tool_metric, tool: t, metric_path: a.b, operator: gte, value: {a: 1}"),
    "verification: {rules: [{name: r, check: TBD, severity: fatal}]}",
    "verification: {rules: {name: r}}",
    "verification: {remediation: {retry_budget: -1}}",
    "verification: {remediation: {retry_budget: null}}",
    "verification: {remediation: {strategies: {again: null}}}",
    "verification: {remediation: {strategies: [{}]}}",
    "prompt_contracts: {remediation_instructions: {default: 3}}",
    "evidence: {extraction: a.b}",
    "tests: [{id: smoke, mode: live, goal: Go., script: {work: {output: Done.}}}]",
    "tests: [{id: smoke, mode: dry, goal: Go.}]",
]
# what no schema can say, or only at the price of being unreadable
ONLY_THE_LOADER = [
    phase("retries: 1.0"),
    phase("deliverables: [a/../../notes.md]"),
    phase("deliverables: [folder/]"),
]


@pytest.mark.parametrize("fragment", ACCEPTED)
def test_both_accept(fragment: str) -> None:
    data = data_of(overlay(fragment))
    assert [error.message for error in VALIDATOR.iter_errors(data)] == []
    assert loads(data)


@pytest.mark.parametrize("fragment", REFUSED)
def test_both_refuse(fragment: str) -> None:
    data = data_of(overlay(fragment))
    assert not VALIDATOR.is_valid(data)
    assert not loads(data)


@pytest.mark.parametrize("fragment", ONLY_THE_LOADER)
def test_the_loader_may_be_stricter(fragment: str) -> None:
    data = data_of(overlay(fragment))
    assert VALIDATOR.is_valid(data)
    assert not loads(data)


@pytest.mark.parametrize("key", ["name", "phases"])
def test_both_miss_a_required_key(key: str) -> None:
    data = data_of(overlay("author: Somebody"))
    del data[key]
    assert not VALIDATOR.is_valid(data)
    assert not loads(data)


def test_the_version_may_be_left_out() -> None:
    data = data_of(overlay("author: Somebody"))
    del data["schema_version"]
    assert VALIDATOR.is_valid(data)
    assert loads(data)


@pytest.mark.parametrize("file", PACKAGES, ids=lambda file: file.parent.name)
def test_packages_that_load_are_valid(file: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(data_of(file.read_text()))] == []


def _broken(data: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """One root key at a time, with one node of it emptied or replaced, for every node."""
    small = data_of(overlay("author: Somebody"))
    for root in data:
        for path, _ in walk({root: data[root]}):
            for value in (None, {"?": 1}) if path else ():
                node = changed = {**small, root: copy.deepcopy(data[root])}
                for part in path[:-1]:
                    node = node[part]
                node[path[-1]] = value
                yield (*path, f"= {value}"), changed


def test_both_agree_on_every_key_that_is_emptied_or_replaced() -> None:
    cases = list(_broken(data_of(MAXIMAL.read_text())))
    assert len(cases) > 600
    assert [path for path, data in cases if VALIDATOR.is_valid(data) != loads(data)] == []


def test_the_schema_is_valid_and_names_itself() -> None:
    schema = process_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == "urn:loom:schema:process:2"
    assert list(schema)[:3] == ["$schema", "$id", "title"]


def _objects(schema: Schema) -> Iterator[Schema]:
    for _, node in walk(schema):
        if isinstance(node, dict) and isinstance(node.get("properties"), dict):
            yield node


def test_each_property_and_each_mapping_is_described() -> None:
    schema = process_schema()
    for node in _objects(schema):
        for key, value in node["properties"].items():
            assert value["description"].endswith("."), key
    assert all(each["description"].endswith(".") for each in (schema, *schema["$defs"].values()))


def test_mappings_are_closed_but_for_keys_of_ones_own() -> None:
    schema = process_schema()
    closed = [
        each for each in (schema, *schema["$defs"].values()) if each.get("additionalProperties") is False
    ]
    assert len(closed) > 40
    assert all(each["patternProperties"] == {"^x-": {}} for each in closed)


def test_nothing_may_be_null_and_no_generated_title_is_left() -> None:
    for path, node in walk(process_schema()):
        assert node != "null" and node is not None, path
        if isinstance(node, dict) and "title" in node and path:
            assert isinstance(node["title"], dict), path


def test_every_reference_leads_somewhere_and_every_definition_is_used() -> None:
    schema = process_schema()
    used = {node["$ref"] for _, node in walk(schema) if isinstance(node, dict) and "$ref" in node}
    assert used == {f"#/$defs/{name}" for name in schema["$defs"]}


def test_the_schema_is_the_same_every_time_and_nobody_can_spoil_it() -> None:
    first = process_schema()
    before = json.dumps(first)
    first["properties"].clear()
    assert json.dumps(process_schema()) == before


def test_making_the_schema_does_not_need_the_library_that_checks_it() -> None:
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert "jsonschema" not in imported
