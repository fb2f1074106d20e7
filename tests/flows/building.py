"""Plans, prepared runs and environments for the tests of flows."""

from __future__ import annotations

import importlib
import json
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loom.process.plan import Plan, plan
from loom.runtime.dispatch import PreparedRun, RunRequest
from tests.process.checking import HEAD, check

STANDIN = Path(__file__).parent / "standin"
SOAK = bool(os.environ.get("LOOM_SOAK"))


def planned(text: str, *, verb: bool = True) -> Plan:
    """The plan of a declaration; what stands before the phases is added."""
    head = HEAD + ("verb: {command: example, flow: ExampleFlow, tier: read-only}\n" if verb else "")
    package = check(text if text.startswith("name:") else head + text, warnings=False).package
    assert package is not None
    return plan(package)


def phases(dependencies: Mapping[str, Sequence[str]], each: Sequence[str] = ()) -> str:
    """The phases of a declaration that only has to run."""
    lines = ["phases:"]
    for name, needs in dependencies.items():
        over = ', for_each: "${inputs.list}"' if name in each else ""
        needed = ", ".join(needs)
        lines.append(f"  - {{id: {name}, description: Does {name}., depends_on: [{needed}]{over}}}")
    return "\n".join(lines) + "\n"


def prepared(tmp_path: Path, of: Plan, script: Mapping[str, Any] | None = None, **inputs: Any) -> PreparedRun:
    """A run that may start, its phases played from a script."""
    folder = tmp_path / "home" / "runs" / "r1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "script.json").write_text(json.dumps(script or {}))
    request = RunRequest("r1", "example", "sha256:00", inputs=inputs)
    return PreparedRun(request, of, folder, tmp_path / "home")


def clean_environ(tmp_path: Path, **more: str) -> dict[str, str]:
    """An environment without Metaflow's variables, in which the steps are played."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW_", "LOOM_"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    home = tmp_path / "somebody"
    home.mkdir(exist_ok=True)
    return {**kept, "HOME": str(home), "PYTHONPATH": str(STANDIN), **more}


def metaflow(name: str = "metaflow") -> Any:
    """A module of Metaflow, which warns of its own affairs when it is imported first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)
