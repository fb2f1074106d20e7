"""`make demo`: the front end at work on packages that come with Loom."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

BROKEN = """\
name: churn-report
version: 1.10
schema_version: 2
risk_levle: high
phases:
  - id: gather
    description: Collect last quarter's cancellations.
    depends_on: [conclude]
    deliverables: ["notes.md — what was found"]
  - id: conclude
    description: Say why customers leave.
    depends_on: [gatherr]
    is_synthesis: true
    deliverables: ["./notes.md — the conclusion"]
"""

STEPS = (
    (
        "A package with mistakes: each is named, placed and explained.",
        ["process", "check", "churn-report.yaml"],
    ),
    ("What can be repaired safely is.", ["process", "check", "--fix", "churn-report.yaml"]),
    ("Why a rule exists.", ["explain", "LM301"]),
    ("The lifecycle package that comes with Loom.", ["process", "show", "ds-lifecycle"]),
    ("What would run, in which order, and what it needs.", ["process", "plan", "ds-lifecycle"]),
    (
        "Where a policy value comes from.",
        ["process", "explain", "ds-lifecycle", "validity_contract.min_supported_ratio"],
    ),
    ("The phases as a drawing.", ["process", "graph", "ds-lifecycle"]),
)


def demo() -> None:
    """Type the commands a newcomer would type, in a scratch folder, and show what they print."""
    with tempfile.TemporaryDirectory(prefix="loom-demo-") as scratch:
        folder = Path(scratch)
        (folder / "churn-report.yaml").write_text(BROKEN, encoding="utf-8")
        environment = os.environ | {"LOOM_HOME": str(folder / "home")}
        for title, words in STEPS:
            print(f"\n# {title}\n$ loom {' '.join(words)}\n", flush=True)
            subprocess.run(
                [sys.executable, "-m", "loom.cli.main", *words], cwd=folder, env=environment, check=False
            )
    print("\nNext: loom process new my-process, and docs/creating-packages.md", flush=True)


if __name__ == "__main__":
    demo()
