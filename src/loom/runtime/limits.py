"""What a phase may spend, from its declaration and the settings in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loom.process.plan import Step
from loom.runtime.state import Limits

MAX_RETRIES = 3
REPLANS = "execution.max_iteration_replans_after_exhaustion"


def limits_of(step: Step, settings: Mapping[str, Any], seed: int = 0) -> Limits:
    """The limits of one phase. A loop that is switched off by a setting leaves one attempt, retries as ever."""
    retries = min(step.phase.retries, MAX_RETRIES)
    loop = step.loop
    if loop is None or not settings.get("execution.enable_process_iteration_loops", True):
        return Limits(max_retries=retries, seed=seed)
    budget = loop.iteration_budget
    replans = loop.max_replans_after_exhaustion if loop.replan_on_exhaustion else 0
    return Limits(
        max_attempts=loop.max_attempts or 1,
        max_invocations=loop.max_total_runner_invocations,
        max_retries=retries,
        max_replans=min(replans, settings.get(REPLANS, replans)),
        stop_without_progress=loop.stop_on_no_improvement_attempts,
        max_seconds=budget.max_wall_clock_seconds if budget else None,
        max_tokens=budget.max_tokens if budget else None,
        max_tool_calls=budget.max_tool_calls if budget else None,
        full_rerun=loop.strategy == "full_rerun",
        seed=seed,
    )
