"""Every mistake is refused with its own code, at its own place, in words that say what is wrong."""

from __future__ import annotations

import pytest

from loom.process.lint import RULES
from tests.process.checking import assert_renders, assert_spans_inside, check
from tests.process.refusals import REFUSALS, Refusal, whole

# refused while the file is opened; tests/kernel/test_document.py does that
BEFORE_READING = {"LM101", "LM102"}
# one code may have a second wording; the reference page names it
OTHER_WORDINGS = {
    "LM108": {"anchors are not allowed"},
    "LM114": {"the number is too large"},
    "LM208": {"the name has the wrong form"},
    "LM209": {"the list is empty"},
}


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.sentence.replace(" ", "-"))
def test_refused_when(refusal: Refusal) -> None:
    report = check(whole(refusal.text)).report
    (error,) = (found for found in report.diagnostics if found.severity == "error")
    place = (error.code, error.span.line, error.span.column)
    assert place == (refusal.code, refusal.line, refusal.column)
    assert error.message == refusal.message
    assert error.detail.startswith(refusal.detail)
    assert error.fix
    assert error.message == RULES[error.code].message or error.message in OTHER_WORDINGS[error.code]
    assert_spans_inside(report)
    assert_renders(report)


def test_no_mistake_stands_in_the_table_twice() -> None:
    assert len({refusal.sentence for refusal in REFUSALS}) == len(REFUSALS) >= 250
    assert len({whole(refusal.text) for refusal in REFUSALS}) == len(REFUSALS)


def test_every_rule_that_can_refuse_a_package_is_in_the_table() -> None:
    refusing = {code for code, rule in RULES.items() if rule.severity == "error"}
    # what needs a package folder has tests of its own
    with_folder = {"LM707", "LM708", "LM712"}
    assert refusing - BEFORE_READING - with_folder == {refusal.code for refusal in REFUSALS}


def test_ten_mistakes_are_reported_together_and_in_order() -> None:
    text = """\
name: Compare_Products
version: 1.10
schema_version: 2
risk-level: medium
tags: research
validity_contract: {enabled: 'false', min_supported_ratio: 75}
phases:
  - {id: gather, description: Gather., depends_on: [conclude]}
  - {id: conclude, description: Conclude., depends_on: [gather, wieght], model_tier: 4}
  - {id: report, description: }
verification:
  rules: [{name: closed, type: regex, check: '[TBD'}]
"""
    errors = [found for found in check(text).report.diagnostics if found.severity == "error"]
    assert [(found.code, found.span.line) for found in errors] == [
        ("LM207", 1),
        ("LM203", 2),
        ("LM201", 4),
        ("LM203", 5),
        ("LM203", 6),
        ("LM206", 6),
        ("LM301", 8),
        ("LM302", 9),
        ("LM206", 9),
        ("LM204", 10),
        ("LM601", 12),
    ]
