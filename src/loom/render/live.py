"""What a run says on a terminal: its phases with their times, kept up to date in place."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from loom.kernel.diagnostic_formats import clean
from loom.render.progress import Event, Titles, line, took, words

REFRESHED_PER_SECOND = 8
SHOWN_ROWS = 24
MARKS = {
    "accepted": ("✓", "green"),
    "skipped": ("–", "dim"),
    "cancelled": ("–", "dim"),
    "blocked": ("■", "yellow"),
    "exhausted": ("✗", "red"),
    "rejected": ("✗", "red"),
}
ABOVE = frozenset({"note", "tool_finished", "phase_remediating"})
"""Events that are told in a line of their own, above the phases."""


@dataclass
class Row:
    """One phase as it is shown."""

    title: str
    status: str = ""
    since: float | None = None
    seconds: float | None = None
    says: str = ""
    spinner: Spinner = field(default_factory=lambda: Spinner("dots", style="cyan"))


class LiveView:
    """Progress for a terminal. Draws from the first phase on, and leaves the finished phases standing."""

    def __init__(
        self, stream: IO[str], *, color: bool = True, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = Console(
            file=stream, color_system="auto" if color else None, highlight=False, markup=False, emoji=False
        )
        self._clock = clock
        self._titles = Titles()
        self._rows: dict[str, Row] = {}
        self._leaves_a_run = True
        self._live: Live | None = None
        self._board: Table | None = None

    def __call__(self, event: Event) -> None:
        """Take one event in, and show what it changed."""
        self._titles.note(event)
        kind = event["kind"]
        if kind == "run_started":
            self._begin(event)
        elif kind in ABOVE:
            self._say(event)
        elif kind == "run_finished":
            if self._titles.is_outermost(event):
                self.close()
        elif event.get("phase"):
            self._advance(self._row(self._titles.of(event)), event)
        if self._live:
            self._live.refresh()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the view away while the person is asked something."""
        was_live = self._live is not None
        self.close(keep=False)
        try:
            yield
        finally:
            if was_live:
                self._draw()

    def close(self, *, keep: bool = True) -> None:
        """Stop drawing; what is finished stays on the screen when a run was left behind."""
        live, self._live = self._live, None
        if live:
            live.transient = not (keep and self._leaves_a_run)
            live.stop()

    def __rich__(self) -> RenderableType:
        """The phases as they are now."""
        table = Table.grid(padding=(0, 1))
        # the newest are the ones of interest when a screen cannot hold all of them
        rows = list(self._rows.values())
        hidden = len(rows) - SHOWN_ROWS
        if hidden > 0:
            table.add_row("", Text(f"… {hidden} before", style="dim"), "", "")
        for row in rows[-SHOWN_ROWS:]:
            table.add_row(*self._cells(row))
        return table if self._board is None else Group(table, "", self._board)

    def _begin(self, event: Event) -> None:
        if self._titles.is_outermost(event):
            self._leaves_a_run = bool(event.get("flow"))
            if self._leaves_a_run:
                self._say(event)
        for phase in event.get("phases") or ():
            self._row(self._titles.of({**event, "phase": phase}))

    def _row(self, title: str) -> Row:
        return self._rows.setdefault(title, Row(title))

    def _advance(self, row: Row, event: Event) -> None:
        kind = event["kind"]
        if kind == "phase_started":
            row.status, row.seconds = "running", None
            row.since = self._clock() if row.since is None else row.since
            attempt = event.get("attempt") or 1
            row.says = "" if attempt == 1 else f"attempt {attempt}"
            # not before the first phase: who forks must not have threads, and drawing needs one
            self._draw()
        elif kind == "phase_finished":
            row.status, row.seconds, row.says = str(event.get("status")), event.get("seconds"), ""
            if row.status not in ("accepted", "skipped"):
                # the time stands in a column of its own
                row.says = words({**event, "seconds": None}) or ""
            self._board = None
        else:
            row.says = words(event) or row.says
            if event.get("board"):
                self._board = _board(event["board"])

    def _say(self, event: Event) -> None:
        said = line(event, self._titles)
        if said:
            self._console.print(Text(clean(said), style="dim"))

    def _draw(self) -> None:
        if self._live is None:
            self._live = Live(
                self,
                console=self._console,
                refresh_per_second=REFRESHED_PER_SECOND,
                redirect_stdout=False,
            )
            self._live.start(refresh=True)

    def _cells(self, row: Row) -> tuple[RenderableType, ...]:
        title, says = clean(row.title), Text(clean(row.says), style="dim", overflow="ellipsis", no_wrap=True)
        if row.status == "running":
            spent = took(self._clock() - (row.since or 0.0))
            return row.spinner, Text(title), Text(spent, style="cyan"), says
        mark, style = MARKS.get(row.status, ("·", "dim"))
        spent = "" if row.seconds is None else took(row.seconds)
        return (
            Text(mark, style=style),
            Text(title, style="" if row.status else "dim"),
            Text(spent, style="dim"),
            says,
        )


def _board(told: Mapping[str, Any]) -> Table:
    """A small table that a phase keeps up to date, such as a leaderboard: names at the left, figures at the right."""
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for at, heading in enumerate(told.get("columns") or ()):
        table.add_column(clean(str(heading)), justify="left" if at == 0 else "right")
    for at, cells in enumerate(told.get("rows") or ()):
        table.add_row(*(clean(str(cell)) for cell in cells), style="bold" if at == 0 else "")
    return table
