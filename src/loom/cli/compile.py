"""`loom compile NAME`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from loom.cli.context import CURRENT
from loom.cli.options import complete_packages

app = typer.Typer(
    help="Print the Metaflow flow that a package becomes.",
    rich_markup_mode=None,
    add_completion=False,
)


@app.command(name="compile", context_settings={"help_option_names": ["-h", "--help"]})
def compile_(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|PATH", help="A package by name, folder or file.", autocompletion=complete_packages
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Write the flow and what it needs into this folder."),
    ] = None,
) -> None:
    """Print the Metaflow flow that a package becomes.

    It needs nothing but Loom: python FLOW.py run, or any other command of Metaflow.
    """
    from loom.app.compiling import flow_source, write_flow_folder
    from loom.process.loader import ProcessLoader

    loader = ProcessLoader(CURRENT.folder())
    if out is None:
        typer.echo(flow_source(loader, name), nl=False)
        return
    file = write_flow_folder(loader, name, out)
    typer.echo(f"wrote {file}")
    if not CURRENT.quiet:
        typer.echo(f"next: python {shlex.quote(str(file))} run --help")
