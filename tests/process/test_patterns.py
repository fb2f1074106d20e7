"""Patterns of packages: a reason when they are broken, a warning when they may explode, a limit anyway."""

from __future__ import annotations

import itertools
import re
import warnings

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.process.patterns import (
    MAX_PATTERN,
    PatternError,
    PatternTimeoutError,
    catastrophe,
    compile_pattern,
    search,
)

# each can read some text in exponentially many ways, or in so many that it makes no difference
EXPLOSIVE = (
    r"(a+)+$",
    r"(a*)*$",
    r"(a|a)*$",
    r"(a|aa)+$",
    r"(a|a?)+$",
    r"(a|b|ab)*c",
    r"(a+|b)+c",
    r"(a*b*)+c",
    r"(?:a?b?)*c",
    r"(x+x+)+y",
    r"(?:a{2,})+$",
    r"(a{1,5})+$",
    r"(b?(a+))+c",
    r"((?:a|b+)c?)+d",
    r"(?:(a|b)|(b|c))+$",
    r"((a|b)+)+c",
    r"(\w+\s?)*$",
    r"(\s*(\w+))+$",
    r"(?:\w+\s*,?)+;",
    r"(?:\s|\s\s)+x",
    r"(\d{1,3},?)+$",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}",
    r"\[(?:[^\]]+,?)+\)",
    r"(?:[^\"]+|\"[^\"]*\")*;",
    r"(?:\n\s*)+x",
    r"(?:\| .*? )+\|",
    r"(?=(a+)+$)b",
    r"(?>(a+)+)b",
    r"(.*a){20}$",
    r"(.*?,){30}P",
    r"(a+){12}$",
)
HARMLESS = (
    r"a+$",
    r"\[TBD\]",
    r"\[(TBD|TODO|INSERT|PLACEHOLDER)\]|\bXX+%",
    r"(TBD|TODO)+",
    r"(?:foo|bar|baz|fob)+",
    r"(?:\d+,)*\d+",
    r"\d{1,3}(,\d{3})*",
    r"(\d+\.){3}\d+",
    r"(?:\d{4}-)+",
    r"(?:\w+\.)+\w+",
    r"(\s+\w+)+$",
    r"(?:,\s*\w+)*",
    r"(?:foo\s*)+",
    r"[^\"]*\"[^\"]*\"",
    r"\"(?:[^\"\\]|\\.)*\"",
    r"(?:a|b)*c",
    r"(?:ab)+c",
    r"(ab?)+c",
    r"(?:a+b)+c",
    r"(?:a{3})+b",
    r"(a?)+b",
    r"(a++)+b",
    r"(?>a+)+b",
    r"(?:(?!TBD).)+",
    r"(?!x)(?:\w+;)+",
    r"(?:[ \t]*\n)+",
    r"(?:-{3,}\n)+",
    r"^#{1,6} .+$",
    r"^\s*-\s+\S",
    r"(\w+)\s+\1",
    r"(?<!\d)\d{4}(?!\d)",
    r"(?:https?://)?[\w.-]+\.[a-z]{2,}",
    r".*foo.*bar",
    r"(a)?(?(1)b|c)+",
    r"",
)


@pytest.mark.parametrize("pattern", EXPLOSIVE)
def test_a_pattern_that_may_explode_is_found(pattern: str) -> None:
    assert catastrophe(pattern) == "a repeat can match the same text in more than one way"


@pytest.mark.parametrize("pattern", HARMLESS)
def test_a_pattern_that_cannot_explode_is_left_alone(pattern: str) -> None:
    assert catastrophe(pattern) is None


# small patterns, built from what makes repeats ambiguous
ATOMS = st.sampled_from(["a", "b", "[ab]", "a?", "b*", "a+", "ab", "(?:a|b)", "a{2}", "a{1,2}"])
BODIES = st.lists(ATOMS, min_size=1, max_size=3).map("".join)


