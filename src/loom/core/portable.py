"""Paths that mean the same on every system, and never lead out of the folder they are relative to."""

from __future__ import annotations

import re
import unicodedata

MAX_PART_BYTES = 255
MAX_PATH_BYTES = 1024
MAX_PARTS = 32

_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE | re.DOTALL)
_FORBIDDEN = frozenset('\\:*?"<>|')


def why_not_portable(path: str) -> str:
    """What keeps a path from being a relative path everywhere, as the end of a sentence; empty when nothing does."""
    if not path:
        return "is empty"
    if any("\ud800" <= letter <= "\udfff" for letter in path):
        return "is not UTF-8 text"
    if len(path.encode()) > MAX_PATH_BYTES:
        return f"is longer than {MAX_PATH_BYTES} bytes"
    if path.startswith("/"):
        return "is absolute"
    if path.startswith("~"):
        return "begins with ~"
    parts = path.split("/")
    if len(parts) > MAX_PARTS:
        return f"is more than {MAX_PARTS} folders deep"
    return next((wrong for wrong in map(_why_no_name, parts) if wrong), "")


def folded(path: str) -> str:
    """What a path is on a system that ignores case and the way accents are written."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _why_no_name(part: str) -> str:
    if part in ("", ".", ".."):
        return f"holds '{part}' between slashes" if part else "has an empty part"
    if len(part.encode()) > MAX_PART_BYTES:
        return f"has a part longer than {MAX_PART_BYTES} bytes"
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp") for letter in part):
        return "holds a control character"
    if _FORBIDDEN.intersection(part):
        return f"holds one of {' '.join(sorted(_FORBIDDEN))}"
    if part != part.strip(" ") or part.endswith("."):
        return "has a part with a space around it or a dot at its end"
    return "has a part that names a device" if _DEVICES.fullmatch(part) else ""
