"""Whether a pattern can read one text in exponentially many ways.

The parts of a pattern that take a character become the states of a graph. Two different round trips
from a state to itself that read the same text double the ways with every round.
"""

from __future__ import annotations

import re
import re._constants as ops  # type: ignore[import-not-found]
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

# a repeat of that many rounds behaves as one without a bound
MANY = 10
# as many copies of a smaller repeat show everything that can happen in it
COPIES = 3
MAX_PARTS = 5_000
MAX_MOVES = 100_000

_KNOWN = 256
_SPILL = 64  # characters beyond Latin-1 share so many bits
REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT)
_TAKES_ONE = (ops.LITERAL, ops.NOT_LITERAL, ops.ANY, ops.IN)
_ANY = (1 << (_KNOWN + _SPILL)) - 1

Ways = dict[int, int]
Pair = tuple[int, int]
Node = TypeVar("Node", int, Pair)


class TooLargeError(Exception):
    """The pattern has more parts than are worth looking at."""


class Piece(NamedTuple):
    """A part of a pattern: the states it can begin and end with, and in how many ways it can be empty."""

    first: Ways
    last: Ways
    empty: int


class Automaton:
    """The states of a pattern, the characters each takes, and in how many ways one follows another."""

    def __init__(self, items: Sequence[Any], flags: int) -> None:
        self.alphabets: list[int] = []
        self.follow: list[Ways] = []
        self.apart: list[Sequence[Any]] = []
        self.folds = bool(flags & re.IGNORECASE)
        self.parts = self.moves = 0
        self._sequence(items)

    def is_ambiguous(self) -> bool:
        """Whether there are two round trips over the same text."""
        component = _components({state: list(ways) for state, ways in enumerate(self.follow)})
        inside = {
            state: {next_: n for next_, n in ways.items() if component[next_] == component[state]}
            for state, ways in enumerate(self.follow)
        }
        if any(n > 1 for ways in inside.values() for n in ways.values()):
            return True
        pairs: dict[Pair, list[Pair]] = {}
        pending: list[Pair] = [(state, state) for state, ways in inside.items() if len(ways) > 1]
        moves = 0
        while pending:
            pair = pending.pop()
            moves += len(inside[pair[0]]) * len(inside[pair[1]])
            if moves > MAX_MOVES:
                raise TooLargeError
            if pair not in pairs:
                pairs[pair] = [
                    (left, right)
                    for left in inside[pair[0]]
                    for right in inside[pair[1]]
                    if self.alphabets[left] & self.alphabets[right]
                ]
                pending += pairs[pair]
        together = _components(pairs)
        diagonal = {together[pair] for pair in pairs if pair[0] == pair[1]}
        return any(pair[0] != pair[1] and together[pair] in diagonal for pair in pairs)

    def _state(self, alphabet: int) -> Piece:
        self.alphabets.append(alphabet)
        self.follow.append({})
        own = {len(self.alphabets) - 1: 1}
        return Piece(own, own, 0)

    def _link(self, before: Ways, after: Ways) -> None:
        self.moves += len(before) * len(after)
        if self.moves > MAX_MOVES:
            raise TooLargeError
        for left, many in before.items():
            for right, more in after.items():
                self.follow[left][right] = min(2, self.follow[left].get(right, 0) + many * more)

    def _sequence(self, items: Sequence[Any]) -> Piece:
        first: Ways = {}
        last: Ways = {}
        empty = 1
        for op, argument in items:
            piece = self._piece(op, argument)
            self._link(last, piece.first)
            first = _sum(first, piece.first, empty)
            last = _sum(piece.last, last, piece.empty)
            empty = min(2, empty * piece.empty)
        return Piece(first, last, empty)

    def _piece(self, op: Any, argument: Any) -> Piece:
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise TooLargeError
        if op in _TAKES_ONE:
            return self._state(_alphabet(op, argument, folds=self.folds))
        if op is ops.SUBPATTERN:
            self.folds = self.folds or bool(argument[1] & re.IGNORECASE)
            return self._sequence(list(argument[3]))
        if op is ops.BRANCH:
            return self._branch([list(branch) for branch in argument[1]])
        if op is ops.GROUPREF_EXISTS:
            return self._branch([list(branch or ()) for branch in argument[1:]])
        if op in (ops.MAX_REPEAT, ops.MIN_REPEAT):
            return self._repeat(*argument)
        if op in (ops.ATOMIC_GROUP, ops.POSSESSIVE_REPEAT):
            return self._closed(op, argument)
        if op in (ops.ASSERT, ops.ASSERT_NOT):
            self.apart.append(list(argument[1]))
        # an anchor takes no character; what a group matched before is not known
        return Piece({}, {}, 1) if op is not ops.GROUPREF else self._state(0)

    def _branch(self, branches: list[list[Any]]) -> Piece:
        pieces = [self._sequence(branch) for branch in branches]
        first: Ways = {}
        last: Ways = {}
        for piece in pieces:
            first, last = _sum(first, piece.first, 1), _sum(last, piece.last, 1)
        return Piece(first, last, min(2, sum(piece.empty for piece in pieces)))

    def _repeat(self, least: int, most: int, body: Any) -> Piece:
        items = list(body)
        if most >= MANY and (least != most or _varies(items)):
            piece = self._sequence(items)
            self._link(piece.last, piece.first)
            return Piece(piece.first, piece.last, 1 if not least else piece.empty)
        if not most:
            return Piece({}, {}, 1)
        copies = min(most, COPIES)
        needed = copies if least == most else min(least, copies - 1)
        piece = self._sequence(items)
        first, last, empty = piece
        for copy in range(2, copies + 1):
            following = self._sequence(items)
            self._link(piece.last, following.first)
            last = _sum(following.last, last, 0 if copy <= needed else 1)
            piece = following
        return Piece(first, last, empty if needed else 1)

    def _closed(self, op: Any, argument: Any) -> Piece:
        """What is never entered again from behind: one state, looked at by itself."""
        content = argument if op is ops.ATOMIC_GROUP else argument[2]
        self.apart.append([(ops.MAX_REPEAT, argument)] if op is ops.POSSESSIVE_REPEAT else list(content))
        least = 1 if op is ops.ATOMIC_GROUP else argument[0]
        state = self._state(_all_bits(content, folds=self.folds))
        return state._replace(empty=1 if not least or not content.getwidth()[0] else 0)


