"""Starts a flow in a fork of this process, made before the process has threads and while it has other work."""

from __future__ import annotations

import atexit
import marshal
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

from loom.flows import engine
from loom.flows.program import (
    INTERPRETER,
    METAFLOW,
    end_as_program,
    read_at_start,
    restore_environment,
    restore_signals,
    restore_streams,
    restore_warnings,
    thread_count,
)
from loom.flows.stock import Launch, Started, start_fresh, start_stock
from loom.settings.engine import engine_environment, engine_root


@dataclass(slots=True)
class Forked:
    """A fork of this process that runs a flow, or waits for one."""

    pid: int

    def wait(self) -> int:
        """Its exit status, negative for a signal."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@dataclass(slots=True)
class _Standby:
    """A fork that has Metaflow loaded and waits to be told which flow to run."""

    process: Forked
    orders: int
    owner: int
    environ: dict[bytes, bytes]
    cwd: Path

    def suits(self, launch: Launch) -> bool:
        """Whether it is what a process started now for this launch would be."""
        wanted = read_at_start(_encoded(launch.environ), (*INTERPRETER, *METAFLOW))
        return os.getpid() == self.owner and wanted == self.environ and launch.cwd == self.cwd

    def dismiss(self) -> None:
        """Let it end without a flow; a fork of its owner leaves it alone."""
        if os.getpid() == self.owner:
            os.close(self.orders)
            self.process.wait()


_standby: list[_Standby] = []


def stand_by(home: Path, environ: Mapping[str, str]) -> bool:
    """Start loading Metaflow beside this process, for the next flow that is started; whether that is possible.

    Called early, while this process has no threads, it costs a command no time. Called without need, it
    costs a fifth of a second of a processor that may be idle.
    """
    full = {**environ, **engine_environment(home, environ)}
    cwd = engine_root(home, environ) or Path.cwd()
    if _standby or full.get(engine.LAUNCHER) == "stock":
        return False
    try:
        cwd.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False  # whoever needs the folder says so
    return _fork(full, cwd)


def start_warm(launch: Launch) -> Started:
    """Start the runtime in the fork that stands by, or in a fresh Python; its tasks start in its server."""
    if sys.platform != "linux" or launch.environ.get(engine.LAUNCHER) == "stock":
        return start_stock(launch)
    if not _standby:
        _fork(launch.environ, launch.cwd)
    while _standby:
        standby = _standby.pop()
        if standby.suits(launch) and _ordered(standby, launch):
            return standby.process
        standby.dismiss()
    return start_fresh(launch, {engine.WARM: "yes"})


def _fork(environ: Mapping[str, str], cwd: Path) -> bool:
    if not _may_fork(environ):
        return False
    awaited, orders = os.pipe()
    owner = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _wait_for_orders(awaited, environ, cwd, owner)
    os.close(awaited)
    wanted = read_at_start(_encoded(environ), (*INTERPRETER, *METAFLOW))
    _standby.append(_Standby(Forked(pid), orders, owner, wanted, cwd))
    return True


def _may_fork(environ: Mapping[str, str]) -> bool:
    """Whether a fork would be what a fresh interpreter is."""
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    return (
        sys.platform == "linux"
        and thread_count() == 1
        and "metaflow" not in sys.modules  # it has read its configuration
        and not set(flags) - {"-B"}
        and read_at_start(os.environb, INTERPRETER) == read_at_start(_encoded(environ), INTERPRETER)
    )


def _ordered(standby: _Standby, launch: Launch) -> bool:
    """Tell the fork what to run; whether it was there to be told."""
    left = memoryview(marshal.dumps((list(launch.arguments), _encoded(launch.environ), str(launch.log))))
    try:
        while left:
            left = left[os.write(standby.orders, left) :]
    except OSError:
        return False
    os.close(standby.orders)
    return True


def _wait_for_orders(awaited: int, environ: Mapping[str, str], cwd: Path, parent: int) -> NoReturn:
    try:
        os.setsid()
        restore_signals()
        engine.end_with_parent(parent)
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        # whatever else is open is the parent's: its journal, its terminal, its pipes
        os.closerange(3, awaited)
        os.closerange(awaited + 1, os.sysconf("SC_OPEN_MAX"))
        os.chdir(cwd)
        restore_environment(_encoded(environ))
        restore_streams()
        restore_warnings()
        atexit._clear()
        is_ready = False
        try:
            engine.make_ready(is_warm=True)
            is_ready = True
        finally:
            arguments = _ordered_to(awaited)
            if not is_ready:
                traceback.print_exc()
        end_as_program(partial(engine.run_flow, arguments), hidden=3)
    finally:
        os._exit(70)


def _ordered_to(awaited: int) -> list[str]:
    """What to run, when it is told; the log is open then. Ends when the parent has nothing to say."""
    with os.fdopen(awaited, "rb") as pipe:
        order = pipe.read()
    if not order:
        os._exit(0)
    arguments, environ, log = marshal.loads(order)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
    restore_environment(environ)
    os.environ.pop(engine.PARENT, None)
    return list(arguments)


def _encoded(environ: Mapping[str, str]) -> dict[bytes, bytes]:
    return {os.fsencode(name): os.fsencode(value) for name, value in environ.items()}
