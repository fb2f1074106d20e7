"""What to type next: whole commands, quoted so that a shell takes every name as it is."""

from __future__ import annotations

import shlex
from collections.abc import Sequence


def command(verb: str, **options: str | Sequence[str] | None) -> str:
    """A call of a verb; options without a value are left out, parts of a time are joined by commas."""
    words = ["loom", verb]
    for name, value in options.items():
        if value:
            words += [f"--{name.rstrip('_')}", value if isinstance(value, str) else ",".join(value)]
    return shlex.join(words)
