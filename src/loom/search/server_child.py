"""A candidate's own process: it is closed in for good, and then becomes `python solution.py`."""

from __future__ import annotations

import builtins
import errno
import gc
import json
import os
import random
import sys
import traceback
from contextlib import suppress
from types import ModuleType, TracebackType
from typing import Any, NoReturn

from loom.sandbox import apart, landlock, limits, linux, roots, seccomp
from loom.search import server_locks

# ruff: noqa: PTH118, PTH123
# This file is forked before every candidate: paths are texts here, as the system calls want them.

REPORT = 3
"""The descriptor on which a candidate's process says BEGUN, and then, where it raised, one JSON object."""

BEGUN = b"+"

_FULL = (errno.EFBIG, errno.ENOSPC, errno.EDQUOT)
_OPEN_FILES = 256
_THREADS = ("OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT", "POLARS_MAX_THREADS", "NUMEXPR_NUM_THREADS")
_FAILED = 125


def become(job: dict[str, Any], surroundings: dict[str, Any], streams: tuple[int, int, int]) -> NoReturn:
    """Turn this process into the candidate; the streams are its output, its errors and its report."""
    code = _FAILED
    try:
        _take_streams(streams)
        _close_in(job, surroundings)
        os.write(REPORT, BEGUN)
        code = _run(job["folder"], surroundings["paths"])
    finally:
        os._exit(code)


def _take_streams(streams: tuple[int, int, int]) -> None:
    """No descriptor but these; they are the last ones that were opened, and so lie above their places."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for handle, place in zip((nothing, *streams), range(4), strict=True):
        os.dup2(handle, place)
    os.set_inheritable(REPORT, False)
    os.closerange(REPORT + 1, os.sysconf("SC_OPEN_MAX"))


def _close_in(job: dict[str, Any], surroundings: dict[str, Any]) -> None:
    folder, working = job["folder"], os.path.join(job["folder"], "working")
    if os.getsid(0) != os.getpid():
        os.setsid()
    if sys.platform == "linux":
        linux.prctl(linux.PR_SET_PDEATHSIG, linux.SIGKILL)
    seconds = job["seconds"] * (os.cpu_count() or 1)
    limits.apply(
        {
            "cpu_s": int(seconds) + 10,  # the deadline comes first, as long as there is somebody who keeps it
            "data_bytes": surroundings["data_bytes"] + job["memory_bytes"],
            "file_bytes": job["disk_bytes"],
            "open_files": _OPEN_FILES,
        }
    )
    os.chdir(folder)
    own = environment(job, surroundings["variables"])
    os.environ.clear()
    os.environ.update(own)
    _reseed()
    if surroundings["pools"] is not None:
        surroundings["limited"] = surroundings["pools"].limit(limits=job["threads"], user_api="openmp")
    if sys.platform == "linux":
        _refuse_the_rest(surroundings["level"], [*surroundings["system"], folder, job["input"]], working)


def _refuse_the_rest(level: str, read: list[str], working: str) -> None:
    linux.drop_capabilities()
    linux.prctl(linux.PR_SET_DUMPABLE, 1)  # the server counts what this process writes
    version = landlock.abi()
    if level != "none" and version:
        landlock.restrict(
            [*read, *roots.PROCESS, *roots.DEVICES], [working, "/dev/null", "/dev/full"], network=False
        )
    if level != "none" or seccomp.available():
        seccomp.install(
            network=False,
            processes=False,
            level="restricted",
            guard_truncate=level != "none" and 0 < version < 3,
            ask=False,
        )
        apart.keep_apart(os.getpid())


def environment(job: dict[str, Any], variables: dict[str, str]) -> dict[str, str]:
    """The whole environment of a candidate: the server's plain one, its own folder, its number of threads."""
    threads = str(job["threads"])
    own = variables | dict.fromkeys(_THREADS, threads)
    working = os.path.join(job["folder"], "working")
    plain = {name: os.environ[name] for name in ("PATH", "LANG", "USER", "LOGNAME") if name in os.environ}
    return plain | own | {"HOME": working, "TMPDIR": working, "PYTHONHASHSEED": "0"}


def _reseed() -> None:
    """The same random numbers for every candidate that asks for no others, so that a search can be repeated."""
    random.seed(0)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(0)


def _run(folder: str, paths: list[str]) -> int:
    """Run solution.py as Python would, and say how it ended."""
    path = os.path.join(folder, "solution.py")
    module = ModuleType("__main__")
    module.__dict__.update(__file__=path, __builtins__=builtins)
    sys.modules["__main__"] = module
    sys.argv[:] = ["solution.py"]
    sys.path[:] = [folder, *paths]
    code = 0
    try:
        with open(path, "rb") as file:
            source = file.read()
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
    except SystemExit as error:
        code = _code_of(error)
    except BaseException as error:  # noqa: BLE001 - whatever a candidate raises is a result
        code = 1
        _explain(error, path)
    with suppress(BaseException):
        module.__dict__.clear()  # files that were left open are written out
        gc.collect()
    for stream in (sys.stdout, sys.stderr):
        with suppress(BaseException):
            stream.flush()
    return code


def _code_of(error: SystemExit) -> int:
    if error.code is None or isinstance(error.code, int):
        return (error.code or 0) & 0xFF
    with suppress(BaseException):
        print(error.code, file=sys.stderr)
    return 1


def _explain(error: BaseException, path: str) -> None:
    full = "memory" if isinstance(error, MemoryError) else ""
    if isinstance(error, OSError) and error.errno in _FULL:
        full = "disk"
    trace = error.__traceback__.tb_next if error.__traceback__ else None
    line, function = _place(trace, path)
    if isinstance(error, SyntaxError) and error.filename == path:
        line, function = error.lineno, "<module>"
    kinds = [kind.__name__[:64] for kind in type(error).__mro__[:16]]
    _report({"kinds": kinds, "line": line, "function": function, "full": full})
    with suppress(BaseException):
        traceback.print_exception(type(error), error, trace)


def _place(trace: TracebackType | None, path: str) -> tuple[int | None, str | None]:
    """The last frame in solution.py."""
    found: tuple[int | None, str | None] = (None, None)
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            found = (trace.tb_lineno, trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    return found


def _report(said: dict[str, Any]) -> None:
    with suppress(OSError):  # the candidate may have closed it
        os.write(REPORT, b"\n" + json.dumps(said).encode())


def main() -> None:
    """One candidate in a new process: for a server that may not fork. The job stands in the arguments."""
    job, surroundings = (json.loads(argument) for argument in sys.argv[-2:])
    server_locks.share_locks_between_threads()
    become(job, surroundings | {"pools": None}, (1, 2, REPORT))
