"""LM72x — the inputs of a verb, which become the options and arguments of its command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from loom.kernel.diagnostics import KeyPath
from loom.process.lint.arguments import show
from loom.process.lint.rule import Finding, rule
from loom.process.spec.types import TIERS

if TYPE_CHECKING:
    from loom.process.package import Package
    from loom.process.spec.verb import Input

GLOBAL_OPTIONS = frozenset(
    {
        *("json", "events", "dry-run", "config", "help", "quiet", "workspace", "process", "version"),
        *("no-color", "confirm", "attach"),
    }
)
_INPUT_NAME = re.compile(r"[a-z][a-z0-9_-]*\Z")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+\Z")


def _inputs(text: str) -> str:
    return f"verb:\n  command: compare\n  tier: read-only\n  inputs:\n    {text}"


def inputs_of(package: Package) -> Iterator[tuple[KeyPath, str, Input]]:
    """The inputs of the verb, each with its place and its name."""
    if package.spec.verb is not None:
        for name, given in package.spec.verb.inputs.items():
            yield ("verb", "inputs", name), name, given


@rule(
    "LM721",
    "choices and the type `choice` belong together",
    fix="write both, or neither",
    failing=_inputs("kind: {type: choice}"),
    passing=_inputs("kind: {type: choice, choices: [short, long]}"),
)
def choices_without_type(package: Package) -> Iterator[Finding]:
    """An input of the type `choice` accepts what its `choices` list and nothing else. On any other type
    the list would not be looked at."""
    for path, name, given in inputs_of(package):
        if given.type == "choice" and not given.choices:
            yield Finding((*path, "choices"), f"`{name}` lists none", "add `choices: [...]`")
        elif given.type != "choice" and given.choices:
            detail = f"`{name}` is of the type `{given.type}`"
            yield Finding(
                (*path, "choices"), detail, "write `type: choice`, or remove the choices", at_key=True
            )


@rule(
    "LM722",
    "the default does not fit the input's type",
    fix="write a value that the input would accept",
    failing=_inputs("steps: {type: integer, default: ten}"),
    passing=_inputs("steps: {type: integer, default: 10}"),
)
def unfit_default(package: Package) -> Iterator[Finding]:
    """A default is used exactly as if it had been typed. One that would be refused there makes every call
    without the option fail."""
    for path, name, given in inputs_of(package):
        if given.default is None:
            continue
        many = given.repeat or given.type == "columns"
        values = given.default if many and isinstance(given.default, list) else [given.default]
        why = next((why for value in values if (why := _misfit(given, value))), None)
        if why:
            yield Finding((*path, "default"), f"`{name}` takes {why}")


def _misfit(given: Input, value: Any) -> str | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    match given.type:
        case "flag":
            fits, wanted = isinstance(value, bool), "true or false"
        case "integer":
            fits, wanted = number and isinstance(value, int), "a whole number"
        case "number":
            fits, wanted = number, "a number"
        case "duration":
            fits = number or (isinstance(value, str) and _DURATION.match(value) is not None)
            wanted = "a duration such as 90s, 5m or 1h30m"
        case "choice":
            fits = value in given.choices if given.choices else isinstance(value, str)
            wanted = f"one of {', '.join(given.choices) or 'its choices'}"
        case _:
            fits, wanted = isinstance(value, str), "text"
    return None if fits else f"{wanted}, not {show(value)}"


@rule(
    "LM723",
    "raises_tier does not raise the tier",
    fix="name a higher tier, or remove it",
    failing=_inputs("apply: {type: flag, raises_tier: read-only}"),
    passing=_inputs("apply: {type: flag, raises_tier: irreversible}"),
)
def tier_not_raised(package: Package) -> Iterator[Finding]:
    """An input can make a call more dangerous than the verb is without it, never less. The verb's own tier
    is the least that every call needs."""
    for path, name, given in inputs_of(package):
        tier = package.spec.verb.tier if package.spec.verb else "read-only"
        if given.raises_tier is not None and TIERS.index(given.raises_tier) <= TIERS.index(tier):
            detail = f"`{name}` asks for {given.raises_tier}, and the verb is {tier} already"
            yield Finding((*path, "raises_tier"), detail)


@rule(
    "LM727",
    "the input's name cannot be an option",
    fix="use another name, in lowercase letters, digits and hyphens",
    failing=_inputs("json: {type: text}"),
    passing=_inputs("format: {type: text}"),
)
def impossible_option(package: Package) -> Iterator[Finding]:
    """Each input becomes an option of the command, and `_` and `-` are the same there. Options that every
    verb has, such as `--json`, are taken."""
    seen: dict[str, str] = {}
    for path, name, _ in inputs_of(package):
        option = name.replace("_", "-")
        if not _INPUT_NAME.match(name):
            yield Finding(path, f"`{name}` is not a lowercase word", at_key=True)
        elif option in GLOBAL_OPTIONS:
            yield Finding(path, f"every verb has `--{option}` already", at_key=True)
        elif option in seen:
            yield Finding(path, f"`{name}` and `{seen[option]}` are the same option", at_key=True)
        seen.setdefault(option, name)


@rule(
    "LM728",
    "a required input has a default",
    severity="warning",
    fix="remove the default, or `required`",
    failing=_inputs("target: {type: column, required: true, default: price}"),
    passing=_inputs("target: {type: column, default: price}"),
)
def unused_default(package: Package) -> Iterator[Finding]:
    """A required input is always given, so its default is never used."""
    for path, name, given in inputs_of(package):
        if given.required and given.default is not None:
            yield Finding((*path, "default"), f"`{name}` must always be given", at_key=True)


@rule(
    "LM729",
    "the positional inputs cannot be told apart",
    fix="put required ones first, and make the others options",
    failing="""
verb:
  command: compare
  tier: read-only
  inputs:
    left: {type: path, positional: true}
    right: {type: path, positional: true, required: true}
""",
    passing="""
verb:
  command: compare
  tier: read-only
  inputs:
    left: {type: path, positional: true, required: true}
    right: {type: path, positional: true}
""",
)
def ambiguous_position(package: Package) -> Iterator[Finding]:
    """Arguments without a name are taken in order. A required one after one that may be left out, or any
    after one that takes several, cannot be assigned; and a flag has no value that could stand there."""
    optional = several = ""
    for path, name, given in inputs_of(package):
        if not given.positional:
            continue
        if given.type == "flag":
            yield Finding((*path, "positional"), f"`{name}` is a flag", "remove `positional`")
        elif several:
            yield Finding(path, f"`{name}` follows `{several}`, which takes every argument", at_key=True)
        elif given.required and optional:
            yield Finding(path, f"`{name}` is required and follows `{optional}`, which is not", at_key=True)
        optional = optional or (name if not given.required else "")
        several = several or (name if given.repeat else "")
