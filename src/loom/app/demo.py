"""`make demo`: a table becomes a data object, with commands a newcomer would type."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

ROWS = 6_000
HOME = ".loom-demo"

RAGGED = """\
customer,plan,churned
00017,basic,no
00018,plus
00019,basic,yes
"""

STEPS = (
    ("A look at the file: its columns and types, and never a row.", ["connect", "customers.csv"]),
    (
        "Bring it in. Types survive, and a fifth of the rows is sealed until a model has to prove itself.",
        ["ingest", "--source", "customers.csv", "--name", "customers", "--target", "churned"],
    ),
    (
        "Look at the open rows. A column was written after customers had left; it is caught.",
        ["eda", "--dataset", "IngestDataset/1"],
    ),
    (
        "Build features without it, and without anything that would be derived from it.",
        ["features", "--dataset", "IngestDataset/1", "--from", "EdaFlow/1"],
    ),
    (
        "May a model of these features be trusted? Refitted on every split, then held against the sealed rows.",
        ["validate", "--dataset", "FeaturesFlow/1"],
    ),
    (
        "What would be deployed. Nothing is, until a person agrees to exactly this digest.",
        ["deploy", "--validate", "ValidateFlow/1"],
    ),
    (
        "One page about it, on which every figure names the run it was read from.",
        ["report", "--runs", "EdaFlow/1", "--runs", "ValidateFlow/1"],
    ),
    ("What can be worked on now.", ["datasets"]),
    ("What the last run did, on what.", ["show", "last", "--lineage"]),
    (
        "A broken file is refused with its row and column; nothing is registered.",
        ["ingest", "--source", "ragged.csv"],
    ),
    ("The tests that the package brings along.", ["process", "test", "ingest"]),
    ("What the whole lifecycle would do.", ["process", "graph", "ds-lifecycle"]),
)


def demo() -> None:
    """Type the commands of a first session in a scratch folder, and show what they print."""
    home = Path(HOME).absolute()
    environment = {**os.environ, "LOOM_HOME": str(home)}
    with tempfile.TemporaryDirectory(prefix="loom-demo-") as scratch:
        folder = Path(scratch)
        write_customers(folder / "customers.csv")
        (folder / "ragged.csv").write_text(RAGGED, encoding="utf-8")
        for title, words in STEPS:
            print(f"\n# {title}\n$ loom {' '.join(words)}\n", flush=True)
            subprocess.run(
                [sys.executable, "-m", "loom.cli.main", *words], cwd=folder, env=environment, check=False
            )
    print(
        f"\nThe data object stays below {HOME}/. Next: loom process new my-process, and docs/creating-packages.md"
    )


def write_customers(path: Path) -> None:
    """A table as companies have them: padded codes, dates, gaps, levels, and a target to predict."""
    chance = random.Random(7)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["customer", "zip", "since", "plan", "monthly", "calls", "final_bill", "churned"])
        for number in range(ROWS):
            plan = chance.choice(["basic", "plus", "family"])
            monthly = round({"basic": 9, "plus": 19, "family": 29}[plan] * chance.uniform(0.9, 1.4), 2)
            calls = chance.randint(0, 9)
            likely = 0.05 + 0.06 * calls + (0.15 if plan == "basic" else 0)
            since = f"20{chance.randint(18, 25)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
            gone = "yes" if chance.random() < likely else "no"
            # nobody gets a final bill before having left: whoever has one is known to be gone
            bill = f"{chance.uniform(5, 60):.2f}" if gone == "yes" and chance.random() < 0.98 else ""
            shown = "" if chance.random() < 0.03 else f"{monthly:.2f}"
            table.writerow(
                [f"{number:05d}", f"{chance.randint(501, 99950):05d}", since, plan, shown, calls, bill, gone]
            )


if __name__ == "__main__":
    demo()
