"""Commands an iteration gate may run."""

from __future__ import annotations

from collections.abc import Sequence

ALLOWLISTED_PREFIXES = (
    "pytest",
    "uv run pytest",
    "python -m pytest",
    "python3 -m pytest",
    "ruff check",
    "npm test",
    "pnpm test",
    "bun test",
    "go test",
    "cargo test",
    "make test",
)


def is_allowlisted(command: Sequence[str], prefixes: Sequence[str] = ALLOWLISTED_PREFIXES) -> bool:
    """Whether a command starts with the words of one of the prefixes."""
    return any(
        tuple(command[: len(words)]) == words for words in (tuple(prefix.split()) for prefix in prefixes)
    )
