"""Explaining a value: every layer, the winner, and where each one stands."""

from __future__ import annotations

import pytest

from loom.kernel.errors import LoomError
from loom.process.check import check_text
from loom.process.keys import help_of
from loom.process.resolve import ResolvedProcess
from loom.render.explain import explain_json, explain_text

TEXT = """\
name: memo
schema_version: 2
risk_level: medium
validity_contract:
  min_supported_ratio: 0.9
phases:
  - id: gather
    description: Gather.
  - id: conclude
    description: Conclude.
    depends_on: [gather]
    is_synthesis: true
    verification_tier: 2
    validity_contract:
      min_supported_ratio: 0.5
      final_gate: {enforce_verified_context_only: false}
"""


@pytest.fixture
def resolved() -> ResolvedProcess:
    checked = check_text(TEXT.encode(), "process.yaml")
    assert checked.package is not None and not checked.report.errors, checked.report.diagnostics
    return ResolvedProcess(checked.package)


def test_each_layer_is_shown_with_its_place_and_the_winner_is_marked(resolved: ResolvedProcess) -> None:
    text = explain_text(resolved, "phases.conclude.validity_contract.min_supported_ratio", help_of)
    assert text.splitlines() == [
        "phases.conclude.validity_contract.min_supported_ratio = 0.65",
        "  → floor (medium risk)  0.65  set by Loom",
        "    process              0.9   process.yaml:5:24",
        "    phase                0.5   process.yaml:15:28",
        "  The least share of extracted claims that evidence must support.",
    ]


def test_synthesis_hardening_wins_over_what_a_phase_switches_off(resolved: ResolvedProcess) -> None:
    path = "phases[1].validity_contract.final_gate.enforce_verified_context_only"
    (value,) = explain_json(resolved, path, help_of)["values"]
    assert value["value"] is True
    assert [layer["layer"] for layer in value["layers"] if layer["wins"]] == ["synthesis"]


def test_a_prefix_explains_everything_below_it(resolved: ResolvedProcess) -> None:
    found = explain_json(resolved, "validity_contract.final_gate.temporal_consistency", help_of)
    assert len(found["values"]) == 5
    assert all(value["help"] for value in found["values"])


def test_any_other_key_says_whether_it_was_written(resolved: ResolvedProcess) -> None:
    assert "process.yaml:3:13" in explain_text(resolved, "risk_level", help_of)
    assert "not written" in explain_text(resolved, "phases.gather.model_tier", help_of)


@pytest.mark.parametrize(
    ("path", "fix"),
    [
        ("phases.gathr.model_tier", "loom process explain memo phases.gather"),
        ("risk_levle", "loom process explain memo risk_level"),
        (
            "validity_contract.min_suported_ratio",
            "loom process explain memo validity_contract.min_supported_ratio",
        ),
        ("phases[9]", "loom process explain memo phases"),
        ("", "write it like phases.profile.model_tier"),
        ("a..b", "write it like phases.profile.model_tier"),
    ],
)
def test_an_unknown_path_names_the_nearest_one(resolved: ResolvedProcess, path: str, fix: str) -> None:
    with pytest.raises(LoomError) as error:
        explain_text(resolved, path, help_of)
    assert error.value.fix == fix
