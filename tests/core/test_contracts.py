from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.core import contracts
from loom.core.contracts import DIALECT, check_schema, validate_input, validate_output
from tests.core.test_plain import plain

INTEGER = {"type": "object", "properties": {"n": {"type": "integer"}}}
NUMBER = {"type": "object", "properties": {"n": {"type": "number"}}}


def test_true_is_never_an_integer_nor_a_number() -> None:
    for schema in (INTEGER, NUMBER):
        assert validate_input({"n": True}, schema)
        assert validate_output({"n": False}, schema)
    assert validate_input({"n": True}, {"properties": {"n": {"enum": [1]}}})
    assert validate_input({"n": [1]}, {"properties": {"n": {"const": [True]}}})
    assert not validate_input({"n": [1, True]}, {"properties": {"n": {"uniqueItems": True}}})


def test_one_point_zero_is_not_an_integer() -> None:
    assert validate_input({"n": 1.0}, INTEGER) == ["input.n: 1.0 is not of type 'integer'"]
    assert validate_input({"n": 1.0}, NUMBER) == []
    assert validate_input({"n": 1}, INTEGER) == []


def test_types_stay_strict_below_a_reference_to_a_root_that_names_its_dialect() -> None:
    schema = {"$schema": DIALECT, **INTEGER}
    schema["properties"] = {"n": {"type": "integer"}, "child": {"$ref": "#"}}
    assert check_schema(schema) == []
    assert validate_input({"child": {"n": 1.0}}, schema)
    assert validate_input({"child": {"n": True}}, schema)
    assert validate_input({"child": {"n": 1}}, schema) == []


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        pytest.param(
            {"properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}}}},
            {"a": {"b": "x"}},
            {"a": {"b": 1}},
            id="nested",
        ),
        pytest.param(
            {"properties": {"a": {"items": {"type": "string"}}}}, {"a": ["x"]}, {"a": [1]}, id="items"
        ),
        pytest.param({"properties": {"a": {"enum": ["x", None]}}}, {"a": None}, {"a": "y"}, id="enum"),
        pytest.param(
            {"$defs": {"t": {"minimum": 3}}, "properties": {"a": {"$ref": "#/$defs/t"}}},
            {"a": 3},
            {"a": 2},
            id="ref",
        ),
        pytest.param(
            {"properties": {"a": {"anyOf": [{"type": "null"}, {"type": "string", "minLength": 2}]}}},
            {"a": None},
            {"a": "x"},
            id="anyOf",
        ),
        pytest.param(
            {"additionalProperties": False, "properties": {"a": {}}}, {"a": 1}, {"b": 1}, id="closed"
        ),
        pytest.param({"required": ["a"]}, {"a": 1}, {}, id="required"),
        pytest.param({"properties": {"a": {"pattern": "^x+$"}}}, {"a": "xx"}, {"a": "xx\n"}, id="pattern"),
        pytest.param({"prefixItems": [{"type": "string"}]}, ["x"], [1], id="prefixItems"),
        pytest.param(
            {"unevaluatedProperties": False, "allOf": [{"properties": {"a": {}}}]}, {"a": 1}, {"b": 1}, id="u"
        ),
        pytest.param({"dependentRequired": {"a": ["b"]}}, {"a": 1, "b": 1}, {"a": 1}, id="dependentRequired"),
    ],
)
def test_the_words_of_draft_2020_12_are_understood(schema: dict[str, Any], good: Any, bad: Any) -> None:
    assert check_schema(schema) == []
    assert validate_input(good, schema) == []
    assert validate_output(good, schema) == []
    assert validate_input(bad, schema)
    assert validate_output(bad, schema)


@pytest.mark.parametrize(
    "data", [float("nan"), {"a": float("inf")}, {1: 2}, {"a": (1,)}, {"a": object()}, {"a": "\ud800"}]
)
def test_what_json_cannot_carry_meets_no_contract(data: Any) -> None:
    assert validate_input(data, {})
    assert validate_output(data, {})


@pytest.mark.parametrize(
    "schema",
    [
        None,
        [],
        "object",
        True,
        {"type": "int"},
        {"type": ["string", "string"]},
        {"required": "a"},
        {"items": [{}]},
        {"minimum": float("inf")},
        {1: 2},
        {"pattern": "("},
        {"patternProperties": {"(": {}}},
        {"$ref": "#/$defs/nowhere"},
        {"$ref": "#/enum", "enum": [1]},
        {"$dynamicRef": "#x"},
        {"$ref": "https://example.invalid/schema.json"},
        {"$ref": "file:///etc/hostname"},
        {"$ref": "http://[broken"},
        {"$schema": "http://json-schema.org/draft-07/schema#"},
        {"properties": {"a": {"$schema": DIALECT}}},
        {"properties": {"a": {"anyOf": []}}},
        {"$ref": "#/x/y", "x": 3},
        {"$ref": "#/x/y", "x": "text"},
        {"$ref": "#/x/0/y", "x": [None]},
        {"$ref": "#/x", "x": {"type": "int"}},
        {"$ref": "#/x", "x": {"$ref": "#/x/y", "y": {"properties": 3}}},
        {"$ref": "#/x", "x": {"pattern": "("}},
        {"$ref": "#/x", "x": {"$schema": DIALECT}},
    ],
    ids=str,
)
def test_a_bad_schema_is_refused_when_it_is_loaded_and_never_passes_anything(schema: Any) -> None:
    assert check_schema(schema)
    said = validate_input({"a": 1}, schema)
    assert said
    assert all(line.startswith("input: the schema") for line in said)


