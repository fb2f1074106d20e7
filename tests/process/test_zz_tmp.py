"""Version 1 becomes version 2 in the text itself: what was written stays as it was written."""

from __future__ import annotations

import difflib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.kernel.document import Document, parse_document
from loom.kernel.errors import LoomError
from loom.process.check import check_text
from loom.process.migrate import migrate_text

PHASES = "phases: [{id: a, description: Write it.}]\n"
COMMENTED = """\
# a head
name: market-brief # the name
version: "0.3"   # quoted
description: > # folded
  One paragraph
  on two lines.

# what happens
phases:
  # first
  - id: gather # here
    description: |
      # no comment, but text
      Gather.
  - {id: write, description: 'Write it.', depends_on: [gather]} # last

verification:
  # the rules
  rules:
    - {name: gap, description: d, type: regex, check: 'TBD', target: deliverables}
# a tail

  # and another, indented
"""
WORDED = """\
name: brief
phases: [{id: a, description: Write it.}]
verification:
  remediation: | # said by hand
    Ask for the source.

    Then try again.
  # about the rules
  rules: []
"""


def document_of(text: str) -> Document:
    """A text as it was read."""
    document, found, _ = parse_document(text.encode(), "process.yaml")
    assert document is not None and not found
    return document


def migrated(text: str) -> str:
    """The text after migration; the result must hold, and be version 2."""
    new = migrate_text(document_of(text)).text
    report = check_text(new.encode(), "process.yaml").report
    assert not report.errors, report.diagnostics
    assert "LM212" not in {d.code for d in report.diagnostics}
    return new


def data_of(text: str) -> dict[str, Any]:
    """The data of a text."""
    data: dict[str, Any] = document_of(text).data
    return data


def removed_lines(before: str, after: str) -> list[str]:
    """The lines of one text that the other does not have."""
    compared = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line[2:] for line in compared if line.startswith("- ")]


def comments(text: str) -> list[str]:
    """What stands after number signs, wherever it stands."""
    return [line.split("#", 1)[1] for line in text.splitlines() if "#" in line]


def test_every_line_and_every_comment_stays() -> None:
    new = migrated(COMMENTED)
    assert removed_lines(COMMENTED, new) == []
    assert comments(new) == comments(COMMENTED)


def test_the_version_and_the_risk_follow_the_header() -> None:
    lines = migrated(COMMENTED).splitlines()
    assert lines[2:5] == ['version: "0.3"   # quoted', "schema_version: 2", "risk_level: medium"]
    assert migrated("name: brief\n" + PHASES).splitlines()[:3] == [
        "name: brief",
        "schema_version: 2",
        "risk_level: medium",
    ]


def test_a_version_that_is_written_is_replaced_where_it_stands() -> None:
    new = migrated("# c\nschema_version: 1 # old\nname: brief\n" + PHASES)
    assert new.splitlines()[1] == "schema_version: 2 # old"


@pytest.mark.parametrize(
    ("header", "level"),
    [
        ("name: legal-brief\n", "high"),
        ("name: brief\ntags: [x, medical]\n", "high"),
        ("name: health-check\n", "medium"),
        ("name: legal-brief\nrisk_level: low\n", "low"),
    ],
)
def test_the_risk_is_the_one_that_was_implied(header: str, level: str) -> None:
    assert data_of(migrated(header + PHASES))["risk_level"] == level


def test_what_version_2_asks_for_is_there() -> None:
    data = data_of(migrated("name: brief\n" + PHASES))
    assert data["schema_version"] == 2
    assert data["validity_contract"]["claim_extraction"] == {"enabled": True}
    assert "passed" in data["verification"]["policy"]["output_contract"]["required_fields"]
    assert "evidence_id" in data["evidence"]["record_schema"]["required_fields"]
    assert data["prompt_contracts"]["evidence_contract"] == {"enabled": True, "applies_to_phases": ["*"]}


THERE = """\
name: brief
schema_version: 1
risk_level: low
phases: [{id: a, description: Write it.}]
validity_contract: {enabled: true, claim_extraction: {enabled: true}}
verification: {policy: {output_contract: {required_fields: [passed]}}}
evidence: {record_schema: {required_fields: [tool]}}
prompt_contracts: {evidence_contract: {enabled: false}}
"""


def test_what_is_there_already_is_left_alone() -> None:
    assert migrated(THERE) == THERE.replace("schema_version: 1", "schema_version: 2")
    assert migrate_text(document_of(THERE)).changes == ("schema_version: 2",)


PARTS = [
    (
        "verification:\n    # c\n    rules: []\n",
        "    policy:\n      output_contract:\n        required_fields: [",
    ),
    ("verification:\n  policy:\n    mode: llm_first\n", "    output_contract:\n      required_fields: ["),
    ("verification:\n  policy:\n    output_contract:\n      flags: []\n", "      required_fields: ["),
    ("verification: {rules: []}\n", "verification: {policy: {output_contract: {required_fields: ["),
    ("verification: {}\n", "verification: {policy: {output_contract: {required_fields: ["),
    ("verification:\n  {rules: []} # c\n", "  {policy: {output_contract: {required_fields: ["),
    ("verification:\n  policy: {mode: llm_first}\n", "  policy: {output_contract: {required_fields: ["),
    ("evidence:\n  extraction: {mappings: []}\n", "evidence:\n  record_schema:\n    required_fields: ["),
    (
        "prompt_contracts: {}\n",
        'prompt_contracts: {evidence_contract: {enabled: true, applies_to_phases: ["*"]}}',
    ),
    (
        "prompt_contracts:\n      # c\n      executor_constraints: x\n",
        "      evidence_contract:\n        enabled: true\n",
    ),
]


