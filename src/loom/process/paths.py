"""Follows a dotted path into plain data, such as `report.scores[0].value`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_STEP = re.compile(r"([^\[\]]*)((?:\[\d{1,9}\])*)")
_INDEX = re.compile(r"\d+")
_SHOWN_KEYS = 10


class NothingThereError(LookupError):
    """A path leads nowhere; says how far it went."""


def dig(value: Any, path: str) -> Any:
    """The value at a dotted path with list indexes; NothingThereError where it ends early."""
    return descend(value, path.split("."), path)


def descend(value: Any, steps: Sequence[str], shown: str) -> Any:
    """The value below, one step after the other; `shown` is how the path is written."""
    for step in steps:
        written = _STEP.fullmatch(step)
        if written is None or not step:
            raise NothingThereError(f"`{shown}` is not a path: `{step}` is neither a name nor an index")
        name, indexes = written[1], _INDEX.findall(written[2])
        if name:
            if not isinstance(value, Mapping) or name not in value:
                raise NothingThereError(f"`{shown}` leads nowhere: no `{name}` in {_described(value)}")
            value = value[name]
        for index in indexes:
            if not isinstance(value, list | tuple) or int(index) >= len(value):
                raise NothingThereError(f"`{shown}` leads nowhere: there is no item {index}")
            value = value[int(index)]
    return value


def _described(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(map(str, list(value)[:_SHOWN_KEYS])) or "an empty mapping"
    if value is None:
        return "null"
    return "a list" if isinstance(value, list | tuple) else f"a {type(value).__name__}"
