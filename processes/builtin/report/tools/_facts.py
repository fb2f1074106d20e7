"""What a report may know of a run, as it travels from phase to phase and as it is looked up again."""

from __future__ import annotations

import json
from typing import Any

from loom.core.index import RunFacts

_KEPT = ("name", "verb", "status", "verdict", "experiment_id", "summary", "reasons", "reads")


def told(run: RunFacts) -> dict[str, Any]:
    """The facts of a run without its inputs and errors, which name places on a machine; as plain JSON."""
    facts = run.as_json()
    kept = {key: facts[key] for key in _KEPT} | {"made": dict(facts.get("made") or {})}
    plain: dict[str, Any] = json.loads(json.dumps(kept))
    return plain
