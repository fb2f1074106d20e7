"""What every command knows: where it works and how it may print."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from loom.kernel.errors import LoomError


@dataclass
class Globals:
    """The options before the command."""

    workspace: Path | None = None
    process: str | None = None
    quiet: bool = False
    no_color: bool = False

    def folder(self) -> Path:
        """The workspace: the folder given, or the current one."""
        folder = self.workspace or Path.cwd()
        if self.workspace is not None and not folder.is_dir():
            raise LoomError(
                f"{folder} is not a folder", "-w names the workspace to work in", f"mkdir -p {folder}"
            )
        return folder

    def color(self) -> bool:
        """Whether standard output takes colour."""
        wanted = not self.no_color and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return wanted and sys.stdout.isatty()


CURRENT = Globals()
