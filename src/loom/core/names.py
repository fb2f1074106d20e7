"""Names that become part of a subject: one plain word that no bus reads as a pattern or a path."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

MAX_LENGTH = 128
RULE = f"letters, digits, '_', '-' and ':', at most {MAX_LENGTH}, because it becomes part of a subject"

_TOKEN = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_:-]{{0,{MAX_LENGTH - 1}}}")


def is_token(text: str) -> bool:
    """Whether a text can stand between two dots of a subject."""
    return _TOKEN.fullmatch(text) is not None


def _token(text: str) -> str:
    if not is_token(text):
        raise ValueError(f"expected {RULE}")
    return text


Token = Annotated[str, AfterValidator(_token)]
