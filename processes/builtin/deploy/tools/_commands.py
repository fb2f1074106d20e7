"""What to type next: whole commands, quoted so that a shell takes every word as it is."""

from __future__ import annotations

import shlex


def command(verb: str, *flags: str, **options: str | None) -> str:
    """A call of a verb; options without a value are left out, flags come last."""
    words = ["loom", verb]
    for name, value in options.items():
        if value:
            words += [f"--{name}", value]
    return shlex.join([*words, *(f"--{flag}" for flag in flags)])
