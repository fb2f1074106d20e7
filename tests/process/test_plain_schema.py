from __future__ import annotations

from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.process.plain_schema import is_plainly_valid

KEYS = [
    "type",
    "required",
    "properties",
    "items",
    "enum",
    "minItems",
    "minimum",
    "anyOf",
    "title",
    "pattern",
    "not",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.sampled_from(["object", "string", "table", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
@settings(max_examples=300, derandomize=True, deadline=None, database=None)
def test_a_quick_yes_is_never_wrong(schema: Any) -> None:
    if is_plainly_valid(schema):
        jsonschema.Draft202012Validator.check_schema(schema)


def test_an_everyday_schema_gets_a_quick_yes() -> None:
    schema = {
        "type": "object",
        "required": ["name"],
        "additionalProperties": True,
        "properties": {
            "name": {"type": ["string", "null"]},
            "rows": {"type": "array", "items": {"type": "integer"}},
        },
    }
    assert is_plainly_valid(schema)


def test_unusual_words_are_left_to_the_full_check() -> None:
    assert not is_plainly_valid({"type": "table"})
    assert not is_plainly_valid({"pattern": "("})
    assert not is_plainly_valid({"required": ["a", "a"]})
