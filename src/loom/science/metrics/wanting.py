"""What somebody wants of a model, read from a name, a threshold or a sentence, without a model to read it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Literal

from loom.kernel.errors import LoomError
from loom.science.metrics.registry import METRICS, Metric, default_for, spellings, unknown
from loom.science.targets import Task

Operator = Literal[">=", ">", "<=", "<"]

_SIGNS = {"≥": ">=", "≧": ">=", "⩾": ">=", "≤": "<=", "≦": "<=", "⩽": "<=", "=>": ">=", "=<": "<=", "==": "="}
_SPOKEN: tuple[tuple[str, Operator], ...] = (
    ("greater than or equal to", ">="), ("less than or equal to", "<="), ("no less than", ">="),
    ("no more than", "<="), ("not below", ">="), ("not above", "<="), ("at least", ">="), ("at most", "<="),
    ("greater than", ">"), ("higher than", ">"), ("more than", ">"), ("less than", "<"), ("lower than", "<"),
    ("smaller than", "<"), ("above", ">"), ("over", ">"), ("exceeding", ">"), ("below", "<"), ("under", "<"),
)  # fmt: skip
_MIRROR: dict[str, Operator] = {">=": "<=", "<=": ">=", ">": "<", "<": ">"}
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?"
_SIGN = r">=|<=|>|<|="
_AFTER = re.compile(rf"({_SIGN})\s*({_NUMBER})\s*(%?)(?![\w.])")
_BEFORE = re.compile(rf"(?<![\w.])({_NUMBER})\s*(%?)\s*({_SIGN})")
_BARE = re.compile(rf"[\s:]*({_NUMBER})\s*%?\s*\Z")
_UP = re.compile(r"\b(?:maxim\w+|highest|largest|greatest|increas\w+)\b")
_DOWN = re.compile(r"\b(?:minim\w+|lowest|smallest|least|reduc\w+|decreas\w+)\b")
_NEAR = 30
_KINDS: dict[Task, str] = {"binary": "two classes", "multiclass": "several classes", "regression": "amounts"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A metric, and what it has to reach, if anybody said so."""

    metric: Metric
    operator: Operator | None = None
    threshold: float | None = None

    @property
    def text(self) -> str:
        """The wish in its short form: `auc>=0.8`."""
        if self.operator is None or self.threshold is None:
            return self.metric.name
        return f"{self.metric.name}{self.operator}{self.threshold:g}"

    def met_by(self, value: float) -> bool:
        """Whether a value reaches the threshold; any does where there is none."""
        if self.operator is None or self.threshold is None:
            return True
        return {
            ">=": value >= self.threshold,
            ">": value > self.threshold,
            "<=": value <= self.threshold,
            "<": value < self.threshold,
        }[self.operator]

    def as_json(self) -> dict[str, Any]:
        """The wish as plain data."""
        return {"metric": self.metric.name, "operator": self.operator, "threshold": self.threshold}


def parse(text: str) -> Wanted:
    """The metric that a text names, with its threshold: `auc`, `rmse < 3`, `lowest mean absolute error`.

    Names are whole words, the longest first, so that `PR AUC` is not `AUC`. A text that names none, or several, or
    asks for the worse direction, is refused.
    """
    signs = _signs(text)
    metric, start, end = _named(text, signs)
    around = re.sub(r"[\s_:,]", " ", signs[:start]), signs[end:]
    after, before = _AFTER.search(around[1]), None
    if after is None:
        before = _BEFORE.search(signs[:start])
    if after is None and before is None:
        if _BARE.match(around[1]) and not around[0].strip():
            raise _no_sign(metric, _BARE.match(around[1]).group(1))  # type: ignore[union-attr]
        _agree(metric, signs[:start])
        return Wanted(metric)
    if after is not None:
        operator, number, percent = after.groups()
    else:
        assert before is not None
        number, percent, sign = before.groups()
        operator = _MIRROR.get(sign, sign)
    return _checked(metric, operator, float(number) / (100 if percent else 1), number)


