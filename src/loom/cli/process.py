"""`loom process ...`: write, check, explain, plan and draw packages."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loom.cli.context import CURRENT
from loom.kernel.errors import LoomError

if TYPE_CHECKING:
    from loom.app.check import Outcome
    from loom.process.loader import ProcessLoader

app = typer.Typer(
    help="Write, check, explain, plan and draw packages.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _complete_names(incomplete: str) -> list[str]:
    try:
        found = [package.name for package in _loader().all()]
    except LoomError:
        return []
    return sorted({name for name in found if name.startswith(incomplete)})


Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME|PATH", help="A package by name, folder or file.", autocompletion=_complete_names
    ),
]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write to a file instead of printing.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


class CheckFormat(StrEnum):
    """How findings are printed."""

    text = "text"
    json = "json"
    sarif = "sarif"
    github = "github"


class GraphFormat(StrEnum):
    """How a graph is drawn."""

    text = "text"
    mermaid = "mermaid"
    svg = "svg"


class Template(StrEnum):
    """What a new package starts from."""

    minimal = "minimal"
    research = "research"
    software = "software"
    data = "data"


def _loader() -> ProcessLoader:
    from loom.process.loader import ProcessLoader

    return ProcessLoader(CURRENT.folder())


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The package's name, lowercase kebab-case.")],
    template: Annotated[
        Template, typer.Option("--template", "-t", help="What to start from.")
    ] = Template.minimal,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="DIR", help="The folder to create it in.")
    ] = None,
) -> None:
    """Start a package that checks clean."""
    from loom.app.new import create_package

    loader = _loader()
    folder = create_package(name, template.value, into or CURRENT.workspace or Path())
    typer.echo(f"created {folder}")
    if CURRENT.quiet:
        return
    others = [found.origin for found in loader.candidates(name) if found.folder != folder]
    if others:
        typer.echo(f"note: the name finds the {others[-1]} package of that name; the path finds this one")
    typer.echo(f"next: loom process check {shlex.quote(str(folder))}")


@app.command(name="list")
def list_(as_json: Json = False) -> None:
    """List the packages that can be used here."""
    from loom.app.listing import list_as_json, list_as_text, list_packages

    packages = list_packages(_loader())
    width = shutil.get_terminal_size((120, 24)).columns
    typer.echo(json.dumps(list_as_json(packages), indent=2) if as_json else list_as_text(packages, width))


@app.command()
def show(name: Name) -> None:
    """Show one package at a glance."""
    from loom.app.listing import show as show_package

    typer.echo(show_package(_loader().load(name), name))


@app.command()
def check(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH", help="Files, packages, folders of packages, or names.")
    ],
    form: Annotated[
        CheckFormat, typer.Option("--format", "-f", help="How findings are printed.")
    ] = CheckFormat.text,
    fix: Annotated[bool, typer.Option("--fix", help="Make every repair that is safe.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 on warnings too.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Check again whenever a file changes.")] = False,
) -> None:
    """Say everything that is wrong with packages, and the way out.

    Exit 0: no errors. Exit 1: errors (with --strict, warnings too). Exit 2: a file cannot be read.
    """
    from loom.app import check as use_case

    files = use_case.files_of(paths, _loader())
    if not watch:
        outcome = use_case.check(files, fix=fix)
        _print(outcome, form)
        raise typer.Exit(outcome.exit_code(strict=strict))
    if not CURRENT.quiet:
        typer.echo("checking again whenever a file changes; Ctrl-C ends it", err=True)
    for outcome in use_case.watch(files, fix=fix):
        _print(outcome, form)
        sys.stdout.flush()


def _print(outcome: Outcome, form: CheckFormat) -> None:
    from loom.kernel.diagnostic_formats import render, summary_line

    text = render(outcome.reports, form.value, color=CURRENT.color())
    if text:
        typer.echo(text)
    if form is CheckFormat.text and not (CURRENT.quiet and not text):
        fixed = f"; {outcome.fixed} repaired" if outcome.fixed else ""
        typer.echo(("\n" if text else "") + summary_line(outcome.reports) + fixed)


@app.command()
def explain(
    name: Name,
    key: Annotated[
        str,
        typer.Argument(
            metavar="KEYPATH", help="Such as phases.profile.validity_contract.min_supported_ratio."
        ),
    ],
    as_json: Json = False,
) -> None:
    """Show a value, and every layer that had a say in it."""
    from loom.kernel.diagnostic_formats import clean
    from loom.process.keys import help_of
    from loom.render.explain import explain_json, explain_text

    resolved = _loader().load(name)
    if as_json:
        typer.echo(json.dumps(explain_json(resolved, key, help_of), indent=2, ensure_ascii=False))
    else:
        text = explain_text(resolved, key, help_of)
        typer.echo("\n".join(map(clean, text.split("\n"))))


@app.command()
def plan(name: Name, as_json: Json = False) -> None:
    """Show what would run, in which order, and what each phase needs."""
    from loom.process.plan import plan as make_plan
    from loom.render.plan import as_json as plan_json
    from loom.render.plan import as_text

    resolved = _loader().load(name)
    made = make_plan(resolved.package)
    if as_json:
        typer.echo(json.dumps(plan_json(made, resolved), indent=2, ensure_ascii=False))
    else:
        typer.echo(as_text(made, resolved, color=CURRENT.color()))


@app.command()
def graph(
    name: Name,
    form: Annotated[
        GraphFormat | None,
        typer.Option("--format", "-f", help="How it is drawn: as FILE's ending says, otherwise text."),
    ] = None,
    out: Out = None,
) -> None:
    """Draw the phases and what they wait for."""
    from loom.process.plan import plan as make_plan
    from loom.render.graph import draw

    endings = {".svg": GraphFormat.svg, ".mmd": GraphFormat.mermaid, ".mermaid": GraphFormat.mermaid}
    form = form or endings.get(out.suffix.lower() if out else "", GraphFormat.text)
    _deliver(draw(make_plan(_loader().load(name).package), form.value), out)


def _deliver(text: str, out: Path | None) -> None:
    from loom.kernel.atomic import write_atomically

    text = text.rstrip("\n") + "\n"
    if out is None or str(out) == "-":
        typer.echo(text, nl=False)
        return
    write_atomically(out, text.encode())
    if not CURRENT.quiet:
        typer.echo(f"wrote {out}")


@app.command()
def migrate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A version 1 process.yaml, or its folder.")],
    write: Annotated[bool, typer.Option("--write", help="Change the file instead of printing it.")] = False,
) -> None:
    """Bring a version 1 file to version 2, comments kept."""
    from loom.app.migrate import migrate_file

    result = migrate_file(_loader().locate(file), write=write)
    report = "\n".join([*(f"  {change}" for change in result.changes), result.conclusion])
    if not write:
        typer.echo(result.text, nl=False)
    if not CURRENT.quiet:
        typer.echo(report, err=not write)


@app.command()
def schema(out: Out = None) -> None:
    """Print the JSON Schema of process.yaml, for editors."""
    from loom.process.jsonschema import process_schema

    _deliver(json.dumps(process_schema(), indent=2, ensure_ascii=False), out)


@app.command()
def test(
    name: Name,
    cases: Annotated[
        list[str] | None, typer.Option("--case", metavar="ID", help="Only this case; may be repeated.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Also the live cases, in which nothing is replaced.")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Write tests/golden/ instead of comparing with it.")
    ] = False,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write a JUnit report too.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", metavar="N", min=1, help="Cases at a time; as many as cores if left out."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the package's own tests.

    Exit 0: no case failed; cases that were skipped are said. Exit 1: a case failed. Exit 2: a case or the
    package could not be set up.
    """
    from loom.app.package_tests.junit import as_junit
    from loom.app.package_tests.run import Options, run_tests, usable_cores
    from loom.kernel.atomic import write_atomically

    options = Options(tuple(cases or ()), live, update, jobs or usable_cores())
    color, quiet = CURRENT.color(), CURRENT.quiet
    told = None if as_json else lambda case: _say(case.as_text(color=color), case.status == "ok" and quiet)
    report = run_tests(name, _loader(), options, told)
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2))
    else:
        _say(report.conclusion(), quiet and report.exit_code == 0)
    if junit is not None:
        write_atomically(junit, as_junit(report))
    raise typer.Exit(report.exit_code)


def _say(text: str, is_needless: bool) -> None:
    if not is_needless:
        typer.echo(text)
        sys.stdout.flush()
