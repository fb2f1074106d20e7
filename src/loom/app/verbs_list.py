"""Which verbs there are: those that come with Loom, and those of a person's own packages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loom.app.listing import first_sentence
from loom.process.check import check_file
from loom.process.loader import Found, ProcessLoader
from loom.process.spec.process import ProcessSpec
from loom.process.spec.verb import Input

Entry = dict[str, Any]
"""A verb as the catalogue describes it."""

NEVER_BY_A_MODEL = "irreversible"


@dataclass(frozen=True, slots=True)
class OwnVerb:
    """A verb of a package that does not come with Loom."""

    entry: Entry
    found: Found

    @property
    def reference(self) -> Path:
        """What loads the package."""
        return self.found.file


def find_verb(folder: Path, command: str) -> OwnVerb | None:
    """The verb that a person's own packages have under this name, if one does; the nearest package counts."""
    own = [verb for verb in own_verbs(folder) if command in (verb.entry["command"], *verb.entry["aliases"])]
    return own[-1] if own else None


def own_verbs(folder: Path) -> Iterator[OwnVerb]:
    """The verbs of user and workspace packages; one with errors has none."""
    for found in ProcessLoader(folder).all():
        if found.origin == "builtin":
            continue
        checked = check_file(found.file, warnings=False)
        if (
            checked.package is not None
            and not checked.report.errors
            and checked.package.spec.verb is not None
        ):
            yield OwnVerb(entry_of(checked.package.spec), found)


def package_entry(folder: Path, reference: str | Path) -> Entry:
    """What a package takes and how it ends, whether it has a verb or not; one that does not hold is a LoomError."""
    return entry_of(ProcessLoader(folder).load(reference).package.spec)


def entry_of(spec: ProcessSpec) -> Entry:
    """A package as the catalogue describes one."""
    verb = spec.verb
    return {
        "name": spec.name,
        "command": verb.command if verb else spec.name,
        "aliases": list(verb.aliases) if verb else [],
        "description": first_sentence(spec.description),
        "tier": verb.tier if verb else "workspace-write",
        "flow": verb.flow if verb else None,
        "model": verb.model if verb else "none",
        "values": list(verb.verdict.values) if verb and verb.verdict else [],
        "ok": list(verb.verdict.ok) if verb and verb.verdict else [],
        "inputs": [_input(name, given) for name, given in verb.inputs.items()] if verb else [],
    }


def _input(name: str, given: Input) -> dict[str, Any]:
    told = given.model_dump(mode="json", exclude_defaults=True)
    return {"name": name, "type": given.type, "help": given.help} | told


def list_verbs(folder: Path, builtin: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every verb that can be called here, by name, with what a caller has to know of it."""
    listed = [_listed(entry, "builtin") for entry in builtin]
    names = {name for verb in listed for name in (verb["command"], *verb["aliases"])}
    for own in own_verbs(folder):
        # the names of Loom's own verbs are taken
        if own.entry["command"] not in names:
            listed.append(_listed(own.entry, own.found.origin) | {"file": str(own.reference)})
    return sorted(listed, key=lambda verb: str(verb["command"]))


def _listed(entry: Mapping[str, Any], origin: str) -> dict[str, Any]:
    inputs = [
        {**item, "model_may_give": item.get("raises_tier") != NEVER_BY_A_MODEL} for item in entry["inputs"]
    ]
    return {
        "name": entry["name"],
        "command": entry["command"],
        "aliases": entry["aliases"],
        "description": entry["description"],
        "origin": origin,
        "tier": entry["tier"],
        "model": entry["model"],
        "model_may_invoke": entry["tier"] != NEVER_BY_A_MODEL,
        "flow": entry["flow"],
        "verdicts": {"values": entry["values"], "ok": entry["ok"]},
        "inputs": inputs,
    }


def verb_rows(verbs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The list for people: one row per verb."""
    return [
        {
            "verb": verb["command"],
            "tier": verb["tier"],
            "raised by": ", ".join(_raised(verb)),
            "model": None if verb["model"] == "none" else verb["model"],
            "what it does": f"{verb['description'].split(': ')[0].removesuffix('.')}.",
        }
        for verb in verbs
    ]


def _raised(verb: Mapping[str, Any]) -> list[str]:
    return [f"--{item['name']}: {item['raises_tier']}" for item in verb["inputs"] if item.get("raises_tier")]
