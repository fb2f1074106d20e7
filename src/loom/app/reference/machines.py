"""docs/state-machines.md: the lives of a phase and of a run, drawn from the tables that decide them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

from loom.app.reference.markdown import fence, page, table
from loom.runtime import machine, run_machine
from loom.runtime.events import Event
from loom.runtime.run_machine import RunEvent

Asks = Mapping[tuple[str, type, str], tuple[type, ...]]
"""By stage, event and the stage that follows: what is asked for."""

_INTRODUCTION = """\
What happens to a phase, and to a run, is decided by two tables. `step(state, event)` looks up the stage and the
event and answers with the next state and with what has to be done; it reads no clock, no disk and no network, so
the same events always lead to the same end. A driver does what is asked for, writes it down before it does it, and
reports what came of it as the next event. An event that has no place in the table changes nothing; it is noted and
counted.

In the drawings an arrow has a name where more than one event can happen; what leaves a stage as it is, is not drawn."""
_PHASE = """\
A phase is carried out, checked, measured against the gates of its loop, and published. What fails and may work later
is retried: the same attempt again, after a pause that doubles. What the gates or the checks find lacking is repaired
in another attempt. Attempts, retries, invocations, time, tokens and tool calls are bounded; at a bound another plan
may be asked for.

A phase is *accepted* when its deliverables are published; *rejected* when it failed in a way that another attempt
would not mend; *exhausted* when a bound was reached, and then its reasons say which one and what a person can do;
*blocked* when an entry gate does not hold, before anything is spent; *cancelled* when somebody stopped it."""
_RUN = """\
A run gives each phase its turn once all it depends on has ended. A phase with a dependency that did not end well is
blocked. A critical phase that does not end well, or an interrupt, stops the run: what is under way may end, and the
rest is cancelled when its turn comes. A run that goes on begins with the phases that had ended well before."""
_ANYWHERE = "under way"


def machines_page(_root: Path) -> str:
    """The page: for each machine its drawing, its table, and what its events mean."""
    return page("State machines", "`src/loom/runtime/machine.py` and `run_machine.py`", _blocks())


def _blocks() -> Iterator[str]:
    yield _INTRODUCTION
    phase: Asks = {
        (stage, event, to): (machine.ASKS_FOR[to],) if to in machine.ASKS_FOR else ()
        for (stage, event), stages in machine.LEADS_TO.items()
        for to in stages
    }
    yield from _machine("A phase", _PHASE, phase, get_args(Event))
    run: Asks = {
        (stage, event, to): kinds
        for (stage, event), stages in run_machine.ASKS_FOR.items()
        for to, kinds in stages.items()
    }
    yield from _machine("A run", _RUN, run, get_args(RunEvent))


def _machine(title: str, words: str, asks: Asks, events: tuple[type, ...]) -> Iterator[str]:
    yield f"## {title}"
    yield words
    yield fence("\n".join(_drawing(title, _brief(asks))), "mermaid")
    rows = [
        (
            f"`{stage}`" if stage != _ANYWHERE else "any but an end",
            f"`{event.__name__}`",
            f"`{to}`",
            _asked(kinds),
        )
        for (stage, event, to), kinds in _brief(asks).items()
    ]
    yield table(("stage", "event", "next", "what is asked for then"), rows)
    yield table(("event", "meaning"), [(f"`{kind.__name__}`", _meaning(kind)) for kind in events])


def _brief(asks: Asks) -> Asks:
    """The same, with one row for an event that leads from everywhere to one stage."""
    unfinished = {stage for stage, _, _ in asks}
    ways = {event: {(stage, to) for stage, each, to in asks if each is event} for _, event, _ in asks}
    brief: dict[tuple[str, type, str], tuple[type, ...]] = {}
    for (stage, event, to), kinds in asks.items():
        everywhere = len(unfinished) > 1 and ways[event] == {(each, to) for each in unfinished}
        brief[_ANYWHERE if everywhere else stage, event, to] = kinds
    return brief


def _drawing(title: str, asks: Asks) -> Iterator[str]:
    arrows: dict[tuple[str, str], list[str]] = {}
    for stage, event, to in asks:
        if stage != to:
            arrows.setdefault((stage, to), []).append(event.__name__)
    stages = dict.fromkeys(stage for stage, _ in arrows)
    ways = {stage: {event for each, event, _ in asks if each == stage} for stage in stages}
    drawn = {
        (stage, to): f"{stage.replace(_ANYWHERE, 'anywhere')} --> {to}"
        # what can happen in only one way needs no name
        + (f": {', '.join(events)}" if len(ways[stage]) > 1 or stage == _ANYWHERE else "")
        for (stage, to), events in arrows.items()
    }
    is_nested = _ANYWHERE in stages
    yield "stateDiagram-v2"
    yield f"  accTitle: {title}"
    yield f"  [*] --> {next(iter(stages))}"
    if is_nested:
        yield f'  state "{_ANYWHERE}" as anywhere {{'
    yield from (f"  {'  ' * is_nested}{arrow}" for (_, to), arrow in drawn.items() if to in stages)
    if is_nested:
        yield "  }"
    yield from (f"  {arrow}" for (_, to), arrow in drawn.items() if to not in stages)
    yield from (f"  {end} --> [*]" for end in dict.fromkeys(to for _, to in drawn if to not in stages))


def _asked(kinds: tuple[type, ...]) -> str:
    return " ".join(_meaning(kind) for kind in kinds) or "Nothing: this is an end."


def _meaning(kind: type) -> str:
    return (kind.__doc__ or "").partition("\n")[0]
