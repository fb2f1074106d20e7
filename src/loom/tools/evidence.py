"""Holds a claim against records of evidence, by numbers, dates and names, and never by impression."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from loom.tools.facts import (
    MEASURES,
    Quantity,
    mentions,
    names_of,
    periods,
    plain_name,
    quantities,
    sentences,
    to_quantity,
)

Verdict = Literal["supported", "contradicted", "insufficient_evidence"]
Aliases = Mapping[str, Sequence[str]]

_ENOUGH = 0.5
_STRONG = 0.8
_COMMON = frozenset(
    {
        *("about", "after", "also", "because", "been", "before", "between", "from", "have", "into", "more"),
        *("most", "only", "over", "such", "than", "that", "their", "them", "there", "they", "this", "were"),
        *("what", "when", "which", "while", "will", "with", "would"),
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What the evidence says about one claim, and where it says so."""

    claim_id: str
    verdict: Verdict
    reason: str
    citations: tuple[Mapping[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The finding as plain data."""
        cited = [dict(each) for each in self.citations]
        return {"claim_id": self.claim_id, "verdict": self.verdict, "reason": self.reason, "evidence": cited}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a record, prepared for comparing."""

    text: str
    plain: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Record:
    """A record of evidence, prepared for comparing."""

    data: Mapping[str, Any]
    sentences: tuple[Sentence, ...]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Record:
        """Prepare a record once, for however many claims."""
        found = sentences(str(data.get("text") or ""))
        return cls(data, tuple(Sentence(each, plain_name(each), _significant(each)) for each in found))

    @property
    def subject(self) -> str:
        """What the record is about."""
        return str(self.data.get("subject") or "")

    @property
    def attribute(self) -> str:
        """Which property of its subject it gives."""
        return str(self.data.get("attribute") or "")


def check_claim(
    claim: Mapping[str, Any], records: Iterable[Record], aliases: Aliases, tolerance: Decimal
) -> Finding:
    """Whether a claim is borne out. One record that disagrees outweighs any that agree."""
    asked = _Asked(claim, aliases, tolerance)
    if not asked.has_value:
        reason = "the claim states no number, date or name that could be looked for"
        return Finding(asked.id, "insufficient_evidence", reason)
    agreeing: list[dict[str, Any]] = []
    opposing: list[dict[str, Any]] = []
    for record in records:
        for agrees, quote in asked.readings(record):
            (agreeing if agrees else opposing).append(_citation(record.data, quote))
    if opposing:
        reason = "the records disagree" if agreeing else "the evidence says something else"
        return Finding(asked.id, "contradicted", reason, tuple(opposing[:3] + agreeing[:2]))
    if agreeing:
        return Finding(asked.id, "supported", "a record says so", tuple(agreeing[:5]))
    return Finding(asked.id, "insufficient_evidence", "no record speaks of it")


class _Asked:
    """What a claim says, in a form that can be compared."""

    def __init__(self, claim: Mapping[str, Any], aliases: Aliases, tolerance: Decimal) -> None:
        self.id = str(claim.get("id", ""))
        self._text = str(claim.get("text", ""))
        self._kind = claim.get("type", "numeric")
        self._aliases, self._tolerance = aliases, tolerance
        subject, attribute = claim.get("subject"), claim.get("attribute")
        self._subject = names_of(str(subject), aliases) if subject else frozenset()
        self._attribute = names_of(str(attribute), aliases) if attribute else frozenset()
        self._words = _significant(self._text)
        value = claim.get("value")
        stated = self._text if value is None else str(value)
        self._quantities: list[Quantity] = []
        if self._kind == "numeric":
            one = to_quantity(value, str(claim.get("unit", "")))
            self._quantities = [one] if one is not None else quantities(stated)
        self._periods = periods(stated) if self._kind == "date" else []
        self._names = names_of(str(value), aliases) if self._kind == "entity_fact" and value else frozenset()

    @property
    def has_value(self) -> bool:
        return bool(self._quantities or self._periods or self._names)

    def readings(self, record: Record) -> Iterable[tuple[bool, str]]:
        """What a record says about it: whether it agrees, and the words."""
        if record.data.get("value") is not None:
            yield from self._structured(record)
        for sentence in record.sentences:
            about = self._about(sentence, record)
            if about:
                yield from self._sentence(sentence, strong=about > 1)

    def _structured(self, record: Record) -> Iterable[tuple[bool, str]]:
        theirs = (record.subject, record.attribute)
        for mine, name in zip((self._subject, self._attribute), theirs, strict=True):
            if mine and name and plain_name(name) not in mine:
                return
        if not any(theirs):
            return
        certain = bool(self._subject and self._attribute and all(theirs))
        value, unit = record.data["value"], str(record.data.get("unit") or "")
        agrees: bool | None
        if self._quantities:
            other = to_quantity(value, unit)
            comparable = other is not None and all(mine.fits(other) for mine in self._quantities)
            agrees = self._same([other]) if other is not None and comparable else None
        elif self._periods:
            agrees = self._when(str(value))
        else:
            agrees = plain_name(str(value)) in self._names
        if agrees or (agrees is False and certain):
            yield agrees, " ".join(str(part) for part in (*theirs, value, unit) if part)

    def _about(self, sentence: Sentence, record: Record) -> int:
        """0 when a sentence is about something else, 2 when there is no doubt that it is about the claim."""
        if self._subject:
            named = mentions(sentence.plain, self._subject)
            if not named and not (record.subject and plain_name(record.subject) in self._subject):
                return 0
        if self._attribute:
            return (2 if self._subject else 1) if mentions(sentence.plain, self._attribute) else 0
        if not self._words:
            return 1 if self._subject else 0
        shared = len(self._words & sentence.words) / len(self._words)
        return 0 if shared < _ENOUGH else 2 if shared >= _STRONG else 1

    def _sentence(self, sentence: Sentence, *, strong: bool) -> Iterable[tuple[bool, str]]:
        agrees: bool | None
        if self._quantities:
            others = [
                each for each in quantities(sentence.text) if any(q.fits(each) for q in self._quantities)
            ]
            # a number in the same unit is meant before one without any
            if all(mine.unit for mine in self._quantities):
                others = [each for each in others if each.unit] or others
            agrees, alone = (self._same(others) if others else None), len(others) == 1
        elif self._periods:
            agrees, alone = self._when(sentence.text), len(periods(sentence.text)) == 1
        else:
            # a name that is absent contradicts nothing
            agrees, alone = mentions(sentence.plain, self._names), False
        if agrees or (agrees is False and strong and alone):
            yield agrees, sentence.text

    def _same(self, others: Sequence[Quantity]) -> bool:
        return all(any(mine.equals(each, self._tolerance) for each in others) for mine in self._quantities)

    def _when(self, text: str) -> bool | None:
        """Whether a text names the same time; None when it is too vague to tell."""
        others = periods(text)
        if all(any(mine.covers(each) for each in others) for mine in self._periods):
            return True
        if others and not any(mine.meets(each) for mine in self._periods for each in others):
            return False
        return None


def _significant(text: str) -> frozenset[str]:
    words = re.findall(r"[^\W\d_]{4,}", text.casefold())
    return frozenset(word.removesuffix("s") for word in words if word not in _COMMON | MEASURES)


def _citation(record: Mapping[str, Any], quote: str) -> dict[str, Any]:
    kept = {key: record[key] for key in ("evidence_id", "source_url", "created_at") if record.get(key)}
    return {**kept, "quote": quote[:300]}
