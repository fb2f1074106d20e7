"""Every rule of a verdict, one spoiled measurement at a time."""

from __future__ import annotations

import math
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.science.judgement import RULES, judge
from tests.science.judgement.measurements import HONEST, REGRESSION, spoiled

LEAK = {"column": "refund", "reason": "score", "score": 0.999}
SLICE = {"name": "region is north", "columns": ["region"], "n": 200, "effect": 0.6}
SKILL = {"code": "brier_skill", "severity": "error", "what": "the mean would do better", "value": -0.1}
TOO_BOLD = {"code": "calibration_slope", "severity": "warning", "what": "too bold", "value": 0.6}


def unfair(code: str, severity: str) -> dict[str, Any]:
    found = {"code": code, "severity": severity, "what": "groups differ", "value": 0.5, "column": "sex"}
    return {"column": "sex", "findings": [found]}


UNEQUAL = unfair("demographic_parity", "warning")
AT_CHANCE = unfair("group_auc", "error")
FEW = unfair("insufficient_group", "warning")
WORSE = [{"name": "logistic regression", "difference": {"value": -0.03, "ci": [-0.05, -0.01]}}]
AS_GOOD = [{"name": "logistic regression", "difference": {"value": 0.0, "ci": [-0.01, 0.01]}}]


@pytest.mark.parametrize("honest", [HONEST, REGRESSION], ids=["auc", "rmse"])
def test_nothing_against_a_model_is_a_pass(honest: dict[str, Any]) -> None:
    found = judge(honest)
    assert (found.verdict, found.reasons) == ("PASS", ())


@pytest.mark.parametrize(
    ("path", "value", "verdict", "code"),
    [
        ("leakage.flags", [LEAK], "FAIL", "leak_used"),
        ("leakage.suspects", [LEAK], "REVIEW", "suspect_used"),
        ("overlaps.rows", 1, "FAIL", "overlap"),
        ("overlaps.groups", 3, "FAIL", "overlap"),
        ("overlaps.times", 2, "FAIL", "overlap"),
        ("canary.ci", [0.51, 0.6], "FAIL", "canary_broken"),
        ("holdout", None, "FAIL", "no_holdout"),
        ("holdout.n", 0, "FAIL", "no_holdout"),
        ("holdout.score", None, "FAIL", "no_holdout"),
        ("target_missing", 0.051, "FAIL", "target_missing"),
        ("holdout.ci", [0.5, 0.83], "FAIL", "not_above_dummy"),
        ("permutation_p", 0.011, "FAIL", "chance"),
        ("cv.mean", 0.80 + 5.1 * math.hypot(0.015, 0.005), "FAIL", "below_cv"),
        ("cv.mean", 0.80 + 3.1 * math.hypot(0.015, 0.005), "REVIEW", "below_cv"),
        ("cv.mean", 0.80 + 2.9 * math.hypot(0.015, 0.005), "PASS", ""),
        ("cv.mean", 0.5, "PASS", ""),
        ("holdout.ci", [0.73, 0.84], "REVIEW", "imprecise"),
        ("baselines.simple", WORSE, "REVIEW", "worse_than_simple"),
        ("baselines.simple", AS_GOOD, "PASS", "worse_than_simple"),
        ("calibration.findings", [SKILL], "FAIL", "brier_skill"),
        ("calibration.findings", [TOO_BOLD], "REVIEW", "calibration_slope"),
        ("metric.threshold", 0.84, "FAIL", "threshold_missed"),
        ("metric.threshold", 0.82, "REVIEW", "threshold_missed"),
        ("metric.threshold", 0.80, "PASS", ""),
        ("slices", [SLICE], "REVIEW", "bad_slice"),
        ("fairness", [UNEQUAL], "REVIEW", "demographic_parity"),
        ("fairness", [FEW], "REVIEW", "insufficient_group"),
        ("fairness", [AT_CHANCE], "FAIL", "group_auc"),
        ("adversarial.auc", 0.60, "REVIEW", "distinguishable"),
        ("splitter.horizon_assumed", True, "REVIEW", "horizon_assumed"),
        ("holdout.openings", 2, "REVIEW", "holdout_reused"),
    ],
)
def test_one_measurement_decides(path: str, value: object, verdict: str, code: str) -> None:
    found = judge(spoiled(path, value))
    assert found.verdict == verdict
    assert code in {reason.code for reason in found.reasons} or not code


