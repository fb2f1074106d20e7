"""What a candidate says of itself is believed only as far as it could not have made it up."""

from __future__ import annotations

import pytest

from loom.search.jobs import error_of, told_of

SOURCE = "def fit(train, ctx):\n    return 1\n"


@pytest.mark.parametrize(
    ("stdout", "told"),
    [
        (b"", {}),
        (b'{"a": 1}\n{"b": 2.5}\nbye\n', {"b": 2.5}),
        (b'{"a": 1}\n[1]\n{"broken": \n', {"a": 1.0}),
        (b'{"a": true, "b": null, "c": "1", "d": [1], "e": {"f": 1}}', {}),
        (b'{"a": NaN, "b": Infinity, "c": 1e999, "d": -2}', {"d": -2.0}),
        (b'{"a": ' + b"9" * 400 + b', "b": 3}', {"b": 3.0}),
        (b'{"a": ' + b"9" * 9000 + b"}", {}),
        (b'{"a": ' + b"[" * 60_000, {}),
        (b"{" * 60_000, {}),
        (b"{\n" * 30_000, {}),
        ('{"a cell: 17": 1, "zwölf": 2, "n\\u00e9": 3, "good_1": 4}'.encode(), {"good_1": 4.0}),
        (b'  {"cr": 1}\r\n', {"cr": 1.0}),
        (b"\xff\xfe{}", {}),
    ],
)
def test_numbers_are_read_from_the_last_object_and_nothing_else_is(
    stdout: bytes, told: dict[str, float]
) -> None:
    assert told_of(stdout) == told


def test_of_many_numbers_some_are_read() -> None:
    many = b"{" + b",".join(b'"n%d": 1' % number for number in range(1000)) + b"}"
    assert len(told_of(many)) == 32


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (None, {}),
        ("text", {}),
        ({}, {"type": "Exception", "line": None, "function": None}),
        (
            {"kinds": ["Cell17", "LinAlgError", "ValueError"], "line": 2, "function": "fit"},
            {"type": "LinAlgError", "line": 2, "function": "fit"},
        ),
        (
            {"kinds": ["Cell17", 3, None], "line": 17, "function": "cell_17"},
            {"type": "Exception", "line": None, "function": None},
        ),
        (
            {"kinds": "ValueError", "line": True, "function": ["fit"]},
            {"type": "Exception", "line": None, "function": None},
        ),
        (
            {"kinds": ["KeyError"], "line": "2", "function": "fit|.*"},
            {"type": "KeyError", "line": None, "function": None},
        ),
    ],
)
def test_an_error_is_what_was_there_before_the_candidate(said: object, error: dict[str, object]) -> None:
    assert error_of(said, SOURCE) == error
