"""How failed tool calls count: `static_checks.tool_success_policy`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loom.process.spec.verification import ToolSuccessPolicy
from loom.tools.results import ToolResult
from loom.verification.attempt import Call
from loom.verification.outcome import FailureClass, Finding, Severity

CHECK = "tool-success"


def failed_calls(calls: Sequence[Call], policy: ToolSuccessPolicy) -> Iterator[Finding]:
    """A finding per failed call, as hard as the policy makes it.

    What touches safety is always hard. Beyond that:
    method_resilient: hard only when no call succeeded at all, so that no way of working is left.
    development_balanced: a product that was run and failed is hard until the same call succeeds; a check that
    could not be made is advice, and so is any other failure.
    safety_integrity_only: all else is advice.
    all_tools_hard: every failure is hard, whatever came after it.
    """
    anything_worked = any(call.result.success for call in calls)
    for place, call in enumerate(calls):
        if call.result.success:
            continue
        severity, failure_class = _judged(call, calls[place + 1 :], policy, anything_worked)
        what = call.result.error or "it failed and did not say why"
        yield Finding(CHECK, severity, failure_class, what, where=call.tool)


def _judged(
    call: Call, later: Sequence[Call], policy: ToolSuccessPolicy, anything_worked: bool
) -> tuple[Severity, FailureClass]:
    if call.result.error_kind == "safety":
        return "hard", "hard_integrity"
    product = _is_failed_product(call.result)
    failure_class: FailureClass = "semantic" if product else "method"
    match policy:
        case "all_tools_hard":
            return "hard", failure_class
        case "safety_integrity_only":
            return "advisory", failure_class
        case "method_resilient":
            return "advisory" if anything_worked else "hard", failure_class
        case "development_balanced":
            mended = any(_is_same(call, each) and each.result.success for each in later)
            return "hard" if product and not mended else "advisory", failure_class


def _is_failed_product(result: ToolResult) -> bool:
    """Whether the product itself was run and did not do what it should; a deadline is the harness's doing."""
    data = result.data or {}
    if "outcome" in data:
        return data["outcome"] == "failed" and not data.get("timed_out")
    return isinstance(data.get("exit_code"), int) and result.error_kind != "timeout"


def _is_same(call: Call, other: Call) -> bool:
    return call.tool == other.tool and dict(call.args) == dict(other.args)
