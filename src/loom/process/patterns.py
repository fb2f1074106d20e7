"""Regular expressions from packages: compiled with a reason on failure, searched with a time limit."""

from __future__ import annotations

import re
import re._constants as ops  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from functools import lru_cache
from typing import Any

import regex

SEARCH_SECONDS = 2.0
MAX_PATTERN = 10_000


class PatternError(ValueError):
    """A pattern that cannot be compiled: why, and at which character."""

    def __init__(self, why: str, position: int | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.position = position


class PatternTimeoutError(TimeoutError):
    """A search that took longer than it may."""


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> regex.Pattern[str]:
    """Compile a pattern as multi-line text search, or say why it cannot be."""
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"the pattern has {len(pattern):,} characters; the limit is {MAX_PATTERN:,}")
    try:
        re.compile(pattern)
        return regex.compile(pattern, regex.MULTILINE)
    except re.error as error:
        raise PatternError(error.msg, error.pos) from None
    except regex.error as error:
        raise PatternError(str(error)) from None
    except (RecursionError, OverflowError):
        raise PatternError("the pattern is nested too deeply or repeats too often") from None


def search(pattern: str, text: str, seconds: float = SEARCH_SECONDS) -> regex.Match[str] | None:
    """The first match, or a timeout; a pattern can never hang a run."""
    try:
        return compile_pattern(pattern).search(text, timeout=seconds)
    except TimeoutError:
        raise PatternTimeoutError(f"the pattern {pattern!r} took longer than {seconds:g} s") from None


def catastrophe(pattern: str) -> str | None:
    """Why a pattern may take exponential time on the wrong text, if it may."""
    try:
        parsed = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return None
    return _ambiguous_repeat(list(parsed))


def _ambiguous_repeat(items: list[Any]) -> str | None:
    """An unbounded repeat whose body can match the same text in more than one way."""
    pending = list(items)
    while pending:
        op, argument = pending.pop()
        if op in _REPEATS:
            _, most, body = argument
            if most == ops.MAXREPEAT:
                why = _ambiguity(list(body))
                if why:
                    return why
        pending.extend(_inside(op, argument))
    return None


_REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT)


def _inside(op: Any, argument: Any) -> list[Any]:
    if op in _REPEATS or op is ops.POSSESSIVE_REPEAT:
        return list(argument[2])
    if op is ops.SUBPATTERN:
        return list(argument[3])
    if op is ops.BRANCH:
        return [item for branch in argument[1] for item in branch]
    if op in (ops.ASSERT, ops.ASSERT_NOT):
        return list(argument[1])
    return list(argument) if op is ops.ATOMIC_GROUP else []


def _ambiguity(body: list[Any]) -> str | None:
    while len(body) == 1 and body[0][0] is ops.SUBPATTERN:
        body = list(body[0][1][3])
    if len(body) == 1 and body[0][0] is ops.BRANCH:
        branches = [list(branch) for branch in body[0][1][1]]
        firsts = [_alphabet(branch[:1]) for branch in branches]
        for index, first in enumerate(firsts):
            if any(first & other for other in firsts[index + 1 :]) or not branches[index]:
                return "alternatives inside a repeat can match the same text"
        for branch in branches:
            if (why := _ambiguity(branch)) is not None:
                return why
        return None
    repeated = [item for item in body if item[0] in _REPEATS and item[1][1] == ops.MAXREPEAT]
    if not repeated:
        return None
    # a part that must come between two rounds of the inner repeat keeps the rounds apart
    inner = _alphabet(repeated)
    separators = [item for item in body if item not in repeated and not _optional(item)]
    if any(not (_alphabet([item]) & inner) for item in separators):
        return None
    return "a repeat inside a repeat can split the same text in many ways"


def _optional(item: Any) -> bool:
    return item[0] is ops.AT or (item[0] in _REPEATS and item[1][0] == 0)


_SAMPLE = frozenset(chr(code) for code in range(256))


def _alphabet(items: list[Any]) -> frozenset[str]:
    """Characters (of the first 256) that any of these items can match."""
    found: set[str] = set()
    for op, argument in items:
        if op is ops.LITERAL:
            found.add(chr(argument))
        elif op is ops.NOT_LITERAL:
            found |= _SAMPLE - {chr(argument)}
        elif op is ops.ANY:
            found |= _SAMPLE
        elif op is ops.IN:
            found |= _class(argument)
        else:
            found |= _alphabet(_inside(op, argument))
    return frozenset(found)


def _class(members: list[Any]) -> set[str]:
    found: set[str] = set()
    negated = False
    for op, argument in members:
        if op is ops.NEGATE:
            negated = True
        elif op is ops.LITERAL:
            found.add(chr(argument))
        elif op is ops.RANGE:
            low, high = argument
            found |= {chr(code) for code in range(low, min(high, 255) + 1)}
        elif op is ops.CATEGORY:
            found |= {char for char in _SAMPLE if _CATEGORIES[argument](char)}
    return set(_SAMPLE) - found if negated else found


_CATEGORIES: dict[Any, Any] = {
    ops.CATEGORY_DIGIT: str.isdigit,
    ops.CATEGORY_NOT_DIGIT: lambda c: not c.isdigit(),
    ops.CATEGORY_SPACE: str.isspace,
    ops.CATEGORY_NOT_SPACE: lambda c: not c.isspace(),
    ops.CATEGORY_WORD: lambda c: c.isalnum() or c == "_",
    ops.CATEGORY_NOT_WORD: lambda c: not (c.isalnum() or c == "_"),
}
