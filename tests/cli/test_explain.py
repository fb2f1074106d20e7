"""`loom explain`: every code has an explanation."""

from __future__ import annotations

import pytest

from loom.app.rules import complete_codes
from loom.process.lint import RULES
from tests.cli.conftest import Loom


@pytest.mark.parametrize("code", RULES)
def test_every_rule_says_why_shows_both_examples_and_the_way_out(code: str, loom: Loom) -> None:
    rule = RULES[code]
    answer = loom("explain", code)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(f"{code}: {rule.message} ({rule.severity})\n")
    flat = " ".join(answer.out.split())
    for part in (rule.why, rule.failing, rule.passing, f"Way out: {rule.fix}"):
        assert " ".join(part.split()) in flat
    assert all(line == line.rstrip() for line in answer.out.splitlines())


@pytest.mark.parametrize("typed", ["lm301", " LM301", "301"])
def test_a_code_may_be_typed_as_it_comes_to_mind(typed: str, loom: Loom) -> None:
    assert loom("explain", typed).out.startswith("LM301: ")


@pytest.mark.parametrize("typed", ["LM000", "nonsense", "", "LM", "💥", "LM301 LM302"])
def test_what_is_no_code_is_refused_with_a_command_that_works(typed: str, loom: Loom) -> None:
    answer = loom("explain", typed)
    assert (answer.code, answer.out) == (2, "")
    command = answer.err.rsplit("fix: loom ", 1)[1].split()
    assert loom(*command).code == 0


def test_completion_offers_codes_with_their_headlines() -> None:
    offered = complete_codes("lm3")
    assert {code for code, _ in offered} == {code for code in RULES if code.startswith("LM3")}
    assert all(text for _, text in offered)
    assert len(complete_codes("")) == len(RULES)
    assert complete_codes("x") == []
