"""A graph of phases as nested blocks, which is the only kind of graph that Metaflow runs.

Series and parallel parts keep their shape. Where phases depend on each other crosswise no nesting says the
same, and a barrier is put in: everything before it ends before anything behind it starts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from loom.process.graph import layer

MOST_PATHS = 2000
"""Metaflow walks every path through a flow each time it loads it; beyond this many, waves are cheaper."""

MOST_PHASES = 200
"""Larger graphs are not searched for nested parts."""

_SEARCHED = 12


@dataclass(frozen=True, slots=True)
class One:
    """A phase that runs once."""

    phase: str


@dataclass(frozen=True, slots=True)
class Each:
    """A phase that runs once per item."""

    phase: str


@dataclass(frozen=True, slots=True)
class Wave:
    """Phases that run at once as the items of one foreach, which is a single path."""

    phases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """Blocks one after the other."""

    parts: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Parallel:
    """Blocks side by side."""

    branches: tuple[Block, ...]


Block = One | Each | Wave | Series | Parallel

_Price = tuple[int, int, int]
"""How many barriers, how long the longest chain, how many pairs ordered that nothing else orders: all low."""


def shape(dependencies: Mapping[str, Sequence[str]], each: Collection[str] = ()) -> Block:
    """The blocks that keep every dependency and run as much at once as nesting allows."""
    if len(dependencies) <= MOST_PHASES:
        nested = _Nesting(dependencies, frozenset(each)).whole()
        if paths(nested) <= MOST_PATHS:
            return nested
    return _waves(dependencies, frozenset(each))


def paths(block: Block) -> int:
    """How many ways lead through a block."""
    match block:
        case Series(parts):
            return prod(map(paths, parts))
        case Parallel(branches):
            return sum(map(paths, branches))
    return 1


def _waves(dependencies: Mapping[str, Sequence[str]], each: frozenset[str]) -> Block:
    parts: list[Block] = []
    for wave in layer(dependencies).waves:
        plain = tuple(name for name in wave if name not in each)
        if plain:
            parts.append(Wave(plain) if len(plain) > 1 else One(plain[0]))
        parts += (Each(name) for name in wave if name in each)
    return _series(parts)


def _series(parts: Sequence[Block]) -> Block:
    flat: list[Block] = []
    for part in parts:
        flat += part.parts if isinstance(part, Series) else (part,)
    return flat[0] if len(flat) == 1 else Series(tuple(flat))


class _Nesting:
    """The search for nested blocks. Sets of phases are the bits of integers."""

    def __init__(self, dependencies: Mapping[str, Sequence[str]], each: frozenset[str]) -> None:
        self._names = layer(dependencies).order
        self._each = each
        place = {name: at for at, name in enumerate(self._names)}
        self._before = [0] * len(self._names)
        self._behind = [0] * len(self._names)
        for at, name in enumerate(self._names):
            for need in dependencies[name]:
                if need in place:
                    self._before[at] |= self._before[place[need]] | 1 << place[need]
        for at, before in enumerate(self._before):
            for other in _bits(before):
                self._behind[other] |= 1 << at
        self._known: dict[int, tuple[Block, _Price]] = {}

    def whole(self) -> Block:
        """The block of all phases."""
        return self._block((1 << len(self._names)) - 1)[0]

    def _block(self, members: int) -> tuple[Block, _Price]:
        """The block of some phases, and its price."""
        if members not in self._known:
            self._known[members] = self._find(members)
        return self._known[members]

    def _find(self, members: int) -> tuple[Block, _Price]:
        if members & (members - 1) == 0:
            name = self._names[members.bit_length() - 1]
            return (Each(name) if name in self._each else One(name)), (0, 1, 0)
        apart = self._groups(members, related=True)
        if len(apart) > 1:
            found = [self._block(group) for group in apart]
            barriers, depths, added = zip(*(price for _, price in found), strict=True)
            return Parallel(tuple(block for block, _ in found)), (sum(barriers), max(depths), sum(added))
        ordered = self._groups(members, related=False)
        if len(ordered) > 1:
            ordered.sort(key=lambda group: (self._before[_first(group)] & members).bit_count())
            return self._one_after_the_other(ordered)
        cuts = self._cuts(members)
        if members.bit_count() > _SEARCHED:
            cuts = [min(cuts, key=lambda cut: self._added(cut, members & ~cut))]
        else:
            cuts += self._narrow_cuts(members)
        tries = [(cut, *self._one_after_the_other([cut, members & ~cut])) for cut in dict.fromkeys(cuts)]
        prices = [
            (barriers + 1, depth, added + self._added(cut, members & ~cut))
            for cut, _, (barriers, depth, added) in tries
        ]
        best = min(range(len(tries)), key=prices.__getitem__)
        return tries[best][1], prices[best]

    def _one_after_the_other(self, groups: Sequence[int]) -> tuple[Block, _Price]:
        found = [self._block(group) for group in groups]
        barriers, depths, added = zip(*(price for _, price in found), strict=True)
        return _series([block for block, _ in found]), (sum(barriers), sum(depths), sum(added))

    def _groups(self, members: int, *, related: bool) -> list[int]:
        """Phases joined by a chain of pairs that do, or do not, depend on each other."""
        groups: list[int] = []
        left = members
        while left:
            group = fresh = left & -left
            while fresh:
                at = _first(fresh)
                kin = self._before[at] | self._behind[at]
                near = (kin if related else ~(kin | 1 << at)) & left & ~group
                group |= near
                fresh = fresh & (fresh - 1) | near
            groups.append(group)
            left &= ~group
        return groups

    def _cuts(self, members: int) -> list[int]:
        """Places for a barrier that make no chain longer: each is what would come before it."""
        cuts = []
        before = behind = 0
        while before != members:
            left, right = members & ~before, members & ~behind
            before |= sum(1 << at for at in _bits(left) if not self._before[at] & left)
            behind |= sum(1 << at for at in _bits(right) if not self._behind[at] & right)
            cuts += [before, members & ~behind]
        return [cut for cut in cuts if cut not in (0, members)]

    def _narrow_cuts(self, members: int) -> list[int]:
        """Places for a barrier just behind, or just before, one phase."""
        behind = [(self._before[at] | 1 << at) & members for at in _bits(members)]
        before = [members & ~(self._behind[at] | 1 << at) for at in _bits(members)]
        return [cut for cut in behind + before if cut not in (0, members)]

    def _added(self, before: int, behind: int) -> int:
        """How many pairs of phases a barrier would order that nothing else orders."""
        return sum((behind & ~self._behind[at]).bit_count() for at in _bits(before))


def _bits(members: int) -> Iterator[int]:
    while members:
        yield _first(members)
        members &= members - 1


def _first(members: int) -> int:
    return (members & -members).bit_length() - 1
