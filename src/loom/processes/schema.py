"""`from loom.processes.schema import ProcessLoader`: load a package, look at its name and phases."""

from __future__ import annotations

from loom.process.loader import ProcessError, ProcessLoader
from loom.process.resolve import ResolvedProcess

__all__ = ["ProcessError", "ProcessLoader", "ResolvedProcess"]
