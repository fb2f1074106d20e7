"""Merge laws: layers in order, floors below them all, and a real place for every value that was written."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from loom.kernel.diagnostics import Span
from loom.process.floors import FIELDS, SYNTHESIS_HARDENING, floor_of, high_risk_token, is_looser
from loom.process.resolve import LayerName, Policy, ResolvedProcess, loosened, merge
from loom.process.spec.process import RiskLevel
from tests.emitter import emit
from tests.process.checking import HEAD, WORK, check, document_of, errors_in, offsets_of

QUICK = settings(max_examples=200, derandomize=True, deadline=None, database=None)
RISKS: tuple[RiskLevel, ...] = ("low", "medium", "high", "critical")
HIGH = ("high", "critical")
TYPES = ("numeric", "date", "entity_fact", "causal", "quote")

Written = dict[str, Any]

ratios = st.sampled_from([0, 0.0, 0.1, 0.35, 0.5, 0.65, 0.8, 0.9, 1, 1.0])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "enabled": st.booleans(),
    "claim_extraction.enabled": st.booleans(),
    "critical_claim_types": st.lists(st.sampled_from(TYPES), max_size=4, unique=True).map(tuple),
    "min_supported_ratio": ratios,
    "max_unverified_ratio": ratios,
    "max_contradicted_count": st.integers(0, 3),
    "prune_mode": st.sampled_from(["drop", "rewrite_uncertainty"]),
    "require_fact_checker_for_synthesis": st.booleans(),
    "final_gate.enforce_verified_context_only": st.booleans(),
    "final_gate.synthesis_min_verification_tier": st.integers(1, 3),
    "final_gate.critical_claim_support_ratio": ratios,
    "final_gate.temporal_consistency.enabled": st.booleans(),
    "final_gate.temporal_consistency.require_as_of_alignment": st.booleans(),
    "final_gate.temporal_consistency.enforce_cross_claim_date_conflict_check": st.booleans(),
    "final_gate.temporal_consistency.max_source_age_days": st.sampled_from([0, 1, 30, 365, 366, 1000]),
    "final_gate.temporal_consistency.as_of": st.sampled_from(["", "2026-01-31", "2025-12-31"]),
}
contracts: st.SearchStrategy[Written] = st.fixed_dictionaries({}, optional=VALUES)
risks = st.sampled_from(RISKS)

# what each level demands, written down a second time: (low and medium, high and critical)
FLOORS: dict[str, tuple[Any, Any]] = {
    "enabled": (True, True),
    "claim_extraction.enabled": (True, True),
    "critical_claim_types": (("numeric", "date", "entity_fact"),) * 2,
    "min_supported_ratio": (0.65, 0.8),
    "max_unverified_ratio": (0.35, 0.2),
    "max_contradicted_count": (0, 0),
    "prune_mode": ("rewrite_uncertainty",) * 2,
    "require_fact_checker_for_synthesis": (False, True),
    "final_gate.enforce_verified_context_only": (True, True),
    "final_gate.synthesis_min_verification_tier": (2, 2),
    "final_gate.critical_claim_support_ratio": (0.9, 1.0),
    "final_gate.temporal_consistency.enabled": (False, True),
    "final_gate.temporal_consistency.require_as_of_alignment": (False, True),
    "final_gate.temporal_consistency.enforce_cross_claim_date_conflict_check": (False, True),
    "final_gate.temporal_consistency.max_source_age_days": (0, 365),
    "final_gate.temporal_consistency.as_of": ("", ""),
}
# fields that may go under their default below high risk
SOFT = {
    "enabled",
    "claim_extraction.enabled",
    "final_gate.enforce_verified_context_only",
    "final_gate.synthesis_min_verification_tier",
}
FREE = {"prune_mode", "final_gate.temporal_consistency.as_of"}


def at_least_the_floor(field: str, floor: Any, value: Any) -> Any:
    """A written value raised to the floor, by the kind of the field."""
    if field in FREE:
        return value
    if isinstance(floor, bool):
        return floor or value
    if isinstance(floor, tuple):
        return (*floor, *(each for each in value if each not in floor))
    if field.endswith("max_source_age_days"):
        return min((days for days in (floor, value) if days), default=0)
    return min(floor, value) if ".max_" in f".{field}" else max(floor, value)


def merged(risk: RiskLevel, *layers: Written, synthesis: bool = False) -> Policy:
    names: tuple[LayerName, ...] = ("process", "phase")
    named = tuple((names[min(at, 1)], written, (f"layer{at}",)) for at, written in enumerate(layers))
    return merge(risk, named, synthesis)


def values(policy: Policy) -> Written:
    return {field: sourced.value for field, sourced in policy.items()}


def test_the_floors_are_those_of_the_design() -> None:
    assert set(FIELDS) == set(FLOORS) == set(VALUES)
    for field, (relaxed, strict) in FLOORS.items():
        assert [floor_of(field, risk) for risk in RISKS] == [relaxed, relaxed, strict, strict]
        assert FIELDS[field].soft == (field in SOFT)


@QUICK
@given(risks, contracts, contracts)
def test_the_last_layer_that_writes_a_field_wins_and_then_the_floor(
    risk: RiskLevel, process: Written, phase: Written
) -> None:
    for field, sourced in merged(risk, process, phase).items():
        floor = FLOORS[field][risk in HIGH]
        last = phase.get(field, process.get(field, floor))
        undercut = field in SOFT and risk not in HIGH
        assert sourced.value == (last if undercut else at_least_the_floor(field, floor, last)), field


@QUICK
@given(risks, contracts, contracts, contracts)
def test_a_tighter_layer_never_loosens_the_result(
    risk: RiskLevel, process: Written, phase: Written, more: Written
) -> None:
    before = values(merged(risk, process, phase))
    tighter = {
        field: value for field, value in more.items() if not is_looser(field, value, before[field], risk)
    }
    after = values(merged(risk, process, phase, tighter))
    for field in set(FIELDS) - FREE:
        assert not is_looser(field, after[field], before[field], risk), field
        if field not in tighter:
            assert after[field] == before[field]


@QUICK
@given(risks, contracts, contracts, st.booleans())
def test_nobody_goes_below_a_hard_floor(
    risk: RiskLevel, process: Written, phase: Written, synthesis: bool
) -> None:
    for field, sourced in merged(risk, process, phase, synthesis=synthesis).items():
        if risk in HIGH or field not in SOFT:
            assert not is_looser(field, sourced.value, floor_of(field, risk), risk), field


@QUICK
@given(contracts, contracts, st.booleans())
def test_a_higher_risk_is_never_looser(process: Written, phase: Written, synthesis: bool) -> None:
    low = values(merged("low", process, phase, synthesis=synthesis))
    high = values(merged("critical", process, phase, synthesis=synthesis))
    for field in set(FIELDS) - FREE:
        assert not is_looser(field, high[field], low[field], "critical"), field


@QUICK
@given(risks, contracts, contracts)
def test_what_a_synthesis_is_hardened_with_always_wins(
    risk: RiskLevel, process: Written, phase: Written
) -> None:
    plain, hard = merged(risk, process, phase), merged(risk, process, phase, synthesis=True)
    for field, sourced in hard.items():
        if field in SYNTHESIS_HARDENING:
            assert sourced.value is True
            assert sourced.winner == "synthesis"
        else:
            assert sourced == plain[field]


@QUICK
@given(risks, contracts, contracts)
def test_the_winner_is_a_layer_that_spoke_and_says_the_value(
    risk: RiskLevel, process: Written, phase: Written
) -> None:
    for field, sourced in merged(risk, process, phase).items():
        spoke = [
            layer for layer in sourced.layers if (layer.name, layer.path) == (sourced.winner, sourced.path)
        ]
        assert len(spoke) == 1
        assert sourced.layers[0].name == "floor"
        assert [layer.name for layer in sourced.layers[1:]] == [
            name for name, written in (("process", process), ("phase", phase)) if field in written
        ]
        if isinstance(sourced.value, tuple):
            assert set(spoke[0].value) <= set(sourced.value)
        else:
            assert sourced.value == spoke[0].value


# as declarations -------------------------------------------------------------------------------------


def nested(written: Written) -> dict[str, Any]:
    """The contract as it stands in a file."""
    out: dict[str, Any] = {}
    for field, value in written.items():
        *parents, last = field.split(".")
        place = out
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = list(value) if isinstance(value, tuple) else value
    return out


def declaration(risk: RiskLevel, process: Written, phase: Written, seed: int, synthesis: bool = False) -> str:
    work: dict[str, Any] = {
        "id": "work",
        "description": "Work.",
        "verification_tier": 3,
        "is_synthesis": synthesis,
    }
    data: dict[str, Any] = {"name": "example", "schema_version": 2, "risk_level": risk, "phases": [work]}
    if process:
        data["validity_contract"] = nested(process)
    if phase:
        work["validity_contract"] = nested(phase)
    return emit(data, random.Random(seed).randrange)


def resolved(text: str) -> ResolvedProcess:
    package = check(text, warnings=False).package
    assert package is not None
    return ResolvedProcess(package)


@settings(QUICK, max_examples=120)
@given(risks, contracts, contracts, st.booleans(), st.integers(0, 2**32))
def test_a_file_resolves_as_its_layers_do_and_every_place_holds_the_value(
    risk: RiskLevel, process: Written, phase: Written, synthesis: bool, seed: int
) -> None:
    text = declaration(risk, process, phase, seed, synthesis)
    process_found = resolved(text)
    policy = process_found.policy_of(0)
    assert values(policy) == values(merged(risk, process, phase, synthesis=synthesis))
    assert values(process_found.policy) == values(merged(risk, process))
    for sourced in policy.values():
        for layer in sourced.layers:
            span = process_found.span_of(layer)
            assert (span is None) == (layer.name in ("floor", "synthesis"))
            if span is not None:
                assert tuple_if_list(reread(text, span)) == layer.value
        winner = process_found.span_of(sourced)
        if winner is not None and not isinstance(sourced.value, tuple):
            assert reread(text, winner) == sourced.value


def tuple_if_list(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def reread(text: str, span: Span) -> Any:
    """What the text of a span alone means."""
    alone = " " * (span.column - 1) + text[slice(*offsets_of(text, span))]
    return document_of(f"- {alone}").data[0] if "\n" not in alone else document_of(alone).data


@settings(QUICK, max_examples=120)
@given(risks, contracts, contracts, st.integers(0, 2**32))
def test_every_value_that_is_not_in_force_is_reported(
    risk: RiskLevel, process: Written, phase: Written, seed: int
) -> None:
    assume(process or phase)
    found = resolved(declaration(risk, process, phase, seed))
    told = {(each.path[0], each.field) for each in loosened(found)}
    for base, written, policy in (
        ("validity_contract", process, found.policy),
        ("phases", phase, found.policy_of(0)),
    ):
        for field, value in written.items():
            in_force = policy[field].value
            if isinstance(in_force, tuple):
                # kinds of claims are only ever added
                assert set(value) <= set(in_force)
            elif in_force != value:
                assert (base, field) in told, field


@settings(QUICK, max_examples=100)
@given(st.sampled_from(HIGH), contracts, contracts, st.integers(0, 2**32))
def test_a_high_risk_package_is_refused_exactly_when_it_asks_for_less(
    risk: RiskLevel, process: Written, phase: Written, seed: int
) -> None:
    text = declaration(risk, process, phase, seed)
    codes = {found.code for found in errors_in(text)}
    inherited = values(merged(risk, process))
    below = any(
        is_looser(f, v, floor_of(f, risk), risk) for each in (process, phase) for f, v in each.items()
    )
    looser = any(is_looser(f, v, inherited[f], risk) for f, v in phase.items())
    assert ("LM411" in codes) == below
    assert bool(codes & {"LM411", "LM413"}) == (below or looser)


# defaults --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("risk", RISKS)
@pytest.mark.parametrize("written", sorted(set(FLOORS) - {"enabled"}))
def test_writing_one_key_changes_no_other(risk: RiskLevel, written: str) -> None:
    text = declaration(risk, {written: FLOORS[written][1]}, {"enabled": True}, 0)
    policy = resolved(text).policy_of(0)
    for field, sourced in policy.items():
        if field != written:
            assert sourced.value == FLOORS[field][risk in HIGH]
            assert sourced.winner == ("phase" if field == "enabled" else "floor")


@pytest.mark.parametrize(
    "contract",
    ["", "validity_contract: {}\n", "validity_contract: true\n", "validity_contract: {final_gate: {}}\n"],
)
@pytest.mark.parametrize("risk", RISKS)
def test_what_nobody_writes_is_the_floor(contract: str, risk: RiskLevel) -> None:
    found = resolved(HEAD.replace("medium", risk) + contract + WORK)
    assert values(found.policy_of(0)) == {field: floor_of(field, risk) for field in FIELDS}


@pytest.mark.parametrize(
    ("name", "tags", "token"),
    [
        ("financial-review", (), "financial"),
        ("review", ("Tax Law",), "law"),
        ("review", ("pricing", "Health/Medical"), "medical"),
        ("finance", (), "finance"),
        ("health-check", (), None),
        ("lawn-care", (), None),
        ("refinance", ("financials",), None),
        ("outlaw", ("complianceless",), None),
    ],
)
def test_only_whole_words_imply_a_high_risk(name: str, tags: tuple[str, ...], token: str | None) -> None:
    assert high_risk_token(name, tags) == token


def test_a_written_level_beats_the_word_that_implies_another() -> None:
    head = "name: medical-review\nschema_version: 2\n"
    assert resolved(head + WORK).risk == "high"
    assert resolved(head + "risk_level: low\n" + WORK).risk == "low"
    assert resolved(head + "risk_level: std\n" + WORK).risk == "medium"
    assert resolved("name: review\nschema_version: 2\n" + WORK).risk == "medium"
