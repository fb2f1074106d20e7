"""Keeps secrets out of what is said about the surroundings."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from loom.kernel.redact import redact

HIDDEN = "<REDACTED:setting>"

_WATCHED = ("METAFLOW_", "AWS_", "ANTHROPIC_", "OPENAI_", "AZURE_", "GOOGLE_")
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH|HEADER|COOKIE|DSN|SIGNATURE", re.I)
_PLACE_NAME = re.compile(r"HOME|PATH|ROOT|URL|ENDPOINT|FILE|BUNDLE|CACHE|DIR|WORKSPACE", re.I)
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]{1,15}://|/|~)", re.I)
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]{2,12}){1,3}-[0-9]\Z")
_WORDS = frozenset({"local", "service", "true", "false", "none", "null", "azure", "boto3", "auto"})
_SHORTEST_SECRET, _SHORTEST = 6, 12
"""What is shorter stands in too many harmless words to be looked for."""


class Screen:
    """Takes the values of settings out of texts, wherever they do not have to be shown."""

    def __init__(self, settings: Mapping[str, Any], harmless: Collection[str] = ()) -> None:
        """Settings by name, from the environment or a file; those that are harmless may be shown."""
        hidden = {
            text
            for name, value in settings.items()
            if name not in harmless
            for text in _hidden(name, value if isinstance(value, str) else json.dumps(value))
        }
        # a value that holds another goes first
        self._hidden = sorted(hidden, key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without secrets."""
        for value in self._hidden:
            text = text.replace(value, HIDDEN)
        return redact(text)

    def plain(self, value: Any) -> Any:
        """The same plain data, with every text in it cleaned."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Path):
            return self.text(str(value))
        if isinstance(value, Mapping):
            return {key: self.plain(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.plain(each) for each in value]
        return value


def _hidden(name: str, value: str) -> Iterator[str]:
    secret = bool(_SECRET_NAME.search(name))
    if not secret and not name.startswith(_WATCHED):
        return
    if not secret and _PLACE_NAME.search(name) and _ADDRESS.match(value):
        return
    if name.endswith("REGION") and _REGION.match(value):
        return
    shortest = _SHORTEST_SECRET if secret else _SHORTEST
    for text in (value, *_leaves(value)):
        stripped = text.strip()
        if len(stripped) >= shortest and stripped.lower() not in _WORDS:
            yield stripped


def _leaves(value: str) -> Iterator[str]:
    """The texts inside a setting that is written as JSON."""
    if not value.startswith(("{", "[", '"')):
        return
    try:
        pending = [json.loads(value)]
    except (ValueError, RecursionError):
        return
    while pending:
        node = pending.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, dict):
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
