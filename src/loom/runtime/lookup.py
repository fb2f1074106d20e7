"""Finds what `${...}` stands for while a run goes on. A value keeps its type; nothing is ever evaluated."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loom.process.paths import NothingThereError, descend, dig
from loom.process.references import Reference, parse_reference
from loom.runtime.outcome import PhaseOutcome

_REFERENCE = re.compile(r"\$\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a phase may look up."""

    inputs: Mapping[str, Any]
    outcomes: Mapping[str, PhaseOutcome] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    item: Any = None


def fill(value: Any, scope: Scope) -> Any:
    """The value with every reference replaced by what it stands for."""
    if isinstance(value, str):
        return _fill_text(value, scope)
    if isinstance(value, Mapping):
        return {key: fill(each, scope) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [fill(each, scope) for each in value]
    return value


def look_up(text: str, scope: Scope) -> Any:
    """What one reference stands for, written with or without its braces."""
    parsed = parse_reference(text.removeprefix("${").removesuffix("}"))
    if not isinstance(parsed, Reference):
        raise NothingThereError(f"`{text}` is not a reference: {parsed.why}")
    return _value_of(parsed, scope)


def _fill_text(text: str, scope: Scope) -> Any:
    if "${" not in text:
        return text
    whole = _REFERENCE.fullmatch(text)
    if whole:
        return look_up(whole[1], scope)
    return _REFERENCE.sub(lambda found: _as_text(look_up(found[1], scope)), text)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _value_of(reference: Reference, scope: Scope) -> Any:
    steps = reference.steps
    if reference.root == "item":
        return descend(scope.item, steps, reference.text)
    if reference.root == "phases":
        return _of_phase(reference, scope)
    known = scope.inputs if reference.root == "inputs" else scope.run
    if known.get(steps[0].split("[")[0]) is None:
        return None  # an optional input that nobody gave, whatever was expected in it
    return descend(known, steps, reference.text)


def _of_phase(reference: Reference, scope: Scope) -> Any:
    phase, name, *rest = reference.steps
    outcome = scope.outcomes.get(phase)
    if outcome is None:
        raise NothingThereError(f"`{reference.text}`: {phase} has not run")
    if outcome.status == "skipped" and outcome.items is None:
        return None
    plain = {"deliverables": list(outcome.deliverables)}
    field_name = name.split("[")[0]
    value = plain.get(field_name) if field_name in plain else getattr(outcome, field_name)
    return descend({field_name: value}, (name, *rest), reference.text)


__all__ = ["NothingThereError", "Scope", "dig", "fill", "look_up"]
