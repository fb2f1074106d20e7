"""P5: fifty trivial phases in a random order of dependencies take at most a quarter of what stock Metaflow takes.

Stock Metaflow runs the very same compiled flow, with its own launcher and its own plugins.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import compare
from p4_verb import own_environment, wall_of

HEAD = """\
name: fifty
version: "1.0.0"
schema_version: 2
description: Fifty sums.
risk_level: low
verb: {command: fifty, flow: FiftyFlow, tier: read-only}
phases:
"""


def declared(phases: int, seed: int = 0) -> str:
    """A process whose phases wait for up to two earlier ones."""
    chance = random.Random(seed)
    lines = []
    for at in range(phases):
        needs = chance.sample(range(at), min(at, chance.randrange(3)))
        after = ", ".join(f"p{need}" for need in sorted(needs))
        run = f"{{tool: calculator, args: {{expression: 1 + {at}}}}}"
        lines.append(f"  - {{id: p{at}, description: Add., depends_on: [{after}], run: {run}}}")
    return HEAD + "\n".join(lines) + "\n"


def main() -> None:
    """The same flow, started by Loom and by hand."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "fifty").mkdir()
        (folder / "fifty" / "process.yaml").write_text(declared(50))
        environ = own_environment(folder)
        loom = str(Path(sys.executable).with_name("loom"))
        printed = subprocess.run(
            [loom, "compile", "./fifty"], cwd=folder, env=environ, capture_output=True, text=True, check=True
        )
        (folder / "stock").mkdir()
        (folder / "stock" / "fifty_flow.py").write_text(printed.stdout)
        ours = wall_of([loom, "--process", "./fifty", "--json"], folder, environ)
        stock = [sys.executable, "stock/fifty_flow.py", "run", "--max-workers", "2"]
        theirs = wall_of(stock, folder, environ)
        compare("P5 fifty phases", ours, theirs, budget=0.25, n=3)


if __name__ == "__main__":
    main()
