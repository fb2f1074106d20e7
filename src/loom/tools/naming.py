"""Columns that somebody names: those that are not there are refused, with the one that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from loom.core.column_names import spoken
from loom.core.commands import command
from loom.kernel.errors import LoomError

_LISTED = 12


def refuse_unknown(of: str, names: Sequence[str], asked: Mapping[str, Any], verb: str) -> None:
    """Refuse a column that is not there, and name the one that was meant.

    `asked` are columns by option, one or several. What to type next is a call of the verb with the one that was meant.
    """
    for option, given in asked.items():
        wanted = [given] if isinstance(given, str) else given or []
        for name in wanted:
            if name in names:
                continue
            near = _near(name, names)
            listed = ", ".join(f"`{spoken(each)}`" for each in (near or names[:_LISTED]))
            more = "" if near or len(names) <= _LISTED else f" and {len(names) - _LISTED:,} more"
            mended = [near[0] if each == name and near else each for each in wanted]
            fixed = {**asked, option: mended[0] if isinstance(given, str) else mended} if near else {}
            raise LoomError(
                f"{of} has no column `{spoken(name)}` for --{option}",
                f"did you mean {listed}?" if near else f"its columns are {listed}{more}",
                command(verb, dataset=of, **fixed),
            )


def _near(name: str, names: Sequence[str]) -> list[str]:
    """The columns whose names are closest, in any case of their letters."""
    folded: dict[str, str] = {}
    for each in names:
        folded.setdefault(each.casefold(), each)
    return [folded[each] for each in difflib.get_close_matches(name.casefold(), list(folded), 3, 0.6)]
