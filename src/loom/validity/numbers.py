"""Numbers with the place they were read from, and the check that a document claims no others.

A writer takes every number of a document from `cite`, so that it carries where it was read; `check` then reads the
finished text as a stranger would. Whatever the writer did, a number that no artifact holds does not get past it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any, Literal

from loom.validity.written import Number, numbers_in

__all__ = [
    "Cited",
    "Finding",
    "Kind",
    "Lookup",
    "Number",
    "Shape",
    "check",
    "cite",
    "numbers_in",
    "pointer",
    "value_at",
]

Lookup = Callable[[str], Any]
"""The artifact of a pathspec as plain data; a LookupError where it is gone."""

Shape = Literal["number", "share", "chance"]
"""How a number is shown: as it is, as a percentage, or as a probability that may be tiny."""

Kind = Literal["uncited", "altered", "missing", "gone", "different"]
_DIGITS = 4
_TINY = Decimal("0.001")
_HUGE = 10**15
_CUT = "…"


@dataclass(frozen=True, slots=True)
class Cited:
    """A number, or words that may hold some, as a document shows it, and where it was read."""

    pathspec: str
    path: str
    """A JSON pointer into the artifact, such as `/summary/holdout/score`."""

    value: float | str
    shown: str

    @property
    def address(self) -> str:
        """The place in one line."""
        return f"{self.pathspec}#{self.path}"

    def as_json(self) -> dict[str, Any]:
        """The number for machines."""
        return {"value": self.value, "pathspec": self.pathspec, "path": self.path, "shown": self.shown}


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim that is not supported: `uncited`, `altered` or `missing` in the text, `gone` or `different` where
    it was read."""

    kind: Kind
    what: str
    address: str | None = None
    line: int | None = None


def value_at(artifact: Any, path: str) -> float | str:
    """What stands at a JSON pointer: a number or a text; of a list or a mapping, how many entries it has.

    A LookupError where nothing of the kind stands there.
    """
    found = artifact
    for part in path.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping):
            found = found[name]
        elif isinstance(found, Sequence) and not isinstance(found, str) and name.isdecimal():
            found = found[int(name)]
        else:
            raise LookupError(path)
    if isinstance(found, Mapping | list | tuple):
        return len(found)
    is_number = isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
    if not is_number and not isinstance(found, str):
        raise LookupError(path)
    value: float | str = found
    return value


def cite(pathspec: str, artifact: Any, path: str, shape: Shape = "number", most: int = 400) -> Cited | None:
    """What stands at a place, ready to be shown; None where no number and no text stands there.

    Of a text no more than `most` characters are shown, up to the end of a word.
    """
    try:
        value = value_at(artifact, path)
    except LookupError:
        return None
    return Cited(
        pathspec, path, value, _words(value, most) if isinstance(value, str) else _shown(value, shape)
    )


def pointer(*parts: str | int) -> str:
    """The JSON pointer to a place, whatever characters its names have."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def check(text: str, citations: Sequence[Cited], lookup: Lookup) -> tuple[Finding, ...]:
    """Everything that a text claims and cannot support; nothing where each number is cited and still true.

    The citations are those of the text, in the order in which they stand in it.
    """
    return (*_against_text(text, citations), *_against_artifacts(citations, lookup))


def _against_text(text: str, citations: Sequence[Cited]) -> Iterator[Finding]:
    """The numbers of the text beside those that were cited, one by one."""
    found = numbers_in(text)
    cited = [(number, each) for each in citations for number in _claims(each.shown)]
    stands, wanted = [each.key for each in found], [number.key for number, _ in cited]
    if stands == wanted:
        return
    for tag, from_, to, first, last in SequenceMatcher(None, stands, wanted, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        paired = min(to - from_, last - first)
        for number, (meant, each) in zip(found[from_ : from_ + paired], cited[first:], strict=False):
            what = f"{number.text} stands where {meant.text} was read"
            yield Finding("altered", what, each.address, number.line)
        for number in found[from_ + paired : to]:
            yield Finding("uncited", f"{number.text} was read nowhere", None, number.line)
        for meant, each in cited[first + paired : last]:
            yield Finding("missing", f"{meant.text} was read and does not stand there", each.address)


def _against_artifacts(citations: Sequence[Cited], lookup: Lookup) -> Iterator[Finding]:
    """What was cited beside what the artifacts say now."""
    artifacts: dict[str, Any] = {}
    for each in dict.fromkeys(citations):
        try:
            if each.pathspec not in artifacts:
                artifacts[each.pathspec] = lookup(each.pathspec)
            value = value_at(artifacts[each.pathspec], each.path)
        except LookupError:
            yield Finding("gone", f"{each.shown} cannot be found again", each.address)
            continue
        if type(value) is not type(each.value) and (isinstance(value, str) or isinstance(each.value, str)):
            yield Finding("different", f"{each.shown} is of another kind there", each.address)
        elif value != each.value:
            yield Finding("different", f"{each.shown} is {_brief(value)} there", each.address)
        elif not _says(each):
            yield Finding("different", f"{each.shown} does not say {_brief(value)}", each.address)


def _says(cited: Cited) -> bool:
    """Whether what is shown is what was read: the same words, or one number that rounds to it."""
    if isinstance(cited.value, str):
        words, shown = _plain(cited.value), cited.shown
        return _plain(shown) == words or (shown.endswith(_CUT) and _begins(words, shown.removesuffix(_CUT)))
    found = _claims(cited.shown)
    return len(found) == 1 and found[0].holds(cited.value)


def _claims(shown: str) -> tuple[Number, ...]:
    """The numbers of what is shown, which stands within a line: what would be a heading at its start is none there."""
    return numbers_in(f": {shown}")


def _shown(value: float, shape: Shape) -> str:
    exact = Decimal(repr(value))  # as it would be typed, so that rounding does not depend on how it is stored
    if shape == "share" and 0 <= value <= 1:
        if 0 < exact < _TINY or 1 - _TINY < exact < 1:
            return "< 0.1 %" if exact < 0.5 else "> 99.9 %"
        return f"{100 * exact:.1f}".removesuffix(".0") + " %"
    if shape == "chance" and 0 < exact < _TINY:
        return f"< {_TINY}"
    is_whole = exact == exact.to_integral_value()
    if abs(exact) < _HUGE and (is_whole or abs(exact) >= 10**_DIGITS):
        return f"{exact:,.0f}"
    return f"{exact:.{_DIGITS}g}"


def _words(text: str, most: int) -> str:
    """A text in one line, cut between words, and within neither a number nor backticks."""
    line = _plain(text)
    if len(line) <= most:
        return line
    kept = line[:most]
    while kept:
        kept = kept.rpartition(" ")[0]
        if not kept.count("`") % 2 and _begins(line, kept):
            break
    return kept + _CUT


def _begins(line: str, kept: str) -> bool:
    """Whether a line begins with these words, and with the numbers in them."""
    numbers = [number.key for number in _claims(kept)]
    return line.startswith(kept) and numbers == [number.key for number in _claims(line)[: len(numbers)]]


def _plain(text: str) -> str:
    """A text in one line; backticks that do not come in pairs would make code of what follows them."""
    line = " ".join(text.split())
    return line.replace("`", "'") if line.count("`") % 2 or "``" in line else line


def _brief(value: float | str) -> str:
    return str(value) if len(str(value)) <= 60 else f"{str(value)[:59]}{_CUT}"
