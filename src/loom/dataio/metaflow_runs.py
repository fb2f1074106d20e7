"""What a run that Metaflow keeps left of itself: for runs of other machines, and of flows started by hand."""

from __future__ import annotations

import re
from typing import Any

from loom.dataio.metaflow_client import last_task

LEFT = "loom_card"
"""The artifact in which the last step leaves how the run ended."""

REQUEST = "loom_request"
_PATHSPEC = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}/[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def facts_of_run(pathspec: str) -> dict[str, Any] | None:
    """How a run ended and what it found, in the words of `loom.core.index.RunFacts`; None where nothing is known."""
    if not _PATHSPEC.fullmatch(pathspec):
        return None
    left = left_by(pathspec)
    if left is None:
        return None
    answer, request = left["envelope"], left["request"]
    started, finished = left["started"], left["finished"]
    return {
        "name": pathspec,
        "verb": answer["verb"].removeprefix("--process "),
        "status": answer["status"],
        "pathspec": pathspec,
        "flow": pathspec.partition("/")[0],
        "verdict": answer["VERDICT"],
        "experiment_id": request.get("experiment_id"),
        "started": started,
        "seconds": finished - started if finished else None,
        "inputs": request.get("inputs") or {},
        "summary": answer["summary"] or {},
        "reasons": answer["reasons"],
        "error": answer["error"],
    }


def left_by(pathspec: str) -> dict[str, Any] | None:
    """What the last step of a run left: envelope, phases, card, request and times; None where there is none."""
    task = last_task(pathspec)
    if task is None or LEFT not in task:
        return None
    run = task.parent.parent
    finished = run.finished_at
    times = {
        "started": run.created_at.timestamp(),
        "finished": finished.timestamp() if finished else None,
    }
    return {**task[LEFT].data, "request": task[REQUEST].data if REQUEST in task else {}, **times}
