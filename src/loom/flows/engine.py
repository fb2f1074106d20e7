"""The process that is Metaflow: it loads a flow, starts its tasks and goes when its parent goes.

python -m loom.flows.engine FLOW_FILE [METAFLOW OPTIONS] run [RUN OPTIONS]
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from loom.flows.program import import_metaflow, run_program
from loom.flows.run_ids import next_run_id
from loom.flows.warm import start_server, warm_entrypoint
from loom.sandbox import linux
from loom.settings.engine import is_embedded

PARENT = "LOOM_LAUNCHED_BY"
WARM = "LOOM_WARM"
LAUNCHER = "LOOM_LAUNCHER"
"""Set to `stock`, tasks are started as Metaflow starts them."""

DECORATOR = "loom_warm"


def main(arguments: list[str]) -> None:
    """Become the flow's runtime; does not return before the run has ended."""
    is_warm = os.environ.pop(WARM, "") != ""
    end_with_parent(int(os.environ.pop(PARENT, "0")))
    make_ready(is_warm=is_warm)
    run_flow(arguments)


def make_ready(*, is_warm: bool) -> None:
    """Do everything that takes time and needs no flow."""
    import_metaflow()
    if is_embedded(os.environ):
        number_runs()
    if is_warm and _knows_the_decorator():
        start_server()


def run_flow(arguments: list[str]) -> None:
    """Run a flow's file in this process, its tasks in the server if there is one."""
    if warm_entrypoint() is not None:
        place = next(at for at, word in enumerate(arguments, 1) if word in ("run", "resume"))
        arguments[place:place] = ["--with", DECORATOR]
    try:
        run_program(arguments)
    except KeyboardInterrupt:
        _leave_nothing()


def end_with_parent(parent: int = 0) -> None:
    """End when this process is asked to, and end every task when the parent dies."""
    signal.signal(signal.SIGTERM, _asked_to_end)
    signal.signal(signal.SIGHUP, _alone)
    if sys.platform == "linux":
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGHUP)
    if parent and parent != os.getppid():
        _leave_nothing()  # it was gone before anybody watched it


def number_runs() -> None:
    """Let the local metadata count runs instead of using the clock, which two runs can share."""
    local: Any = importlib.import_module("metaflow.plugins.metadata_providers.local")

    def new_run_id(self: Any, tags: Any = None, sys_tags: Any = None) -> str:
        root = self._make_path()
        number = next_run_id(Path(root) / self._flow_name)
        self._new_run(number, tags, sys_tags)
        return number

    local.LocalMetadataProvider.new_run_id = new_run_id


def _knows_the_decorator() -> bool:
    """Whether Metaflow can attach the step decorator; its user may have chosen the plugins."""
    plugins: Any = importlib.import_module("metaflow.plugins")
    return any(known.name == DECORATOR for known in plugins.STEP_DECORATORS)


def _asked_to_end(number: int, frame: FrameType | None) -> None:
    """Whoever asks has asked the tasks as well: they are in the same group."""
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    # Metaflow understands this one: it waits for its tasks, then ends those that stayed
    raise KeyboardInterrupt


def _alone(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    linux.kill_group(os.getpgid(0), signal.SIGTERM)
    _asked_to_end(number, frame)


def _leave_nothing() -> None:
    linux.kill_group(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
