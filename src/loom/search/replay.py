"""Proposes scripts that are there already: those of a folder, in the order of their names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loom.kernel.errors import LoomError
from loom.science.search.nodes import Proposal, Step, Try, View

_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Replay:
    """Takes up each of some scripts once, on all folds."""

    scripts: tuple[tuple[str, str], ...]
    """What each is called, and its code."""

    @classmethod
    def of(cls, folder: Path) -> Replay:
        """The Python files of a folder; a LoomError where there are none."""
        files = sorted(folder.glob("*.py")) if folder.is_dir() else []
        if not files:
            raise LoomError(
                "there is nothing to replay", f"{folder} holds no Python file", f"mkdir -p {folder}"
            )
        return cls(tuple((path.stem, _code(path)) for path in files))

    def next(self, view: View) -> Step | None:
        """The next script."""
        at = len(view.nodes)
        if at >= len(self.scripts):
            return None
        name, code = self.scripts[at]
        return Try(
            Proposal("draft", name, code, note="as it was written"), tuple(range(view.challenge.folds))
        )


def _code(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise LoomError(f"{path} is no candidate", "it is larger than 1 MB", f"ls -l {path}")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise LoomError(f"{path} is not Python", "it is no text", f"file {path}") from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LoomError(f"{path} cannot be read", why, f"ls -l {path}") from None
