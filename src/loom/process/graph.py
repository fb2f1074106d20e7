"""Names and arrows: cycles, order, waves and longest paths, without recursion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layered:
    """A graph put in order."""

    order: tuple[str, ...]
    waves: tuple[tuple[str, ...], ...]
    critical_path: tuple[str, ...]
    cyclic: tuple[str, ...]


def layer(dependencies: Mapping[str, Sequence[str]]) -> Layered:
    """Order nodes so that each follows what it depends on; ties keep the order of the mapping.

    Dependencies that are not nodes are ignored. Nodes on or behind a cycle are left in `cyclic`.
    """
    dependants: dict[str, list[str]] = {}
    waiting: dict[str, int] = {}
    wave: list[str] = []
    for node, needs in dependencies.items():
        count = 0
        for need in needs:
            if need in dependencies:
                behind = dependants.get(need)
                if behind is None:
                    dependants[need] = [node]
                else:
                    behind.append(node)
                count += 1
        waiting[node] = count
        if not count:
            wave.append(node)
    rank = {node: at for at, node in enumerate(dependencies)}
    last: dict[str, str | None] = dict.fromkeys(wave)
    waves: list[tuple[str, ...]] = []
    order: list[str] = []
    while wave:
        waves.append(tuple(wave))
        order += wave
        following: list[str] = []
        for node in wave:
            for dependant in dependants.get(node, ()):
                waiting[dependant] -= 1
                if not waiting[dependant]:
                    # the dependency that finishes last is the one on the longest path
                    last[dependant] = node
                    following.append(dependant)
        following.sort(key=rank.__getitem__)
        wave = following
    cyclic = tuple(node for node, count in waiting.items() if count) if len(order) < len(waiting) else ()
    return Layered(tuple(order), tuple(waves), _walk_back(last, waves), cyclic)


def _walk_back(last: Mapping[str, str | None], waves: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    path: list[str] = []
    node: str | None = waves[-1][0] if waves else None
    while node is not None:
        path.append(node)
        node = last[node]
    return tuple(reversed(path))


def find_cycle(dependencies: Mapping[str, Sequence[str]], among: Sequence[str]) -> tuple[str, ...]:
    """One cycle among nodes that could not be ordered, first node repeated at the end."""
    members = set(among)
    seen: dict[str, int] = {}
    trail: list[str] = []
    node = among[0]
    while node not in seen:
        seen[node] = len(trail)
        trail.append(node)
        # every node left over waits for another that is left over
        node = next(need for need in dependencies[node] if need in members)
    return (*trail[seen[node] :], node)


def ancestors(dependencies: Mapping[str, Sequence[str]], node: str) -> set[str]:
    """Everything a node depends on, directly or through others."""
    found: set[str] = set()
    pending = list(dependencies.get(node, ()))
    while pending:
        current = pending.pop()
        if current not in found and current in dependencies:
            found.add(current)
            pending.extend(dependencies[current])
    return found
