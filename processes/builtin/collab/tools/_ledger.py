"""What was taken out of a bundle, counted by kind, and never by what it was."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from loom.kernel.redact import redact
from loom.science.disclosure import looks_personal

KINDS: Mapping[str, str] = {
    "unknown_keys": "keys that nobody has cleared",
    "texts": "free texts: what was seen, why, how",
    "paths": "paths and addresses",
    "secrets": "keys, tokens and passwords",
    "ids": "texts that look like somebody's: mail, telephone, card numbers",
    "names": "columns whose name says that their cells are somebody's, or that reads like a cell",
    "rare_levels": "levels that too few rows share, or that stand in such columns",
    "values": "numbers that are none, or not where they belong",
    "runs": "runs that have not ended",
}
"""Every kind, in words."""

_PATH = re.compile(
    r"(?:^|[\s\"'`(=,:])(?:~|\.{0,2})?[/\\][^\s/\\]|[A-Za-z]:[/\\]|[a-z][a-z0-9+.-]*://|\w+::\w+", re.I
)


class Ledger:
    """Counts what is left out. A text counts once, as the worst that it looks like."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def note(self, kind: str) -> None:
        """Count one thing."""
        if kind not in KINDS:
            raise ValueError(kind)
        self._counts[kind] += 1

    def leave(self, value: Any) -> None:
        """Count a value that does not fit where it stands, with everything in it."""
        pending = [value]
        while pending:
            each = pending.pop()
            if isinstance(each, Mapping):
                pending += [key for key in each if _is_odd(key)]
                pending += each.values()
            elif isinstance(each, list | tuple):
                pending += each
            elif isinstance(each, str):
                self.note(kind_of(each))
            elif each is not None:
                self.note("values")

    def leave_key(self, value: Any) -> None:
        """Count a key that is not on the list; of what stands below it, the texts count besides."""
        self.note("unknown_keys")
        texts = Ledger()
        texts.leave(value)
        self._counts.update({kind: n for kind, n in texts.counts.items() if kind != "values"})

    @property
    def counts(self) -> dict[str, int]:
        """How many things of each kind, kinds without any left out."""
        return {kind: self._counts[kind] for kind in KINDS if self._counts[kind]}


def kind_of(text: str) -> str:
    """What a text looks like to somebody who looks for trouble."""
    if redact(text) != text:
        return "secrets"
    if _PATH.search(text):
        return "paths"
    return "ids" if looks_personal([text]) else "texts"


def _is_odd(key: Any) -> bool:
    """Whether a key is data rather than a name for it."""
    return isinstance(key, str) and kind_of(key) != "texts"
