"""The warm server of this process: started once, before the process becomes the runtime of a flow."""

from __future__ import annotations

import gc
import importlib
import os
import secrets
import socket
import sys
from contextlib import suppress
from pathlib import Path

from loom.flows import client
from loom.flows.program import thread_count
from loom.flows.server import Server

PRELOADED = (
    # not metaflow.cli and the commands: what they are made of depends on the flow
    "metaflow.cli_components.utils",
    "metaflow.lint",
    "metaflow.pylint_wrapper",
    "metaflow.task",
    # what every step of a compiled flow imports, as far as it has no threads
    "loom.app.approving",
    "loom.app.conclude",
    "loom.app.run",
    "loom.app.step",
    "loom.app.workshop",
)
"""Loaded before the server is forked. Where that starts a thread there is no server."""

_entrypoint: list[str] | None = None


def start_server() -> bool:
    """Fork the server; whether there is one. Metaflow has to be imported before."""
    global _entrypoint
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return False
    for module in PRELOADED:
        with suppress(ImportError):
            importlib.import_module(module)
    # every task asks for it, and git is asked each time
    importlib.import_module("metaflow.metaflow_version").get_version()
    if thread_count() != 1:
        return False
    name = f"loom-warm-{secrets.token_hex(16)}"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(b"\0" + name.encode())
    listener.listen(128)
    # the server reads the end of this when the process that holds its other end is gone
    lifeline, held = os.pipe()
    runtime = os.getpid()
    if os.fork() == 0:
        os.close(held)
        _serve(listener, lifeline)
    listener.close()
    os.close(lifeline)
    _entrypoint = [
        *(sys.executable, "-I", "-S", "-E", _client_file(), name),
        *(str(runtime), str(os.getpgid(0)), sys.executable),
    ]
    return True


def warm_entrypoint() -> list[str] | None:
    """What stands in for the interpreter in the command of a task; None without a server."""
    return _entrypoint


def _serve(listener: socket.socket, lifeline: int) -> None:
    try:
        gc.collect()
        gc.freeze()
        Server(listener, lifeline).serve()
    finally:
        os._exit(0)


def _client_file() -> str:
    """The client, compiled if it can be: Python keeps no bytecode of a program it is started with."""
    compiled = getattr(client, "__cached__", None)
    return compiled if compiled and Path(compiled).is_file() else str(client.__file__)
