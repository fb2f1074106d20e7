"""What JSON can carry: data that leaves one side and arrives on the other as the same."""

from __future__ import annotations

import math
from typing import Any

from loom.kernel.diagnostic_formats import clean

MAX_DEPTH = 64
_TOO_LARGE = 10**300


def why_not_json(value: Any) -> str:
    """Why a value cannot make the way through JSON unchanged, and where; empty when it can."""
    # an entry: the node, how deep it lies, the entry around it, and its key there
    pending: list[Any] = [(value, 0, None, None)]
    while pending:
        entry = pending.pop()
        node, depth = entry[0], entry[1]
        wrong = _wrong_here(node)
        if not wrong and isinstance(node, dict | list):
            if depth >= MAX_DEPTH:
                wrong = f"is nested more than {MAX_DEPTH} levels deep"
            else:
                children = node.items() if isinstance(node, dict) else enumerate(node)
                pending.extend((child, depth + 1, entry, key) for key, child in children)
        if wrong:
            return f"{_place(entry)} {wrong}"
    return ""


def shown(value: Any) -> str:
    """A value in quotes, short and harmless enough for a line of a message."""
    try:
        text = str(value)
    except (ValueError, RecursionError):
        return f"a huge {type(value).__name__}"
    return f"'{clean(text)}'" if len(text) <= 80 else f"'{clean(text[:79])}…'"


def _wrong_here(node: Any) -> str:
    if node is None or isinstance(node, bool | list):
        return ""
    if isinstance(node, str):
        return "" if _is_text(node) else "holds half of a surrogate pair"
    if isinstance(node, int):
        return "" if -_TOO_LARGE < node < _TOO_LARGE else "has more than 300 digits"
    if isinstance(node, float):
        return "" if math.isfinite(node) else f"is {node}, which JSON has no number for"
    if isinstance(node, dict):
        if not all(isinstance(key, str) for key in node):
            return "has a key that is not text"
        return "" if all(map(_is_text, node)) else "has a key that holds half of a surrogate pair"
    return f"is a {type(node).__name__}, which JSON cannot carry"


def _is_text(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _place(entry: Any) -> str:
    """A key path as people write it; the value itself has the path `it`."""
    parts: list[str] = []
    while entry[2] is not None:
        _, _, entry, key = entry
        parts.append(f"[{key}]" if isinstance(key, int) else f".{shown(key)[1:-1]}")
    return "".join(reversed(parts)).removeprefix(".") or "it"
