"""How the stages of a pipeline hang together: what each waits for, and whether that can ever end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from loom.core.families.references import GOAL, Path, parse_condition, parse_source
from loom.core.plain import shown


@dataclass(frozen=True, slots=True)
class StageProblem:
    """What is wrong between stages; the index is that of the stage, if it is one stage's fault."""

    index: int | None
    said: str


@dataclass(frozen=True, slots=True)
class _Need:
    """A stage that another one refers to, and the words for the place that does."""

    stage: str
    where: str
    explicit: bool = False


def needs(stage: Mapping[str, Any]) -> frozenset[str]:
    """The stages one stage waits for: those it names, and those it reads from."""
    return frozenset(need.stage for need in _needs(stage))


def find_problems(stages: Sequence[Any]) -> Iterator[StageProblem]:
    """What is wrong between stages; what is wrong within one is passed over, others report it."""
    sound = {index: stage for index, stage in enumerate(stages) if isinstance(stage, Mapping)}
    names = {index: stage["name"] for index, stage in sound.items() if isinstance(stage.get("name"), str)}
    known = set(names.values())
    first: dict[str, int] = {}
    for index, stage in sound.items():
        name = names.get(index)
        if name is not None and first.setdefault(name, index) != index:
            yield StageProblem(index, f"duplicate stage name {shown(name)}")
        if name == GOAL:
            yield StageProblem(index, f"the name '{GOAL}' is taken: it stands for the goal itself")
        for need in _needs(stage):
            if need.stage == name:
                yield StageProblem(index, f"{need.where} refers to the stage itself")
            elif need.stage not in known:
                yield StageProblem(index, _unknown(need))
    graph = {name: needs(sound[index]) & (known - {name}) for name, index in first.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # graphlib names each stage before the one that waits for it
        circle = " -> ".join(reversed(error.args[1]))
        yield StageProblem(None, f"stages wait for each other in a circle: {circle}")


def in_waves(graph: Mapping[str, frozenset[str]]) -> tuple[tuple[str, ...], ...]:
    """Stages in the order they can run, those of one wave at once, as they were written."""
    order = {name: place for place, name in enumerate(graph)}
    sorter = TopologicalSorter(graph)
    sorter.prepare()
    waves = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=order.__getitem__)
        waves.append(tuple(ready))
        sorter.done(*ready)
    return tuple(waves)


def _needs(stage: Mapping[str, Any]) -> Iterator[_Need]:
    named = stage.get("depends_on")
    if isinstance(named, list | tuple):
        yield from (_Need(name, "depends_on", explicit=True) for name in named if isinstance(name, str))
    mapping = stage.get("input_mapping")
    if isinstance(mapping, Mapping):
        for target, source in mapping.items():
            root = _root(parse_source, source)
            if root:
                yield _Need(root, f"input_mapping[{shown(target)}]")
    root = _root(parse_condition, stage.get("condition"))
    if root:
        yield _Need(root, "condition")


def _root(parse: Any, text: Any) -> str | None:
    """The stage a text refers to, if it is sound and refers to one."""
    if not isinstance(text, str):
        return None
    try:
        parsed = parse(text)
    except ValueError:
        return None
    path = getattr(parsed, "path", parsed)
    return path.root if isinstance(path, Path) and path.root != GOAL else None


def _unknown(need: _Need) -> str:
    if need.explicit:
        return f"depends_on references unknown stage {shown(need.stage)}"
    return f"{need.where} references unknown source {shown(need.stage)} (must be 'goal' or a stage name)"
