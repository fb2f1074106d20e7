"""How long a call works at most, as a person is told before agreeing: the expensive part of it, as it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from loom.app.approving import call_plan
from loom.app.toolbox import toolbox
from loom.process.loader import ProcessLoader
from loom.process.plan import plan
from loom.runtime.consent import CallPlan
from tests.packages import TOOLS, write_package

SPENDING = TOOLS.replace('frozenset({"reads", "writes"})', 'frozenset({"spend"})')
BOUND = "{word: {type: text, default: hello}, budget: {type: duration, default: 5m, bounds_time: true}}"
TIMED = """
- id: only
  description: Say it.
  run: {tool: say, args: {word: '${inputs.word}'}}
  resources: {timeout_seconds: 600}
"""


def package(folder: Path, phases: str = TIMED, **told: Any) -> None:
    """Write a package where others find it by its name."""
    last = told.pop("last", "only")
    write_package(folder / "loom-processes", phases, last=last, **told)


def search(folder: Path, name: str = "inner", **told: Any) -> None:
    """An expensive verb with a time limit of its own."""
    package(folder, **{"name": name, "inputs": BOUND, "tier": "expensive", "tools": SPENDING, **told})


def planned(folder: Path, name: str, inputs: Mapping[str, Any] | None = None) -> CallPlan:
    loader = ProcessLoader(folder, home=folder / "home")
    found = plan(loader.load(folder / "loom-processes" / name).package)
    return call_plan(found, inputs or {}, loader, toolbox(found.package))


def minutes(folder: Path, name: str, inputs: Mapping[str, Any] | None = None) -> float | None:
    return planned(folder, name, inputs).cost.minutes


def around(*runs: str, tail: str = "") -> str:
    """The phases of a process around others."""
    phases = [f"- {{id: p{at}, description: Run it., run: {run}}}" for at, run in enumerate(runs)]
    return "\n".join([*phases, tail or TIMED.strip("\n")])


# the verb itself


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, 5.0),
        ({"budget": "90s"}, 1.5),
        ({"budget": None}, 5.0),
        ({"budget": "1h30m"}, 90.0),
        ({"budget": "0s"}, 0.0),
    ],
)
def test_the_time_that_somebody_gives_is_the_bound(
    tmp_path: Path, inputs: dict[str, Any], expected: float
) -> None:
    search(tmp_path)
    assert minutes(tmp_path, "inner", inputs) == expected


@pytest.mark.parametrize("budget", ["${phases.plan.data.budget}", "soon", "9" * 400 + "d"])
def test_a_time_that_is_not_known_leaves_what_the_phases_declare(tmp_path: Path, budget: str) -> None:
    search(tmp_path)
    assert minutes(tmp_path, "inner", {"budget": budget}) == 10.0


def test_a_duration_that_bounds_nothing_is_no_bound(tmp_path: Path) -> None:
    search(tmp_path, inputs=BOUND.replace(", bounds_time: true", ""))
    assert minutes(tmp_path, "inner", {"budget": "90s"}) == 10.0


def test_phases_without_a_limit_leave_no_bound(tmp_path: Path) -> None:
    package(tmp_path, TIMED.replace("  resources: {timeout_seconds: 600}\n", ""), tier="expensive")
    assert minutes(tmp_path, "probe") is None


# processes inside


def test_only_the_expensive_part_counts(tmp_path: Path) -> None:
    search(tmp_path)
    package(tmp_path, name="cheap")
    package(tmp_path, around("{process: cheap}", "{process: inner}"), name="outer")
    found = planned(tmp_path, "outer")
    assert (found.tier, found.cost.minutes) == ("expensive", 5.0)


def test_two_expensive_parts_take_as_long_as_both(tmp_path: Path) -> None:
    search(tmp_path)
    search(tmp_path, "other")
    phases = around("{process: inner, args: {budget: 1m}}", "{process: other, args: {budget: 90s}}")
    package(tmp_path, phases, name="outer")
    assert minutes(tmp_path, "outer") == 2.5


def test_an_expensive_process_around_an_expensive_one_counts_both(tmp_path: Path) -> None:
    search(tmp_path)
    timed = around("{process: inner}").replace(
        "run: {process: inner}", "run: {process: inner}, resources: {timeout_seconds: 60}"
    )
    package(tmp_path, timed, name="outer", tier="expensive")
    assert minutes(tmp_path, "outer") == 5.0 + 11.0


def test_what_the_outer_verb_is_given_reaches_the_bound_of_the_inner_one(tmp_path: Path) -> None:
    search(tmp_path)
    phases = around("{process: inner, args: {budget: '${inputs.budget}'}}")
    package(
        tmp_path, phases, name="outer", inputs="{word: {type: text}, budget: {type: duration, default: 3m}}"
    )
    assert minutes(tmp_path, "outer", {"budget": "2m"}) == 2.0
    # with nothing given, what the inner one takes by itself
    assert minutes(tmp_path, "outer", {"budget": None}) == 5.0


def test_nothing_expensive_inside_leaves_the_limits_of_the_phases(tmp_path: Path) -> None:
    package(tmp_path, name="cheap")
    phases = around("{process: cheap}").replace(
        "run: {process: cheap}", "run: {process: cheap}, resources: {timeout_seconds: 60}"
    )
    package(tmp_path, phases, name="outer")
    assert minutes(tmp_path, "outer") == 11.0


def test_an_expensive_process_for_each_of_some_items_has_no_bound(tmp_path: Path) -> None:
    search(tmp_path)
    each = "- {id: p, description: Run each., for_each: '${inputs.word}', run: {process: inner}}\n"
    package(tmp_path, each + TIMED.strip("\n"), name="outer")
    found = planned(tmp_path, "outer")
    assert (found.tier, found.cost.minutes) == ("expensive", None)
    assert "no bound on its time" in str(found.cost)


def test_a_cheap_process_for_each_of_some_items_does_not_take_the_bound_away(tmp_path: Path) -> None:
    search(tmp_path)
    package(tmp_path, name="cheap")
    each = "- {id: p, description: Run each., for_each: '${inputs.word}', run: {process: cheap}}\n"
    package(tmp_path, each + around("{process: inner}"), name="outer")
    assert minutes(tmp_path, "outer") == 5.0


def test_a_bound_is_found_however_deep_it_lies(tmp_path: Path) -> None:
    search(tmp_path)
    package(tmp_path, around("{process: inner, args: {budget: 4m}}"), name="middle")
    package(tmp_path, around("{process: middle}"), name="outer")
    assert minutes(tmp_path, "outer") == 4.0


def test_another_budget_is_another_plan(tmp_path: Path) -> None:
    search(tmp_path)
    digests = {planned(tmp_path, "inner", {"budget": budget}).digest for budget in ("60s", "1m", "2m")}
    assert len(digests) == 3
