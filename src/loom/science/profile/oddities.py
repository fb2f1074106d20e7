"""What a person should know about a table before modelling it: one reason per kind of oddity, most serious first."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence

from loom.core.column_names import spoken
from loom.kernel.verdict import Reason
from loom.science.profile.duplicates import Duplicates
from loom.science.profile.groups import Group
from loom.science.profile.inspection import Inspected
from loom.science.profile.times import Time
from loom.science.targets import Target

_NAMED = 5
_MOSTLY_MISSING = 0.5
_MANY_DUPLICATES = 0.01
_TARGET_MISSING = 0.05
_RARE_CLASS = 0.01
_FEW_ROWS = 100


def oddities(
    rows: int,
    columns: Sequence[Inspected],
    target: Target | None,
    duplicates: Duplicates,
    time: Time | None,
    groups: Sequence[Group],
) -> tuple[Reason, ...]:
    """Everything odd about a table; columns with the same oddity share a reason when there are more than five."""
    found = [
        *_of_table(rows, duplicates, time, groups),
        *(_of_target(target) if target is not None else ()),
        *_of_names([column.name for column in columns]),
        *_together([reason for column in columns for reason in _of_column(column)]),
    ]
    return tuple(sorted(found, key=lambda reason: reason.severity != "warning"))


def _of_table(
    rows: int, duplicates: Duplicates, time: Time | None, groups: Sequence[Group]
) -> Iterator[Reason]:
    if rows < _FEW_ROWS:
        yield Reason("few_rows", "warning", f"the table has {rows} rows", rows, _FEW_ROWS)
    if duplicates.share >= _MANY_DUPLICATES:
        what = f"{duplicates.rows:,} rows repeat an earlier row; a random split would put equal rows on both sides"
        yield Reason("duplicate_rows", "warning", what, duplicates.share, _MANY_DUPLICATES)
    if duplicates.conflicting:
        what = f"{duplicates.conflicting:,} rows have features that another row has with a different target"
        yield Reason("conflicting_rows", "info", what, duplicates.conflicting, 0)
    for group in groups:
        what = f"`{spoken(group.column)}` may name entities: its values repeat {group.rows_per_value:g} times on average"
        yield Reason("possible_group", "warning", what, group.rows_per_value, 1, group.column)
    if time is not None and not time.declared:
        names = ", ".join(f"`{spoken(name)}`" for name in time.columns)
        yield Reason(
            "time_found", "info", f"{names} tell{'s' * (len(time.columns) == 1)} the time; nobody declared it"
        )


def _of_target(target: Target) -> Iterator[Reason]:
    name = spoken(target.name)
    if target.task is None:
        yield Reason("target_constant", "warning", f"`{name}` never changes", column=target.name)
    if target.missing > _TARGET_MISSING:
        what = f"the target `{name}` is missing in {target.missing:.1%} of the rows"
        yield Reason("target_missing", "warning", what, target.missing, _TARGET_MISSING, target.name)
    if target.balance is not None and target.balance.smallest < _RARE_CLASS:
        what = f"the rarest class of `{name}` has {target.balance.smallest:.2%} of the rows"
        yield Reason("rare_class", "info", what, target.balance.smallest, _RARE_CLASS, target.name)


def _of_names(names: Sequence[str]) -> Iterator[Reason]:
    alike: dict[str, list[str]] = defaultdict(list)
    for name in names:
        folded = unicodedata.normalize("NFKC", name).casefold()
        alike["".join(letter for letter in folded if letter.isalnum() or letter in "+-") or folded].append(
            name
        )
    for several in alike.values():
        if len(several) > 1:
            listed = ", ".join(f"`{spoken(name)}`" for name in several[:_NAMED])
            yield Reason(
                "similar_names", "info", f"these columns have nearly the same name: {listed}", len(several)
            )
    odd = [name for name in names if name != name.strip() or not name.isprintable()]
    if odd:
        listed = ", ".join(f"`{spoken(name)}`" for name in odd[:_NAMED])
        yield Reason(
            "odd_names",
            "info",
            f"names with spaces around them or signs that do not print: {listed}",
            len(odd),
        )


def _of_column(column: Inspected) -> Iterator[Reason]:
    name, traits, scan = column.name, column.traits, column.scan()
    if not traits.rows:
        return
    called = f"`{spoken(name)}`"
    share = traits.missing / traits.rows
    if traits.missing == traits.rows:
        yield Reason("all_missing", "warning", f"{called} is empty", 1.0, column=name)
    elif column.role == "constant":
        yield Reason("constant", "info", f"{called} never changes", 1, column=name)
    elif share >= _MOSTLY_MISSING:
        yield Reason(
            "mostly_missing",
            "info",
            f"{called} is missing in {share:.0%} of the rows",
            round(share, 4),
            _MOSTLY_MISSING,
            name,
        )
    if "blank" in scan:
        yield Reason(
            "blank_cells", "warning", f"{called} has {scan['blank']:,} blank cells", scan["blank"], 0, name
        )
    if column.role == "numeric" and "stored_as" in scan:
        yield Reason(
            "numbers_as_text", "warning", f"{called} holds numbers that are kept as text", column=name
        )
    if "numbers" in scan:
        what = f"{called} mixes numbers ({scan['numbers']:.0%}) with other text"
        yield Reason("mixed_types", "warning", what, scan["numbers"], column=name)
    if "date_formats" in scan:
        ways = scan["date_formats"]
        what = f"{called} holds dates that are kept as text, written {' and '.join(ways)}"
        yield Reason("mixed_dates" if len(ways) > 1 else "dates_as_text", "warning", what, len(ways), 1, name)
    if "ambiguous" in scan:
        yield Reason(
            "ambiguous_dates", "warning", f"in {called}, day and month may be either way round", column=name
        )
    if "infinite" in scan:
        yield Reason(
            "infinite",
            "warning",
            f"{called} has {scan['infinite']:,} infinite cells",
            scan["infinite"],
            0,
            name,
        )
    if "nested" in scan or "json" in scan:
        yield Reason(
            "nested", "info", f"{called} holds values inside values; unfold them to use them", column=name
        )


def _together(reasons: Sequence[Reason]) -> Iterator[Reason]:
    """The reasons; of a code that more than five columns have, one that counts them and names the first five."""
    by_code: dict[str, list[Reason]] = defaultdict(list)
    for reason in reasons:
        by_code[reason.code].append(reason)
    for code, several in by_code.items():
        if len(several) <= _NAMED:
            yield from several
            continue
        listed = ", ".join(f"`{spoken(reason.column or '')}`" for reason in several[:_NAMED])
        what = f"{len(several):,} columns: {_SAID[code]} ({listed}, ...)"
        yield Reason(code, several[0].severity, what, len(several))


_SAID = {
    "all_missing": "empty",
    "constant": "never change",
    "mostly_missing": "missing in half of the rows and more",
    "blank_cells": "have blank cells",
    "numbers_as_text": "hold numbers that are kept as text",
    "mixed_types": "mix numbers with other text",
    "mixed_dates": "hold dates written in several ways",
    "dates_as_text": "hold dates that are kept as text",
    "ambiguous_dates": "hold dates whose day and month may be either way round",
    "infinite": "have infinite cells",
    "nested": "hold values inside values",
}
