"""Quick answers about everyday schemas."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.core.contracts import check_schema, validate_input
from loom.core.plain import why_not_json
from loom.tools.builtin import builtin_tools
from loom.tools.plain_schema import is_plainly_valid, plainly_fits

NAMES = st.sampled_from(["a", "b"])
SCALARS = st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from(["", "a", "bb", 1.0, 1.5, -2.0])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=6,
)
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
TYPES = st.sampled_from(["null", "boolean", "object", "array", "number", "integer", "string"])


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
            "enum": st.lists(VALUES, max_size=3),
            "const": VALUES,
            "required": st.lists(NAMES, max_size=2, unique=True),
            "properties": st.dictionaries(NAMES, inner, max_size=2),
            "additionalProperties": inner,
            "patternProperties": st.just({"^a": True}),
            "items": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "title": st.just("t"),
            "uniqueItems": st.booleans(),
            **{word: st.integers(-1, 2) for word in BOUNDS},
            **{word: st.integers(0, 2) for word in COUNTS},
        },
    )


SCHEMAS = st.recursive(st.booleans() | _schemas(st.booleans()), _schemas, max_leaves=5)


@given(SCHEMAS, VALUES)
@settings(max_examples=400, derandomize=True, deadline=None, database=None)
def test_a_quick_yes_is_what_the_full_check_says_too(schema: Any, value: Any) -> None:
    if not isinstance(schema, dict) or check_schema(schema):
        return
    if plainly_fits(value, schema):
        assert not why_not_json(value) and validate_input(value, schema) == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-2, 9) | st.sampled_from(["object", "table", ""]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "required", "properties", "items", "enum", "minItems", "anyOf", "pattern"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
@settings(max_examples=300, derandomize=True, deadline=None, database=None)
def test_what_is_plainly_valid_is_valid(schema: Any) -> None:
    if isinstance(schema, dict) and is_plainly_valid(schema):
        assert check_schema(schema) == []


@pytest.mark.parametrize(
    ("value", "schema", "quick"),
    [
        ({"n": 1}, {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}, True),
        ({}, {"required": ["n"]}, False),
        ({"n": True}, {"properties": {"n": {"type": "integer"}}}, False),
        ({"n": True}, {"properties": {"n": {"type": "number"}}}, False),
        ({"n": 1.0}, {"properties": {"n": {"type": "integer"}}}, False),
        ({"n": None}, {"properties": {"n": {"type": ["null", "string"]}}}, True),
        ({"x": 1}, {"additionalProperties": False}, False),
        ({"x": 1}, {"properties": {"x": True}, "additionalProperties": False}, True),
        ({"x": 1}, {"additionalProperties": {"type": "string"}}, False),
        ([1, "a"], {"items": {"type": "integer"}}, False),
        ("b", {"enum": ["a", "b"]}, True),
        (1, {"enum": [True]}, False),
        (1, {"const": 1}, True),
        ([True], {"const": [1]}, False),
        ("a", {"anyOf": [{"type": "integer"}, {"type": "string"}]}, True),
        ("a", {"anyOf": [{"type": "integer"}]}, False),
        ("a", {"allOf": [{"type": "string"}, {"minLength": 2}]}, False),
        ("a", {"pattern": "a"}, False),
        (3, {"exclusiveMaximum": 3}, False),
        (3, {"maximum": 3, "minimum": 3, "exclusiveMinimum": 2}, True),
        ([1], {"minItems": 2}, False),
        ([1, 2], {"maxItems": 1}, False),
        ("abc", {"maxLength": 2}, False),
        ({}, {"minProperties": 1}, False),
        ({"a": 1, "b": 2}, {"maxProperties": 1}, False),
        ("anything", True, True),
        ("anything", False, False),
        ("anything", None, False),
    ],
)
def test_everyday_words_are_understood_and_others_left_to_the_full_check(
    value: Any, schema: Any, quick: bool
) -> None:
    assert plainly_fits(value, schema) is quick


def test_the_parameters_of_most_tools_are_plain() -> None:
    plain = {tool.name for tool in builtin_tools() if is_plainly_valid(tool.parameters)}
    assert {"read_file", "write_file", "search_files", "spreadsheet", "shell_execute", "web_fetch"} <= plain