@pytest.mark.parametrize(
    ("path", "value", "verdict"),
    [
        ("metric.threshold", 1.9, "FAIL"),
        ("metric.threshold", 2.0, "REVIEW"),
        ("metric.threshold", 2.2, "PASS"),
        ("holdout.ci", [1.9, 4.0], "FAIL"),
        ("cv.mean", 1.7, "FAIL"),
        ("cv.mean", 3.0, "PASS"),
        ("canary.ci", [3.0, 3.9], "FAIL"),
        ("canary.ci", [4.1, 4.4], "PASS"),
        ("holdout.ci", [1.8, 2.3], "REVIEW"),
    ],
)
def test_a_metric_that_should_be_small_is_never_read_the_wrong_way_round(
    path: str, value: object, verdict: str
) -> None:
    assert judge(spoiled(path, value, REGRESSION)).verdict == verdict


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
@pytest.mark.parametrize("way", ["missing", "nothing", "failed", "nonsense"])
def test_a_rule_that_cannot_be_applied_is_never_a_pass(rule: Any, way: str) -> None:
    for need in rule.needs[: 1 if way == "nonsense" else None]:
        measured = deepcopy(HONEST)
        if way == "missing":
            del measured[need]
        elif way == "nothing":
            measured[need] = None
        elif way == "failed":
            measured["errors"] = {need: "LinAlgError"}
        else:
            measured[need] = object()
        found = judge(measured, rules=[rule])
        assert found.verdict != "PASS", need
        assert any(rule.code in reason.what or reason.code == rule.code for reason in found.reasons)


def test_a_holdout_that_could_not_be_scored_is_reviewed_and_not_called_absent() -> None:
    found = judge(HONEST | {"holdout": None, "errors": {"holdout": "LinAlgError"}})
    assert found.verdict == "REVIEW"
    assert "no_holdout could not be judged: holdout could not be measured: LinAlgError" in {
        reason.what for reason in found.reasons
    }


def test_a_suspect_somebody_vouches_for_is_noted_and_no_more() -> None:
    measured = spoiled("leakage.suspects", [LEAK])
    found = judge(measured, accepted=["refund"])
    assert found.verdict == "PASS"
    assert [(reason.code, reason.severity) for reason in found.reasons] == [("suspect_used", "info")]
    assert judge(measured, accepted=["other"]).verdict == "REVIEW"


def test_strictness_turns_a_breach_into_a_failure_but_not_a_lack_of_rows() -> None:
    assert judge(spoiled("fairness", [UNEQUAL]), strict=True).verdict == "FAIL"
    assert judge(spoiled("fairness", [FEW]), strict=True).verdict == "REVIEW"


def test_telling_the_parts_apart_is_expected_of_a_split_by_time() -> None:
    measured = spoiled("adversarial.auc", 0.9)
    measured["splitter"]["kind"] = "time+group"
    found = judge(measured)
    assert (found.verdict, found.reasons[0].severity) == ("PASS", "info")


def test_amounts_are_not_probabilities() -> None:
    found = judge(spoiled("calibration.findings", [SKILL, TOO_BOLD], REGRESSION))
    assert (found.verdict, {reason.severity for reason in found.reasons}) == ("PASS", {"info"})


def test_the_worst_is_said_first() -> None:
    measured = spoiled("permutation_p", 0.5) | {"slices": [SLICE]}
    assert [reason.severity for reason in judge(measured).reasons] == ["error", "warning"]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [found for key, each in inner for found in places(each, (*path, key))]


NUMBERS = [path for path in places(HONEST) if path[0] not in ("errors", "fairness")]


@given(st.sampled_from(NUMBERS), st.sampled_from([math.nan, "x", {}, True]))
def test_a_figure_that_is_none_never_makes_a_worse_model_pass(path: tuple[Any, ...], value: object) -> None:
    bad = spoiled("permutation_p", 0.9)
    place = bad
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert judge(bad).verdict != "PASS"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_says_what_it_looks_at_and_where_its_limit_is(rule: Any) -> None:
    assert all((rule.statistic, rule.null, rule.limit))


def test_a_trifle_by_which_something_simpler_is_better_is_a_note() -> None:
    trifle = [{"name": "a linear model", "difference": {"value": -0.001, "ci": [-0.002, -0.0005]}}]
    found = judge(spoiled("baselines.simple", trifle))
    assert (found.verdict, found.reasons[0].severity) == ("PASS", "info")


@pytest.mark.parametrize(("error", "verdict"), [(0.056, "PASS"), (0.09, "REVIEW")])
def test_an_error_that_is_mostly_noise_is_a_note(error: float, verdict: str) -> None:
    finding = {
        "code": "calibration_error",
        "severity": "warning",
        "what": "off",
        "value": error,
        "threshold": 0.05,
    }
    calibration = {"ece": error, "noise_floor": {"mean": 0.036, "p99": 0.053}, "findings": [finding]}
    assert judge(spoiled("calibration", calibration)).verdict == verdict


def test_every_rule_is_listed_with_what_it_saw_and_the_worst_first() -> None:
    found = judge(spoiled("permutation_p", 0.5) | {"slices": [SLICE], "canary": None})
    outcomes = [each.outcome for each in found.ruled]
    assert len(found.ruled) == len(RULES)
    assert outcomes[:3] == ["FAIL", "REVIEW", "UNKNOWN"]
    assert set(outcomes[3:]) == {"PASS"}
    seen = {each.rule.code: each.value for each in found.ruled}
    assert seen["chance"] == "p = 0.5"
    assert seen["canary_broken"] == ""
    assert all(value for code, value in seen.items() if code not in ("canary_broken", "miscalibrated")), seen
