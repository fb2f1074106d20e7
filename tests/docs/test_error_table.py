"""The guide's table of common errors is true: each row is triggered, and the message compared."""

from __future__ import annotations

import re

import pytest

from tests.docs.examples import ROOT
from tests.process.lint.example import check_of

ROW = re.compile(r"^\| `(?P<message>[^`]+)` \| (?P<code>LM\d{3}) \| (?P<way_out>.+) \|$", re.MULTILINE)

LOOP = """
phases:
  - id: work
    description: Work.
    iteration:
      enabled: true
      max_attempts: {attempts}
      max_total_runner_invocations: 9
      stop_on_no_improvement_attempts: 1
      iteration_budget: {{max_wall_clock_seconds: 60, max_tokens: 1000, max_tool_calls: 5}}
      gates: [{gate}]
"""
CLOSED = "{id: closed, type: artifact_regex, pattern: TBD, expect_match: false}"

# code → a declaration that has this mistake and no other
MISTAKES = {
    "LM207": "name: My_Process",
    "LM303": "phases: [{id: work, description: Work.}, {id: work, description: Work again.}]",
    "LM301": "phases: [{id: a, description: A., depends_on: [b]}, {id: b, description: B., depends_on: [a]}]",
    "LM302": "phases: [{id: a, description: A., depends_on: [elsewhere]}]",
    "LM304": """
phases:
  - {id: a, description: A., deliverables: [notes.md]}
  - {id: b, description: B., deliverables: ["./notes.md — the same file"]}
""",
    "LM701": "tools: {required: [calculator], excluded: [calculator]}",
    "LM601": "verification: {rules: [{name: closed, type: regex, check: '[TBD'}]}",
    "LM501": LOOP.format(attempts=7, gate=CLOSED),
    "LM503": LOOP.format(
        attempts=2, gate="{id: liked, type: verifier_field, field: confidence, operator: gte, value: 0.7}"
    ),
    "LM506": LOOP.format(attempts=2, gate="{id: cleaned, type: command_exit, command: [rm, -r, build]}"),
}


def _rows() -> list[tuple[str, str]]:
    text = (ROOT / "docs" / "creating-packages.md").read_text(encoding="utf-8")
    table = text.split("\n## Common errors\n")[1].split("\n## ")[0]
    return [(row["message"], row["code"]) for row in ROW.finditer(table)]


@pytest.mark.parametrize(("message", "code"), _rows(), ids=lambda part: part if part.startswith("LM") else "")
def test_each_row_of_the_error_table_is_what_the_checker_says(message: str, code: str) -> None:
    errors = [d for d in check_of(MISTAKES[code]).report.diagnostics if d.severity == "error"]
    assert [(d.code, d.message) for d in errors] == [(code, message)]


def test_the_error_table_has_a_row_for_each_documented_mistake() -> None:
    codes = [code for _, code in _rows()]
    assert sorted(codes) == sorted(MISTAKES)
