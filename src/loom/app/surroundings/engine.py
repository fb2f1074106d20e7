"""Metaflow as it is here: whose configuration is in force, and whether it works when it is tried."""

from __future__ import annotations

import json
import math
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from loom.settings.engine import engine_configuration, engine_environment, engine_root

TESTED_METAFLOW = ("2.19.39", "2.20")
"""The first release that is tested, and the first that no longer is."""

_PROBE = Path(__file__).with_name("metaflow_probe.py")
_REMOVE_STALE = "--remove-stale"
_AT_ONCE = {
    # a store that does not answer is reported, not asked again for minutes
    "METAFLOW_S3_RETRY_COUNT": "0",
    "METAFLOW_S3_TRANSIENT_RETRY_COUNT": "0",
    "METAFLOW_S3_CLIENT_RETRY_CONFIG": json.dumps({"max_attempts": 1, "mode": "standard"}),
}


def configuration_in_force(
    home: Path, environ: Mapping[str, str], workspace: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Whose configuration Metaflow will read and what is wrong with its files; and what it sets."""
    kind, where = engine_configuration(home, environ)
    merged = {**environ, **engine_environment(home, environ)}
    files, settings = [], {}
    for path, needed in _files(merged, engine_root(home, environ) or workspace):
        found = _read(path, needed)
        files.append({"path": str(path), "problem": found if isinstance(found, str) else ""})
        settings.update(found if isinstance(found, dict) else {})
    settings.update({name: value for name, value in merged.items() if name.startswith("METAFLOW_")})
    return {"kind": kind, "where": where, "files": files}, settings


def _files(environ: Mapping[str, str], start: Path) -> list[tuple[Path, bool]]:
    """The files Metaflow reads its configuration from, and whether each has to be there; the last one wins."""
    profile = environ.get("METAFLOW_PROFILE")
    folder = Path(environ.get("METAFLOW_HOME") or Path(environ.get("HOME", "/"), ".metaflowconfig"))
    user = folder / (f"config_{profile}.json" if profile else "config.json")
    found = [(user, bool(profile))] if profile or _is(stat.S_ISREG, user) else []
    for place in (start, *start.parents):
        if _is(stat.S_ISDIR, place / ".metaflow"):
            local = place / ".metaflow" / "config.json"
            return [*found, (local, False)] if _is(stat.S_ISREG, local) else found
    return found


def _is(kind: Callable[[int], bool], path: Path) -> bool:
    """Whether a path is of a kind; one that may not be looked at is not."""
    with suppress(OSError):
        return kind(path.stat().st_mode)
    return False


def _read(path: Path, needed: bool) -> dict[str, Any] | str:
    """The settings in a file, or what is wrong with it."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "there is no such file" if needed else {}
    except OSError as error:
        return (error.strerror or str(error)).lower()
    except (ValueError, RecursionError) as error:
        return f"it is not valid JSON ({str(error)[:100]})"
    return found if isinstance(found, dict) else "it is not a JSON object"


def try_metaflow(
    home: Path, environ: Mapping[str, str], workspace: Path, *, timeout_s: float, remove_stale: bool
) -> dict[str, Any]:
    """What came of importing Metaflow and of trying its datastore and its metadata, in a child process."""
    start = engine_root(home, environ) or workspace
    started_in = next(path for path in (start, *start.parents) if _may_enter(path))
    command = [sys.executable, "-P", str(_PROBE), str(math.ceil(timeout_s) + 1)]
    facts: dict[str, Any] = {"tested": TESTED_METAFLOW, "timeout_s": timeout_s, "problem": ""}
    try:
        done = subprocess.run(
            [*command, _REMOVE_STALE] if remove_stale else command,
            env={**environ, **engine_environment(home, environ), **_AT_ONCE},
            cwd=started_in,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        _add(facts, late.stdout or b"")
        facts["problem"] = f"no answer within {timeout_s:g} s"
    except OSError as error:
        facts["problem"] = f"it cannot be started: {error.strerror or error}"
    else:
        _add(facts, done.stdout)
        if done.returncode:
            facts["problem"] = _last_words(done.stderr, done.returncode)
    return facts


def _may_enter(path: Path) -> bool:
    return path == path.parent or (_is(stat.S_ISDIR, path) and os.access(path, os.X_OK))


def _add(facts: dict[str, Any], lines: bytes) -> None:
    for line in lines.decode("utf-8", "replace").splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue  # being written when time was up, or not ours
        if isinstance(said, dict) and "name" in said:
            facts.setdefault(said.pop("name"), {}).update(said)


def _last_words(stderr: bytes, code: int) -> str:
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    if code < 0:
        return f"it was ended by signal {-code}"
    return lines[-1][:500] if lines else f"it ended with {code}"
