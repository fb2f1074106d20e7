from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loom.kernel.verdict import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_OUTCOME,
    EXIT_SETUP,
    Outcome,
    Reason,
    Status,
    Verdict,
    exit_code,
    judge,
    status_of,
    worst,
)

verdicts = st.sampled_from(Verdict)
refusals = st.from_regex(r"\A[A-Z0-9]{1,6}(_[A-Z0-9]{1,6}){0,2}\Z")
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(verdicts, verdicts, verdicts)
def test_the_worst_of_three_does_not_depend_on_grouping(a: Verdict, b: Verdict, c: Verdict) -> None:
    assert worst(worst(a, b), c) == worst(a, worst(b, c)) == worst(a, b, c)


@relaxed
@given(st.lists(verdicts).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_worst_does_not_depend_on_order(pair: tuple[list[Verdict], list[Verdict]]) -> None:
    given_order, other_order = pair
    assert worst(*given_order) == worst(*other_order)


@given(verdicts)
def test_a_verdict_with_itself_is_itself(a: Verdict) -> None:
    assert worst(a, a) == worst(a) == a


@relaxed
@given(st.lists(verdicts, min_size=1))
def test_the_worst_is_one_of_the_given_and_none_is_worse(some: list[Verdict]) -> None:
    result = worst(*some)
    assert result in some
    assert all(verdict.severity <= result.severity for verdict in some)


@relaxed
@given(st.dictionaries(st.text(), st.one_of(verdicts, st.none(), st.text(), st.just(ValueError("boom")))))
def test_only_passes_make_a_pass(checks: dict[str, object]) -> None:
    every_check_passed = bool(checks) and all(check is Verdict.PASS for check in checks.values())
    assert (judge(checks) is Verdict.PASS) == every_check_passed


def test_no_two_verdicts_are_equally_severe() -> None:
    assert len({verdict.severity for verdict in Verdict}) == len(Verdict)


def test_a_judgement_of_nothing_is_a_review() -> None:
    assert worst() is Verdict.REVIEW
    assert judge({}) is Verdict.REVIEW


@pytest.mark.parametrize("no_verdict", [None, "PASS", "pass", True, 0, ValueError("boom")])
def test_a_check_without_a_verdict_is_a_review(no_verdict: object) -> None:
    assert judge({"a": Verdict.PASS, "b": no_verdict}) is Verdict.REVIEW
    assert judge({"a": Verdict.FAIL, "b": no_verdict}) is Verdict.FAIL


def test_failing_outcomes_rank_above_doubtful_ones_and_those_above_good_ones() -> None:
    good = [Verdict.PASS, Verdict.OK, Verdict.BUILT, Verdict.BEST, Verdict.DEPLOYED, Verdict.SENT]
    doubtful = [Verdict.WARN, Verdict.REVIEW]
    failing = [Verdict.REFUSED, Verdict.BLOCKED, Verdict.FAIL, Verdict.ERROR]
    order = sorted(good + doubtful + failing, key=lambda verdict: verdict.severity)
    assert set(order[:6]) == set(good)
    assert set(order[-4:]) == set(failing)


def test_the_exit_code_is_zero_only_for_acceptable_verdicts() -> None:
    acceptable = [Verdict.OK, Verdict.FLAGGED]
    assert [exit_code(verdict, acceptable) for verdict in (Verdict.OK, Verdict.FLAGGED, Verdict.PASS)] == [
        0,
        0,
        1,
    ]
    assert exit_code(Verdict.PASS, ()) == EXIT_OUTCOME
    assert (EXIT_OK, EXIT_OUTCOME, EXIT_SETUP, EXIT_INTERRUPTED) == (0, 1, 2, 130)


def test_the_status_says_how_a_run_ended() -> None:
    assert status_of(Verdict.BLOCKED) is Status.BLOCKED
    assert status_of(Verdict.REFUSED) is Status.REFUSED
    assert status_of(Verdict.ERROR) is Status.ERROR
    assert status_of(Verdict.FAIL) is Status.OK


@relaxed
@given(st.one_of(st.builds(Outcome, verdicts), st.builds(Outcome, st.just(Verdict.REFUSED), refusals)))
def test_an_outcome_is_read_back_from_its_text(outcome: Outcome) -> None:
    assert Outcome.parse(str(outcome)) == outcome


@pytest.mark.parametrize(
    "text", ["", "pass", "REFUSED_", "REFUSED_no gpu", "REFUSED__X", "PASS_WITH_LUCK", "MAYBE"]
)
def test_a_text_that_names_no_outcome_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Outcome.parse(text)


def test_a_reason_is_plain_data_that_strict_json_can_write() -> None:
    reason = Reason("leak", "error", "correlation with the target", float("nan"), 0.95, "id")
    assert json.loads(json.dumps(reason.as_dict(), allow_nan=False)) == {
        "code": "leak",
        "severity": "error",
        "what": "correlation with the target",
        "value": "nan",
        "threshold": 0.95,
        "column": "id",
    }


def test_a_reason_about_no_column_has_no_column_key() -> None:
    assert "column" not in Reason("rows", "info", "rows", 10).as_dict()
