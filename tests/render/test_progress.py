"""The view of a run is made from its events: lines for a log, and phases in place on a terminal."""

from __future__ import annotations

import io
from typing import Any

import pytest

from loom.render.live import LiveView
from loom.render.progress import Lines, took

ESCAPE = "\x1b"
SHAPE = {"verb": "eda", "flow": "EdaFlow", "phases": ["profile", "leakage"], "experiment_id": "loom-abc123"}


def event(kind: str, run: str = "run-1", **body: Any) -> dict[str, Any]:
    """An event as the runtime tells it."""
    return {"schema_version": 1, "seq": 1, "at": "2026-01-02T03:04:05Z", "run": run, "kind": kind, **body}


STARTED = event("run_started", **SHAPE)


def lines(*events: dict[str, Any]) -> list[str]:
    """What a log says of these events."""
    said: list[str] = []
    view = Lines(said.append)
    for each in events:
        with view.paused():
            view(each)
    view.close()
    return said


ONE_LINE: list[tuple[dict[str, Any], str]] = [
    (STARTED, "eda: EdaFlow, 2 phases, loom-abc123"),
    (event("note", text="allowed without asking"), "allowed without asking"),
    (event("phase_started", phase="profile", attempt=1), "profile: started"),
    (event("phase_started", phase="profile", attempt=2), "profile: attempt 2"),
    (event("phase_started", phase="each", attempt=1, item=0), "each[1]: started"),
    (
        event("tool_finished", phase="profile", tool="eda_profile", success=False, seconds=2.04, error="no"),
        "profile: eda_profile failed after 2.0 s",
    ),
    (
        event("phase_waiting", phase="profile", seconds=0.7, why="it was late"),
        "profile: waits 0.7 s before another try: it was late",
    ),
    (
        event("phase_remediating", phase="profile", attempt=2, reasons=["no file"]),
        "profile: goes for attempt 2: no file",
    ),
    (
        event("gate_evaluated", phase="profile", gate="score", passed=True, what="0.9 >= 0.8"),
        "profile: gate score holds: 0.9 >= 0.8",
    ),
    (
        event("gate_evaluated", phase="profile", gate="score", passed=False, what="0.7 >= 0.8"),
        "profile: gate score does not hold: 0.7 >= 0.8",
    ),
    (
        event("phase_finished", phase="profile", status="accepted", seconds=61.2),
        "profile: accepted in 1 min 01 s",
    ),
    (
        event(
            "phase_finished",
            phase="profile",
            status="rejected",
            seconds=1.0,
            reasons=[{"code": "x", "what": "no file"}],
        ),
        "profile: rejected in 1.0 s: no file",
    ),
    (
        event(
            "phase_finished",
            phase="leakage",
            status="blocked",
            seconds=0.0,
            reasons=[{"code": "dependency", "what": "profile"}],
        ),
        "leakage: blocked: profile",
    ),
    (
        event("phase_finished", phase="p", status="rejected", reasons=list("abcde")),
        "p: rejected: a; b; c (and 2 more)",
    ),
    (
        event("run_finished", verdict="OK", pathspec="EdaFlow/7", seconds=2.31),
        "finished in 2.3 s: OK, EdaFlow/7",
    ),
]


@pytest.mark.parametrize(("told", "line"), ONE_LINE, ids=[line for _, line in ONE_LINE])
def test_each_thing_that_happens_is_one_line(told: dict[str, Any], line: str) -> None:
    assert lines(told) == [line]


@pytest.mark.parametrize(
    "told",
    [
        event("tool_finished", phase="profile", tool="eda_profile", success=True, seconds=1.0),
        event("phase_verifying", phase="profile", attempt=1),
        event("something_new", phase="profile"),
        event("note", text=""),
    ],
    ids=lambda told: str(told["kind"]),
)
def test_what_goes_without_saying_is_not_said(told: dict[str, Any]) -> None:
    assert lines(told) == []


def test_phases_of_a_run_within_a_run_carry_its_verb() -> None:
    inner = event("run_started", "run-2", verb="features", flow="FeaturesFlow", phases=["build"])
    said = lines(STARTED, inner, event("phase_started", "run-2", phase="build", attempt=1))
    assert said[-1] == "features › build: started"


def test_a_listing_says_nothing_unless_something_goes_wrong() -> None:
    listing = event("run_started", verb="datasets", flow=None, phases=["list"])
    good = event("phase_finished", phase="list", status="accepted", seconds=0.1)
    bad = event("phase_finished", phase="list", status="rejected", seconds=0.1, reasons=["the store is gone"])
    assert lines(listing, event("phase_started", phase="list", attempt=1), good) == []
    assert lines(listing, bad) == ["list: rejected in 0.1 s: the store is gone"]


def test_what_an_event_quotes_cannot_steer_the_terminal() -> None:
    said = lines(event("note", text="a\x1b[31m\nb"))
    assert said == ["a\\x1b[31m\\x0ab"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3600, "1 h 00 min"),
        (-3, "0.0 s"),
    ],
)
def test_a_time_is_said_as_people_say_it(seconds: float, text: str) -> None:
    assert took(seconds) == text