def ways(body: str, text: str) -> int:
    """In how many ways rounds of the body, none of them empty, make up the text."""
    counted = [1] + [0] * len(text)
    for end in range(1, len(text) + 1):
        counted[end] = sum(
            counted[start] * bool(counted[start] and re.fullmatch(body, text[start:end]))
            for start in range(end)
        )
    return counted[-1]


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(BODIES, BODIES)
def test_a_repeat_that_splits_no_text_in_two_ways_is_not_warned_about(one: str, other: str) -> None:
    body = f"(?:{one}|{other})"
    texts = ["".join(letters) for size in range(1, 7) for letters in itertools.product("ab", repeat=size)]
    if catastrophe(f"{body}+") is None:
        # each way inside a round counts as well, but a split between rounds can be counted from outside
        assert max(ways(body, text) for text in texts) == 1


def test_the_verdict_takes_no_time_whatever_the_pattern() -> None:
    hostile = (
        "(?:" * 2_000 + "a" + ")*" * 2_000,
        "((a{1,9}){1,9}){1,9}" * 100,
        "(?:" * 40 + "^" + "){2}" * 40,
        "(?>" * 100 + "a+" + ")" * 100,
        "(?:" + "|".join(f"{chr(0x4E00 + n)}x" for n in range(3_000)) + ")+",
        "(" + "a?" * 2_000 + ")+",
        "[" + "".join(chr(0x4E00 + n) for n in range(9_000)) + "]+",
    )
    for pattern in hostile:
        assert catastrophe(pattern) in (None, "a repeat can match the same text in more than one way")


@pytest.mark.parametrize(
    "pattern", ["(", "[", "a**", "(?<n>a)", "\\", "(?P<1>a)", "a{2,1}", "(?<=a+)b", "a(?i)b", r"\p{L}"]
)
def test_a_broken_pattern_says_why_and_where(pattern: str) -> None:
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    assert caught.value.why
    assert caught.value.position is None or 0 <= caught.value.position <= len(pattern)
    assert catastrophe(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    [
        "a" * (MAX_PATTERN + 1),
        "(" * 5_000 + ")" * 5_000,
        "(?:(?:a{1000}){1000}){1000}",
        "a{100000}",
        "(?:ab){0}(?:c{200}){200}",
        "a{99999999999999999999}",
        "(?:(?:(?:a|b){1000}){1000}){1,1000}",
    ],
)
def test_a_pattern_that_would_fill_the_memory_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    assert any(word in caught.value.why for word in ("limit", "deeply", "too often"))


@pytest.mark.parametrize("pattern", ["[[a]", "[a&&b]", "[a||b]", "[[:alpha:]]", "[a~~b]"])
def test_what_the_engines_warn_about_is_not_printed(pattern: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compile_pattern.cache_clear()
        compile_pattern(pattern)
        catastrophe(pattern)
    assert not caught


@settings(max_examples=400, derandomize=True, deadline=None, database=None)
@given(st.text(r"ab(|)*+?{}[]^$.\dws1,-=!<>:P'", max_size=14))
def test_any_text_compiles_or_says_why(pattern: str) -> None:
    catastrophe(pattern)
    try:
        compiled = compile_pattern(pattern)
    except PatternError as error:
        assert error.why
    else:
        assert isinstance(compiled, regex.Pattern)


def test_lines_count_for_anchors() -> None:
    assert search(r"^b$", "a\nb\nc") is not None
    assert search(r"^b$", "abc") is None


def test_the_first_match_is_returned() -> None:
    found = search(r"\[(TBD|TODO)\]", "one [TODO], two [TBD]")
    assert found is not None
    assert found.span() == (4, 10)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a|a)*$", "a" * 60 + "!"),
        ("(a|aa)+$", "a" * 90 + "!"),
        (r"(?:\s|\s\s)+x", "x" + " " * 90),
        ("(?:(a|b)|(b|c))+$", "b" * 60 + "!"),
    ],
)
def test_a_search_that_explodes_ends_at_its_limit(pattern: str, text: str) -> None:
    # without the limit each of these takes longer than anybody would wait
    with pytest.raises(PatternTimeoutError, match=r"took longer than 0\.05 s"):
        search(pattern, text, seconds=0.05)


def test_a_limit_that_is_met_is_a_timeout_like_any_other() -> None:
    assert issubclass(PatternTimeoutError, TimeoutError)
    assert issubclass(PatternError, ValueError)
