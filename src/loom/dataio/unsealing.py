"""The one way to a sealed holdout: for one frozen model, and written down before a row is read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loom.dataio.catalogue import Catalogue
from loom.dataio.frames import FrameRef
from loom.dataio.sealed import SEALED
from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A holdout that was opened, and for how many models it had been by then, this one counted in."""

    part: FrameRef
    digest: str
    openings: int


@dataclass(frozen=True, slots=True)
class Holdouts:
    """Opens holdouts, and remembers for which models. The same model may look again: it sees what it saw."""

    whole: Catalogue
    ledger: Path
    """A folder of its own for each holdout, with one file for each model that it was opened for."""

    def open(self, pathspec: str, model: str, by: str | None) -> Unsealed | None:
        """The sealed part of a data object for the model of that digest; None where nothing was sealed."""
        found = self.whole.open(pathspec)
        digest = (found.schema.get("holdout") or {}).get("digest")
        part = found.parts.get(SEALED)
        if part is None or not part.rows or not digest:
            return None
        return Unsealed(part, digest, self._written(digest, model, by))

    def openings(self, digest: str) -> int:
        """For how many models a holdout was opened."""
        folder = self.ledger / _name(digest)
        return sum(1 for _ in folder.glob("*.json")) if folder.is_dir() else 0

    def _written(self, digest: str, model: str, by: str | None) -> int:
        """The place of this model among those the holdout was opened for; it stays when others follow."""
        path = self.ledger / _name(digest) / f"{_name(model)}.json"
        if not path.exists():
            told = {"model": model, "run": by, "opened": datetime.now(UTC).isoformat(timespec="microseconds")}
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, json.dumps(told, sort_keys=True).encode())
            except OSError as error:
                why = (error.strerror or str(error)).lower()
                what = "the holdout stays sealed: its opening cannot be written down"
                raise LoomError(what, f"{path.parent}: {why}", f"ls -ld {self.ledger}") from None
        moments = sorted((_opened(each), each.name) for each in path.parent.glob("*.json"))
        return 1 + moments.index((_opened(path), path.name))


def _opened(path: Path) -> str:
    return str(json.loads(path.read_bytes())["opened"])


def _name(digest: str) -> str:
    found = _DIGEST.fullmatch(digest)
    if found is None:
        raise ValueError(f"not a digest: {digest[:80]!r}")
    return found[1]