class Terminal(io.StringIO):
    """A terminal that keeps what it was sent."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def watched(monkeypatch: pytest.MonkeyPatch, *events: dict[str, Any], color: bool = True) -> str:
    """What a terminal was sent for these events."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = Terminal()
    view = LiveView(shown, color=color, clock=lambda: 100.0)
    try:
        for each in events:
            view(each)
    finally:
        view.close()
    return shown.getvalue()


RUN = (
    STARTED,
    event("phase_started", phase="profile", attempt=1),
    event("phase_finished", phase="profile", status="accepted", seconds=1.2),
    event("phase_started", phase="leakage", attempt=2),
    event("phase_finished", phase="leakage", status="rejected", seconds=3.4, reasons=["it leaks"]),
    event("run_finished", verdict="FLAGGED", pathspec="EdaFlow/7", seconds=5.0),
)


def test_a_terminal_shows_every_phase_with_its_end_and_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    last = " ".join(watched(monkeypatch, *RUN, color=False).split("\r")[-1].split())
    assert "✓ profile 1.2 s" in last
    assert "✗ leakage 3.4 s rejected: it leaks" in last


def test_colour_is_left_out_when_nobody_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"{ESCAPE}[32m" in watched(monkeypatch, *RUN)
    assert f"{ESCAPE}[32m" not in watched(monkeypatch, *RUN, color=False)


def test_nothing_is_drawn_and_no_thread_started_before_the_first_phase(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = watched(monkeypatch, STARTED, event("note", text="allowed"), color=False)
    assert "eda: EdaFlow, 2 phases, loom-abc123\n" in shown and "allowed\n" in shown
    assert "profile" not in shown


def test_a_listing_leaves_nothing_on_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = event("run_started", verb="datasets", flow=None, phases=["list"])
    shown = watched(
        monkeypatch, listing, event("phase_started", phase="list", attempt=1), event("run_finished")
    )
    assert shown.endswith(f"{ESCAPE}[2K") or f"{ESCAPE}[1A{ESCAPE}[2K" in shown[-40:]


def test_a_question_has_the_terminal_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    shown = Terminal()
    view = LiveView(shown, color=False)
    view(STARTED)
    view(event("phase_started", phase="profile", attempt=1))
    with view.paused():
        before = len(shown.getvalue())
        view(event("phase_finished", phase="profile", status="accepted", seconds=1.0))
        assert "profile" not in shown.getvalue()[before:]
    assert "✓ profile" in shown.getvalue()[before:]
    view.close()


def test_words_from_an_event_cannot_steer_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = event(
        "phase_finished", phase="pro\x07", status="rejected", seconds=1.0, reasons=["\x1b[2J[red]x[/red]"]
    )
    shown = watched(
        monkeypatch, STARTED, event("phase_started", phase="pro\x07", attempt=1), bad, color=False
    )
    assert "\x07" not in shown and f"{ESCAPE}[2J" not in shown
    assert "[red]x[/red]" in shown


# what a phase says while it works

BOARD = {
    "columns": ["candidate", "auc", "folds"],
    "rows": [["boost\x1b[2J", "0.912", "3/5"], ["linear", "0.87", "5/5"]],
}


def progress(text: str, **body: Any) -> dict[str, Any]:
    return event("progress", phase="search", text=text, **body)


def test_a_log_tells_only_what_matters_of_the_steps_on_the_way() -> None:
    said = lines(
        STARTED,
        progress("1 candidates; boost: auc 0.9", matters=True),
        progress("2 candidates; linear: auc 0.8", matters=False),
        progress("3 candidates; linear: auc 0.8"),
        progress("", matters=True),
    )
    assert said[1:] == ["search: 1 candidates; boost: auc 0.9"]


def test_a_screen_shows_every_step_on_the_way_and_the_board_beneath(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = event("phase_started", phase="search", attempt=1)
    shown = watched(
        monkeypatch, STARTED, begun, progress("2 candidates; linear: auc 0.8", board=BOARD), color=False
    )
    last = " ".join(shown.split("search")[-1].split())
    assert "2 candidates; linear: auc 0.8" in last
    assert "candidate auc folds boost\\x1b[2J 0.912 3/5 linear 0.87 5/5" in last
    assert f"boost{ESCAPE}" not in shown


def test_the_board_goes_when_its_phase_is_over_and_stays_as_it_was_where_a_step_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = event("phase_started", phase="search", attempt=1)
    told = (STARTED, begun, progress("one", board=BOARD), progress("two"))
    assert "0.912" in watched(monkeypatch, *told, color=False).split("two")[-1]
    over = event("phase_finished", phase="search", status="accepted", seconds=1.0)
    shown = watched(monkeypatch, *told, over, event("run_finished"), color=False)
    assert "0.912" not in shown.split("✓")[-1]
