"""Turns a fork of the warm server into what `python flow.py step ...` would be, from its start to its end."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NoReturn

from loom.flows.program import (
    end_as_program,
    restore_environment,
    restore_signals,
    restore_streams,
    run_program,
)
from loom.sandbox import linux


def become_task(
    arguments: Sequence[str], environ: Mapping[bytes, bytes], handles: Sequence[int], *, parent: int
) -> NoReturn:
    """Run a flow's file with these arguments, environment and standard streams; end as Python would."""
    try:
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:
            restore_signals()
            for number, handle in enumerate(handles):
                os.dup2(handle, number)
                os.close(handle)
            restore_environment(environ)
            restore_streams()
            end_as_program(partial(run_program, list(arguments)), hidden=2)
    finally:
        os._exit(70)
