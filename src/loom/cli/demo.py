"""`loom demo`."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loom.cli.context import CURRENT

if TYPE_CHECKING:
    from loom.app.demo import Demo, Told
    from loom.render.progress import Progress

_SHOWN = 5

app = typer.Typer(
    help="Go from a table to a verdict, with a leak on the way.", rich_markup_mode=None, add_completion=False
)


@app.command()
def demo(
    budget: Annotated[str, typer.Option("--budget", metavar="TIME", help="Time for the search.")] = "15s",
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, metavar="N", help="Candidates at most.")
    ] = None,
) -> None:
    """Go from a table to a verdict, with a leak on the way.

    Everything stays in .loom-demo, in the current folder; no network and no key are used.
    Exit 0: the leak was caught and the verdict is PASS. Exit 1: it is not.
    """
    from loom.app.demo import FOLDER, Demo
    from loom.cli.running import asked
    from loom.flows.fork import stand_by

    made = Demo((CURRENT.folder() / FOLDER).absolute(), budget, steps)
    again = made.prepare()
    stand_by(made.home, made.environ)
    for line in _opening(made, again=again):
        typer.echo(line)
    sys.stdout.flush()
    caller, words = asked()
    progress = _progress()
    try:
        told = made.run(caller=caller, command=words, on_event=progress)
    finally:
        if progress is not None:
            progress.close()
    for line in _ending(made, told):
        typer.echo(line)
    raise typer.Exit(0 if told.is_as_built else told.envelope.exit_code or 1)


def _opening(made: Demo, *, again: bool) -> Iterator[str]:
    from loom.app.demo import PROCESS
    from loom.app.demo_data import LEAK, ROWS, TARGET

    where = _near(made.folder)
    yield f"A table of {ROWS:,} customers, in {where}/{made.inputs['source']}. Who will leave?"
    yield f"One column is a trap: `{LEAK}` is written after somebody has left, so that it knows `{TARGET}`."
    if again:
        yield f"What an earlier demo left in {where} is replaced."
    given = " ".join(f"--input {name}={shlex.quote(value)}" for name, value in made.inputs.items())
    yield ""
    yield f"$ loom --process {PROCESS} {given}"
    yield ""


def _ending(made: Demo, told: Told) -> Iterator[str]:
    yield ""
    if told.envelope.error:
        from loom.kernel.errors import LoomError

        error = told.envelope.error
        yield str(LoomError(error["what"], error["why"], error["fix"]))
        return
    if told.envelope.ended == "ok":
        yield from _caught(told)
        yield from _found(told)
        yield from _board(told)
    else:
        yield told.envelope.verdict
        yield from (f"  {reason['what']}" for reason in told.envelope.reasons)
        yield ""
    if told.pages:
        yield "Where to look"
        yield from (f"  {name:<12} {_near(path)}" for name, path in told.pages.items())
        yield ""
    yield from _next(made, told)
    yield ""
    yield f"From the table to all of this in {told.seconds:.0f} s."


def _caught(told: Told) -> Iterator[str]:
    from loom.app.demo_data import LEAK

    dropped = told.summary.get("leaks_dropped") or []
    yield "What it caught"
    for each in dropped:
        score = f"; alone it would score {each['score']:.2f}" if each.get("score") is not None else ""
        yield f"  `{each['column']}` gives the answer away: {each.get('what') or each['reason']}{score}."
    if dropped:
        yield "  It was dropped before anything was built, and so was all that would be made of it."
    else:
        yield f"  Nothing, though `{LEAK}` should have been."
    yield ""


def _found(told: Told) -> Iterator[str]:
    from loom.app.demo import VERDICT

    best, score = told.summary.get("champion"), told.summary.get("score")
    yield "What it found"
    if best:
        tried = f", the best of {len(told.board):,} candidates" if len(told.board) > 1 else ""
        yield f"  Champion: {best['family']} ({best['pathspec']}){tried}."
    if score and score.get("value") is not None:
        low, high = score.get("ci") or (None, None)
        span = f", {low:.3f} to {high:.3f} with 95 % confidence" if None not in (low, high) else ""
        yield f"  {score['metric']} {score['value']:.3f} on {score['rows']:,} rows sealed before anybody looked{span}."
    yield f"  Verdict: {told.envelope.verdict}"
    for reason in told.envelope.reasons:
        if reason.get("severity") in ("error", "warning"):
            yield f"    {reason['what']}"
    if told.envelope.verdict != VERDICT:
        yield f"  The demo is built to reach {VERDICT}; more time may get it there: {_typed()} demo --budget 60s"
    yield ""


def _board(told: Told) -> Iterator[str]:
    if not told.board:
        return
    yield "Leaderboard  (who was tried on more folds stands first)"
    for row in told.board[:_SHOWN]:
        folds = f"{row['folds']} fold{'' if row['folds'] == 1 else 's'}"
        sealed = f"sealed {row['seal']:.4f}" if row.get("seal") is not None else ""
        shown = f"  {row['rank']:>2}  {row['family']:<14} {row['search']:.4f} on {folds:<8} {sealed:<14}"
        yield f"{shown} {row['pathspec'] or ''}".rstrip()
    yield ""


def _next(made: Demo, told: Told) -> Iterator[str]:
    """Commands that go on from here."""
    loom = _typed()
    stages = told.summary.get("stages") or ()
    runs = {each["verb"]: each["pathspec"] for each in stages if each["pathspec"]}
    yield "What to type next"
    yield f"  export LOOM_HOME={shlex.quote(str(made.home))}"
    steps = []
    if "validate" in runs:
        if told.envelope.verdict == "PASS":
            steps.append((f"deploy --validate {runs['validate']}", "what would be deployed; nothing is"))
        steps.append((f"show {runs['validate']} --lineage", "what the verdict rests on"))
    if "optimize" in runs:
        steps.append((f"show {runs['optimize']}", "the whole leaderboard"))
    steps += [
        ("process graph ds-lifecycle", "the stages and their gates"),
        ("ingest --source YOUR.csv", "the same with your own table"),
    ]
    width = max(len(words) for words, _ in steps)
    for words, what in steps:
        yield f"  {loom} {words:<{width}}   # {what}"


def _progress() -> Progress | None:
    """What shows how far it is, on standard error."""
    if CURRENT.quiet:
        return None
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        from loom.render.live import LiveView

        return LiveView(sys.stderr, color=not CURRENT.no_color and not os.environ.get("NO_COLOR"))
    from loom.render.progress import Lines

    return Lines(lambda text: typer.echo(text, err=True))


def _near(path: Path) -> str:
    """A path as it is typed from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _typed() -> str:
    """How this very program is called."""
    program = Path(sys.argv[0])
    found: Any = shutil.which("loom")
    if program.name != "loom" or (found and Path(found).resolve() == program.resolve()):
        return "loom"
    return shlex.quote(_near(program.absolute()))
