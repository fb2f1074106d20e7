"""Regular expressions from packages: compiled with a reason on failure, searched with a time limit."""

from __future__ import annotations

import re
import re._parser as parser  # type: ignore[import-not-found]
import warnings
from functools import lru_cache
from typing import Any

import regex

from loom.process.ambiguity import REPEATS, TooLargeError, inside, is_exponential

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
        # one engine's grammar and the other's time limit; the first also counts what the second would build
        if _size(_parsed(pattern)) > MAX_PATTERN:
            raise PatternError("the pattern repeats too often")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
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
        if is_exponential(_parsed(pattern)):
            return "a repeat can match the same text in more than one way"
    except (re.error, RecursionError, OverflowError, TooLargeError):
        return None
    return None


def _parsed(pattern: str) -> Any:
    # what the engines warn about is not for whoever reads the findings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return parser.parse(pattern)


def _size(parsed: Any) -> int:
    """How many elements a pattern has once its repeats are written out as often as they must match."""
    size = 0
    pending = [(item, 1) for item in parsed]
    while pending and size <= MAX_PATTERN:
        item, times = pending.pop()
        size += times
        if item[0] in REPEATS:
            times *= max(1, item[1][0])
        pending += [(inner, times) for inner in inside(*item)]
    return size
