"""The conditions of a deployment, one by one: what was looked at, whether it holds, and why it does not."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ._data import Line
from ._gate import Gate, reason, unseen
from ._validation import Found


def there(found: Found) -> Gate:
    """Whether there is a validation at all."""
    if found.facts is None:
        why = (reason("no_validation", found.why_not, found.asked),)
        return Gate("validated", "validation", False, found.why_not, why)
    return Gate("validated", "validation", True, str(found.reference))


def passed(found: Found) -> Gate:
    """Whether it ended in PASS; where not, with what spoke against the model."""
    facts = found.facts
    if facts is None:
        return unseen("passed", "verdict")
    verdict = facts.verdict
    if verdict == "PASS":
        return Gate("passed", "verdict", True, "PASS")
    said = [dict(each) for each in facts.reasons if each.get("severity") in ("error", "warning")]
    what = f"{found.reference} ended in {verdict}, and only PASS is deployed"
    why = (reason("verdict_not_pass", what, verdict, "PASS"), *said)
    return Gate("passed", "verdict", False, str(verdict), why)


def leak_free(found: Found) -> Gate:
    """Whether no column among those used knows the answer."""
    if found.facts is None:
        return unseen("leak_free", "leaks")
    told = found.summary.get("leakage")
    if not isinstance(told, list):
        what = "the validation does not say whether it looked for leaks"
        return Gate("leak_free", "leaks", False, "not known", (reason("leaks_unknown", what),))
    flags = [one for one in told if one.get("tier") != "suspects"]
    why = tuple(
        reason(
            "leak_used",
            f"it gives the answer away ({one.get('reason')})",
            one.get("score"),
            column=one["column"],
        )
        for one in flags
    )
    suspects = len(told) - len(flags)
    says = f"{len(flags)} used" if flags else f"none; {suspects} vouched for" if suspects else "none"
    return Gate("leak_free", "leaks", not flags, says, why)


def has_holdout(found: Found) -> Gate:
    """Whether it was judged by sealed rows."""
    if found.facts is None:
        return unseen("has_holdout", "holdout")
    holdout = found.summary.get("holdout") or {}
    if not holdout.get("digest") or not _is_number(holdout.get("score")):
        why = (reason("no_holdout", "the model was not judged by sealed rows", holdout.get("n", 0), 1),)
        return Gate("has_holdout", "holdout", False, "none", why)
    return Gate("has_holdout", "holdout", True, f"{holdout['n']:,} rows")


def unchanged(found: Found, wrong: Iterable[Line]) -> Gate:
    """Whether data and model are what was validated."""
    if found.facts is None:
        return unseen("unchanged", "digests")
    lines = list(wrong)
    why = tuple(reason(code, f"{name}: {what}") for code, what, name in lines)
    names = ", ".join(dict.fromkeys(name for _, _, name in lines))
    says = f"not as validated: {names}" if lines else "as validated"
    return Gate("unchanged", "digests", not why, says, why)


def servable(found: Found, cannot: str) -> Gate:
    """Whether the model can answer by itself."""
    if found.facts is None:
        return unseen("servable", "servable")
    why = (reason("not_servable", cannot, found.summary.get("model_source")),) if cannot else ()
    return Gate("servable", "servable", not cannot, cannot or "answers by itself", why)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
