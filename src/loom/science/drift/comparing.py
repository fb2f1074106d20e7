"""Whether today's table still looks like the one a model was made for: target and predictions first, then columns.

A column counts only where an effect and its significance agree: the effect reaches its threshold, and the q-value
of Benjamini and Hochberg over all tests of all columns is below 0.01; target and predictions are corrected apart
from the rest. Measured on tables without drift: 0 of 200 of 1,001 rows were anything but quiet, 1 of 100 of 200
rows against 5,000, 0 of 20 of 300 columns, 0 of 130 halves of real tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from loom.core.column_names import spoken
from loom.kernel.errors import LoomError
from loom.kernel.verdict import Reason, Verdict, worst
from loom.science.columns import Columns, Source, columns_of
from loom.science.discoveries import benjamini_hochberg
from loom.science.drift.columnwise import As, Compared, Comparison
from loom.science.drift.shifts import Evidence, Shift
from loom.science.drift.telling import Telling, tell_apart

Q = 0.01
DOMAIN = (0.60, 0.75)
DOMAIN_P = 0.001
_LEVELS = (0.05, 0.10)
_NUMBERS = (0.10, 0.25)
_NAMED = 10


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """One column of both tables: how it was compared, what differs, the smallest q-value, and the verdict."""

    name: str
    compared_as: As
    verdict: Verdict
    shift: Shift
    q: float | None
    reasons: tuple[Reason, ...]

    def as_json(self) -> dict[str, Any]:
        """The column as plain data."""
        shift = self.shift
        numbers = {
            "psi": shift.psi,
            "ks": shift.ks,
            "wasserstein": shift.wasserstein,
            "jensen_shannon": shift.jensen_shannon,
            "total_variation": shift.total_variation,
            "missing_delta": shift.missing_delta,
            "unseen": shift.unseen,
            "out_of_range": shift.outside,
            "q": self.q,
        }
        return {
            "name": self.name,
            "compared_as": self.compared_as,
            "verdict": str(self.verdict),
            **{key: None if value is None else float(f"{value:.4g}") for key, value in numbers.items()},
            "reasons": [reason.code for reason in self.reasons],
        }


@dataclass(frozen=True, slots=True)
class Drift:
    """What differs between two tables. `columns` are the features, worst first; `share` of them are not quiet."""

    verdict: Verdict
    rows: tuple[int, int]
    target: ColumnDrift | None
    prediction: ColumnDrift | None
    columns: tuple[ColumnDrift, ...]
    share: float
    domain_auc: float | None
    missing_delta: dict[str, float]
    new: tuple[str, ...]
    removed: tuple[str, ...]
    reasons: tuple[Reason, ...]

    def as_json(self) -> dict[str, Any]:
        """The drift as plain data, in the words of the summary of `ops`."""
        return {
            "verdict": str(self.verdict),
            "rows_current": self.rows[0],
            "rows_reference": self.rows[1],
            "target": None if self.target is None else self.target.as_json(),
            "prediction": None if self.prediction is None else self.prediction.as_json(),
            "columns": [column.as_json() for column in self.columns],
            "share": self.share,
            "domain_auc": self.domain_auc,
            "missing_delta": self.missing_delta,
            "new_columns": list(self.new),
            "removed_columns": list(self.removed),
            "reasons": [reason.as_dict() for reason in self.reasons],
        }


def drift(
    current: Source,
    reference: Source,
    *,
    target: str | None = None,
    prediction: str | None = None,
    time: Sequence[str] = (),
    seed: int = 0,
) -> Drift:
    """Compare two tables, a block of columns at a time.

    The target may be absent from the current table, where answers are not known yet. A change of target or
    predictions counts from 5 points of total variation (10 alarm) or 0.1 deviations (0.25 alarm). Time moves on: of
    its columns, as of ids and dates, only the gaps are compared.
    """
    here, there = columns_of(current), columns_of(reference)
    _check(here, there, target, prediction)
    now, before = set(here.names), set(there.names)
    special = {target, prediction}
    comparison = Comparison(here, there, time=time, seed=seed)
    answers = {
        name: _as_answer(comparison.answer(name), "target" if name == target else "prediction")
        for name in (target, prediction)
        if name is not None and name in now and name in before
    }
    judged = dict(zip(answers, _judged([*answers.values()]), strict=True))
    shared = [name for name in there.names if name in now and name not in special]
    columns = sorted(_judged(list(comparison.features(shared))), key=_badness)
    domain = tell_apart(*comparison.domain(), seed=seed)
    new = tuple(name for name in here.names if name not in before and name not in special)
    removed = tuple(name for name in there.names if name not in now and name not in special)
    reasons = [
        *(reason for answer in judged.values() for reason in answer.reasons),
        *_of_columns_gone(new, removed),
        *(reason for column in columns for reason in column.reasons),
        *(_of_domain(domain) if domain is not None else ()),
    ]
    moved = sum(column.verdict is not Verdict.OK for column in columns)
    return Drift(
        verdict=worst(Verdict.OK, *map(_verdict_of, reasons)),
        rows=(here.rows, there.rows),
        target=judged.get(target or ""),
        prediction=judged.get(prediction or ""),
        columns=tuple(columns),
        share=round(moved / len(columns), 4) if columns else 0.0,
        domain_auc=None if domain is None else round(domain.auc, 4),
        missing_delta={
            column.name: round(column.shift.missing_delta, 4)
            for column in columns
            if any(reason.code == "missing" for reason in column.reasons)
        },
        new=new,
        removed=removed,
        reasons=tuple(sorted(reasons, key=lambda reason: reason.severity != "error")),
    )


def _check(current: Columns, reference: Columns, target: str | None, prediction: str | None) -> None:
    for table, side in ((current, "current"), (reference, "reference")):
        if not table.rows:
            raise LoomError(
                f"the {side} table has no rows",
                "there is nothing to compare",
                "name another with --reference",
            )
    for name, what in ((target, "target"), (prediction, "prediction")):
        if name is not None and name not in reference.names:
            raise LoomError(
                f"the reference has no column `{name}` for the {what}",
                f"its columns are {', '.join(map(spoken, reference.names[:20]))}",
                "name a table that has it with --reference",
            )


def _as_answer(compared: Compared, what: str) -> Compared:
    """The comparison with a stricter eye on the distribution, which for a target is what matters most."""
    shift = compared.shift
    by_size = compared.compared_as == "numbers" and shift.wasserstein is not None
    value = shift.wasserstein if by_size else shift.total_variation
    warn, alert = _NUMBERS if by_size else _LEVELS
    evidence = tuple(
        Evidence("target" if what == "target" else "prediction", value, warn, alert, one.p)
        if one.code == "distribution" and value is not None
        else one
        for one in shift.evidence
    )
    return replace(compared, shift=replace(shift, evidence=evidence))


def _judged(compared: Sequence[Compared]) -> list[ColumnDrift]:
    """Every column with its verdict; the p-values of all their tests are corrected together."""
    corrected = iter(benjamini_hochberg([one.p for each in compared for one in each.shift.evidence]))
    result = []
    for each in compared:
        values = [next(corrected) for _ in each.shift.evidence]
        reasons = [
            _reason(each.name, one, q)
            for one, q in zip(each.shift.evidence, values, strict=True)
            if one.value >= one.warn and q < Q
        ]
        if each.compared_as == "nothing":
            what = f"`{spoken(each.name)}` has another type than in the reference"
            reasons.insert(0, Reason("type", "error", what, column=each.name))
        verdict = worst(Verdict.OK, *map(_verdict_of, reasons))
        q = min(values, default=None)
        result.append(ColumnDrift(each.name, each.compared_as, verdict, each.shift, q, tuple(reasons)))
    return result


def _reason(name: str, one: Evidence, q: float) -> Reason:
    alarm = one.value >= one.alert
    called = f"`{spoken(name)}`"
    certainty = f"q {q:.1g}" if q >= 1e-6 else "q < 0.000001"
    what = {
        "distribution": f"{called} is distributed otherwise: PSI {one.value:.2f} beyond what chance makes",
        "missing": f"missing cells in {called} changed by {100 * one.value:.1f} points",
        "unseen_levels": f"{one.value:.1%} of {called} have levels that the reference lacks",
        "out_of_range": f"{one.value:.2%} of {called} lie outside the range of the reference",
        "target": f"the target {called} moved by {one.value:.2f}",
        "prediction": f"the predictions {called} moved by {one.value:.2f}",
    }[one.code]
    return Reason(
        one.code,
        "error" if alarm else "warning",
        f"{what} ({certainty})",
        float(f"{one.value:.4g}"),
        one.alert if alarm else one.warn,
        name,
    )


def _of_columns_gone(new: Sequence[str], removed: Sequence[str]) -> list[Reason]:
    """A model cannot do without a column that is gone; one that is new it does not know."""
    gone = [
        Reason("removed_column", "error", f"`{spoken(name)}` is no longer there", column=name)
        for name in removed[:_NAMED]
    ]
    if len(removed) > _NAMED:
        what = f"{len(removed) - _NAMED:,} more columns are no longer there"
        gone.append(Reason("removed_column", "error", what, len(removed)))
    come = [Reason("new_column", "warning", f"`{spoken(name)}` is new", column=name) for name in new[:_NAMED]]
    if len(new) > _NAMED:
        what = f"{len(new) - _NAMED:,} more columns are new"
        come.append(Reason("new_column", "warning", what, len(new)))
    return [*gone, *come]


def _of_domain(domain: Telling) -> list[Reason]:
    """A model that tells the tables apart: chance explains an area of 0.6 and more only in small tables."""
    warn, alert = DOMAIN
    if domain.auc < warn or domain.p >= DOMAIN_P:
        return []
    alarm = domain.auc >= alert
    by = ", ".join(f"`{spoken(name)}`" for name in domain.columns)
    what = f"a model tells the tables apart (AUC {domain.auc:.2f}), most of all by {by}"
    return [
        Reason(
            "domain", "error" if alarm else "warning", what, round(domain.auc, 4), alert if alarm else warn
        )
    ]


def _verdict_of(reason: Reason) -> Verdict:
    return {"error": Verdict.DRIFT, "warning": Verdict.WARN}.get(reason.severity, Verdict.OK)


def _badness(column: ColumnDrift) -> tuple[int, float, float]:
    """Worst first: by verdict, then by how far the worst evidence is beyond its threshold."""
    beyond = max((one.value / one.warn for one in column.shift.evidence), default=0.0)
    return (
        -column.verdict.severity,
        column.q if column.verdict is not Verdict.OK and column.q else 1.0,
        -beyond,
    )
