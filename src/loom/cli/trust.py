"""`loom trust add|list|remove`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from loom.process.trust import TrustStore

app = typer.Typer(
    help="Say which folders may replace a builtin package.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The package's folder.")]


def _store() -> TrustStore:
    from loom.process.trust import TrustStore
    from loom.settings.layers import loom_home

    return TrustStore(loom_home(os.environ))


@app.command()
def add(folder: Folder) -> None:
    """Trust a folder as it is now; a later change must be trusted again."""
    entry = _store().add(folder)
    typer.echo(f"trusted {entry.folder} as it is now ({entry.tree_hash[:19]})")


@app.command(name="list")
def list_() -> None:
    """List trusted folders and whether they have changed since."""
    store = _store()
    entries = store.entries()
    for entry in entries:
        typer.echo(f"{store.state(entry.folder):<8} {entry.folder}")
    if not entries:
        typer.echo("no folder is trusted; `loom trust add DIR` adds one")


@app.command()
def remove(folder: Folder) -> None:
    """Stop trusting a folder."""
    _store().remove(folder)
    typer.echo(f"no longer trusted: {folder}")
