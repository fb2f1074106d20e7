"""Checks of Metaflow: it can be imported, it is configured, its datastore and its metadata work."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from ._finding import Facts, Finding

_VARIABLES = {"datastore": "METAFLOW_DEFAULT_DATASTORE", "metadata": "METAFLOW_DEFAULT_METADATA"}


def metaflow(found: Facts, configured: Facts) -> Iterator[Finding]:
    """Metaflow can be imported, in a release that is tested."""
    lowest, beyond = found["tested"]
    install = f'pip install "metaflow>={lowest},<{beyond}"'
    imported = found.get("import")
    if imported is None:
        broken = [_file_fix(file) for file in configured["files"] if file["problem"]]
        fix = install if "No module named 'metaflow'" in found["problem"] else f"{install} --force-reinstall"
        what = f"it cannot be imported: {found['problem']}"
        yield Finding("metaflow", "FAIL", what, broken[0] if broken else fix)
        return
    shown = f"{imported['version']}, imported in {imported['seconds']} s"
    if _numbers(lowest) <= _numbers(imported["version"]) < _numbers(beyond):
        yield Finding("metaflow", "PASS", shown)
    else:
        what = f"{shown}; tested are releases from {lowest} to before {beyond}"
        yield Finding("metaflow", "WARN", what, install)


def configuration(found: Facts, tried: Facts) -> Iterator[Finding]:
    """It is plain whose configuration is in force, and it can be read."""
    name = "metaflow-config"
    if found["kind"] == "embedded":
        shown = f"Loom's own, with data in {found['where']}"
    else:
        files = [file["path"] for file in found["files"] if file["path"] not in found["where"]]
        shown = f"yours, which Loom leaves alone ({', '.join([found['where'], *files])})"
    broken = [file for file in found["files"] if file["problem"]]
    if broken:
        what = f"{shown}; {broken[0]['path']}: {broken[0]['problem']}"
        yield Finding(name, "FAIL", what, _file_fix(broken[0]))
    elif not tried.get("import", {}).get("knows_user", True):
        what = f"{shown}; no run can start, because it names no user and Metaflow does not take root for one"
        yield Finding(name, "FAIL", what, "export METAFLOW_USER=NAME")
    else:
        yield Finding(name, "PASS", shown)


def datastore(found: Facts) -> Iterator[Finding]:
    """What is written to the datastore can be read back and removed."""
    tried = found.get("datastore", {})
    if not tried.get("tried"):
        yield _not_tried("datastore", tried, found["problem"])
    elif tried["error"]:
        harmless = tried["step"] in ("remove", "look for stale probes")
        what = f"{_place(tried)}: {tried['step']}: {tried['error']}"
        yield Finding("datastore", "WARN" if harmless else "FAIL", what, _fix("datastore", tried))
    elif tried.get("stale", 0) > tried.get("removed", 0):
        what = f"{_place(tried)} works; {tried['stale']} probes of checks that were killed lie in it"
        yield Finding("datastore", "WARN", what, "loom doctor --fix")
    elif "stays" in tried:
        what = f"{_place(tried)}: written and read; Loom cannot remove there, so that {tried['stays']} stays"
        yield Finding("datastore", "PASS", what)
    else:
        what = f"{_place(tried)}: written, read and removed in {tried['seconds']} s"
        yield Finding("datastore", "PASS", what)


def metadata(found: Facts) -> Iterator[Finding]:
    """Metadata can be written, or its service answers."""
    tried = found.get("metadata", {})
    if not tried.get("tried"):
        yield _not_tried("metadata", tried, found["problem"])
    elif tried["error"]:
        what = f"{_place(tried)}: {tried['step']}: {tried['error']}"
        yield Finding("metadata", "FAIL", what, _fix("metadata", tried))
    else:
        did = "it answers" if tried["type"] == "service" else "written and read"
        yield Finding("metadata", "PASS", f"{_place(tried)}: {did} in {tried['seconds']} s")


def _not_tried(name: str, tried: Facts, problem: str) -> Finding:
    """Why something could not be tried to its end."""
    if not tried:
        what = f"not tried: {problem or 'Metaflow did not get that far'}"
        return Finding(name, "FAIL", what, 'python -c "import metaflow"')
    if tried["type"] is None:
        what = f"{_VARIABLES[name]} names none that Metaflow has here ({', '.join(tried['known'])})"
        return Finding(name, "FAIL", what, f"unset {_VARIABLES[name]}")
    what = f"{_place(tried)}: {tried.get('step', 'open')}: {problem}"
    return Finding(name, "FAIL", what, _fix(name, tried))


def _place(tried: Facts) -> str:
    return f"{tried['type']} at {tried['place']}" if tried.get("place") else f"{tried['type']}"


def _fix(name: str, tried: Facts) -> str:
    """The command that mends a datastore or metadata that does not work, or at least tells more."""
    kind, place, error = tried["type"], shlex.quote(tried.get("place") or "."), tried.get("error") or ""
    if unset := re.search(r"(METAFLOW_\w+) is not set", error):
        return f"export {unset[1]}=PLACE"
    if kind == "local":
        return "loom gc" if "No space left" in error else f"ls -ld {place}"
    if kind == "service":
        return f"curl -fsS {place}/ping"
    if kind == "s3":
        return "pip install boto3" if "boto3" in error else f"aws s3 ls {place}"
    return "metaflow status"


def _file_fix(file: Facts) -> str:
    path = shlex.quote(file["path"])
    if "no such file" in file["problem"]:
        return "unset METAFLOW_PROFILE"
    return f"python -m json.tool {path}" if "JSON" in file["problem"] else f"ls -l {path}"


def _numbers(version: str) -> tuple[int, ...]:
    """A release as numbers that can be compared."""
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0]))
