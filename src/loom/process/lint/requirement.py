"""One line of `dependencies:`, read as installers read it; addresses are left out on purpose."""

from __future__ import annotations

import re

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_BOUND = r"(?:===|==|~=|!=|<=|>=|<|>)\s*[A-Za-z0-9][A-Za-z0-9.*+!_-]*"
_BOUNDS = rf"{_BOUND}(?:\s*,\s*{_BOUND})*"
_OPERAND = r"""(?:[a-z_.]+|'[^'"]*'|"[^'"]*")"""
_TEST = rf"\(*\s*{_OPERAND}\s*(?:===|==|~=|!=|<=|>=|<|>|\bnot\s+in\b|\bin\b)\s*{_OPERAND}\s*\)*"
_REQUIREMENT = re.compile(
    rf"{_NAME}\s*(?:\[\s*{_NAME}(?:\s*,\s*{_NAME})*\s*\])?\s*"
    rf"(?P<bounds>{_BOUNDS}|\(\s*{_BOUNDS}\s*\))?\s*"
    rf"(?:;\s*{_TEST}(?:\s*\b(?:and|or)\b\s*{_TEST})*)?\Z"
)
_EXACT = re.compile(r"===?\s*[^*\s,()]+\Z")
MAX_REQUIREMENT = 500


def is_requirement(text: str) -> bool:
    """Whether a dependency is a name with optional extras, versions and a condition."""
    return len(text) <= MAX_REQUIREMENT and _REQUIREMENT.match(text.strip()) is not None


def is_pinned(text: str) -> bool:
    """Whether a requirement allows one version only."""
    found = _REQUIREMENT.match(text.strip()) if len(text) <= MAX_REQUIREMENT else None
    bounds = (found["bounds"] or "").strip("() ") if found else ""
    return any(_EXACT.match(bound.strip()) for bound in bounds.split(","))
