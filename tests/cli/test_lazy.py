"""Help and completion load next to nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from loom.cli.main import GROUPS, RUNS, load

HEAVY = (
    "pydantic",
    "pandas",
    "polars",
    "sklearn",
    "lightgbm",
    "metaflow",
    "anthropic",
    "rich",
    "jsonschema",
    "yaml",
    "numpy",
    "regex",
)
PROBE = """
import atexit, json, sys
sys.argv = ["loom", *sys.argv[1:]]
loaded = lambda: sorted(name for name in sys.modules if name.split(".")[0] in %r or name.startswith("loom."))
atexit.register(lambda: print(json.dumps(loaded()), file=sys.stderr))
from loom.cli.main import main
main()
"""


def _run(words: list[str], **environ: str) -> tuple[str, list[str]]:
    """What a command prints, and which of the modules in question it has loaded."""
    ran = subprocess.run(
        [sys.executable, "-c", PROBE % (HEAVY,), *words],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout, json.loads(ran.stderr.splitlines()[-1])


@pytest.mark.parametrize(
    ("words", "environ", "said"),
    [
        (["--help"], {}, "Verbs:"),
        (["eda", "--help"], {}, "--dataset PATHSPEC"),
        ([], {"_LOOM_COMPLETE": "complete_bash", "COMP_WORDS": "loom e", "COMP_CWORD": "1"}, "events\neda"),
    ],
    ids=["help", "help of a verb", "completion"],
)
def test_nothing_heavy_is_loaded(words: list[str], environ: dict[str, str], said: str) -> None:
    out, loaded = _run(words, **environ)
    assert said in out
    assert not [name for name in loaded if name.split(".")[0] in HEAVY]
    allowed = ("loom.cli", "loom.kernel", "loom.kernel.errors")
    assert not [name for name in loaded if not name.startswith("loom.cli.") and name not in allowed]
    assert not {module for module, _ in (GROUPS | RUNS).values()} & set(loaded)


@pytest.mark.parametrize("name", GROUPS | RUNS)
def test_the_line_about_a_command_is_its_own(name: str) -> None:
    assert load(name).help.split("\n")[0] == (GROUPS | RUNS)[name][1]
