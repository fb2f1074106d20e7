"""`tests/golden/CASE.json`: how a case ended when somebody last looked, without what changes from run to run."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loom.app.package_tests.ending import Ending
from loom.app.package_tests.place import Place, Seen
from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError

FOLDER = "tests/golden"
DIGITS = 6
"""Significant digits that are kept of a number: further ones differ between machines."""

_VOLATILE_KEY = re.compile(
    r"(?:.*_)?(?:seconds|ms|duration|elapsed|started|finished|created|updated|modified|at|now|timestamp"
    r"|digest|hash|sha256|checksum|experiment_id|pid|hostname|uuid|run_id)\Z"
)
_VOLATILE_TEXT = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"(?:sha256:)?\b[0-9a-f]{64}\b"), "<digest>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\bloom-[a-z0-9]{6}\b"), "<experiment>"),
)


def snapshot(seen: Seen, ending: Ending, place: Place) -> str:
    """The end of a case as its golden file would hold it."""
    envelope = seen.envelope or {}
    content = {
        "status": ending.status,
        "verdict": ending.verdict or None,
        "deliverables": sorted(seen.texts),
        "summary": steady(envelope.get("summary"), str(place.folder)),
    }
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def steady(value: Any, folder: str) -> Any:
    """Plain data without times, digests, places and the last digits of numbers."""
    if isinstance(value, Mapping):
        return {
            key: f"<{key}>" if _VOLATILE_KEY.match(str(key)) and each is not None else steady(each, folder)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [steady(each, folder) for each in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, str):
        text = value.replace(folder, "<case>")
        for pattern, mark in _VOLATILE_TEXT:
            text = pattern.sub(mark, text)
        return text
    return value


def difference(folder: Path, case: str, now: str) -> str:
    """How the end of a case differs from its golden file; nothing when it does not, or there is none."""
    path = folder / FOLDER / f"{case}.json"
    try:
        before = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise LoomError(f"{path} cannot be read", str(error), f"ls -l {path}") from None
    lines = difflib.unified_diff(
        before.splitlines(), now.splitlines(), f"{FOLDER}/{case}.json", "this run", lineterm=""
    )
    return "\n".join(lines)


def update(folder: Path, case: str, now: str) -> bool:
    """Write the golden file of a case where the package keeps such files; whether it changed."""
    path = folder / FOLDER / f"{case}.json"
    if not path.parent.is_dir() or (path.exists() and not difference(folder, case, now)):
        return False
    write_atomically(path, now.encode())
    return True
