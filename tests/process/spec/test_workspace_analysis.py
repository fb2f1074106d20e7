"""`workspace_analysis:` says what to look for first."""

from __future__ import annotations

from loom.process.spec.workspace_analysis import WorkspaceAnalysis
from tests.process.checking import spec_of


def test_nothing_is_looked_for_by_default() -> None:
    assert WorkspaceAnalysis().model_dump() == {"scan_for": (), "guidance": ""}


def test_patterns_stand_with_their_meaning() -> None:
    analysis = spec_of(
        'workspace_analysis: {scan_for: ["*.csv — orders", "*.md"], guidance: The newest counts.}\n'
    ).workspace_analysis
    assert analysis.scan_for == ("*.csv — orders", "*.md")
    assert analysis.guidance == "The newest counts."
