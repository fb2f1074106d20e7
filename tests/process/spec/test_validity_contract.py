"""`validity_contract:` as a block, or as a switch."""

from __future__ import annotations

import pytest

from loom.process.floors import FIELDS, floor_of
from loom.process.resolve import written_fields
from loom.process.spec.validity_contract import ValidityContract
from tests.process.checking import spec_of


def test_the_defaults_of_the_models_are_the_floors_of_low_risk() -> None:
    contract = ValidityContract()
    for field in FIELDS:
        value: object = contract
        for part in field.split("."):
            value = getattr(value, part)
        assert value == floor_of(field, "low"), field


@pytest.mark.parametrize("switch", ["true", "false"])
def test_a_switch_stands_for_a_block_that_is_on_or_off(switch: str) -> None:
    short = spec_of(f"validity_contract: {switch}\n").validity_contract
    assert short == spec_of(f"validity_contract: {{enabled: {switch}}}\n").validity_contract
    assert written_fields(short) == {"enabled": switch == "true"}


def test_a_phase_has_the_same_two_forms() -> None:
    first, second = spec_of(
        "phases:\n  - {id: a, description: A., validity_contract: false}\n"
        "  - {id: b, description: B., validity_contract: {min_supported_ratio: 1}}\n"
    ).phases
    assert written_fields(first.validity_contract) == {"enabled": False}
    assert written_fields(second.validity_contract) == {"min_supported_ratio": 1}


def test_only_what_is_written_counts_as_written() -> None:
    contract = spec_of(
        "validity_contract: {final_gate: {temporal_consistency: {enabled: true, as_of: 2026-01-31}}, claim_extraction: {}}\n"
    ).validity_contract
    assert written_fields(contract) == {
        "final_gate.temporal_consistency.enabled": True,
        "final_gate.temporal_consistency.as_of": "2026-01-31",
    }
    assert written_fields(None) == {}


def test_whole_numbers_are_ratios_too() -> None:
    contract = spec_of(
        "validity_contract: {min_supported_ratio: 1, max_unverified_ratio: 0}\n"
    ).validity_contract
    assert contract is not None
    assert (contract.min_supported_ratio, contract.max_unverified_ratio) == (1, 0)