def is_exponential(parsed: Any) -> bool:
    """Whether a parsed pattern, or a part that is matched by itself, is ambiguous without end."""
    pending: list[Sequence[Any]] = [list(parsed)]
    while pending:
        automaton = Automaton(pending.pop(), parsed.state.flags)
        if automaton.is_ambiguous():
            return True
        pending += automaton.apart
    return False


def _sum(ways: Ways, more: Ways, times: int) -> Ways:
    out = dict(ways)
    for state, many in more.items() if times else ():
        out[state] = min(2, out.get(state, 0) + many * times)
    return out


def _varies(items: Sequence[Any]) -> bool:
    """Whether something inside is repeated a varying number of times."""
    return any(op in REPEATS and argument[0] != argument[1] for op, argument in _parts(items))


def _all_bits(items: Sequence[Any], *, folds: bool) -> int:
    """Every character that some element inside matches."""
    found = 0
    for op, argument in _parts(items):
        if op in _TAKES_ONE:
            found |= _alphabet(op, argument, folds=folds)
    return found


def _parts(items: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Every element of a pattern, however deep."""
    pending = list(items)
    while pending:
        op, argument = pending.pop()
        yield op, argument
        pending += inside(op, argument)


def inside(op: Any, argument: Any) -> list[tuple[Any, Any]]:
    """The elements directly inside one element of a parsed pattern."""
    if op in REPEATS:
        return list(argument[2])
    if op is ops.SUBPATTERN:
        return list(argument[3])
    if op is ops.BRANCH:
        return [item for branch in argument[1] for item in branch]
    if op is ops.GROUPREF_EXISTS:
        return [item for branch in argument[1:] for item in branch or ()]
    if op in (ops.ASSERT, ops.ASSERT_NOT):
        return list(argument[1])
    return list(argument) if op is ops.ATOMIC_GROUP else []


def _alphabet(op: Any, argument: Any, *, folds: bool) -> int:
    """The characters one element of a pattern matches, as a set of bits."""
    if op is ops.ANY:
        return _ANY
    if op is ops.NOT_LITERAL:
        return _ANY & ~_bits(argument, folds)
    if op is ops.LITERAL:
        return _bits(argument, folds)
    found = 0
    negated = False
    for kind, value in argument:
        if kind is ops.NEGATE:
            negated = True
        elif kind is ops.LITERAL:
            found |= _bits(value, folds)
        elif kind is ops.RANGE:
            low, high = value
            for code in range(low, min(high, low + _KNOWN) + 1):
                found |= _bits(code, folds)
        elif kind is ops.CATEGORY:
            found |= _category(value)
    return _ANY & ~found if negated else found


def _bits(code: int, folds: bool) -> int:
    codes = {code, ord(chr(code).lower()[0]), ord(chr(code).upper()[0])} if folds else {code}
    found = 0
    for each in codes:
        found |= 1 << (each if each < _KNOWN else _KNOWN + each % _SPILL)
    return found


_CATEGORIES: dict[Any, tuple[re.Pattern[str], bool]] = {
    ops.CATEGORY_DIGIT: (re.compile(r"\d"), False),
    ops.CATEGORY_NOT_DIGIT: (re.compile(r"\D"), True),
    ops.CATEGORY_SPACE: (re.compile(r"\s"), False),
    ops.CATEGORY_NOT_SPACE: (re.compile(r"\S"), True),
    ops.CATEGORY_WORD: (re.compile(r"\w"), True),
    ops.CATEGORY_NOT_WORD: (re.compile(r"\W"), True),
}


@cache
def _category(category: Any) -> int:
    pattern, beyond = _CATEGORIES[category]
    found = sum(1 << code for code in range(_KNOWN) if pattern.match(chr(code)))
    return found | (_ANY & ~((1 << _KNOWN) - 1)) if beyond else found


def _components(graph: Mapping[Node, Sequence[Node]]) -> dict[Node, int]:
    """The number of the knot each node belongs to: nodes of one knot can reach each other."""
    number: dict[Node, int] = {}
    low: dict[Node, int] = {}
    component: dict[Node, int] = {}
    trail: list[Node] = []
    for root in graph:
        work = [(root, iter(graph[root]))] if root not in number else []
        while work:
            node, rest = work[-1]
            if node not in number:
                number[node] = low[node] = len(number)
                trail.append(node)
            for following in rest:
                if following not in number:
                    work.append((following, iter(graph[following])))
                    break
                if following not in component:
                    low[node] = min(low[node], number[following])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    while node not in component:
                        component[trail.pop()] = number[node]
    return component
