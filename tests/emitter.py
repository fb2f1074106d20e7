"""Plain data as YAML in many spellings, so that reading can be compared with what was written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Choose = Callable[[int], int]
"""A number below the one given; every choice of spelling asks for one."""

_PLAIN = re.compile(r"[A-Za-z_é€😀][\w é€😀./-]*(?<! )\Z")
_WORDS = re.compile(r"(?:null|true|false)\Z", re.IGNORECASE)
_LITERAL = re.compile(r"(?:[!-~é€😀][ -~é€😀]*\n)+\Z")


def first_choice(_: int) -> int:
    """The plainest spelling of everything."""
    return 0


def emit(data: Any, choose: Choose = first_choice) -> str:
    """A YAML document that reads as the data."""
    return _Emitter(choose).document(data)


class _Emitter:
    def __init__(self, choose: Choose) -> None:
        self.choose = choose

    def document(self, data: Any) -> str:
        head = ("", "# heading\n", "---\n", "\n\n")[self.choose(4)]
        if isinstance(data, dict | list) and data and self.choose(4) < 3:
            return head + self._block(data, 0)
        return head + self._flow(data) + "\n"

    def _block(self, data: Any, indent: int) -> str:
        """A mapping or a list over several lines; the first one is indented like the others."""
        out = []
        for entry in data.items() if isinstance(data, dict) else data:
            lead = " " * indent + (f"{self._key(entry[0])}:" if isinstance(data, dict) else "-")
            value = entry[1] if isinstance(data, dict) else entry
            out.append(
                lead + self._below(value, indent, isinstance(data, list)) + ("", "\n")[self.choose(8) == 7]
            )
        return "".join(out)

    def _below(self, value: Any, indent: int, in_list: bool) -> str:
        """What follows a colon or a dash, up to the end of its last line."""
        comment = ("", "", "  # a note: [é")[self.choose(3)]
        if isinstance(value, dict | list) and value and self.choose(4) < 3:
            deeper = indent + 2 + self.choose(3)
            if in_list and self.choose(2):
                # the first entry stands on the line of the dash
                return " " * (deeper - indent - 1) + self._block(value, deeper).lstrip(" ")
            return comment + "\n" + self._block(value, deeper)
        if isinstance(value, str) and _LITERAL.match(value) and self.choose(2):
            body = "".join(f"{' ' * (indent + 2)}{line}\n" for line in value.splitlines())
            return " |\n" + body
        if value is None and not self.choose(3):
            return comment + "\n"
        return " " * (1 + self.choose(2)) + self._flow(value) + comment + "\n"

    def _flow(self, value: Any) -> str:
        if isinstance(value, dict):
            gap = ("", " ")[self.choose(2)]
            inner = f",{gap or ' '}".join(f"{self._key(k)}: {self._flow(v)}" for k, v in value.items())
            return "{" + gap + inner + gap + "}"
        if isinstance(value, list):
            return "[" + ", ".join(self._flow(item) for item in value) + "]"
        return self._text(value) if isinstance(value, str) else self._scalar(value)

    def _scalar(self, value: Any) -> str:
        if value is None:
            return ("null", "~", "Null")[self.choose(3)]
        if isinstance(value, bool):
            word = "true" if value else "false"
            return (word, word.upper(), word.capitalize())[self.choose(3)]
        if isinstance(value, int) and value >= 0 and self.choose(4) == 3:
            return (hex(value), "0o" + oct(value)[2:])[self.choose(2)]
        return repr(value)

    def _key(self, key: str) -> str:
        return self._text(key)

    def _text(self, text: str) -> str:
        style = self.choose(4)
        if style < 2 and _PLAIN.match(text) and not _WORDS.match(text):
            return text
        if style == 2 and text.isprintable():
            return "'" + text.replace("'", "''") + "'"
        # JSON escapes what lies beyond the first plane in two halves, which YAML does not
        return json.dumps(text, ensure_ascii=style == 3 and max(text, default="") <= "\uffff")
