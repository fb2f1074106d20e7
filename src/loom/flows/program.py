"""Lets a process that is something else already run a flow's file as `python FILE ...` would."""

from __future__ import annotations

import atexit
import importlib
import importlib.machinery
import io
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, NoReturn, TextIO

_IGNORED_BY_PYTHON: tuple[int, ...] = (signal.SIGPIPE, getattr(signal, "SIGXFSZ", signal.SIGPIPE))
_CANNOT_FLUSH = 120

# what an interpreter, its libraries and Metaflow read while they start, and never again
INTERPRETER = (b"PYTHON", b"LD_", b"LC_", b"LANG", b"MALLOC_", b"GLIBC_")
METAFLOW = (b"METAFLOW_",)
# what Metaflow sets for each task, and reads when it is needed
_READ_LATER = (b"METAFLOW_RUN_ID", b"METAFLOW_CODE_")
# what a process can change of itself when it has started
_CHANGEABLE = (b"PYTHONDONTWRITEBYTECODE", b"PYTHONUNBUFFERED")


_left_in_main: dict[str, Any] = {}


def import_metaflow() -> None:
    """Import Metaflow, and remember the types it puts into the main module, where pickle looks for them."""
    main = vars(sys.modules["__main__"])
    before = dict(main)
    importlib.import_module("metaflow")
    _left_in_main.update((name, value) for name, value in main.items() if name not in before)


def run_program(arguments: list[str]) -> None:
    """Run a file as the main module, with its folder first on the path."""
    file = arguments[0]
    sys.argv = arguments
    if not sys.flags.safe_path:
        sys.path[0] = str(Path(file).parent)
    main = ModuleType("__main__")
    main.__file__ = file
    main.__loader__ = importlib.machinery.SourceFileLoader("__main__", file)
    vars(main)["__builtins__"] = __builtins__
    vars(main).update(_left_in_main)
    sys.modules["__main__"] = main
    exec(compile(Path(file).read_bytes(), file, "exec"), vars(main))


def end_as_program(program: Callable[[], None], *, hidden: int) -> NoReturn:
    """Call something and end this process as an interpreter ends; `hidden` frames are not its own."""
    code, interrupted = 0, False
    try:
        program()
    except SystemExit as end:
        code = _exit_code(end)
    except BaseException as error:  # noqa: BLE001  what nobody caught ends the program, after it was shown
        sys.excepthook(type(error), error, _below(error.__traceback__, hidden))
        code, interrupted = 1, isinstance(error, KeyboardInterrupt)
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as the end of an interpreter does
    atexit._run_exitfuncs()
    code = _flushed(code)
    if interrupted:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(code)


def restore_signals() -> None:
    """Handle every signal as a fresh interpreter does."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, *_IGNORED_BY_PYTHON}:
        if signal.getsignal(number) not in (signal.SIG_DFL, None):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def restore_environment(environ: Mapping[bytes, bytes]) -> None:
    """Have these environment variables and no others."""
    os.environb.clear()
    os.environb.update(environ)
    time.tzset()
    sys.dont_write_bytecode = bool(environ.get(b"PYTHONDONTWRITEBYTECODE"))
    # a folder that was not there before may be there now
    for path in [path for path, finder in sys.path_importer_cache.items() if finder is None]:
        del sys.path_importer_cache[path]


def restore_streams() -> None:
    """Have standard streams as they are with PYTHONUNBUFFERED, which Metaflow sets for every task."""
    sys.stdin = sys.__stdin__ = _stream(0, "r", "<stdin>", sys.__stdin__)  # type: ignore[misc,assignment]
    sys.stdout = sys.__stdout__ = _stream(1, "w", "<stdout>", sys.__stdout__)  # type: ignore[misc,assignment]
    sys.stderr = sys.__stderr__ = _stream(2, "w", "<stderr>", sys.__stderr__)  # type: ignore[misc,assignment]
    sys.excepthook, sys.displayhook = sys.__excepthook__, sys.__displayhook__


def restore_warnings() -> None:
    """Show and hide the warnings that an interpreter shows and hides when it starts."""
    warnings.resetwarnings()
    for hidden in (ResourceWarning, ImportWarning, PendingDeprecationWarning, DeprecationWarning):
        warnings.simplefilter("ignore", hidden)
    warnings.filterwarnings("default", category=DeprecationWarning, module="__main__")
    warnings._processoptions(sys.warnoptions)  # type: ignore[attr-defined]


def read_at_start(environ: Mapping[bytes, bytes], prefixes: Iterable[bytes]) -> dict[bytes, bytes]:
    """The variables that count only when a process starts."""
    chosen = tuple(prefixes)
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(chosen) and not name.startswith((*_READ_LATER, *_CHANGEABLE))
    }


def thread_count() -> int:
    """The threads of this process, those that no Python code knows of included."""
    return len(os.listdir("/proc/self/task"))  # noqa: PTH208


def _exit_code(end: SystemExit) -> int:
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    print(end.code, file=sys.stderr)
    return 1


def _below(trace: TracebackType | None, hidden: int) -> TracebackType | None:
    for _ in range(hidden):
        trace = trace.tb_next if trace is not None else None
    return trace


def _flushed(code: int) -> int:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return _CANNOT_FLUSH
    return code


def _stream(handle: int, mode: str, name: str, like: TextIO | None) -> TextIO:
    encoding = like.encoding if like is not None else "utf-8"
    errors = (like.errors if like is not None else None) or "strict"
    raw = io.FileIO(handle, mode, closefd=False)
    raw.name = name
    buffer = io.BufferedReader(raw) if mode == "r" else raw
    stream = io.TextIOWrapper(
        buffer,  # a raw file without a buffer, as an interpreter that is told not to buffer has it
        encoding,
        errors,
        newline=None if mode == "r" else "\n",
        line_buffering=mode == "w" and os.isatty(handle),
        write_through=True,
    )
    stream.mode = mode  # type: ignore[misc]
    return stream
