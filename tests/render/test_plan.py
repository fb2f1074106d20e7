"""The plan: what would run and what it needs, for reading and for machines."""

from __future__ import annotations

import json
from typing import Any

from loom.process.check import check_text
from loom.process.plan import plan
from loom.process.resolve import ResolvedProcess
from loom.render.plan import as_json, as_text

TEXT = """
name: release
version: "1.2"
schema_version: 2
risk_level: high
permissions: {network: [api.example.org], sandbox: isolated}
auth: {required: [{provider: forge, source: api}]}
verb:
  command: release
  tier: workspace-write
  inputs:
    apply: {type: flag, raises_tier: irreversible}
phases:
  - id: build
    description: Build.
    run: {tool: make, args: {apply: "${inputs.apply}"}}
    resources: {timeout_seconds: 60}
    retries: 2
  - {id: notes, description: Write., depends_on: [build], verification_tier: 2, deliverables: [notes.md]}
"""


def _both(text: str = TEXT) -> tuple[str, dict[str, Any]]:
    checked = check_text(text.encode(), "process.yaml")
    assert checked.package is not None and not checked.report.errors, checked.report.diagnostics
    resolved, made = ResolvedProcess(checked.package), plan(checked.package)
    return as_text(made, resolved), as_json(made, resolved)


def test_the_table_has_a_row_per_phase_and_the_needs_below_it() -> None:
    text, _ = _both()
    assert text.splitlines()[:6] == [
        "release 1.2",
        "risk high · phases guided · 2 phases in 2 waves",
        "",
        "wave  phase  runs as       checked     tries  limit  delivers",
        "1     build  tool make     by rules    3      60 s",
        "2     notes  model tier 2  by a model  1             notes.md",
    ]
    assert "approval tier  workspace-write; --apply raises it to irreversible" in text
    assert "sandbox        isolated or better" in text
    assert "network        api.example.org" in text
    assert "credentials    forge" in text
    assert "1 model call, 1 verifier call, tokens unbounded, time unbounded" in text


def test_the_json_is_complete_and_plain() -> None:
    _, found = _both()
    assert json.loads(json.dumps(found)) == found
    assert found["raised_tier"] == "irreversible"
    assert found["critical_path"] == ["build", "notes"]
    assert [phase["executor"] for phase in found["phases"]] == ["tool", "model"]
    assert found["phases"][0]["attempts"] == 3
    assert found["phases"][0]["reads"] == ["inputs.apply"]
    assert found["cost"] == {"model_calls": 1, "verifier_calls": 1, "tokens": None, "seconds": None}


def test_no_line_is_wider_than_a_page() -> None:
    wide = TEXT.replace(
        "deliverables: [notes.md]", "deliverables: [" + ", ".join(f"part-{i}.md" for i in range(40)) + "]"
    )
    text, _ = _both(wide)
    assert max(map(len, text.splitlines())) <= 130
