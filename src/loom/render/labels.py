"""Words for the parts of a plan, the same in every drawing and table."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

from loom.process.plan import Step
from loom.process.spec.run import Requirement


def runs_as(step: Step) -> str:
    """Who carries a phase out: a tool, a process or a model."""
    run = step.phase.run
    if run is None:
        return f"model tier {step.phase.model_tier}"
    return f"tool {run.tool}" if run.tool else f"process {run.process}"


def condition(gate: Requirement) -> str:
    """What an entry gate asks of the phase before it."""
    return f"{gate.field} {gate.operator} {word(gate.value)}"


def word(value: Any) -> str:
    """A plain value as an author would write it."""
    if isinstance(value, str):
        return value or '""'
    if value is None:
        return "nothing"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(word(item) for item in value)}]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def count(number: int, noun: str) -> str:
    """A number with its noun: `1 phase`, `1,500 phases`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def columns(text: str) -> int:
    """Terminal columns a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def shorten(text: str, width: int) -> str:
    """A text that fits, its middle left out when it must be: both ends tell names apart."""
    if columns(text) <= width:
        return text
    head, tail = text[: max(1, width * 3 // 5)], ""
    while columns(head) + 1 > width and len(head) > 1:
        head = head[:-1]
    for c in reversed(text):
        if columns(head) + 1 + columns(tail) + columns(c) > width:
            break
        tail = c + tail
    return f"{head}…{tail}"
