"""What Loom lends to the tools of a run, by name; each thing is made when a tool first asks for it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

Keeping = Literal["metaflow", "folder"]


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


def lend(
    *,
    home: Path,
    environ: Mapping[str, str],
    cwd: Path,
    keeping: Keeping,
    flow: str | None,
    pathspec: str | None,
    run: str | None = None,
    staged: str = "",
    may_unseal: bool = False,
) -> Services:
    """The services of one run: where data is kept depends on who keeps its runs. Holdouts are for those that judge.

    `staged` is the digest of what somebody agreed to, where the run carries out what another one has shown.
    """

    def part(module: str, name: str) -> Any:
        return getattr(importlib.import_module(module), name)

    def whole() -> Any:
        if keeping == "folder":
            return part("loom.dataio.catalogue", "DirectoryCatalogue")(home / "objects")
        return part("loom.dataio.metaflow_catalogue", "MetaflowCatalogue")()

    def holdouts() -> Any:
        return part("loom.dataio.unsealing", "Holdouts")(whole(), home / "openings")

    def blobs() -> Any:
        if keeping == "folder":
            return whole().store
        return part("loom.dataio.metaflow_store", "MetaflowStore").of(flow or "Loom")

    def runs() -> Any:
        return part("loom.app.run_index", "run_index")(environ, run, keeping)

    def kept() -> Any:
        find = part("loom.dataio.kept", "in_metaflow")
        if keeping == "folder":
            find = part("loom.dataio.kept", "in_folder")(runs().kept_by, whole().store)
        return part("loom.dataio.kept", "KeptFiles")(find)

    sealed = {"holdouts": holdouts} if may_unseal else {}
    return Services(
        {
            **sealed,
            "home": lambda: home,
            "cwd": lambda: cwd,
            "pathspec": lambda: pathspec,
            "staged": lambda: staged,
            "catalogue": lambda: part("loom.dataio.sealed", "Sealed")(whole()),
            "kept": kept,
            "blobs": blobs,
            "runs": runs,
            "surroundings": lambda: part("loom.app.surroundings", "Surroundings")(home, environ, cwd),
            "numbers": lambda: importlib.import_module("loom.validity.numbers"),
            "page": lambda: part("loom.render.html.page", "card_html"),
        }
    )
