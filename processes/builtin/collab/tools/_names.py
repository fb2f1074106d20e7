"""Which names may leave: of columns, levels, runs, digests and moments. What is not clearly harmless stays."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from loom.kernel.redact import redact
from loom.science.disclosure import LONGEST_LEVEL, is_personal_name, looks_personal, may_show_level

from ._ledger import kind_of
from ._words import FLOWS

_COLUMN = re.compile(r"[^\W\d][\w .%()#+-]{0,63}")
_CELL = re.compile(r"[\d\W_]*\d{5,}[\d\W_]*|.*\d{7,}.*|.*\d{1,4}[-.]\d{1,2}[-.]\d{1,4}.*", re.DOTALL)
_REFERENCE = re.compile(r"([A-Za-z_]\w{0,127})/(\d{1,19})(/(?:model|train|holdout|transformer))?")
_OWN = re.compile(r"run-[0-9a-f]{10}")
_DIGEST = re.compile(r"(?:sha256:)?[0-9a-f]{64}")
_SPAN = re.compile(r"\d{1,9}(?:\.\d{1,6})?(?:us|ms|s|m|h|d|w)?")
_MOMENT = re.compile(r"\d{4}-\d{2}(?:-\d{2}(?:T\d{2}:00)?)?")
_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,4}){1,3}(?:\.?(?:a|b|rc|post|dev)\d{1,4})?")
_CUT = "…"


def column_name(text: Any) -> str | None:
    """A column's name as it may be shown; None where it may not.

    A feature that is made of one level is called `column=level`; of that, only the column is shown.
    """
    if not isinstance(text, str):
        return None
    base, sign, _ = text.partition("=")
    if not _COLUMN.fullmatch(base) or _CELL.fullmatch(base):
        return None
    if is_personal_name(base) or looks_personal([base]) or redact(base) != base or kind_of(base) != "texts":
        return None
    return f"{base}={_CUT}" if sign else base


def level_name(text: Any, count: Any, rows: Any) -> str | None:
    """A level that so many of all rows have, where that is enough; None otherwise."""
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_LEVEL or not text.isprintable():
        return None
    if not is_count(count) or not is_count(rows) or not may_show_level(count, rows):
        return None
    return text if kind_of(text) == "texts" and not _CELL.fullmatch(text) else None


def reference(text: Any, known: Collection[str]) -> str | None:
    """The name of a run or of something it kept, if its flow comes with Loom or the bundle holds the run."""
    if not isinstance(text, str):
        return None
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return text if _OWN.fullmatch(text) else None
    is_known = found[1] in FLOWS or f"{found[1]}/{found[2]}" in known
    return text if is_known else None


def digest(text: Any) -> str | None:
    """A SHA-256."""
    return text if isinstance(text, str) and _DIGEST.fullmatch(text) else None


def span(text: Any) -> str | None:
    """A length of time such as `7d`."""
    return text if isinstance(text, str) and _SPAN.fullmatch(text) else None


def moment(text: Any) -> str | None:
    """A month, a day or an hour."""
    return text if isinstance(text, str) and _MOMENT.fullmatch(text) else None


def version(text: Any) -> str | None:
    """A version of a library."""
    return text if isinstance(text, str) and _VERSION.fullmatch(text) else None


def is_count(value: Any) -> bool:
    """Whether something can be a number of rows."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
