"""`loom runs|show|logs|events|resume|gc`: what was run here."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loom.cli.context import CURRENT
from loom.cli.options import complete
from loom.cli.verbs import RunCommand

if TYPE_CHECKING:
    from loom.app.history import History, Run

app = typer.Typer(
    help="See what was run, and go on with it.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _complete_runs(incomplete: str) -> list[tuple[str, str]]:
    return [
        *complete("pathspec", incomplete),
        *([("last", "the latest")] if "last".startswith(incomplete) else []),
    ]


def _complete_experiments(incomplete: str) -> list[tuple[str, str]]:
    return complete("experiment", incomplete)


RunName = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A pathspec such as IngestDataset/7, a run's own name, or last.",
        autocompletion=_complete_runs,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@contextmanager
def _history() -> Iterator[History]:
    from loom.app.history import open_history

    with open_history(os.environ) as history:
        yield history


@app.command()
def runs(
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, help="List at most this many.")
    ] = 20,
    name: Annotated[
        str | None, typer.Option("--name", metavar="VERB", help="Only runs of this verb.")
    ] = None,
    experiment: Annotated[
        str | None,
        typer.Option(
            "--experiment",
            metavar="ID",
            help="Only runs of this experiment.",
            autocompletion=_complete_experiments,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List what was run, newest first."""
    from loom.cli.running import print_json, width
    from loom.cli.verbs import catalogue
    from loom.render.runs import list_text

    name = catalogue()[name]["command"] if name in catalogue() else name
    with _history() as history:
        found = [run.as_json() for run in history.runs(limit, name, experiment)]
        others = {run.record.process for run in history.runs(200)} if not found else set()
    if as_json:
        print_json({"schema_version": 1, "runs": found})
    elif others:
        asked = " ".join(part for part in (name, experiment) if part)
        typer.echo(f"no runs of {asked}; there are runs of {', '.join(sorted(others))}")
    else:
        typer.echo(list_text(found, color=CURRENT.color(), width=width()))


@app.command()
def show(
    run: RunName,
    lineage: Annotated[
        bool, typer.Option("--lineage", help="Show what it was made from, and what uses it.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write its page to a file.")
    ] = None,
    opened: Annotated[bool, typer.Option("--open", help="Open its page in the browser.")] = False,
    file: Annotated[
        str | None, typer.Option("--file", metavar="NAME", help="Print a file it kept, such as solution.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what a run did, on what, and how it ended."""
    if file is not None:
        _print_file(run, file)
        return
    from loom.cli.running import print_json, width
    from loom.render.runs import lineage_text, run_text

    with _history() as history:
        found = history.find(run)
        told = _with_resume(found.in_full())
        graph = history.lineage() if lineage else None
    if html is not None or opened:
        _show_page(found, told, html, opened=opened, as_json=as_json)
    elif as_json:
        told.pop("card", None)  # a page is for people
        print_json(told | ({"lineage": graph.as_json(found.name)} if graph else {}))
    elif graph:
        typer.echo(lineage_text(found.name, graph.above, graph.below, graph.told, color=CURRENT.color()))
    else:
        typer.echo(run_text(told, color=CURRENT.color(), width=width()))


def _print_file(run: str, name: str) -> None:
    """Print a file that a run kept, byte for byte."""
    from loom.app.kept_files import kept_file

    with _history() as history:
        content = kept_file(history.find(run), name, os.environ)
    typer.get_binary_stream("stdout").write(content)


def _show_page(run: Run, told: dict[str, Any], file: Path | None, *, opened: bool, as_json: bool) -> None:
    """Write the page of a run where it is wanted, or open it; print where it is."""
    from loom.app.page import open_page, page_of, place_of, write_page
    from loom.cli.running import print_json

    page = page_of(run, told, os.environ)
    path = write_page(page, file, run) if file is not None else place_of(page, run)
    is_open = opened and open_page(path, os.environ)
    if as_json:
        print_json({"schema_version": 1, "run": run.name, "page": str(path), "opened": is_open})
        return
    typer.echo(path)
    if opened and not is_open:
        typer.echo("no browser can be opened here: open this file in yours", err=True)


def _with_resume(told: dict[str, Any]) -> dict[str, Any]:
    """A run that stopped midway, with the command that goes on with it."""
    from loom.app.history import CANDIDATE

    again = f"loom resume {shlex.quote(told['pathspec'] or told['run'])}"
    stopped = told["status"] in ("interrupted", "error", "failed") and again not in told["next"]
    stopped = stopped and told["verb"] != CANDIDATE  # it is the search that goes on
    return {**told, "next": [again, *told["next"]]} if stopped else told


@app.command()
def logs(
    run: RunName,
    phase: Annotated[str | None, typer.Option("--phase", metavar="PHASE", help="Only this phase.")] = None,
) -> None:
    """Print what the phases of a run said."""
    from loom.app.logs import log_lines

    with _history() as history:
        for line in log_lines(history, history.find(run), phase):
            typer.echo(line)


@app.command()
def events(run: RunName) -> None:
    """Print the events of a run as JSON lines."""
    from loom.cli.running import event_line

    with _history() as history:
        for event in history.events(history.find(run)):
            typer.echo(event_line(event))


@app.command(cls=RunCommand)
def resume(
    run: RunName,
    as_json: Json = False,
    events: Annotated[
        str | None,
        typer.Option(
            "--events", metavar="FILE|-", help="Write what happens as JSON lines; - is standard output."
        ),
    ] = None,
    confirm: Annotated[
        str | None,
        typer.Option("--confirm", metavar="DIGEST", help="Agree to the plan that has this digest."),
    ] = None,
) -> None:
    """Go on with a run where it stopped."""
    from loom.cli.running import How, again
    from loom.cli.running import run as carry_out

    with _history() as history:
        found = history.find(run)
    raise typer.Exit(carry_out(again(found.name, confirm), How(as_json=as_json, events=events)))


@app.command()
def gc(
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep", metavar="N", help="Forget older runs, too, but not what the kept ones were made from."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be freed; free nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Free what no run needs any more.

    Scratch files, folders without a run and blobs that nothing refers to; with --keep also older runs.
    Runs that go on and data objects are never touched.
    """
    from loom.app.gc import collect
    from loom.cli.running import print_json, width
    from loom.render.tables import size_text, table

    with _history() as history:
        freed = [each.as_json() for each in collect(history, keep=keep, dry_run=dry_run)]
    total = sum(each["bytes"] for each in freed)
    if as_json:
        print_json({"schema_version": 1, "dry_run": dry_run, "bytes": total, "freed": freed})
        return
    rows = [
        {"kind": each["kind"], "name": each["name"], "size": size_text(each["bytes"]), "path": each["path"]}
        for each in freed
    ]
    if rows and not CURRENT.quiet:
        typer.echo("\n".join([*table(rows, width=width(), most=len(rows)), ""]))
    what = "would free" if dry_run else "freed"
    typer.echo(
        f"{what} {size_text(total)} in {len(freed):,} place{'' if len(freed) == 1 else 's'}"
        if freed
        else "nothing to free"
    )
