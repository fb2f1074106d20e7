"""What Loom finds around itself: facts as plain data, for `loom doctor` to judge.

Each fact is found out by itself, and none needs another to be right: they are asked for when something is
wrong, and nobody knows what.
"""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

from loom.app.surroundings import addons, engine, folder, history, machine, mend
from loom.app.surroundings.screen import Screen
from loom.kernel.errors import LoomError
from loom.runtime.journal import FILE_NAME
from loom.sandbox import ladder
from loom.settings.layers import load_settings

Facts = dict[str, Any]
P = ParamSpec("P")

KEYS = {
    "anthropic": "ANTHROPIC_API_KEY",
    "openai-compatible": "OPENAI_API_KEY",
    "scripted": "",
    "cassette": "",
    "replay": "",
}
"""Model providers, and the variable that holds the key of each."""

_NO_HOME = "there is no home folder: neither HOME nor LOOM_HOME names one"


def _fact(
    find: Callable[Concatenate[Surroundings, P], Facts],
) -> Callable[Concatenate[Surroundings, P], Facts]:
    """Whatever a method finds leaves without secrets."""

    def found(self: Surroundings, /, *args: P.args, **kwargs: P.kwargs) -> Facts:
        facts: Facts = self.screen.plain(find(self, *args, **kwargs))
        return facts

    return functools.update_wrapper(found, find)


class Surroundings:
    """The machine, the installation and the configuration that a command of Loom would run with."""

    def __init__(
        self, home: Path | None, environ: Mapping[str, str], workspace: Path, *, timeout_s: float = 15.0
    ) -> None:
        self._home = home and home.absolute()
        # without a home, Metaflow is still tried, in a place where nothing can be written
        self._engine_home = self._home or Path(os.devnull)
        self._environ = environ
        self._workspace = workspace.absolute()
        self._timeout_s = timeout_s
        self._configuration, self._settings = engine.configuration_in_force(
            self._engine_home, environ, self._workspace
        )
        # a login stands in many paths, and so does a profile that is really there
        harmless = {"METAFLOW_USER"}
        if not any(file["problem"] for file in self._configuration["files"]):
            harmless.add("METAFLOW_PROFILE")
        self.screen = Screen({**environ, **self._settings}, harmless)

    @_fact
    def python(self) -> Facts:
        """The interpreter, and the releases Loom is tested with."""
        return machine.python()

    @_fact
    def installation(self) -> Facts:
        """Which Loom this is, and whether Python keeps its bytecode."""
        return machine.installation(self._environ)

    @_fact
    def configuration(self) -> Facts:
        """Whose Metaflow configuration is in force, and what is wrong with its files."""
        return self._configuration

    @_fact
    def metaflow(self, remove_stale: bool = False) -> Facts:
        """Whether Metaflow can be imported, and whether its datastore and its metadata work when tried."""
        facts = engine.try_metaflow(
            self._engine_home,
            self._environ,
            self._workspace,
            timeout_s=self._timeout_s,
            remove_stale=remove_stale,
        )
        store = facts.get("datastore", {})
        if store.get("type") == "local" and store.get("place"):
            store["space"] = machine.space(Path(store["place"]))
        return facts

    @_fact
    def settings(self) -> Facts:
        """Whether every loom.toml and every variable that is in force can be read."""
        try:
            self._load_settings()
        except LoomError as error:
            return {"problem": error.what, "why": error.why, "fix": error.fix}
        return {"problem": ""}

    @_fact
    def home(self) -> Facts:
        """Whether Loom's home folder is there and can be written to."""
        if self._home is None:
            return {"path": None, "exists": False, "writable": False, "problem": _NO_HOME}
        return folder.home(self._home)

    @_fact
    def disk(self) -> Facts:
        """How much room there is in the home folder and for temporary files."""
        try:
            temporary = tempfile.gettempdir()
        except OSError as error:
            rooms = {"temporary": {"path": "", "problem": (error.strerror or str(error)).lower()}}
        else:
            rooms = {"temporary": machine.space(Path(temporary))}
        return rooms if self._home is None else {"home": machine.space(self._home), **rooms}

    @_fact
    def clock(self) -> Facts:
        """The time, and what speaks against it."""
        return machine.clock(self._home)

    @_fact
    def sandbox(self) -> Facts:
        """How closed in a program can be here, found by executing one, and what each higher level lacks."""
        try:
            found = ladder.probe()
        except OSError as error:
            return {"level": "none", "missing": [], "problem": f"it could not be tried: {error}"}
        missing = []
        for rung in found.details:
            if not rung.held:
                try:
                    ladder.require(rung.level)
                except LoomError as error:
                    missing.append({"level": rung.level, "why": rung.why, "fix": error.fix})
        return {"level": found.level, "missing": missing, "problem": ""}

    @_fact
    def model(self) -> Facts:
        """Which model provider is chosen, and whether its key is set; never the key."""
        try:
            provider = str(self._load_settings().get("models.provider"))
        except LoomError:
            provider = ""
        variable = KEYS.get(provider, "")
        key = self._environ.get(variable, "") if variable else ""
        return {
            "provider": provider,
            "known": sorted(KEYS),
            "variable": variable,
            "is_set": bool(key.strip()),
            "has_spaces": key != "".join(key.split()),
            "others": sorted(name for name in KEYS.values() if name and self._environ.get(name, "").strip()),
        }

    @_fact
    def addons(self) -> Facts:
        """What may be installed beside Loom, whether it is there, and who asks for it."""
        return addons.addons(self._environ, addons.asked_for(self._home, self._settings))

    @_fact
    def addon(self, name: str) -> Facts:
        """One addon, tried by importing it."""
        return addons.addon(name, self._environ)

    @_fact
    def journal(self) -> Facts:
        """Whether the journal can be read, and which of its runs nobody carries on with."""
        if self._home is None:
            return {"path": None, "exists": False, "stale": [], "problem": _NO_HOME}
        return history.journal(self._home / FILE_NAME)

    @_fact
    def secrets(self) -> Facts:
        """Which of Loom's own files others can read or change, and should not."""
        return {"too_open": folder.too_open(self._home) if self._home else []}

    @_fact
    def leftovers(self) -> Facts:
        """Temporary files that a killed process has left in the home folder."""
        return {"files": folder.leftovers(self._home) if self._home else []}

    @_fact
    def cores(self) -> Facts:
        """How many processors may be used, and what tells libraries otherwise."""
        return machine.cores(self._environ)

    @_fact
    def encoding(self) -> Facts:
        """How Python reads text, names files and prints."""
        return machine.encoding(self._environ)

    @_fact
    def mend(self) -> Facts:
        """Mend what is safe to mend, and say what was done and what could not be."""
        if self._home is None:
            return {"done": [], "failed": [_NO_HOME]}
        return dict(mend.mend(self._home))

    def _load_settings(self) -> Any:
        known = {} if self._home is None else {"LOOM_HOME": str(self._home)}
        return load_settings(self._workspace, {**self._environ, **known}, {})
