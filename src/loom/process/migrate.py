"""Version 1 to version 2 as edits of the text, so that comments and layout stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from loom.kernel.diagnostics import KeyPath
from loom.kernel.document import Document
from loom.process.floors import high_risk_token

REQUIRED_FIELDS = "[passed, outcome, reason_code, severity_class, confidence, feedback, issues, metadata]"


@dataclass(frozen=True, slots=True)
class Migrated:
    """The text after migration, and what was changed."""

    text: str
    changes: tuple[str, ...]


def migrate_text(document: Document) -> Migrated:
    """Add what version 2 asks for and version 1 files lack; what is already there is left alone."""
    data: dict[str, Any] = document.data
    edit = _TextEdit(document)
    _version(data, edit)
    if "risk_level" not in data:
        token = high_risk_token(str(data.get("name", "")), _texts(data.get("tags")))
        level, why = ("high", f"implied by `{token}`") if token else ("medium", "as no word implies more")
        edit.after_header(f"risk_level: {level}", f"risk_level: {level}, {why}")
    if "validity_contract" not in data:
        edit.at_end(_CONTRACT, "validity_contract with claim extraction")
    _verification(data, edit)
    if "evidence" not in data:
        edit.at_end(_EVIDENCE, "evidence.record_schema")
    _prompts(data, edit)
    return Migrated(edit.text(), tuple(edit.changes))


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


_CONTRACT = """\
validity_contract:
  enabled: true
  claim_extraction:
    enabled: true
  max_contradicted_count: 0
  prune_mode: rewrite_uncertainty
  final_gate:
    enforce_verified_context_only: true
    synthesis_min_verification_tier: 2
"""

_EVIDENCE = """\
evidence:
  record_schema:
    required_fields: [evidence_id, tool, source_url, created_at, quality]
"""


def _version(data: dict[str, Any], edit: _TextEdit) -> None:
    if "schema_version" not in data:
        edit.after_header("schema_version: 2", "schema_version: 2")
    elif data["schema_version"] == 1:
        edit.replace_value(("schema_version",), "2", "schema_version: 2")


def _verification(data: dict[str, Any], edit: _TextEdit) -> None:
    verification = data.get("verification")
    policy = verification.get("policy") if isinstance(verification, dict) else None
    contract = policy.get("output_contract") if isinstance(policy, dict) else None
    change = "verification.policy.output_contract.required_fields"
    if verification is None:
        lines = [
            "verification:",
            "  policy:",
            "    output_contract:",
            f"      required_fields: {REQUIRED_FIELDS}",
        ]
        edit.at_end("\n".join(lines) + "\n", change)
    elif isinstance(verification, dict) and policy is None:
        edit.first_child(
            ("verification",),
            ["policy:", "  output_contract:", f"    required_fields: {REQUIRED_FIELDS}"],
            change,
        )
    elif isinstance(policy, dict) and contract is None:
        edit.first_child(
            ("verification", "policy"), ["output_contract:", f"  required_fields: {REQUIRED_FIELDS}"], change
        )


def _prompts(data: dict[str, Any], edit: _TextEdit) -> None:
    verification = data.get("verification")
    wording = verification.get("remediation") if isinstance(verification, dict) else None
    prompts = data.get("prompt_contracts")
    lines = ["evidence_contract:", "  enabled: true", '  applies_to_phases: ["*"]']
    if isinstance(wording, str):
        # free text was allowed in version 1; in version 2 it is an instruction
        edit.remove_key(("verification", "remediation"))
        text = [f"  {line}" for line in wording.strip().splitlines()]
        lines += ["remediation_instructions: |", *text]
        edit.changes.append("verification.remediation moved to prompt_contracts.remediation_instructions")
    if prompts is None:
        body = "\n".join(f"  {line}" for line in lines)
        edit.at_end(f"prompt_contracts:\n{body}\n", "prompt_contracts.evidence_contract")
    elif isinstance(prompts, dict) and "evidence_contract" not in prompts:
        edit.first_child(("prompt_contracts",), lines, "prompt_contracts.evidence_contract")


class _TextEdit:
    """Line-based insertions and replacements, applied together from the end backwards."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.newline = "\r\n" if "\r\n" in document.source.text else "\n"
        self.lines = document.source.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self.inserted: dict[int, list[str]] = {}
        self.removed: set[int] = set()
        self.changes: list[str] = []
        self.ending: list[str] = []

    def after_header(self, line: str, change: str) -> None:
        """Insert a top-level line after the version, or else the name."""
        data = self.document.data
        anchor = "version" if "version" in data else "name" if "name" in data else None
        at = self.document.value_at((anchor,)).line if anchor else 0
        self.inserted.setdefault(at, []).append(line)
        self.changes.append(change)

    def replace_value(self, path: KeyPath, text: str, change: str) -> None:
        """Replace a value that stands on one line."""
        span = self.document.value_at(path)
        line = self.lines[span.line - 1]
        self.lines[span.line - 1] = line[: span.column - 1] + text + line[span.end_column - 1 :]
        self.changes.append(change)

    def first_child(self, path: KeyPath, lines: list[str], change: str) -> None:
        """Insert keys as the first children of a block mapping; a flow mapping is said to need a hand."""
        parent = self.document.key_at(path)
        value = self.document.value_at(path)
        if value.line == parent.line:
            self.changes.append(f"by hand: add {change}, because `{path[-1]}` is written on one line")
            return
        indent = " " * (value.column - 1)
        self.inserted.setdefault(value.line - 1, []).extend(indent + line for line in lines)
        self.changes.append(change)

    def remove_key(self, path: KeyPath) -> None:
        """Remove a key and its block."""
        first, value = self.document.key_at(path), self.document.value_at(path)
        last = value.end_line - 1 if value.end_column == 1 and value.end_line > value.line else value.end_line
        self.removed.update(range(first.line, last + 1))

    def at_end(self, block: str, change: str) -> None:
        """Append a top-level block."""
        self.ending += ["", *block.rstrip("\n").split("\n")]
        self.changes.append(change)

    def text(self) -> str:
        """The text with everything applied, line ends as they were."""
        out: list[str] = list(self.inserted.get(0, []))
        for number, line in enumerate(self.lines, start=1):
            if number not in self.removed:
                out.append(line)
            out += self.inserted.get(number, [])
        while out and not out[-1].strip():
            out.pop()
        return self.newline.join([*out, *self.ending]) + self.newline
