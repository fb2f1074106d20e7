"""P4: a verb with a trivial tool takes at most 0.6 of the time of a flow written by hand, process start to exit.

Both leave a run behind with a verdict, a summary and a card; the verb also has a journal, events and lineage.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from measure import compare

PROCESS = """\
name: trivial
version: "1.0.0"
schema_version: 2
description: Adds two numbers.
risk_level: low
verb: {command: trivial, flow: TrivialFlow, tier: read-only}
phases:
  - {id: add, description: Add them., run: {tool: calculator, args: {expression: 20 + 22}}}
"""
BY_HAND = """\
from metaflow import FlowSpec, card, current, step
from metaflow.cards import Markdown, Table


class ByHandFlow(FlowSpec):
    @card(type="blank")
    @step
    def only(self):
        self.result = 20 + 22
        self.verdict, self.status = "OK", "ok"
        self.summary = {"result": self.result}
        self.reasons, self.next_commands = [], []
        self.outcomes = {"add": {"status": "accepted", "data": self.summary}}
        current.card.append(Markdown("# OK"))
        current.card.append(Table([[name, str(value)] for name, value in self.summary.items()]))


if __name__ == "__main__":
    ByHandFlow()
"""


def wall_of(command: Sequence[str], cwd: Path, environ: dict[str, str]) -> Callable[[], float]:
    """Seconds on the clock from the start of a process to its end; it must end well."""

    def timed() -> float:
        start = time.perf_counter()
        done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True)
        elapsed = time.perf_counter() - start
        assert done.returncode == 0, done.stdout + done.stderr
        return elapsed

    return timed


def own_environment(folder: Path) -> dict[str, str]:
    """An environment in which nobody has configured Metaflow or Loom."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW_", "LOOM_"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
    return {**kept, "HOME": str(folder), "USERNAME": "somebody", "LOOM_HOME": str(folder / ".loom")}


def main() -> None:
    """The same work as a verb and as a flow."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "trivial").mkdir()
        (folder / "trivial" / "process.yaml").write_text(PROCESS)
        (folder / "by_hand").mkdir()
        (folder / "by_hand" / "by_hand_flow.py").write_text(BY_HAND)
        environ = own_environment(folder)
        loom = str(Path(sys.executable).with_name("loom"))
        ours = wall_of([loom, "--process", "./trivial", "--json"], folder, environ)
        stock = [sys.executable, "by_hand_flow.py", "run"]
        theirs = wall_of(stock, folder / "by_hand", environ)
        compare("P4 verb end to end", ours, theirs, budget=0.6, n=9)


if __name__ == "__main__":
    main()
