"""Examples of rules, overlaid on a small sound package so that a fragment holds only what matters."""

from __future__ import annotations

import re
from pathlib import Path

from loom.kernel.diagnostics import Diagnostic
from loom.process.check import Checked, check_text
from loom.process.package import Package

BASE = {
    "name": "name: example",
    "version": 'version: "1.0"',
    "schema_version": "schema_version: 2",
    "description": "description: Compares products on price and features.",
    "risk_level": "risk_level: medium",
    "phases": "phases:\n  - {id: work, description: Work.}",
}
_KEY = re.compile(r"^([A-Za-z][\w-]*)\s*:", re.MULTILINE)
_FORGONE = re.compile(r"# no (\w+)$", re.MULTILINE)
_FILE = re.compile(r"^# file: (\S+)\n", re.MULTILINE)


def split(fragment: str) -> tuple[str, dict[str, str]]:
    """The declaration of a fragment, and the files that follow it under `# file: NAME` lines."""
    declaration, *rest = _FILE.split(fragment + "\n")
    return declaration, dict(zip(rest[::2], rest[1::2], strict=True))


def overlay(declaration: str) -> str:
    """A whole declaration: what the fragment neither mentions nor forgoes comes from the base."""
    written = {*_KEY.findall(declaration), *_FORGONE.findall(declaration)}
    return "\n".join(text for key, text in BASE.items() if key not in written) + "\n" + declaration


def check_of(fragment: str, folder: Path | None = None) -> Checked:
    """Check a fragment; its files are written to the folder, which then is the package's."""
    declaration, files = split(fragment)
    if folder is not None:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    return check_text(overlay(declaration).encode(), "process.yaml", folder)


def package_of(fragment: str, folder: Path | None = None) -> Package:
    """The package a fragment stands for."""
    package = check_of(fragment, folder).package
    assert package is not None, fragment
    return package


def findings(fragment: str, code: str, folder: Path | None = None) -> list[Diagnostic]:
    """What one rule says about a fragment."""
    return [found for found in check_of(fragment, folder).report.diagnostics if found.code == code]
