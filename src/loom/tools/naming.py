"""Columns that somebody names: those that are not there are refused, with the one that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from loom.core.column_names import spoken
from loom.core.commands import command
from loom.kernel.errors import LoomError

_LISTED = 12


def refuse_unknown(root: str, names: Sequence[str], option: str, given: Any) -> None:
    """Refuse a column that is not there, and name the one that was meant."""
    for name in [given] if isinstance(given, str) else given or []:
        if name in names:
            continue
        folded = {each.casefold(): each for each in names}
        near = [folded[each] for each in difflib.get_close_matches(name.casefold(), list(folded), 3, 0.6)]
        listed = ", ".join(f"`{spoken(each)}`" for each in near or names[:_LISTED])
        raise LoomError(
            f"{root} has no column `{spoken(name)}` for --{option}",
            f"did you mean {listed}?"
            if near
            else f"its columns are {listed}{' …' if len(names) > _LISTED else ''}",
            command("eda", dataset=root),
        )
