"""Where a stage's input comes from, and when a stage runs: both point into the goal or another stage."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from loom.core.messages import OrchestratorGoal, TaskResult
from loom.core.names import is_token
from loom.core.plain import shown
from loom.kernel.diagnostics import suggest

GOAL = "goal"
Operator = Literal["==", "!="]
Scalar = str | int | float | bool | None

_QUOTED = re.compile(r"""'((?:[^']|'')*)'|"((?:[^"]|"")*)\"""")
_CONDITION = re.compile(r"""\s*(\S+)\s+(\S+)\s+('(?:[^']|'')*'|"(?:[^"]|"")*"|\S+)\s*""")
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("null", "Null", "NULL", "~")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Quoted:
    """A text that stands for itself."""

    text: str

    def read(self, context: Mapping[str, Any]) -> str:
        """The text, whatever the context."""
        return self.text


@dataclass(frozen=True, slots=True)
class Path:
    """A place in the goal or in the result of a stage."""

    root: str
    keys: tuple[str, ...]

    def read(self, context: Mapping[str, Any]) -> Any:
        """What stands there; a place that does not exist is a LookupError."""
        here: Any = context
        for key in (self.root, *self.keys):
            if isinstance(here, Mapping) and key in here:
                here = here[key]
            elif isinstance(here, list) and key.isdecimal() and key.isascii() and int(key) < len(here):
                here = here[int(key)]
            else:
                raise LookupError(f"{self} leads nowhere: there is no {shown(key)}")
        return here

    def __str__(self) -> str:
        return ".".join((self.root, *self.keys))


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison that decides whether a stage runs."""

    path: Path
    operator: Operator
    value: Scalar

    def holds(self, context: Mapping[str, Any]) -> bool:
        """Whether a stage runs; what does not exist counts as null.

        Values of different kinds differ: 5 is 5.0, but neither '5' nor true.
        """
        try:
            actual = self.path.read(context)
        except LookupError:
            actual = None
        return _equal(actual, self.value) is (self.operator == "==")


def parse_source(text: str) -> Quoted | Path:
    """Read one value of an `input_mapping`; a ValueError says what is wrong with it.

    A source is a text in quotes, where a doubled quote stands for one, or a dotted path into the goal
    (`goal.context.file`) or the result of a stage (`extract.output.pages.0`).
    """
    return Quoted(_unquote(text)) if text[:1] in ("'", '"') else _parse_path(text)


def parse_condition(text: str) -> Condition:
    """Read `path == value` or `path != value`; a ValueError says what is wrong with it.

    The value is null, true, false, a number, a word, or a text in quotes.
    """
    parts = text.split()
    found = _CONDITION.fullmatch(text)
    if found is None or (len(parts) != 3 and found[3][0] not in "'\""):
        said = f"must be 'path op value' (3 space-separated parts), got {len(parts)} parts"
        raise ValueError(f"{said}; a text with spaces stands in quotes" if len(parts) > 3 else said)
    path, operator, value = found.groups()
    if operator not in ("==", "!="):
        raise ValueError(f"operator must be '==' or '!=', got {shown(operator)}")
    place = _parse_path(path)
    if not place.keys:
        raise ValueError(f"compares all of {shown(path)}; name what in it, such as {path}.{_first(path)}")
    return Condition(place, "==" if operator == "==" else "!=", _parse_value(value))


def _parse_path(text: str) -> Path:
    root, *keys = text.split(".")
    if any(not key or key != key.strip() or any(quote in key for quote in "'\"") for key in (root, *keys)):
        raise ValueError(f"is not a dotted path: {shown(text)}")
    if not is_token(root):
        raise ValueError(f"cannot start with {shown(root)}: neither a goal nor a stage is called that")
    if keys:
        known = (OrchestratorGoal if root == GOAL else TaskResult).model_fields
        if keys[0] not in known:
            meant = suggest(keys[0], known)
            hint = f"did you mean '{meant}'?" if meant else f"there are {', '.join(known)}"
            raise ValueError(f"{shown(text)}: {_owner(root)} has no {shown(keys[0])}; {hint}")
    return Path(root, tuple(keys))


def _parse_value(text: str) -> Scalar:
    if text[0] in "'\"":
        return _unquote(text)
    if text in _WORDS:
        return _WORDS[text]
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except ValueError:
        return text
    if isinstance(value, int | float) and abs(value) < 10**300:
        return value
    raise ValueError(f"compares with {shown(text)}, which is neither a word nor a number; put it in quotes")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _unquote(text: str) -> str:
    found = _QUOTED.fullmatch(text)
    if found is None:
        raise ValueError(f"has a quote that is not closed, or not doubled inside: {shown(text)}")
    single, double = found.groups()
    return str(single).replace("''", "'") if single is not None else str(double).replace('""', '"')


def _owner(root: str) -> str:
    return "the goal" if root == GOAL else "the result of a stage"


def _first(root: str) -> str:
    return "instruction" if root == GOAL else "status"


def _equal(one: Any, other: Scalar) -> bool:
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other
    return isinstance(one, str) and isinstance(other, str) and one == other
