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
description: Say why customers leave, from last quarter's cancellations.
author: The growth team
risk_level: low
tagz: [churn]
phases:
  - id: gather
    description: Collect the cancellations.
    depends_on: [count]
    run: {tool: churn_gather}
    deliverables: ["reasons.csv — one row per cancellation"]
  - id: count
    description: Count the reasons.
    depends_on: [gahter, gather]
    run: {tool: churn_count}
    deliverables: ["./reasons.csv — reasons by number"]
tests:
  - {id: no-data, mode: deterministic, goal: Count nothing., expect: {status: error, phase: gather}}
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
