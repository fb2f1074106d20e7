"""`loom verbs`."""

from __future__ import annotations

from typing import Annotated

import typer

from loom.cli.context import CURRENT

app = typer.Typer(
    help="List the verbs, what they take and what they may do.",
    rich_markup_mode=None,
    add_completion=False,
)


@app.command(context_settings={"help_option_names": ["-h", "--help"]})
def verbs(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """List the verbs, what they take and what they may do."""
    from loom.app.verbs_list import list_verbs, verb_rows
    from loom.cli.running import print_json, width
    from loom.cli.verbs import catalogue
    from loom.render.tables import PAINT, PLAIN, table

    entries = [entry for name, entry in catalogue().items() if name == entry["command"]]
    found = list_verbs(CURRENT.folder(), entries)
    if as_json:
        print_json({"schema_version": 1, "verbs": found})
        return
    rows = verb_rows(found)
    typer.echo("\n".join(table(rows, PAINT if CURRENT.color() else PLAIN, width(), most=len(rows))))
    if not CURRENT.quiet:
        typer.echo("\nWhat is irreversible only a person can do; no model may.\nnext: loom VERB --help")
