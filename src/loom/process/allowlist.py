"""Commands an iteration gate may run."""

from __future__ import annotations

from collections.abc import Sequence

from loom.settings.model import ALLOWLISTED_PREFIXES


def is_allowlisted(command: Sequence[str], prefixes: Sequence[str] = ALLOWLISTED_PREFIXES) -> bool:
    """Whether a command starts with the words of one of the prefixes."""
    return any(
        tuple(command[: len(words)]) == words for words in (tuple(prefix.split()) for prefix in prefixes)
    )
