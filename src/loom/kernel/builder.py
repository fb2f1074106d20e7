"""libyaml's events to plain data: strict, bounded, and collecting every complaint."""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs leave it out

from loom.kernel.diagnostics import START, Diagnostic, Edit, KeyPath, Source, dotted
from loom.kernel.positions import span_of

MAX_DEPTH = 64
MAX_COMPLAINTS = 1000
MAX_DIGITS = 300
LARGEST = 10**300

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_INFINITE = (float("inf"), float("-inf"))
_NUMERIC = frozenset("-+.0123456789")


class StopError(Exception):
    """Reading cannot go on past this point."""


_KEY = object()  # the next scalar is a key
_ITEM = object()  # the open container is a list
_IGNORED = object()  # the value belongs to a key that was already written


class Builder:
    """Turns libyaml's events into data; knows nothing about processes, and nothing about positions
    except those it complains about (kernel/positions.py finds the rest when somebody asks)."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: list[Diagnostic] = []
        self.dropped: list[KeyPath] = []
        self.nulls: list[KeyPath] = []
        self.data: Any = None
        # the open containers around the current one, each with the key it waits to fill
        self.stack: list[tuple[Any, Any]] = []

    def build(self) -> None:
        """Consume the whole stream; one long loop because it is the hot path."""
        get_event, stack = CParser(self.source.text).get_event, self.stack
        scalar, map_start, map_end = yaml.ScalarEvent, yaml.MappingStartEvent, yaml.MappingEndEvent
        seq_start, seq_end = yaml.SequenceStartEvent, yaml.SequenceEndEvent
        container: Any = []  # the stream itself, a list of documents
        key: Any = _ITEM
        documents = 0
        while True:
            event: Any = get_event()
            kind = type(event)
            if kind is scalar:
                value = event.value
                if event.anchor is not None or event.tag is not None:
                    self._refuse_properties(event)
                if key is _KEY:
                    if not event.style and (value in _WORDS or (value[0] in _NUMERIC and _is_number(value))):
                        self._refuse_key(event, container)
                    key = value
                    if key in container:
                        self._refuse_duplicate(event, container)
                        key = _IGNORED
                    continue
                if not event.style:
                    if value in _WORDS:
                        value = _WORDS[value]
                        if value is None and key is not _IGNORED:
                            at = len(container) if key is _ITEM else key
                            self.nulls.append((*self._path(container), at))
                    elif value[0] in _NUMERIC:
                        value = self._number(event, container, key)
                if key is _ITEM:
                    container.append(value)
                else:
                    if key is not _IGNORED:
                        container[key] = value
                    key = _KEY
            elif kind is map_start or kind is seq_start:
                if event.anchor is not None or event.tag is not None:
                    self._refuse_properties(event)
                if len(stack) >= MAX_DEPTH:
                    self._fatal(
                        "LM111",
                        event,
                        "the document is nested too deeply",
                        f"more than {MAX_DEPTH} levels",
                        "flatten it",
                    )
                if key is _KEY:
                    self._fatal(
                        "LM112",
                        event,
                        "a key must be text",
                        "a list or mapping cannot be a key",
                        "write a plain word",
                    )
                child: Any = {} if kind is map_start else []
                if key is _ITEM:
                    container.append(child)
                elif key is not _IGNORED:
                    container[key] = child
                stack.append((container, key))
                container, key = child, _KEY if kind is map_start else _ITEM
            elif kind is map_end or kind is seq_end:
                container, key = stack.pop()
                if key is not _ITEM:
                    key = _KEY
            elif kind is yaml.AliasEvent:
                key = self._alias(event, container, key)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self._fatal(
                        "LM110", event, "more than one document in the file", "a second `---`", "keep one"
                    )
            elif kind is yaml.StreamEndEvent:
                break
        if documents == 0 or (container == [None] and not self.found):
            found = Diagnostic(
                "LM113",
                "error",
                "the file is empty",
                START,
                "",
                "nothing is declared",
                "loom process new NAME",
            )
            self.found.append(found)
            raise StopError
        self.data = container[0] if container else None

    def _alias(self, event: Any, container: Any, key: Any) -> Any:
        """Refuse an alias and leave a hole where it stood; returns what the reader expects next."""
        name = f"`*{event.anchor}`"
        if key is _KEY:
            self._fatal(
                "LM108", event, "aliases are not allowed", f"{name} is used as a key", "write the key out"
            )
        if not self.stack:
            self._fatal("LM108", event, "aliases are not allowed", f"{name} is all there is", "write it out")
        path = self._path(container)
        if key is _ITEM:
            path = (*path, len(container))
            container.append("")
        elif key is not _IGNORED:
            path = (*path, key)
        if key is not _IGNORED:
            self.dropped.append(path)
        self._complain(
            "LM108",
            event,
            "aliases are not allowed",
            f"{name} repeats another node",
            "write the value out",
            path,
        )
        return key if key is _ITEM else _KEY

    def _refuse_properties(self, event: Any) -> None:
        if event.anchor is not None:
            detail = f"`&{event.anchor}` names this node"
            self._complain("LM108", event, "anchors are not allowed", detail, "remove the anchor")
        if event.tag is not None:
            self._complain(
                "LM109",
                event,
                "explicit tags are not allowed",
                f"`{event.tag.replace('tag:yaml.org,2002:', '!!')}` sets a type",
                "remove the tag",
            )

    def _refuse_key(self, event: Any, container: Any) -> None:
        edits = (Edit(span_of(event), f'"{event.value}"'),) if event.value else ()
        fix = f'quote it: "{event.value}"' if event.value else "write a plain word"
        detail = f"`{event.value}` is not text" if event.value else "it is empty"
        path = (*self._path(container), event.value)
        self.dropped.append(path)
        self._complain("LM112", event, "a key must be text", detail, fix, path, edits)

    def _refuse_duplicate(self, event: Any, container: Any) -> None:
        detail = f"`{event.value}` is already written in this mapping"
        fix = "keep one of the two; YAML has no way to say both"
        self._complain("LM107", event, "duplicate key", detail, fix, (*self._path(container), event.value))

    def _number(self, event: Any, container: Any, key: Any) -> Any:
        """What may be a number; one the machine cannot hold is refused and read as zero."""
        written = event.value
        if _NOT_FINITE.match(written):
            message, detail = "the number is not finite", f"`{written}`"
        elif len(written) > MAX_DIGITS and (_INT.match(written) or _FLOAT.match(written)):
            message, detail = "the number is too large", f"{len(written)} digits"
        else:
            value = _resolve(written)
            if not (isinstance(value, int) and abs(value) >= LARGEST) and value not in _INFINITE:
                return value
            message, detail = "the number is too large", f"`{written}` overflows"
        path: KeyPath = ()
        if key is not _IGNORED:
            path = (*self._path(container), len(container) if key is _ITEM else key)
            self.dropped.append(path)
        fix = "write a number the machine can hold, or quote it as text"
        self._complain("LM114", event, message, detail, fix, path)
        return 0

    def _path(self, container: Any) -> KeyPath:
        """The key path of an open container: the last key or index of each one around it."""
        parts = [len(outer) - 1 if key is _ITEM else key for outer, key in self.stack]
        return tuple(part if part is not _IGNORED else "?" for part in parts[1:])

    def _complain(
        self,
        code: str,
        event: Any,
        message: str,
        detail: str,
        fix: str,
        path: KeyPath = (),
        edits: tuple[Edit, ...] = (),
    ) -> None:
        self.found.append(
            Diagnostic(code, "error", message, span_of(event), dotted(path), detail, fix, edits)
        )
        if len(self.found) >= MAX_COMPLAINTS:
            raise StopError

    def _fatal(self, code: str, event: Any, message: str, detail: str, fix: str) -> None:
        self._complain(code, event, message, detail, fix)
        raise StopError


def _is_number(written: str) -> bool:
    return bool(_INT.match(written) or _FLOAT.match(written) or _NOT_FINITE.match(written))


def _resolve(written: str) -> Any:
    """YAML 1.2 core schema: integers and floats; everything else is text."""
    if _INT.match(written):
        bases = {"0o": 8, "0x": 16}
        base = bases.get(written[:2], 10)
        return int(written[2:] if base != 10 else written, base)
    return float(written) if _FLOAT.match(written) else written
