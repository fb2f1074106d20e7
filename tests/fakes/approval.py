"""The ports of approval in memory: a store, a key, a clock, a person at a terminal, and tools that say what they do."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from loom.runtime.grants import GrantRecord
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult


class MemoryGrants:
    """Keeps grants as long as the test runs."""

    def __init__(self) -> None:
        self.records: dict[str, GrantRecord] = {}
        self._lock = threading.Lock()

    def add(self, record: GrantRecord) -> None:
        with self._lock:
            assert record.id not in self.records
            self.records[record.id] = record

    def get(self, grant_id: str) -> GrantRecord | None:
        return self.records.get(grant_id)

    def of_run(self, run_id: str) -> tuple[GrantRecord, ...]:
        found = [record for record in self.records.values() if record.run_id == run_id]
        return tuple(sorted(found, key=lambda record: record.minted))

    def spend(self, grant_id: str, at: float) -> bool:
        with self._lock:
            record = self.records.get(grant_id)
            if record is None or record.spent is not None:
                return False
            self.records[grant_id] = replace(record, spent=at)
            return True


class MemoryKey:
    """A key that lies in no file."""

    def __init__(self, key: bytes = b"the key of this home") -> None:
        self._key = key

    def seal(self, value: object) -> str:
        return hmac.new(self._key, json.dumps(value, sort_keys=True).encode(), hashlib.sha256).hexdigest()

    def fits(self, value: object, seal: str) -> bool:
        return self.seal(value) == seal


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Person:
    """Somebody at a terminal who has made up their mind."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def confirm(self, text: str) -> bool:
        self.asked.append(text)
        return self.answer


class Does(Tool):
    """A tool that says what it does, or does not."""

    parameters: ClassVar[dict[str, Any]] = {"type": "object"}
    description = "Does what it says."
    name = ""

    def __init__(self, name: str, *effects: Effect, when_applied: tuple[Effect, ...] = ()) -> None:
        self.name = name
        self._effects, self._applied = frozenset(effects), frozenset(when_applied)

    @property
    def effects(self) -> frozenset[Effect]:
        return self._effects | self._applied

    def effects_of(self, args: Mapping[str, Any]) -> frozenset[Effect]:
        return self.effects if args.get("apply") is True else self._effects

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        return ToolResult.ok("done")


class Mystery(Tool):
    """A tool that says nothing about what it does."""

    name = "mystery"
    description = "Who knows."
    parameters: ClassVar[dict[str, Any]] = {"type": "object"}

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        return ToolResult.ok("done")
