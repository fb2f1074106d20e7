"""The host's end of the conversation with the program that runs candidates."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from loom.sandbox import launch, roots
from loom.sandbox.policy import Level, Limits, Policy
from loom.science import resources

_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from loom.search.server import main; main()"
_MOST_TASKS = 4096
_CHUNK = 1 << 18
# a thread of Arrow's would forbid forks, and memory that it reserves would count as a candidate's
_ARROW = {"JE_ARROW_MALLOC_CONF": "background_thread:false", "ARROW_DEFAULT_MEMORY_POOL": "system"}
_VARIABLES = resources.environment(1) | _ARROW


class Link:
    """A server, started, in its sandbox; whoever makes one must close it."""

    def __init__(
        self, read: Sequence[Path], write: Path, level: Level, imports: Sequence[str], seconds: float
    ) -> None:
        settings = {
            "level": level,
            "imports": list(imports),
            "read": [str(path) for path in read],
            "write": [str(write)],
            "variables": _VARIABLES,
        }
        policy = Policy(
            read=(*read, Path(__file__).absolute().parent),
            write=(write,),
            processes=True,
            set_env=(*_VARIABLES.items(), ("PYTHONHASHSEED", "0")),
            limits=Limits(wall_s=seconds, grace_s=0.0, memory_bytes=None, file_bytes=None, tasks=_MOST_TASKS),
        )
        self.ready = False
        """Whether it ever said that it can run something."""
        self._heard = bytearray()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the server
        self._launched = launch.start(
            [sys.executable, "-s", "-P", "-c", _PROGRAM, roots.import_root(), json.dumps(settings)],
            policy,
            "isolated" if level == "isolated" else "none",  # at `restricted` it closes itself in
            cwd=Path("/"),
            stdin=subprocess.PIPE,
            stderr=self._errors,
        )

    def tell(self, command: dict[str, Any]) -> bool:
        """Send a command; False when nobody hears it any more."""
        stream = self._launched.process.stdin
        left = json.dumps(command).encode() + b"\n"
        try:
            while left and stream is not None:
                left = left[os.write(stream.fileno(), left) :]
        except BrokenPipeError:
            return False
        return True

    def hear(self, pause: float) -> list[dict[str, Any]] | None:
        """What it said since, waiting for a word at most so long; None when it will say no more."""
        stream = self._launched.process.stdout
        if stream is None or not select.select([stream], [], [], pause)[0]:
            return []
        data = os.read(stream.fileno(), _CHUNK)
        if not data:
            return None
        self._heard += data
        *whole, rest = bytes(self._heard).split(b"\n")
        self._heard[:] = rest
        messages = [json.loads(line) for line in whole]
        self.ready = self.ready or bool(messages)
        return messages

    def close(self) -> str:
        """End it and all that it runs; why it ended, where it did so by itself."""
        self._launched.finish()
        self._errors.seek(0)
        said = self._errors.read(1 << 20).decode(errors="replace").strip().splitlines()
        self._errors.close()
        failed = self._launched.lines.get("failed")
        return " ".join(failed[1:]) if failed else said[-1] if said else "it was ended"
