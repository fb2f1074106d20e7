"""Measurements as the rules read them: plain data by name, in which a thing that is not there is never a pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class NotMeasuredError(Exception):
    """A rule needs what nobody has measured, or what could not be."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was measured of a model, and what was asked of it."""

    measured: Mapping[str, Any]
    accepted: frozenset[str] = frozenset()
    """Suspects that somebody vouches for."""

    strict: bool = False
    """Whether a breach of fairness is a failure."""

    @property
    def failed(self) -> Mapping[str, str]:
        """What could not be measured, each with the kind of failure."""
        return self.measured.get("errors") or {}

    def of(self, name: str) -> Any:
        """A measurement; NotMeasuredError where it failed, or was never made."""
        if name in self.failed:
            raise NotMeasuredError(f"{name} could not be measured: {self.failed[name]}")
        if name not in self.measured or self.measured[name] is None:
            raise NotMeasuredError(f"{name} was not measured")
        return self.measured[name]

    @property
    def task(self) -> str:
        """What kind of target it is: binary, multiclass or regression."""
        return str(self.measured["task"])

    @property
    def is_by_time(self) -> bool:
        """Whether train and holdout are earlier and later rows."""
        return "time" in str(self.of("splitter")["kind"])

    @property
    def rises(self) -> bool:
        """Whether more of the metric is better."""
        direction = self.of("metric")["direction"]
        if direction not in ("higher", "lower"):
            raise NotMeasuredError(f"the metric has no direction: {direction!r}")
        return bool(direction == "higher")

    def better_by(self, value: float, other: float) -> float:
        """How much better one score is than another; negative when it is worse."""
        return value - other if self.rises else other - value

    def worst_of(self, ci: Sequence[float]) -> float:
        """The end of an interval at which the model is worst."""
        return float(ci[0] if self.rises else ci[1])

    def best_of(self, ci: Sequence[float]) -> float:
        """The end of an interval at which the model is best."""
        return float(ci[1] if self.rises else ci[0])
