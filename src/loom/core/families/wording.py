"""What a family's model refuses, in sentences that name the place."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from loom.core.families.model import ConfigModel, kind_of
from loom.core.families.pipeline import BETWEEN_STAGES
from loom.core.plain import shown
from loom.kernel.diagnostics import suggest

# mappings whose keys are the author's own
_BY_NAME = frozenset({"tier_overrides", "rate_limits", "input_mapping"})
Place = tuple[str | int, ...]


def complaints(model: type[ConfigModel], config: Any, where: str) -> list[str]:
    """Everything that is wrong with a configuration, each as one sentence; never an exception."""
    if not isinstance(config, dict):
        return [f"{where}: expected dict, got {kind_of(config)}"]
    try:
        model.model_validate(config)
    except ValidationError as error:
        found = error.errors(include_url=False)
        return [f"{where}: {_say(problem, model)}" for problem in found if problem["type"] != BETWEEN_STAGES]
    return []


def at(place: Place) -> str:
    """A place as people write it: `pipeline_stages[2]`, `rate_limits['local']`, `checkpoint`."""
    out = ""
    for index, part in enumerate(place):
        if isinstance(part, int):
            out += f"[{part}]"
        elif index and place[index - 1] in _BY_NAME:
            out += f"[{shown(part)}]"
        else:
            out += f".{shown(part)[1:-1]}" if out else shown(part)[1:-1]
    return out


def _say(problem: ErrorDetails, model: type[ConfigModel]) -> str:
    place: Place = tuple(part for part in problem["loc"] if part != "[key]")
    kind, ctx = problem["type"], problem.get("ctx", {})
    outer, leaf = place[:-1], place[-1] if place else ""
    before = f"{at(outer)}: " if outer else ""
    if kind == "missing":
        return f"{before}missing required key '{leaf}'"
    if kind == "extra_forbidden":
        return f"{before}unknown key {shown(leaf)}{_meant(str(leaf), outer, model)}"
    if kind == "invalid_key":
        return f"{before}keys must be strings, got {shown(leaf)}"
    if kind == "said_whole":
        return f"{f'{at(outer[:-1])}: ' if isinstance(leaf, int) else before}{ctx['said']}"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        if isinstance(leaf, int):
            return f"{at(place)}: expected dict, got {kind_of(problem['input'])}"
        return f"{_subject(place)} must be a dict"
    said = str(ctx["said"]) if kind == "said" else _in_general(problem)
    return f"{_subject(place)} {said}"


def _in_general(problem: ErrorDetails) -> str:
    if problem["type"] == "string_type":
        return "must be a string"
    return problem["msg"][:1].lower() + problem["msg"][1:]


def _subject(place: Place) -> str:
    """What a sentence is about: a key in quotes behind its mapping, or an entry by its name."""
    outer, leaf = place[:-1], place[-1]
    if isinstance(leaf, int):
        return at(place)
    if outer and outer[-1] in _BY_NAME:
        head = at(outer[:-1])
        entry = f"{outer[-1]}[{shown(leaf)}]"
        # a limit is a mapping itself, so its name is a place of its own
        entry += ":" if outer[-1] == "rate_limits" else ""
        return f"{head}: {entry}" if head else entry
    if outer and isinstance(outer[-1], str) and (len(outer) < 2 or outer[-2] not in _BY_NAME):
        return at(place)
    return f"{at(outer)}: {shown(leaf)}" if outer else shown(leaf)


def _meant(key: str, outer: Place, model: type[BaseModel]) -> str:
    known = _keys_at(outer, model)
    meant = suggest(key, known)
    return f" (did you mean '{meant}'?)" if meant else f" (known: {', '.join(known)})" if known else ""


def _keys_at(outer: Place, model: type[BaseModel]) -> list[str]:
    """The keys of the mapping at a place."""
    here: type[BaseModel] | None = model
    for part in outer:
        if here is not None and isinstance(part, str) and part in here.model_fields:
            here = _model_in(here.model_fields[part].annotation)
    return list(here.model_fields) if here is not None else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model somewhere inside an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((model for model in found if model is not None), None)
