"""`make demo` types commands that work, and shows what a first session looks like."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

from loom.app import demo

ROOT = Path(__file__).parents[2]


def test_the_demo_brings_a_table_in_lists_it_and_refuses_a_broken_one(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW_", "LOOM_"))}
    done = subprocess.run(
        [sys.executable, "-m", "loom.app.demo"],
        cwd=tmp_path,
        env=kept | {"HOME": str(tmp_path / "empty"), "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    said = done.stdout
    for _, words in demo.STEPS:
        assert f"$ loom {' '.join(words)}\n" in said
    assert "FLAGGED  eda EdaFlow/1" in said
    assert "BUILT  features FeaturesFlow/1" in said
    assert "PASS  validate ValidateFlow/1" in said
    assert "STAGED  deploy DeployFlow/1" in said
    assert "OK  report ReportFlow/1" in said
    assert "whether `final_bill` is empty tells the target" in said
    assert said.count("IngestDataset/1") >= 3
    assert "customers" in said
    assert "row 2 has 2 cells, not 3" in said
    assert "passed" in said
    assert "Traceback" not in said
    assert (tmp_path / demo.HOME).is_dir()
    assert not (tmp_path / "empty").exists(), "it touches nobody's home"


def test_the_table_of_the_demo_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv"):
        demo.write_customers(tmp_path / name)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    with (tmp_path / "one.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == demo.ROWS
    assert rows[17]["customer"] == "00017"
