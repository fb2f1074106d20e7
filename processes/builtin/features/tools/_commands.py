"""What to type next: whole commands, quoted so that a shell takes every name as it is."""

from __future__ import annotations

import shlex

FOLLOWING = ("viz", "eda")
"""The verbs that take features as they are, in the order in which they make sense."""


def command(verb: str, **options: str | None) -> str:
    """A call of a verb; options without a value are left out."""
    words = ["loom", verb]
    for name, value in options.items():
        if value:
            words += [f"--{name}", value]
    return shlex.join(words)
