"""From the outcomes of the phases to one answer: a verdict, a summary, reasons and what to do next."""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loom.app.envelope import Ended, Envelope
from loom.process.plan import Plan
from loom.process.spec.verb import Verb
from loom.runtime.dispatch import Dispatched, RunRequest
from loom.runtime.lookup import NothingThereError, Scope, look_up
from loom.runtime.outcome import PhaseOutcome
from loom.tools.plain_schema import plainly_fits

# a result may say these beside its summary; they have places of their own, unless the schema claims them
BESIDE = ("verdict", "reasons", "next", "data_object", "card", "kept")
MAX_REASONS = 50


@dataclass(frozen=True, slots=True)
class _Trouble:
    """The phase that decided that a run did not end well, and how."""

    ended: Ended
    outcome: PhaseOutcome


def conclude(plan: Plan, request: RunRequest, done: Dispatched, *, command: str) -> Envelope:
    """The answer of a run, whatever became of its phases."""
    verb = plan.package.spec.verb
    outcomes = {name: done.outcomes[name] for name in plan.order if name in done.outcomes}
    scope = Scope(request.inputs, outcomes, {"id": done.pathspec, "experiment_id": request.experiment_id})
    found = _answer(verb, plan, scope)
    trouble = _trouble(plan, outcomes)
    if done.interrupted:
        trouble = _Trouble("interrupted", PhaseOutcome("", "cancelled"))
    elif trouble is None and done.failure:
        return _failed(plan, done, outcomes, done.failure, command)
    elif trouble is None and isinstance(found, str):
        return _failed(plan, done, outcomes, found, command)
    if trouble is not None and (trouble.ended == "interrupted" or _decides(trouble, plan, found)):
        return _troubled(plan, done, outcomes, trouble, command, request.key)
    assert not isinstance(found, str)
    verdict, summary, beside = found
    reasons = [*beside.get("reasons", ()), *_warnings(outcomes)]
    return Envelope(
        command,
        verdict,
        verb is None or verb.verdict is None or verdict in verb.verdict.ok,
        done.pathspec,
        str(done.card_path) if done.card_path else None,
        summary,
        reasons=tuple(reasons[:MAX_REASONS]),
        next=tuple(beside.get("next", ())),
        card=_card(beside),
        run=request.key,
        phases=_phases(outcomes),
        ended="blocked" if verdict == "BLOCKED" else "refused" if verdict.startswith("REFUSED") else "ok",
    )


Answer = tuple[str, dict[str, Any], Mapping[str, Any]]


def _answer(verb: Verb | None, plan: Plan, scope: Scope) -> Answer | str:
    """Verdict, summary and what stands beside it; or why there is none."""
    if verb is None or verb.verdict is None:
        statuses = {name: outcome.status for name, outcome in scope.outcomes.items()}
        files = [name for outcome in scope.outcomes.values() for name in outcome.deliverables]
        return "OK", {"phases": statuses, "deliverables": files}, {}
    try:
        verdict = look_up(verb.verdict.from_, scope)
        data = look_up(verb.summary.from_, scope) if verb.summary else {}
    except NothingThereError as error:
        return str(error)
    if verdict not in verb.verdict.values and not str(verdict).startswith("REFUSED"):
        return f"`{verdict}` is not one of the verdicts {plan.package.name} declares"
    if not isinstance(data, Mapping):
        return f"the summary of {plan.package.name} is not a mapping"
    schema = verb.summary.schema_ if verb.summary else {}
    listed = (schema.get("properties"), schema.get("required"))
    named = {str(name) for names in listed if isinstance(names, dict | list) for name in names}
    summary = {key: value for key, value in data.items() if key in named or key not in BESIDE}
    wrong = _misfits(summary, schema) if verdict != "BLOCKED" else []
    if wrong:
        return f"the summary of {plan.package.name} does not fit its schema: {'; '.join(wrong[:3])}"
    return str(verdict), summary, data


def kept_by(outcomes: Mapping[str, PhaseOutcome]) -> dict[str, Mapping[str, Any]]:
    """The files that the phases of a run kept beside its data, by name."""
    found: dict[str, Mapping[str, Any]] = {}
    for outcome in outcomes.values():
        kept = outcome.data.get("kept") if outcome.is_good and isinstance(outcome.data, Mapping) else None
        found |= kept if isinstance(kept, Mapping) else {}
    return found


