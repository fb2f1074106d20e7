"""P1: help and completion cost little more than a typer program with one command."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import compare, cpu_of_command

PEER = '''
import typer

app = typer.Typer(rich_markup_mode=None)


@app.command()
def hello(name: str = "world") -> None:
    """Say hello."""
    print(name)


app()
'''


def main() -> None:
    """Compare three commands with the same three of the peer."""
    loom = str(Path(sys.executable).parent / "loom")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "peer.py"
        script.write_text(PEER)
        peer = [sys.executable, str(script)]
        for name, words in (("loom --help", ["--help"]), ("loom eda --help", ["eda", "--help"])):
            compare(
                f"P1 {name}",
                cpu_of_command([loom, *words]),
                cpu_of_command([*peer, "--help"]),
                budget=1.3,
                n=25,
            )
        complete = {"COMP_WORDS": "loom e", "COMP_CWORD": "1"}
        theirs = {"COMP_WORDS": "peer.py --n", "COMP_CWORD": "1"}
        compare(
            "P1 completion",
            cpu_of_command([loom], _LOOM_COMPLETE="complete_bash", **complete),
            cpu_of_command(peer, _PEER_PY_COMPLETE="complete_bash", **theirs),
            budget=1.3,
            n=25,
        )


if __name__ == "__main__":
    main()
