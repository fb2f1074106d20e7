"""The demo: the whole way from a table to a verdict, on a table whose best column is a trap."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loom.app.call import Call, Caller, OnEvent
from loom.app.demo_data import LEAK, TARGET, write_customers
from loom.app.envelope import Envelope
from loom.app.history import open_history
from loom.app.run import carry_out
from loom.app.run_index import JournalIndex
from loom.kernel.errors import LoomError
from loom.runtime.journal import FILE_NAME

FOLDER = ".loom-demo"
PROCESS = "ds-lifecycle"
VERDICT = "PASS"
"""What the demo is built to reach: without the trap, the model holds on rows that nobody has seen."""

BUDGET = "15s"
_SOURCE, _REPORT, _HOME = "customers.csv", "report.html", "home"
_PAGES: tuple[tuple[str, str | None, str], ...] = (
    ("the search", "optimize", "search.html"),
    ("the verdict", "validate", "verdict.html"),
    ("all stages", None, "stages.html"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of the demo, as far as it is told."""

    envelope: Envelope
    seconds: float
    board: tuple[Mapping[str, Any], ...] = ()
    """The best candidates, the first one first."""

    pages: Mapping[str, Path] = field(default_factory=dict)
    """Where there is something to see, by what it is."""

    @property
    def summary(self) -> Mapping[str, Any]:
        """What the stages came to."""
        return self.envelope.summary or {}

    @property
    def is_as_built(self) -> bool:
        """Whether the trap was seen and left out, and the verdict is the one that follows."""
        dropped = [each["column"] for each in self.summary.get("leaks_dropped") or ()]
        return self.envelope.verdict == VERDICT and LEAK in dropped


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo in a folder: its table, its report, and a home of its own, so that nobody else's is touched."""

    folder: Path
    budget: str = BUDGET
    steps: int | None = None
    """Candidates at most; as many as there is time for when None."""

    @property
    def home(self) -> Path:
        """Where its data and its runs are kept."""
        return self.folder / _HOME

    @property
    def environ(self) -> dict[str, str]:
        """The environment that its runs have."""
        return {**os.environ, "LOOM_HOME": str(self.home)}

    @property
    def inputs(self) -> dict[str, str]:
        """What the process is given."""
        steps = {} if self.steps is None else {"steps": str(self.steps)}
        return {"source": _SOURCE, "target": TARGET, "budget": self.budget, **steps, "out": _REPORT}

    def prepare(self) -> bool:
        """Write the table, and take away what an earlier demo left here; whether there was anything.

        A second look at the same sealed rows counts as one: it would not be the same demo again.
        """
        again = (self.home / FILE_NAME).is_file()
        try:
            if again:
                shutil.rmtree(self.home)
            self.home.mkdir(parents=True, exist_ok=True)
            for name in (_REPORT, *(file for _, _, file in _PAGES)):
                (self.folder / name).unlink(missing_ok=True)
            write_customers(self.folder / _SOURCE)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise LoomError(f"{self.folder} cannot be written", why, "cd $(mktemp -d) && loom demo") from None
        return again

    def run(self, *, caller: Caller, command: tuple[str, ...], on_event: OnEvent | None = None) -> Told:
        """Go the whole way, and say what came of it."""
        begun = time.monotonic()
        # what is repeated is a list
        inputs = {**self.inputs, "source": [_SOURCE]}
        call = Call(PROCESS, inputs, caller=caller, command=command, workspace=self.folder)
        envelope = carry_out(call, environ=self.environ, on_event=on_event)
        return Told(envelope, time.monotonic() - begun, self._board(envelope), self._pages(envelope))

    def _board(self, envelope: Envelope) -> tuple[Mapping[str, Any], ...]:
        search = _stage(envelope, "optimize")
        if search is None:
            return ()
        return tuple(JournalIndex(self.environ).run(search).summary.get("leaderboard") or ())

    def _pages(self, envelope: Envelope) -> dict[str, Path]:
        """The report, and the pages of runs, copied to where they are found again."""
        report = self.folder / _REPORT
        found = {"the report": report} if report.is_file() else {}
        with open_history(self.environ) as history:
            for name, verb, file in _PAGES:
                run = _stage(envelope, verb) if verb else envelope.pathspec
                page = history.find(run).document.get("card_path") if run else None
                if page:
                    found[name] = Path(shutil.copyfile(page, self.folder / file))
        return found


def _stage(envelope: Envelope, verb: str) -> str | None:
    """The run of a stage, if it took place."""
    stages = (envelope.summary or {}).get("stages") or ()
    return next((each["pathspec"] for each in stages if each["verb"] == verb and each["pathspec"]), None)
