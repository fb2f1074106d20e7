"""What Loom lends to the tools of a run, by name; each thing is made when a tool first asks for it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Keeping = Literal["metaflow", "folder"]
Tell = Callable[[str, str, Mapping[str, Any]], None]
"""Takes the task, the kind and the body of something that happened."""


class Services(Mapping[str, Any]):
    """Named services. Most tools need few of them, and some of them are slow to come by."""

    def __init__(self, make: Mapping[str, Callable[[], Any]]) -> None:
        self._make = make
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._make[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._make)

    def __len__(self) -> int:
        return len(self._make)


@dataclass(frozen=True, slots=True)
class Lender:
    """Lends to the tools of one run: where data is kept depends on who keeps its runs."""

    home: Path
    environ: Mapping[str, str]
    cwd: Path
    keeping: Keeping
    flow: str | None
    pathspec: str | None
    run: str | None = None
    staged: str = ""
    """The digest of what somebody agreed to, where the run carries out what another one has shown."""

    may_unseal: bool = False
    """Whether holdouts may be opened; that is for those who judge."""

    tell: Tell | None = None
    """Takes what a tool reports while it works."""

    def services(self) -> Services:
        """Everything that may be asked for."""
        sealed = {"holdouts": self._holdouts} if self.may_unseal else {}
        return Services(
            {
                **sealed,
                "home": lambda: self.home,
                "cwd": lambda: self.cwd,
                "pathspec": lambda: self.pathspec,
                "staged": lambda: self.staged,
                "catalogue": lambda: _part("loom.dataio.sealed", "Sealed")(self._whole()),
                "kept": self._kept,
                "blobs": self._blobs,
                "runs": self._runs,
                "tell": lambda: self._told,
                "search": self._search,
                "surroundings": lambda: _part("loom.app.surroundings", "Surroundings")(
                    self.home, self.environ, self.cwd
                ),
                "numbers": lambda: importlib.import_module("loom.validity.numbers"),
                "page": lambda: _part("loom.render.html.page", "card_html"),
            }
        )

    def _whole(self) -> Any:
        if self.keeping == "folder":
            return _part("loom.dataio.catalogue", "DirectoryCatalogue")(self.home / "objects")
        return _part("loom.dataio.metaflow_catalogue", "MetaflowCatalogue")()

    def _holdouts(self) -> Any:
        return _part("loom.dataio.unsealing", "Holdouts")(self._whole(), self.home / "openings")

    def _blobs(self) -> Any:
        if self.keeping == "folder":
            return self._whole().store
        return _part("loom.dataio.metaflow_store", "MetaflowStore").of(self.flow or "Loom")

    def _runs(self) -> Any:
        return _part("loom.app.run_index", "run_index")(self.environ, self.run, self.keeping)

    def _kept(self) -> Any:
        find = _part("loom.dataio.kept", "in_metaflow")
        if self.keeping == "folder":
            find = _part("loom.dataio.kept", "in_folder")(self._runs().kept_by, self._whole().store)
        return _part("loom.dataio.kept", "KeptFiles")(find)

    def _search(self) -> Any:
        return _part("loom.app.searching", "Searches")(
            self.home, self.environ, self.cwd, self.keeping, self.run or ""
        )

    def _told(self, task: str, body: Mapping[str, Any]) -> None:
        if self.tell is not None:
            self.tell(task, "progress", {"phase": task, **body})


def _part(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)
