"""The verdict on tables made for it: a tenth of the seeds here, all of them with LOOM_SOAK=1."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.science.validation.characteristics import judged
from tests.science.validation.tables import DEFECTS, HONEST

SOAK = bool(os.environ.get("LOOM_SOAK"))
SEEDS = 200
HONEST_PASS, ALARM = 0.85, 0.03
FEW = {
    "linear": 6_000,
    "amounts": 3_000,
    "noise": 2_000,
    "leak": 2_000,
    "memorised": 2_400,
    "shuffled_time": 3_000,
}
"""The tables of the gate, each with as many rows as it needs to show what it is about."""


@pytest.mark.parametrize("name", [name for name in FEW if name in HONEST])
def test_an_honest_table_passes(name: str) -> None:
    _, found = judged(HONEST[name](1, FEW[name]), 1)
    assert found.verdict == "PASS", found.reasons


@pytest.mark.parametrize("name", [name for name in FEW if name in DEFECTS])
def test_a_defect_never_passes(name: str) -> None:
    _, found = judged(DEFECTS[name](1, FEW[name]), 1)
    assert found.verdict != "PASS"


@pytest.mark.skipif(not SOAK, reason="LOOM_SOAK=1 runs 200 seeds of each table")
@pytest.mark.parametrize("name", HONEST)
def test_honest_tables_pass_and_no_rule_trips_often(name: str) -> None:
    verdicts: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    for seed in range(SEEDS):
        found = judged(HONEST[name](seed), seed)[1]
        verdicts[found.verdict] += 1
        rules.update(each.rule.code for each in found.ruled if each.outcome not in ("PASS", "NOTE"))
    assert verdicts["PASS"] >= HONEST_PASS * SEEDS, (verdicts, rules)
    assert all(count <= ALARM * SEEDS for count in rules.values()), rules


@pytest.mark.skipif(not SOAK, reason="LOOM_SOAK=1 runs 200 seeds of each table")
@pytest.mark.parametrize("name", DEFECTS)
def test_no_seed_of_a_defect_passes(name: str) -> None:
    assert not [seed for seed in range(SEEDS) if judged(DEFECTS[name](seed), seed)[1].verdict == "PASS"]