@pytest.mark.parametrize(("part", "expected"), PARTS, ids=[part[:40] for part, _ in PARTS])
def test_a_block_that_is_there_gains_what_it_lacks_in_its_own_layout(part: str, expected: str) -> None:
    before = "name: brief\n" + PHASES + part + "tags: [t]\n"
    new = migrated(before)
    assert expected in new
    assert comments(new) == comments(before)
    if "{" not in part.splitlines()[-1]:
        assert removed_lines(before, new) == []


def test_a_comment_stays_above_the_key_it_was_written_for() -> None:
    new = migrated("name: brief\n" + PHASES + "verification:\n  # about the rules\n  rules: []\n")
    assert "  # about the rules\n  rules: []\n" in new


def test_wording_of_a_remediation_moves_with_its_comments_and_its_layout() -> None:
    new = migrated(WORDED)
    data = data_of(new)
    assert "remediation" not in data["verification"]
    assert data["prompt_contracts"]["remediation_instructions"] == "Ask for the source.\n\nThen try again.\n"
    assert sorted(comments(new)) == sorted(comments(WORDED))
    assert "  # about the rules\n  rules: []\n" in new
    assert (
        "  remediation_instructions: | # said by hand\n    Ask for the source.\n\n    Then try again.\n"
        in new
    )


VALUES = [
    "plain words # c",
    '"quoted: words" # c',
    "'it''s'",
    '"over\n      several\n\n      lines"',
    ">-\n    folded\n    words",
    "|2-\n      indented\n    words",
    "plain words\n    over lines",
]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "target",
    [
        "",
        "prompt_contracts:\n        executor_constraints: x\n",
        "prompt_contracts:\n executor_constraints: x\n",
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_a_remediation_means_the_same_where_it_lands(value: str, target: str, alone: bool) -> None:
    before = (
        f"name: brief\n{PHASES}verification:\n  remediation: {value}\n"
        + ("" if alone else "  rules: []\n")
        + target
    )
    new = migrated(before)
    said = data_of(before)["verification"]["remediation"]
    assert data_of(new)["prompt_contracts"]["remediation_instructions"] == said
    assert sorted(comments(new)) == sorted(comments(before))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{name: brief, phases: [{id: a, description: b}]}\n", "the whole file is in braces"),
        (f"name: brief\n{PHASES}verification: {{remediation: x}}\n", "`verification` is in braces"),
        (
            f"name: brief\n{PHASES}verification:\n  remediation: x\nprompt_contracts: {{}}\n",
            "`prompt_contracts` is in braces",
        ),
        (
            f"name: brief\n{PHASES}verification:\n  remediation: x\nprompt_contracts:\n  remediation_instructions: y\n",
            "prompt_contracts.remediation_instructions is there already",
        ),
    ],
)
def test_what_takes_a_hand_is_said_and_not_guessed(text: str, why: str) -> None:
    with pytest.raises(LoomError) as raised:
        migrate_text(document_of(text))
    assert raised.value.why == why
    assert raised.value.fix


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_lines_end_as_they_did(end: str) -> None:
    assert migrated(COMMENTED.replace("\n", end)) == migrated(COMMENTED).replace("\n", end)


def test_a_last_line_without_an_end_gets_one() -> None:
    for tail in ("tags: [t]", "tags: [t] # c", "# c", "persona: >-\n  You\n  write."):
        before = "name: brief\n" + PHASES + tail
        assert migrated(before).startswith(
            "name: brief\nschema_version: 2\nrisk_level: medium\n" + PHASES + tail + "\n\n"
        )


def test_new_blocks_come_before_the_mark_that_ends_the_document() -> None:
    new = migrated("---\nname: brief\n" + PHASES + "...\n# after\n")
    assert new.endswith("...\n# after\n")
    assert data_of(new)["evidence"]


def test_a_file_that_is_indented_throughout_stays_so() -> None:
    new = migrated("  name: brief\n  tags: [t]\n  phases: [{id: a, description: b}]\n")
    assert all(line.startswith("  ") for line in new.splitlines() if line)


@settings(max_examples=3000, deadline=None)
@given(
    st.permutations(["tags", "verification", "evidence", "prompt_contracts", "phases", "version"]),
    st.integers(0, 63),
)
def test_any_order_of_any_keys_holds_afterwards_and_loses_nothing(order: list[str], chosen: int) -> None:
    blocks = {
        "tags": "tags: [t] # tags\n",
        "verification": "verification:\n  # v\n  rules: []\n  remediation: >\n    Try\n    again.\n",
        "evidence": "evidence:\n\n  extraction: {mappings: []} # e\n",
        "prompt_contracts": "prompt_contracts: # p\n   executor_constraints: x\n",
        "phases": "phases: # ph\n- {id: a, description: b}\n",
        "version": "version: '1' # v1\n",
    }
    kept = [key for bit, key in enumerate(order) if key == "phases" or chosen >> bit & 1]
    before = "name: brief # n\n" + "".join(blocks[key] for key in kept)
    new = migrated(before)
    assert sorted(comments(new)) == sorted(comments(before))
    old, now = data_of(before), data_of(new)
    assert all(
        now[key] == old[key] for key in kept if key not in ("verification", "evidence", "prompt_contracts")
    )
    assert migrate_text(document_of(new)).changes == ("schema_version: 2",)
