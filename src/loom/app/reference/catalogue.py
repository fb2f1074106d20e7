"""src/loom/cli/catalogue.json: what the command line says of each builtin package without reading one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from loom.app.listing import first_sentence
from loom.kernel.errors import LoomError
from loom.process.check import FILE_NAME, check_file
from loom.process.spec.process import ProcessSpec
from loom.process.spec.verb import Input, Verb

BUILTIN = Path("processes", "builtin")


def builtin_specs(root: Path) -> list[ProcessSpec]:
    """Every package that comes with Loom, by name; one that does not hold is a LoomError."""
    specs = []
    for file in sorted((root / BUILTIN).glob(f"*/{FILE_NAME}")):
        shown = file.relative_to(root)
        checked = check_file(file, str(shown))
        if checked.package is None or checked.report.errors:
            why = "pages about a package are made from a declaration that holds"
            raise LoomError(f"{shown} has errors", why, f"loom process check {shown}")
        specs.append(checked.package.spec)
    return sorted(specs, key=lambda spec: spec.name)


def catalogue(root: Path) -> str:
    """The catalogue as JSON, one line per package and per input."""
    specs = builtin_specs(root)
    packages = [_line(_package(spec)) for spec in specs]
    verbs = [_entry(spec, spec.verb) for spec in specs if spec.verb]
    return f'{{\n "packages": [\n  {_joined(packages, 2)}\n ],\n "verbs": [\n  {_joined(verbs, 2)}\n ]\n}}\n'


def _package(spec: ProcessSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "description": first_sentence(spec.description),
        "verb": spec.verb.command if spec.verb else None,
    }


def _entry(spec: ProcessSpec, verb: Verb) -> str:
    head = {
        "name": spec.name,
        "command": verb.command,
        "aliases": list(verb.aliases),
        "description": first_sentence(spec.description),
        "tier": verb.tier,
        "flow": verb.flow,
        "model": verb.model,
        "values": list(verb.verdict.values) if verb.verdict else [],
        "ok": list(verb.verdict.ok) if verb.verdict else [],
    }
    inputs = [_line(_input(name, given)) for name, given in verb.inputs.items()]
    shown = f"[\n    {_joined(inputs, 4)}\n   ]" if inputs else "[]"
    return f'{_line(head)[:-1]},\n   "inputs": {shown}}}'


def _input(name: str, given: Input) -> dict[str, Any]:
    """An input without what does not apply to it."""
    always = {"name": name, "type": given.type, "help": given.help}
    sometimes = {
        "required": given.required,
        "choices": list(given.choices),
        "repeat": given.repeat,
        "positional": given.positional,
        "raises_tier": given.raises_tier,
    }
    # a default of 0 or false is a default
    default = {} if given.default is None else {"default": given.default}
    return always | {key: value for key, value in sometimes.items() if value} | default


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _joined(lines: list[str], indent: int) -> str:
    return f",\n{' ' * indent}".join(lines)
