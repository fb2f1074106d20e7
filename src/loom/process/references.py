"""`${...}` — a path lookup, never code: parsed here, checked at load, resolved at run time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from loom.kernel.diagnostics import KeyPath
from loom.kernel.document import walk

_REFERENCE = re.compile(r"\$\{([^{}]*)\}")
_STEP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(?:\[\d+\])*\Z")
PHASE_FIELDS = ("data", "pathspec", "deliverables", "verdict", "summary")
RUN_FIELDS = ("id", "experiment_id", "workspace", "goal", "seed")
ROOTS = ("inputs", "phases", "item", "run")


@dataclass(frozen=True, slots=True)
class Reference:
    """One lookup: where it starts and the steps below."""

    text: str
    root: str
    steps: tuple[str, ...]

    @property
    def phase(self) -> str | None:
        """The phase it reads from, if any."""
        return self.steps[0] if self.root == "phases" else None


@dataclass(frozen=True, slots=True)
class BadReference:
    """A lookup that cannot mean anything, and why."""

    text: str
    why: str


def parse_reference(text: str) -> Reference | BadReference:
    """Read what stands between the braces."""
    steps = tuple(text.strip().split("."))
    if not all(_STEP.match(step) for step in steps):
        return BadReference(text, "a reference is words joined by dots, with list indexes in brackets")
    root = steps[0]
    if root not in ROOTS:
        return BadReference(text, f"it starts with `{root}`; a reference starts with {', '.join(ROOTS)}")
    if root == "inputs" and len(steps) < 2:
        return BadReference(text, "it names no input")
    if root == "run" and (len(steps) != 2 or steps[1] not in RUN_FIELDS):
        return BadReference(text, f"`run` has {', '.join(RUN_FIELDS)}")
    if root == "phases" and len(steps) < 3:
        return BadReference(text, f"a phase is followed by one of {', '.join(PHASE_FIELDS)}")
    if root == "phases" and steps[2].split("[")[0] not in PHASE_FIELDS:
        return BadReference(text, f"`{steps[2]}` is not one of {', '.join(PHASE_FIELDS)}")
    return Reference(text, root, steps[1:])


def references_in(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Reference | BadReference]]:
    """Every reference in a value, however deep, with the path of the text that holds it."""
    for here, node in walk(value, path):
        if not isinstance(node, str) or "${" not in node:
            continue
        matches = _REFERENCE.findall(node)
        if node.count("${") != len(matches):
            yield here, BadReference(node, "a `${` is not closed by `}`")
        for text in matches:
            yield here, parse_reference(text)