def test_no_reference_is_ever_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*_: object, **__: object) -> None:
        raise AssertionError("a schema was fetched")

    monkeypatch.setattr("urllib.request.urlopen", fetch)
    assert validate_input({}, {"$ref": "http://127.0.0.1:1/schema.json"})


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
        {"allOf": [{"$ref": "#"}]},
    ],
)
def test_a_schema_that_refers_to_itself_without_end_is_a_complaint(schema: dict[str, Any]) -> None:
    assert validate_input({}, schema) == [
        "input: the schema refers to itself without end, or is nested too deeply"
    ]


def test_a_recursive_schema_reads_data_as_deep_as_data_may_be() -> None:
    schema = {
        "$ref": "#/$defs/t",
        "$defs": {"t": {"properties": {"c": {"$ref": "#/$defs/t"}}, "type": "object"}},
    }
    data: dict[str, Any] = {}
    for _ in range(60):
        data = {"c": data}
    assert validate_input(data, schema) == []


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("^abc$", "abc\n", False),
        ("a$|b$", "xa", True),
        (r"^a\$$", "a$", True),
        (r"^[$]+$", "$$", True),
        (r"^[]$]+$", "]$", True),
        (r"^[^\]$]$", "$", False),
        (r"^\\$", "\\", True),
        ("b", "abc", True),
    ],
)
def test_a_dollar_is_the_end_and_nothing_may_follow_it(pattern: str, text: str, matches: bool) -> None:
    schema = {"properties": {"a": {"pattern": pattern}}}
    assert check_schema(schema) == []
    assert (not validate_input({"a": text}, schema)) is matches


def test_a_pattern_cannot_hang_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contracts, "MATCH_SECONDS", 0.01)
    said = validate_input({"a": "a" * 60 + "!"}, {"properties": {"a": {"pattern": "^(a|a)*$"}}})
    assert "takes too long" in said[0]


def test_complaints_are_sorted_by_place_counted_and_short() -> None:
    schema = {"items": {"type": "string"}}
    said = validate_input([1] * 200, schema)
    assert len(said) == contracts.MAX_ERRORS + 1
    assert said[0] == "input[0]: 1 is not of type 'string'"
    assert said[-1] == "input: and more"
    assert len(validate_input(["x" * 100_000], {"items": {"type": "integer"}})[0]) < 1000


def test_where_no_alternative_fits_the_reasons_are_given() -> None:
    said = validate_input("x", {"anyOf": [{"type": "integer"}, {"type": "null"}]})
    assert said == [
        "input: 'x' is not valid under any of the given schemas ('x' is not of type 'integer'; 'x' is not of type 'null')"
    ]


def test_a_word_is_data_where_the_schema_says_so() -> None:
    assert check_schema({"const": {"$ref": "#/nowhere", "$schema": "x"}}) == []
    assert check_schema({"properties": {"$schema": {"type": "string"}, "$ref": {"type": "string"}}}) == []


def test_the_schema_of_schemas_may_be_referred_to() -> None:
    schema = {"properties": {"s": {"$ref": DIALECT}}}
    assert check_schema(schema) == []
    assert validate_input({"s": {"type": "object"}}, schema) == []
    assert validate_input({"s": {"type": "int"}}, schema)


def test_references_by_id_and_anchor_are_followed() -> None:
    schema = {
        "$id": "https://example.invalid/root",
        "$defs": {"item": {"$id": "item", "type": "string"}, "n": {"$anchor": "n", "type": "integer"}},
        "properties": {"a": {"$ref": "item"}, "b": {"$ref": "#n"}},
    }
    assert check_schema(schema) == []
    assert validate_input({"a": "x", "b": 1}, schema) == []
    assert len(validate_input({"a": 1, "b": 1.0}, schema)) == 2


words = st.sampled_from(
    [
        "type",
        "properties",
        "items",
        "enum",
        "$ref",
        "anyOf",
        "required",
        "pattern",
        "minimum",
        "$defs",
        "x",
        "not",
    ]
)
schemas = st.recursive(
    plain | st.sampled_from(["string", "integer", "#", "#/$defs/x", "#/x", "#/x/x", "(", "object"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None, max_examples=200)
@given(schemas, plain)
def test_no_schema_and_no_data_make_it_raise(schema: Any, data: Any) -> None:
    complaints = check_schema(schema)
    said = validate_input(data, schema)
    assert isinstance(said, list)
    if complaints:
        assert said
