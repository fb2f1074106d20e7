"""Checks of the machine, the interpreter and the installation."""

from __future__ import annotations

import codecs
import math
import shlex
from collections.abc import Iterator
from contextlib import suppress

from ._finding import Facts, Finding, Status, size

_TIGHT, _FULL = 2_000_000_000, 200_000_000
_FEW_FILES, _NO_FILES = 20_000, 1_000
_SKEW_SECONDS, _AHEAD_SECONDS, _DAY = 120, 300, 86_400
_START_OF_2025 = 1_735_689_600
_SET_CLOCK = "timedatectl set-ntp true"


def python(found: Facts) -> Iterator[Finding]:
    """The interpreter is one that Loom is tested with."""
    shown, tested = f"{found['version']} at {found['executable']}", found["tested"]
    wrong = ""
    if found["implementation"] != "cpython":
        wrong = f"{shown} is {found['implementation']}, not CPython"
    elif tested and ".".join(found["version"].split(".")[:2]) not in tested:
        wrong = f"{shown} is none of those that Loom is tested with: {', '.join(tested)}"
    if wrong:
        yield Finding("python", "WARN", wrong, f"uv venv --python {tested[-1] if tested else '3.13'}")
    else:
        yield Finding("python", "PASS", shown)


def installation(found: Facts) -> Iterator[Finding]:
    """Loom is installed, and Python need not compile it at each start."""
    shown = f"{found['version'] or 'a version unknown'} ({found['kind']}) in {found['folder']}"
    if found["bytecode_off"]:
        what = f"{shown}; PYTHONDONTWRITEBYTECODE makes each start compile anew"
        yield Finding("loom", "WARN", what, "unset PYTHONDONTWRITEBYTECODE")
    elif found["uncompiled"]:
        folders = " ".join(map(shlex.quote, found["uncompiled"]))
        what = f"{shown}; each start is slow, because there is no bytecode in {folders}"
        yield Finding("loom", "WARN", what, f"python -m compileall -q {folders}")
    else:
        yield Finding("loom", "PASS", shown)


def disk(rooms: Facts, metaflow: Facts) -> Iterator[Finding]:
    """There is room to write, in the home folder, the datastore and the folder for temporary files."""
    store = metaflow.get("datastore", {}).get("space")
    for name, room in {**rooms, **({"datastore": store} if store else {})}.items():
        yield _room(f"disk-{name}", room, "export TMPDIR=DIR" if name == "temporary" else "loom gc")


def _room(name: str, room: Facts, fix: str) -> Finding:
    if room["problem"]:
        return Finding(name, "FAIL", f"{room['path'] or 'no folder'}: {room['problem']}", fix)
    free, files = room["free_bytes"], room["free_files"]
    counted = room["total_files"] > 0
    room_for = f" and room for {files:,} files" if counted else ""
    shown = f"{size(free)} of {size(room['total_bytes'])}{room_for} free at {room['path']}"
    status: Status = "PASS"
    if free < _FULL or (counted and files < _NO_FILES):
        status = "FAIL"
    elif free < _TIGHT or (counted and files < _FEW_FILES):
        status = "WARN"
    return Finding(name, status, shown, "" if status == "PASS" else fix)


def clock(found: Facts) -> Iterator[Finding]:
    """The clock runs with those of the file systems, and nothing here comes from its future."""
    now, skew, newest = found["now"], found["skew"], found["newest"]
    wrong = ""
    if now < _START_OF_2025 or now < (found["installed"] or 0) - _DAY:
        wrong = "the clock is behind: Loom's own files are from its future"
    elif skew is not None and abs(skew) > _SKEW_SECONDS:
        wrong = f"new files are dated {abs(skew):,.0f} s {'ahead' if skew > 0 else 'behind'}"
    elif newest is not None and newest - now > _AHEAD_SECONDS:
        wrong = f"a file in the home folder is from {newest - now:,.0f} s in the future"
    if wrong:
        yield Finding("clock", "WARN", wrong, _SET_CLOCK)
    else:
        yield Finding("clock", "PASS", "it agrees with the dates of files")


def sandbox(found: Facts) -> Iterator[Finding]:
    """Programs can be closed in as well as Loom knows how."""
    level, missing = found["level"], found["missing"]
    if found["problem"]:
        yield Finding("sandbox", "WARN", found["problem"], "loom doctor")
    elif missing:
        lacks = "; ".join(
            f"{each['level']} is not reached: {each['why']} ({each['fix']})" for each in missing
        )
        yield Finding("sandbox", "WARN", f"programs run at level {level}; {lacks}", missing[0]["fix"])
    else:
        yield Finding("sandbox", "PASS", f"level {level}: a program that tried to get out stayed inside")


def cores(found: Facts) -> Iterator[Finding]:
    """No library is told, or left to believe, that it has more processors than there are."""
    usable, quota, threads = found["usable"], found["quota"], found["threads"]
    limit = f", and a limit leaves the time of {quota:.3g}" if quota else ""
    shown = f"{usable} of {found['cores']} processors may be used{limit}"
    wrong = [name for name, value in threads.items() if not (value.isdigit() and 0 < int(value) <= usable)]
    if wrong:
        what = f"{shown}, but {wrong[0]} is {threads[wrong[0]][:20]}"
        yield Finding("cores", "WARN", what, f"unset {wrong[0]}")
    elif quota and not threads and usable > 2 * math.ceil(quota):
        what = f"{shown}; libraries will start a thread for each"
        yield Finding("cores", "WARN", what, f"export OMP_NUM_THREADS={math.ceil(quota)}")
    else:
        yield Finding("cores", "PASS", shown)


def encoding(found: Facts) -> Iterator[Finding]:
    """Text is read, named and printed as UTF-8."""
    for place, fix in (
        ("text", "export PYTHONUTF8=1"),
        ("files", "export PYTHONUTF8=1"),
        ("output", "export PYTHONIOENCODING=utf-8"),
    ):
        if found[place] and not _is_utf8(found[place]):
            said = ", ".join(f"{name}={value}" for name, value in found["variables"].items())
            what = f"the encoding of {place} is {found[place]} ({said or 'no variable says so'})"
            yield Finding("encoding", "WARN", what, fix)
            return
    yield Finding("encoding", "PASS", "UTF-8")


def _is_utf8(name: str) -> bool:
    with suppress(LookupError):
        return codecs.lookup(name).name == "utf-8"
    return False
