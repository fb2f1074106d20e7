"""What every command knows: where it works and how it may print."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from loom.kernel.errors import LoomError


@dataclass
class Globals:
    """The options before the command."""

    workspace: Path | None = None
    quiet: bool = False
    no_color: bool = False
    json_verb: str | None = None
    """The verb whose answer is to be one JSON object and has not been printed yet."""

    def folder(self) -> Path:
        """The workspace: the folder given, or the current one."""
        if self.workspace is None:
            try:
                return Path.cwd()
            except OSError:
                raise LoomError("the current folder is gone", "it was removed or moved", "cd") from None
        # unlike Path.is_dir, these do not raise where they may not look
        if not os.path.isdir(self.workspace):  # noqa: PTH112
            fix = (
                "name a folder"
                if os.path.lexists(self.workspace)
                else f"mkdir -p {shlex.quote(str(self.workspace))}"
            )
            raise LoomError(f"{self.workspace} is not a folder", "-w names the workspace to work in", fix)
        return self.workspace

    def color(self) -> bool:
        """Whether standard output takes colour."""
        wanted = not self.no_color and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return wanted and sys.stdout is not None and sys.stdout.isatty()


CURRENT = Globals()
