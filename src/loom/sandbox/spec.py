"""What a supervisor is told: plain values only, because they are marshalled."""

from __future__ import annotations

from typing import TypedDict


class Spec(TypedDict):
    """One program, and everything that its supervisor must know about it."""

    argv: list[str]
    env: dict[str, str]
    cwd: str
    level: str
    parent: int
    """The process that must live on; when it is gone, so is the program."""
    rlimits: dict[str, int | None]
    wall_s: float | None
    grace_s: float
    memory_bytes: int | None
    tasks: int | None
    network: bool
    processes: bool
    read: list[str]
    write: list[str]
    scratch: str
    """The folder to remove when Loom was killed and cannot; empty when there is none."""
