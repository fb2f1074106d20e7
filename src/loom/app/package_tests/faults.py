"""Failures that a case brings about: a tool answers with one instead of being called."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from loom.core.messages import ErrorKind
from loom.process.spec.tests import Fault
from loom.tools.results import ToolResult

_Error = Literal["timeout", "error", "unavailable", "permission", "invalid"]

# what a real failure of that sort would be classed as, and what it would say
KINDS: dict[_Error, tuple[ErrorKind, str]] = {
    "timeout": ("timeout", "{tool} took too long"),
    "error": ("tool", "{tool} failed"),
    "unavailable": ("io", "{tool} could not reach what it needs"),
    "permission": ("safety", "{tool} was not allowed to do this"),
    "invalid": ("contract", "{tool} was given something it cannot use"),
}


class Faults:
    """The faults of one case: called before each tool, it answers with a failure or with nothing.

    An attempt is counted by calls: a call that is tried again after a failure is the next attempt.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = tuple(faults)
        self._calls: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self.fired: set[int] = set()
        """Which faults came about, by their place."""

    def __call__(self, tool: str, phase: str, attempt: int) -> ToolResult | None:
        """The failure that this call ends in, if it is to fail."""
        with self._lock:
            self._calls[tool, phase] += 1
            call = self._calls[tool, phase]
            for place, fault in enumerate(self._faults):
                if fault.tool == tool and fault.phase in (None, phase) and fault.attempt in (0, call):
                    self.fired.add(place)
                    return _failure(fault)
        return None


def _failure(fault: Fault) -> ToolResult:
    kind, said = KINDS[fault.error]
    return ToolResult.fail(fault.message or said.format(tool=fault.tool), kind=kind)