def wanted_for(text: str | None, task: Task) -> Wanted:
    """What somebody names, which must measure targets of this kind; the usual metric where nobody names one."""
    if text is None:
        return Wanted(default_for(task))
    wanted = parse(text)
    if task not in wanted.metric.tasks:
        fitting = ", ".join(metric.name for metric in METRICS if task in metric.tasks)
        raise LoomError(
            f"{wanted.metric.name} does not measure a target of {_KINDS[task]}",
            f"those that do are {fitting}",
            f"--metric {default_for(task).name}",
        )
    return wanted


def _signs(text: str) -> str:
    """The text in lower case, with operators as signs, and names of metrics in plain words."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    for sign, written in _SIGNS.items():
        plain = plain.replace(sign, written)
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", plain)
    for phrase, operator in _SPOKEN:
        plain = re.sub(rf"\b{phrase}\b\s*(?={_NUMBER})", f" {operator} ", plain)
    return plain


def _named(text: str, signs: str) -> tuple[Metric, int, int]:
    """The one metric the text names, and where."""
    taken: list[tuple[int, int, Metric]] = []
    for spelling, metric in sorted(spellings().items(), key=lambda pair: -len(pair[0])):
        pattern = r"[\s_^-]*".join(re.escape(word) for word in spelling.split())
        for found in re.finditer(rf"(?<![a-z0-9]){pattern}(?![a-z0-9])", signs):
            if all(found.end() <= start or end <= found.start() for start, end, _ in taken):
                taken.append((found.start(), found.end(), metric))
    names = sorted({metric.name for _, _, metric in taken})
    if not names:
        raise unknown(text)
    if len(names) > 1:
        raise LoomError(
            f"`{text[:60]}` names {len(names)} metrics",
            f"{', '.join(names)}: a model is judged by one",
            f"--metric {names[0]}",
        )
    taken.sort(key=lambda place: place[0])
    return taken[0][2], taken[0][0], taken[-1][1]


def _agree(metric: Metric, before: str) -> None:
    """Refuse a sentence that asks for the worse end: its last word of direction, near the name."""
    near = before[-_NEAR:]
    last = {
        word: max((found.end() for found in pattern.finditer(near)), default=-1)
        for word, pattern in (("higher", _UP), ("lower", _DOWN))
    }
    asked = max(last, key=lambda word: last[word])
    if last[asked] >= 0 and asked != metric.direction:
        raise LoomError(
            f"{metric.name} is not to be made {asked}",
            f"of {metric.name}, {metric.direction} is better: {metric.what}",
            f"--metric {metric.name}",
        )


def _checked(metric: Metric, operator: str, threshold: float, number: str) -> Wanted:
    right = ">=" if metric.direction == "higher" else "<="
    if operator == "=":
        raise _no_sign(metric, number)
    if (operator[0] == ">") != (metric.direction == "higher"):
        raise LoomError(
            f"`{metric.name}{operator}{threshold:g}` asks for a bad model",
            f"of {metric.name}, {metric.direction} is better",
            f"--metric '{metric.name}{right}{threshold:g}'",
        )
    if metric.clip(threshold) != threshold:
        ends = sorted(end for end in (metric.best, metric.worst) if end is not None)
        span = f"between {ends[0]:g} and {ends[-1]:g}" if len(ends) > 1 else f"never beyond {metric.best:g}"
        likely = threshold / 100 if 1 < threshold <= 100 and metric.best == 1 else metric.clip(threshold)
        raise LoomError(
            f"`{metric.name}{operator}{threshold:g}` cannot be reached or missed",
            f"{metric.name} is {span}",
            f"--metric '{metric.name}{operator}{likely:g}'",
        )
    return Wanted(metric, operator, threshold)  # type: ignore[arg-type]


def _no_sign(metric: Metric, number: str) -> LoomError:
    right = ">=" if metric.direction == "higher" else "<="
    return LoomError(
        f"`{metric.name} {number}` does not say which side of {number} is good",
        f"of {metric.name}, {metric.direction} is better",
        f"--metric '{metric.name}{right}{number}'",
    )
