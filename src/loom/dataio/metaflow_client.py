"""The one way to Metaflow's Client API, and what it says put so that a person can act on it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from loom.kernel.errors import LoomError


def client() -> Any:
    """Metaflow, with the runs of everybody; it is imported late because that takes longer than most commands."""
    found = importlib.import_module("metaflow")
    found.namespace(None)
    return found


def last_task(pathspec: str) -> Any | None:
    """The last task of a run, and through it all the run left; None where there is no such run or no such task."""
    with explained("what Metaflow keeps"):
        metaflow = client()
        try:
            return metaflow.Run(pathspec).end_task
        except metaflow.exception.MetaflowNotFound:
            return None


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn what Metaflow and the disk say into an error that a person can act on."""
    trouble = importlib.import_module("metaflow.exception").MetaflowException
    try:
        yield
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LoomError(f"{where} cannot be reached", why, "loom doctor") from None
    except trouble as error:
        why = " ".join(str(error).split())[:300] or type(error).__name__
        raise LoomError(f"{where} cannot be reached", why, "loom doctor") from None
