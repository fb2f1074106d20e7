"""Where every key and item of a document stands, worked out only when somebody asks.

A clean file never needs a position, so reading does not pay for them: the first question scans the
text a second time.
"""

from __future__ import annotations

from typing import Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs leave it out

from loom.kernel.diagnostics import KeyPath, Span


class Place:
    """One node: its span, its key's span, and the places of its children."""

    __slots__ = ("children", "key", "span")

    def __init__(self, span: Span, key: Span | None = None) -> None:
        self.span = span
        self.key = key
        self.children: dict[str | int, Place] = {}

    def find(self, path: KeyPath, *, key: bool) -> Span:
        """The span at a path; what is missing is shown at the key of its nearest ancestor, and below a
        value that holds nothing at that value."""
        place = self
        for part in path:
            child = place.children.get(part)
            if child is None:
                return place.key or place.span if place.children else place.span
            place = child
        return place.key or place.span if key else place.span


def span_of(event: Any) -> Span:
    """Where an event of the parser stands."""
    first, last = event.start_mark, event.end_mark
    return Span(first.line + 1, first.column + 1, last.line + 1, last.column + 1)


def locate(text: str) -> Place:
    """The places of all nodes of a text that has already been read once without a syntax error."""
    get_event = CParser(text).get_event
    root = Place(Span(1, 1, 1, 1))
    # per open container: its place, whether it is a mapping, and the key event it waits to fill
    stack: list[list[Any]] = [[root, False, None]]
    last = root.span
    while True:
        event: Any = get_event()
        kind = type(event)
        if kind is yaml.StreamEndEvent:
            return root.children.get(0, root)
        if kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
            finished = stack.pop()[0]
            here = span_of(event)
            # a bracket closes here; a block has no end of its own but that of its last entry
            last = here if here[:2] != here[2:] else last
            finished.span = Span(finished.span.line, finished.span.column, *last[2:])
            continue
        if kind not in (yaml.ScalarEvent, yaml.AliasEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent):
            continue
        # an empty value after the last line stands where the text ends
        last = span_of(event) if event.start_mark.index < len(text) else Span(*last[2:], *last[2:])
        parent, is_mapping, key = stack[-1]
        if is_mapping and key is None:
            stack[-1][2] = event
            continue
        place = Place(last, span_of(key) if key is not None else None)
        # of two equal keys the first counts, as it does for the data
        parent.children.setdefault(key.value if key is not None else len(parent.children), place)
        stack[-1][2] = None
        if kind in (yaml.MappingStartEvent, yaml.SequenceStartEvent):
            stack.append([place, kind is yaml.MappingStartEvent, None])
