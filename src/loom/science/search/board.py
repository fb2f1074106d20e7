"""One view of a search as a proposer reads it: who leads, who is behind, what is under way and what things take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from statistics import median

import numpy as np

from loom.science.search.nodes import GROWTH, Node, View
from loom.science.search.portfolio import cost

_SLOW = 20.0
_DEAR = 0.12
_HASTE = 0.6
_FAR = 1.25


class Board:
    """The nodes of a view that were rendered from members and have not failed, and how they stand."""

    def __init__(self, view: View, *, seconds: float) -> None:
        """`seconds` is what all workers together have for the whole search."""
        self.view, self.seconds = view, seconds
        self.challenge, self.folds = view.challenge, view.challenge.folds
        self.nodes = [node for node in view.nodes if node.proposal.members and not node.failed]
        self.scores = {node.number: node.scores for node in self.nodes if node.scores}
        self.behind = self._ranked()
        scored = _without_copies(node for node in self.nodes if node.number in self.scores)
        scored = [node for node in scored if not self._is_dear(node)] or scored
        self.order = sorted(scored, key=lambda node: (self.behind[node.number], node.number))
        """The nodes that have a score, the best first."""

        self.peers = Counter(node.proposal.family for node in self.order)
        """How many there are of each family."""

    @property
    def leaders(self) -> list[Node]:
        """The best of each family, the best first, as far as it may be of use in an ensemble."""
        return list(self._firsts().values())[:5]

    @property
    def hopeless(self) -> set[str]:
        """The families whose best is further behind than most nodes are."""
        if len(self.order) < 4:
            return set()
        usual = self.behind[self.order[len(self.order) // 2].number]
        firsts = self._firsts().items()
        return {family for family, node in firsts if self.behind[node.number] > _FAR * usual}

    @property
    def hurries(self) -> bool:
        """Whether what is left of the time is needed to try the leaders on all folds."""
        left = (GROWTH - self.view.progress) * self.seconds
        missing = sum(node.seconds * (self.folds - len(node.scores)) for node in self.leaders)
        return missing > _HASTE * left

    def further(self) -> int:
        """How many further folds were asked for."""
        return sum(fold > 0 for _, fold in self.view.asked)

    def promotable(self) -> tuple[Node, int] | None:
        """The node that deserves a further fold most, and which: a leader, or one of the better part of its family.

        The more folds a node has, the fewer of its family go on; but three of each may.
        """
        if self.folds < 2 or not self.order:
            return None
        middle = self.order[min(len(self.order) - 1, len(self.order) // 3)]
        worst = 2.5 * self.behind[middle.number] + 1e-12
        leaders = {node.number for node in self.leaders}
        ahead: Counter[tuple[str, int]] = Counter()
        for node in self.order:
            done, family = len(self.scores[node.number]), node.proposal.family
            place = sum(count for (each, folds), count in ahead.items() if each == family and folds >= done)
            ahead[family, done] += 1
            may = place < max(3, self.peers[family] >> done) or node.number in leaders
            fold = self._open_fold(node)
            if may and fold is not None and self.behind[node.number] <= worst:
                return node, fold
        return None

    def proven(self, family: str) -> list[Node]:
        """The best of a family that were tried on enough folds to say so."""
        enough = min(2, max((len(each) for each in self.scores.values()), default=0))
        alone = (node for node in self.order if len(node.proposal.members) == 1)
        own = (node for node in alone if node.proposal.family == family)
        return [node for node in own if len(self.scores[node.number]) >= enough][:4]

    def slowness(self, family: str) -> float:
        """How much slower the fits of a family are than was thought, in powers of two; of all, where none is known."""
        timed = [node for node in self.nodes if node.trials and len(node.proposal.members) == 1]
        own = [node for node in timed if node.proposal.family == family]
        found = [node.seconds / cost(node.proposal.members[0], self.challenge) for node in own or timed]
        return float(2.0 ** round(np.log2(min(max(median(found), 1 / _SLOW), _SLOW)))) if found else 1.0

    def _ranked(self) -> dict[int, float]:
        """How far each node is behind the best on the folds it was tried on; less is better.

        Something is added for what is not known yet, and for what takes long.
        """
        sign = self.challenge.metric.sign
        best: dict[int, float] = {}
        for scores in self.scores.values():
            for fold, score in scores.items():
                best[fold] = max(best.get(fold, -np.inf), sign * score)
        behind = {
            number: [best[fold] - sign * score for fold, score in scores.items()]
            for number, scores in self.scores.items()
        }
        spreads = [max(each) - min(each) for each in behind.values() if len(each) > 1]
        noise = 0.5 * median(spreads) if spreads else 0.0
        seconds = {node.number: max(node.seconds, 1e-3) for node in self.nodes if node.number in behind}
        usual = median(seconds.values()) if seconds else 1.0
        return {
            number: sum(each) / len(each)
            + noise * (len(each) ** -0.5 + 0.3 * max(0.0, float(np.log2(seconds[number] / usual))))
            for number, each in behind.items()
        }

    def _firsts(self) -> dict[str, Node]:
        firsts: dict[str, Node] = {}
        for node in self.order:
            firsts.setdefault(node.proposal.family, node)
        return firsts

    def _is_dear(self, node: Node) -> bool:
        """Whether its other folds would take so long that too little time is left for others."""
        return node.seconds * (self.folds - len(node.scores)) > _DEAR * GROWTH * self.seconds

    def _open_fold(self, node: Node) -> int | None:
        """The next fold of a node that waits for none."""
        done = self.scores[node.number]
        missing = [fold for fold in range(self.folds) if fold not in done]
        waits = any((node.number, fold) in self.view.asked for fold in missing)
        return None if waits or not missing else missing[0]


def _without_copies(nodes: Iterable[Node]) -> list[Node]:
    """The nodes but those that score the very same as an older one of the family: what was changed changes nothing."""
    found: dict[tuple[str, float], Node] = {}
    for node in nodes:
        found.setdefault((node.proposal.family, next(iter(node.scores.values()))), node)
    return list(found.values())
