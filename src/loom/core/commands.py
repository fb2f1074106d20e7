"""What to type next: whole commands, quoted so that a shell takes every name as it is."""

from __future__ import annotations

import shlex
from collections.abc import Sequence


def command(verb: str, *flags: str, **options: str | Sequence[str] | None) -> str:
    """A call of a verb. Options without a value are left out, several columns are joined by commas, flags come last.

    An underscore in a name is a hyphen; one at its end is left out, for names that Python keeps to itself.
    """
    words = ["loom", verb]
    for name, value in options.items():
        if value:
            option = name.rstrip("_").replace("_", "-")
            words += [f"--{option}", value if isinstance(value, str) else ",".join(value)]
    return shlex.join([*words, *(f"--{flag}" for flag in flags)])
