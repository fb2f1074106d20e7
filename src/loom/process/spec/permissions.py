"""`permissions:` — what the package's tools may touch, and the least isolation they accept."""

from __future__ import annotations

from typing import Literal

from loom.process.spec.model import SpecModel
from loom.process.spec.types import Seq, Text


class Permissions(SpecModel):
    """What the tools of this package may do. Anything not listed here is denied."""

    sandbox: Literal["none", "restricted", "isolated"] = "none"
    """The weakest isolation the package accepts. On a machine that offers less, Loom refuses to run it."""

    network: Seq[Text] = ()
    """Hosts the tools may reach, such as `api.example.org`; `"*"` for any. Empty means no network."""

    env: Seq[Text] = ()
    """Environment variables passed through to the tools. Everything else is scrubbed."""

    processes: bool = False
    """Whether the tools may start other programs."""
