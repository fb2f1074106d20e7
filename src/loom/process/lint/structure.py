"""LM2xx — keys, types and choices. Found by process/structure.py; explained here."""

from __future__ import annotations

from loom.kernel.diagnostics import Severity
from loom.process.lint.rule import Rule, declare


def _structure(
    code: str, message: str, why: str, fix: str, failing: str, passing: str, severity: Severity = "error"
) -> None:
    declare(Rule(code, message, severity, why, fix, failing, passing))


_structure(
    "LM201",
    "unknown key",
    "A misspelt key would otherwise be ignored, and with it the rule or limit it was to set. Keys of your own "
    "start with `x-`.",
    "correct the spelling, or prefix the key with `x-`",
    "desription: Compares products.",
    "x-team: research",
)
_structure(
    "LM202",
    "missing key",
    "The entry means nothing without this key.",
    "add the key",
    "phases:\n  - {id: work}",
    "phases:\n  - {id: work, description: Work.}",
)
_structure(
    "LM203",
    "wrong type",
    "Values are taken as they are written: `'false'` is a text, `1.10` is the number 1.1. Nothing is converted "
    "behind your back.",
    "write a value of the expected type",
    "tags: research",
    "tags: [research]",
)
_structure(
    "LM204",
    "the value is missing",
    "A key with nothing behind it is null. It is not taken for an empty list or an empty text.",
    "write a value, or remove the key",
    "tags:",
    "tags: []",
)
_structure(
    "LM205",
    "the value is not one of the choices",
    "The key takes one of a few words, and each of them means something different.",
    "choose one of the words",
    "phase_mode: loose",
    "phase_mode: suggestive",
)
_structure(
    "LM206",
    "the value is out of range",
    "The number is outside of what the key can mean.",
    "write a value inside the range",
    "validity_contract: {min_supported_ratio: 75}",
    "validity_contract: {min_supported_ratio: 0.75}",
)
_structure(
    "LM207",
    "name must match ^[a-z0-9][a-z0-9-]*$",
    "The name is typed on command lines and becomes a folder; it is lowercase kebab-case everywhere.",
    "use lowercase letters, digits and hyphens",
    "name: My_Process",
    "name: my-process",
)
_structure(
    "LM208",
    "the id is not kebab-case",
    "Ids become step names, directories and options; lowercase letters, digits and hyphens survive all of them. "
    "Other names with a fixed form are reported as `the name has the wrong form`.",
    "use lowercase letters, digits and hyphens",
    "phases:\n  - {id: Draft_Report, description: Write.}",
    "phases:\n  - {id: draft-report, description: Write.}",
)
_structure(
    "LM209",
    "the text is empty",
    "An empty text, or white space alone, says nothing where something must be said. An empty list where an "
    "entry is needed is reported as `the list is empty`.",
    "write it out, or remove the key",
    'phases:\n  - {id: work, description: " "}',
    "phases:\n  - {id: work, description: Work.}",
)
_structure(
    "LM210",
    "the deliverable is not a path inside the workspace",
    "Deliverables are files of the run's workspace. An absolute path or one that climbs out would write elsewhere.",
    "name a file inside the workspace, such as `notes.md`",
    "phases:\n  - {id: work, description: Work., deliverables: [../notes.md]}",
    "phases:\n  - {id: work, description: Work., deliverables: [notes/all.md]}",
)
_structure(
    "LM211",
    "unsupported schema_version",
    "The file asks for a contract that this release does not know; guessing would change what it means.",
    "write `schema_version: 2`",
    "schema_version: 3",
    "schema_version: 2",
)
_structure(
    "LM212",
    "schema_version 1 is deprecated",
    "Version 1 files still load and are read as version 2. `loom process migrate FILE --write` adds what version 2 "
    "asks for and keeps your comments.",
    "loom process migrate FILE --write",
    "schema_version: 1",
    "schema_version: 2",
    severity="warning",
)
