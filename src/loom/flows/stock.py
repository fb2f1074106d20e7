"""Starts a flow as Metaflow itself would: one process for the runtime, a fresh one for every task."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Launch:
    """What is to be started, and how."""

    arguments: Sequence[str]
    """The flow's file and Metaflow's options."""

    environ: Mapping[str, str]
    cwd: Path
    log: Path
    """Takes what Metaflow prints."""


class Started(Protocol):
    """The process that runs a flow: the leader of its own session."""

    @property
    def pid(self) -> int:
        """Its number, which is also that of its process group."""

    def wait(self) -> int:
        """Its exit status, negative for a signal; waits until it has ended."""


class Launcher(Protocol):
    """Starts the process that runs a flow."""

    def __call__(self, launch: Launch) -> Started:
        """Start it in a session of its own."""


def start_stock(launch: Launch) -> Started:
    """A fresh Python for the runtime and for every task: works everywhere."""
    return start_fresh(launch, {})


def start_fresh(launch: Launch, more: Mapping[str, str]) -> Started:
    """A fresh Python for the runtime, with some variables more."""
    with launch.log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "loom.flows.engine", *launch.arguments],
            env={**launch.environ, **more},
            cwd=launch.cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
