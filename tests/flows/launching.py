"""Starts a flow by one of the launchers, from a process as clean as a command's.

python -m tests.flows.launching KIND HOME FLOW_FILE [OPTIONS]
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from loom.flows import engine
from loom.flows.fork import Forked, start_warm
from loom.flows.stock import Launch, Started, start_fresh, start_stock

LAUNCHERS: dict[str, Callable[[Launch], Started]] = {
    "stock": start_stock,
    "fork": start_warm,
    "fresh": lambda launch: start_fresh(launch, {engine.WARM: "yes"}),
}


def main(kind: str, home: Path, arguments: list[str]) -> None:
    """Start, wait, and end with the status of the flow."""
    environ = {**os.environ, engine.PARENT: str(os.getpid())}
    started = LAUNCHERS[kind](Launch(arguments, environ, home, home / "log"))
    assert (kind == "fork") == isinstance(started, Forked)
    (home / "pid").write_text(str(started.pid))
    status = started.wait()
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
