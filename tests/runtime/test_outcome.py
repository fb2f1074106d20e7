"""Outcomes travel as plain JSON, and those of items and of tasks become those of phases."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.runtime.outcome import GOOD, PhaseOutcome, PhaseStatus, by_phase, ended, not_run, of_items
from loom.runtime.state import Reason

texts = st.text(max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
whys = st.lists(st.builds(Reason, texts, texts, st.booleans()), max_size=2).map(tuple)
names = st.lists(texts, max_size=2).map(tuple)


def outcomes(items: st.SearchStrategy[tuple[PhaseOutcome, ...] | None]) -> st.SearchStrategy[PhaseOutcome]:
    return st.builds(
        PhaseOutcome,
        phase=texts,
        status=st.sampled_from(get_args(PhaseStatus)),
        data=json_values,
        verdict=json_values,
        summary=json_values,
        pathspec=json_values,
        deliverables=names,
        reasons=whys,
        attempts=st.integers(0, 6),
        seconds=st.floats(0, 100),
        items=items,
        data_objects=names,
        sandbox=texts,
        output=texts,
    )


any_outcome = outcomes(st.none() | st.lists(outcomes(st.none()), max_size=2).map(tuple))


@given(any_outcome)
def test_an_outcome_comes_back_from_json_as_it_was(outcome: PhaseOutcome) -> None:
    assert PhaseOutcome.from_json(json.loads(json.dumps(outcome.as_json(), allow_nan=True))) == outcome


def test_json_names_every_field() -> None:
    assert set(PhaseOutcome("a", "accepted").as_json()) == set(PhaseOutcome.__dataclass_fields__)


@pytest.mark.parametrize("status", get_args(PhaseStatus))
def test_phases_go_on_after_what_was_accepted_or_had_nothing_to_do(status: PhaseStatus) -> None:
    assert PhaseOutcome("a", status).is_good == (status in ("accepted", "skipped")) == (status in GOOD)


def test_a_phase_without_a_turn_says_because_of_which() -> None:
    assert not_run("b", "blocked", "a").reasons == (Reason("dependency", "a did not end well"),)
    assert not_run("b", "cancelled", "a").reasons == (Reason("stopped", "a did not end well"),)
    assert not_run("b", "cancelled", "") == PhaseOutcome(
        "b", "cancelled", reasons=(Reason("stopped", "the run was stopped"),)
    )


def test_the_event_of_an_end_says_what_a_reader_needs() -> None:
    outcome = PhaseOutcome(
        "a",
        "rejected",
        data={"big": 1},
        reasons=(Reason("io_failure", "no answer", True),),
        attempts=2,
        seconds=1.5,
    )
    told = {
        "phase": "a",
        "status": "rejected",
        "seconds": 1.5,
        "attempts": 2,
        "reasons": [{"code": "io_failure", "what": "no answer"}],
    }
    assert ended(outcome) == told
    assert ended(outcome, 0) == {**told, "item": 0}


class TestItems:
    def test_every_field_becomes_a_list_in_the_order_of_the_items(self) -> None:
        one = PhaseOutcome(
            "a",
            "accepted",
            data={"n": 1},
            verdict="OK",
            summary={"s": 1},
            pathspec="F/1",
            deliverables=("a.md", "b.md"),
            attempts=1,
            seconds=1.0,
            data_objects=("x",),
            sandbox="isolated",
        )
        two = PhaseOutcome(
            "a", "skipped", data={"n": 2}, deliverables=("b.md", "c.md"), attempts=3, seconds=0.5
        )
        assert of_items("a", (one, two)) == PhaseOutcome(
            "a",
            "accepted",
            data=[{"n": 1}, {"n": 2}],
            verdict=["OK", None],
            summary=[{"s": 1}, None],
            pathspec=["F/1", None],
            deliverables=("a.md", "b.md", "c.md"),
            attempts=3,
            seconds=1.5,
            items=(one, two),
            data_objects=("x",),
            sandbox="isolated",
        )

    @pytest.mark.parametrize("status", [each for each in get_args(PhaseStatus) if each not in GOOD])
    def test_one_item_that_did_not_end_well_decides(self, status: PhaseStatus) -> None:
        bad = PhaseOutcome("a", status, reasons=(Reason("r", "w"),))
        whole = of_items("a", (PhaseOutcome("a", "accepted"), bad, PhaseOutcome("a", "accepted")))
        assert (whole.status, whole.reasons) == (status, bad.reasons)

    def test_no_items_means_nothing_to_do(self) -> None:
        assert of_items("a", ()) == PhaseOutcome(
            "a", "skipped", data=[], verdict=[], summary=[], pathspec=[], items=()
        )


class TestByPhase:
    def test_items_that_came_apart_become_one_phase_in_their_order(self) -> None:
        pieces = {f"each.{n}": PhaseOutcome("each", "accepted", data=n) for n in (10, 2, 0)}
        found = by_phase({"alone": PhaseOutcome("alone", "rejected"), **pieces})
        assert set(found) == {"alone", "each"}
        assert found["each"].data == [0, 2, 10]
        assert found["alone"].status == "rejected"

    def test_items_take_the_place_of_what_was_left_when_there_were_none(self) -> None:
        left = {"each": of_items("each", ()), "each.0": PhaseOutcome("each", "accepted", data=1)}
        assert by_phase(left)["each"].data == [1]