def _card(beside: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What the tool wants on the page of the run."""
    found = beside.get("card")
    return found if isinstance(found, Mapping) else None


def _misfits(summary: dict[str, Any], schema: Mapping[str, Any]) -> list[str]:
    if plainly_fits(summary, dict(schema)):
        return []
    # the full check takes longer to import than most verbs take to run
    check = importlib.import_module("loom.core.contracts").validate_output
    found: list[str] = check(summary, schema)
    return found


def _trouble(plan: Plan, outcomes: Mapping[str, PhaseOutcome]) -> _Trouble | None:
    """The first phase, in the order of the plan, that did not end well by itself."""
    for outcome in outcomes.values():
        codes = {reason.code for reason in outcome.reasons}
        if outcome.is_good or codes & {"dependency", "stopped"}:
            continue
        if outcome.status == "blocked":
            return _Trouble("blocked", outcome)
        if outcome.status == "cancelled":
            return _Trouble("interrupted", outcome)
        if "safety_failure" in codes:
            return _Trouble("refused", outcome)
        went_wrong = any(code.endswith("_failure") for code in codes)
        return _Trouble("error" if went_wrong else "failed", outcome)
    return None


def _decides(trouble: _Trouble, plan: Plan, found: Answer | str) -> bool:
    """Whether the run's answer cannot be given in spite of the trouble."""
    critical = plan.package.phases[trouble.outcome.phase].is_critical_path
    verb = plan.package.spec.verb
    return critical or isinstance(found, str) or verb is None or verb.verdict is None


def _troubled(
    plan: Plan,
    done: Dispatched,
    outcomes: Mapping[str, PhaseOutcome],
    trouble: _Trouble,
    command: str,
    run: str,
) -> Envelope:
    ended, outcome = trouble.ended, trouble.outcome
    beside = _behind_gate(plan, outcomes, outcome) if ended == "blocked" else {}
    told = tuple(beside.get("reasons") or ())
    # who says why the gate does not hold says more than the gate
    is_told = any(each.get("severity") == "error" for each in told)
    reasons = (
        told
        if is_told
        else told
        + tuple(
            {"code": reason.code, "severity": "error", "what": reason.what, "value": None, "threshold": None}
            | {"phase": outcome.phase}
            for reason in outcome.reasons
        )
    )
    verdict = {"blocked": "BLOCKED", "refused": "REFUSED"}.get(ended, "ERROR")
    error = None
    if ended in ("error", "failed"):
        error = _told(outcome) or {
            "what": f"phase {outcome.phase} of {plan.package.name} did not end well",
            "why": "; ".join(reason.what for reason in outcome.reasons[:3]) or f"it ended {outcome.status}",
            "fix": f"loom logs {shlex.quote(done.pathspec)}" if done.pathspec else "loom doctor",
        }
    # what failed for good fails again
    may_help = ended == "interrupted" or any(reason.retryable for reason in outcome.reasons)
    reference = done.pathspec or run
    following = (f"loom resume {shlex.quote(reference)}",) if may_help and reference else ()
    following = tuple(beside.get("next") or following)
    return Envelope(
        command,
        verdict,
        False,
        done.pathspec,
        str(done.card_path) if done.card_path else None,
        _stages(plan, done, outcome),
        reasons=reasons[:MAX_REASONS],
        next=following,
        card=_card(beside),
        error=error,
        phases=_phases(outcomes),
        ended=ended,
    )


def _stages(plan: Plan, done: Dispatched, stopped: PhaseOutcome) -> dict[str, Any] | None:
    """Of a run of runs: those that took place, and the first that did not come to what was needed."""
    stages: list[dict[str, Any]] = []
    failed: str | None = None
    for name in plan.order:
        run, outcome = plan.package.phases[name].run, done.outcomes.get(name)
        if run is None or run.process is None or outcome is None:
            continue
        ran = [each for each in (outcome.items or (outcome,)) if each.attempts]
        for each in ran:
            # what never became a run of its own is known under that of the whole
            own = each.pathspec if each.pathspec != done.pathspec else None
            stages.append({"verb": run.process, "pathspec": own, "verdict": each.verdict})
        well = all(each.is_good and (each.data or {}).get("acceptable", True) for each in ran)
        if failed is None and (not well or name == stopped.phase):
            failed = run.process
    return {"stages": stages, "failed_stage": failed} if stages or failed else None


def _behind_gate(
    plan: Plan, outcomes: Mapping[str, PhaseOutcome], stopped: PhaseOutcome
) -> Mapping[str, Any]:
    """What the results that a gate looked at say beside themselves: why it does not hold, what to do, a page."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(each.phase for each in plan.package.phases[stopped.phase].require):
        data = outcomes[name].data if name in outcomes else None
        if isinstance(data, Mapping):
            found |= {key: data[key] for key in ("reasons", "next", "card") if data.get(key)}
    return found


def _told(outcome: PhaseOutcome) -> dict[str, str] | None:
    """The three lines a tool said itself."""
    data = outcome.data if isinstance(outcome.data, Mapping) else {}
    told = data.get("error")
    return dict(told) if isinstance(told, Mapping) and set(told) == {"what", "why", "fix"} else None


def _failed(
    plan: Plan, done: Dispatched, outcomes: Mapping[str, PhaseOutcome], why: str, command: str
) -> Envelope:
    name = done.pathspec or ""
    error = {
        "what": f"{plan.package.name} ended without an answer",
        "why": why,
        "fix": f"loom logs {shlex.quote(name)}" if name else "loom doctor",
    }
    return Envelope(
        command, "ERROR", False, done.pathspec, error=error, phases=_phases(outcomes), ended="error"
    )


def _warnings(outcomes: Mapping[str, PhaseOutcome]) -> list[dict[str, Any]]:
    """What went wrong in phases whose result nobody needed."""
    return [
        {"code": reason.code, "severity": "warning", "what": f"{outcome.phase}: {reason.what}", "value": None}
        | {"threshold": None, "phase": outcome.phase}
        for outcome in outcomes.values()
        if not outcome.is_good
        for reason in outcome.reasons
    ]


def _phases(outcomes: Mapping[str, PhaseOutcome]) -> tuple[dict[str, Any], ...]:
    return tuple(outcome.as_json() for outcome in outcomes.values())
