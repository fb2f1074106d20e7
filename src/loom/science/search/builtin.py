"""The proposer that needs no key: a portfolio first, then more folds for what does well, then small steps from there."""

from __future__ import annotations

import importlib.util
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from statistics import median

import numpy as np

from loom.science.search.nodes import Again, Member, Node, Operator, Proposal, Step, Try, View
from loom.science.search.portfolio import cost, drafts, openers, thrifty
from loom.science.search.rendering import NAMES, render
from loom.science.search.tuning import varied

GROWTH = 0.8
_DRAFTED = 0.5
_LONGEST = 0.1
_SLOW = 20.0
_DEAR = 0.12
_ROOM: Mapping[str, float] = {"lightgbm": 3.0, "catboost": 2.0, "mlp": 2.0, "svm": 1.0, "linear": 0.5}
"""How much there is to vary in a family."""


class Builtin:
    """Proposes what is rendered from templates; the same view leads to the same step.

    `budget` is the wall clock of the whole search in seconds, `workers` how many trials run at once: what would take
    too much of it is not proposed.
    """

    def __init__(
        self, *, threads: int = 1, workers: int = 2, budget: float = 60.0, catboost: bool | None = None
    ) -> None:
        self.threads, self.workers, self.budget = threads, workers, budget
        self.catboost = importlib.util.find_spec("catboost") is not None if catboost is None else catboost

    def next(self, view: View) -> Step | None:
        """The next step; none where nothing is left to try."""
        board = _Board(view, self)
        return board.opener() or board.step()


class _Board:
    """One view, as the proposer reads it."""

    def __init__(self, view: View, owner: Builtin) -> None:
        self.view, self.owner, self.challenge = view, owner, view.challenge
        self.sign = self.challenge.metric.sign
        self.nodes = [node for node in view.nodes if node.proposal.members and not node.failed]
        self.known = {
            _key(node.proposal.members[0]) for node in view.nodes if len(node.proposal.members) == 1
        }
        self.notes: dict[str, set[str]] = defaultdict(set)
        for node in view.nodes:
            self.notes[node.proposal.family].add(node.proposal.note)
        self.draw = np.random.default_rng(
            [view.seed, len(view.nodes), sum(len(node.trials) for node in view.nodes)]
        )
        self.factor = self._measured()
        self.scores = {node.number: node.scores for node in self.nodes if node.scores}
        self.firsts: dict[tuple[str, float], int] = {}
        self.cautious = self._ranked()
        scored = [node for node in self.nodes if node.number in self.scores and not self._is_copy(node)]
        scored = [node for node in scored if not self._is_dear(node)] or scored
        self.order = sorted(scored, key=lambda node: (self.cautious[node.number], node.number))
        self.peers = Counter(node.proposal.family for node in self.order)
        self.leaders = self._leaders()
        self.hopeless = self._hopeless()

    # what to do

    def opener(self) -> Step | None:
        """One of the first models, as long as not all are proposed."""
        for draft in openers(self.challenge):
            made = self._thrifty(draft.member)
            if made is not None and _key(made) not in self.known and not self._was_opened(made):
                return self._try("draft", made, draft.note)
        return None

    def _was_opened(self, made: Member) -> bool:
        """Whether it was among the first already, with other means."""
        return any(node.proposal.family == made["family"] for node in self.view.nodes[:3])

    def step(self) -> Step | None:
        """What the rest of a search consists of."""
        more = self._promotion()
        draft = self._draft() if self.view.progress < _DRAFTED or not self.cautious else None
        if more is not None and (self._hurries() or self._is_ahead(2.0 if draft is not None else 0.5)):
            return more
        if draft is not None:
            return self._try("draft", *draft)
        return self._refinement() or more

    def _is_ahead(self, rate: float) -> bool:
        """Whether there are more proposals for each further fold asked for than there should be."""
        further = sum(max(len(node.trials) - 1, 0) for node in self.nodes)
        waiting = sum(self._is_waiting(node) for node in self.nodes)
        return rate * (further + waiting) < len(self.nodes)

    def _hurries(self) -> bool:
        """Whether what is left of the time is needed to finish the best."""
        left = (GROWTH - self.view.progress) * self.owner.budget * self.owner.workers
        missing = sum(node.seconds * (self.challenge.folds - len(node.scores)) for node in self.leaders)
        return missing > 0.6 * left

    # how good they are

    def _ranked(self) -> dict[int, float]:
        """How far each node is behind the best on the folds it was tried on; less is better.

        Something is added for what is not known yet, and for what takes long.
        """
        best: dict[int, float] = {}
        for scores in self.scores.values():
            for fold, score in scores.items():
                best[fold] = max(best.get(fold, -np.inf), self.sign * score)
        behind = {
            number: [best[fold] - self.sign * score for fold, score in scores.items()]
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

    def _is_copy(self, node: Node) -> bool:
        """Whether an older node of the family scores the very same: what was changed changes nothing."""
        first = (node.proposal.family, next(iter(node.scores.values())))
        return self.firsts.setdefault(first, node.number) != node.number

    def _is_dear(self, node: Node) -> bool:
        """Whether its other folds would take so long that too little time is left for others."""
        missing = self.challenge.folds - len(node.scores)
        return node.seconds * missing > _DEAR * GROWTH * self.owner.budget * self.owner.workers

    def _leaders(self) -> list[Node]:
        """The best of each family, the best first, of those that may be of use in an ensemble."""
        firsts: dict[str, Node] = {}
        for node in self.order:
            firsts.setdefault(node.proposal.family, node)
        return list(firsts.values())[:5]

    def _hopeless(self) -> set[str]:
        """The families whose best is further behind than most nodes are."""
        if len(self.order) < 4:
            return set()
        usual = self.cautious[self.order[len(self.order) // 2].number]
        firsts = {node.proposal.family: self.cautious[node.number] for node in reversed(self.order)}
        return {family for family, behind in firsts.items() if behind > 1.25 * usual}

    # more folds

    def _is_waiting(self, node: Node) -> bool:
        return any(
            fold not in self.scores.get(node.number, {}) and (node.number, fold) in self.view.asked
            for fold in range(1, self.challenge.folds)
        )

    def _promotion(self) -> Step | None:
        """A further fold for the node that deserves it most: of the leaders, and of the better part of each family.

        The more folds a node has, the fewer of its family go on; but three of each may.
        """
        if self.challenge.folds < 2 or not self.order:
            return None
        worst = 2.5 * self.cautious[self.order[min(len(self.order) - 1, len(self.order) // 3)].number] + 1e-12
        leaders = {node.number for node in self.leaders}
        ahead: Counter[tuple[str, int]] = Counter()
        for node in self.order:
            done, family = len(self.scores[node.number]), node.proposal.family
            place = sum(count for (each, folds), count in ahead.items() if each == family and folds >= done)
            ahead[family, done] += 1
            peers = self.peers[family]
            may = place < max(3, peers >> done) or node.number in leaders
            if (
                done < self.challenge.folds
                and may
                and not self._is_waiting(node)
                and self.cautious[node.number] <= worst
            ):
                fold = next(
                    each for each in range(self.challenge.folds) if each not in self.scores[node.number]
                )
                return Again(node.number, fold)
        return None

    # new models

    def _draft(self) -> tuple[Member, str] | None:
        """The next of the portfolio; families that are far behind wait until the others are through."""
        every = drafts(self.challenge, catboost=self.owner.catboost)
        for draft in sorted(every, key=lambda each: each.member["family"] in self.hopeless):
            if draft.note in self.notes[draft.member["family"]]:
                continue
            made = self._thrifty(draft.member)
            if made is not None and _key(made) not in self.known:
                return made, draft.note
        return None

    def _thrifty(self, each: Member) -> Member | None:
        """The member in a form that takes no longer than a trial may."""
        factor = self.factor.get(each["family"], self.factor[""])
        most = _LONGEST * self.owner.budget / self.challenge.folds**0.5
        return thrifty(each, self.challenge, most / factor)

    def _measured(self) -> dict[str, float]:
        """How much slower fits are than was thought, by family and in all, in powers of two."""
        ratios: dict[str, list[float]] = {"": []}
        for node in self._timed():
            ratio = node.seconds / cost(node.proposal.members[0], self.challenge)
            ratios[""].append(ratio)
            ratios.setdefault(node.proposal.family, []).append(ratio)
        return {
            family: float(2.0 ** round(np.log2(min(max(median(each), 1 / _SLOW), _SLOW)))) if each else 1.0
            for family, each in ratios.items()
        }

    def _timed(self) -> Iterator[Node]:
        return (
            node
            for node in self.nodes
            if node.trials and len(node.proposal.members) == 1 and node.seconds > 0
        )

    def _refinement(self) -> Step | None:
        """A small step from one of the best: settings, a block more or less, or what two of a family have in common."""
        for _ in range(20):
            parent = self._parent()
            if parent is None:
                return None
            own = parent.proposal.members[0]
            mates = [node for node in self._proven(parent.proposal.family) if node.number != parent.number]
            mate = mates[int(self.draw.integers(len(mates)))] if mates else None
            before = self._before(parent)
            made = varied(
                own,
                self.challenge,
                self.draw,
                mate=mate.proposal.members[0] if mate is not None else None,
                before=before,
                width=0.2 if self.view.progress < 0.65 else 0.1,
            )
            thrift = self._thrifty(made.member)
            if thrift is not None and _key(thrift) not in self.known:
                parents = (
                    (parent.number, mate.number) if made.operator == "merge" and mate else (parent.number,)
                )
                return self._try(made.operator, thrift, made.note, parents)
        return None

    def _proven(self, family: str) -> list[Node]:
        """The best of a family that were tried on enough folds to say so."""
        enough = min(2, max((len(each) for each in self.scores.values()), default=0))
        own = (
            node for node in self.order if node.proposal.family == family and len(node.proposal.members) == 1
        )
        return [node for node in own if len(self.scores[node.number]) >= enough][:4]

    def _parent(self) -> Node | None:
        """A node to start from: families that lead more often, those that were varied much already less so."""
        families = [node.proposal.family for node in self.leaders if self._proven(node.proposal.family)]
        if not families:
            return None
        children = Counter(
            node.proposal.family for node in self.view.nodes if node.proposal.operator != "draft"
        )
        room = [_ROOM.get(family, 1.0) for family in families]
        weights = np.array(
            [
                0.65**place * each / (1 + children[family] / (8 * each))
                for place, (family, each) in enumerate(zip(families, room, strict=True))
            ]
        )
        chosen = families[int(self.draw.choice(len(families), p=weights / weights.sum()))]
        proven = self._proven(chosen)
        return proven[min(int(self.draw.geometric(0.5)) - 1, len(proven) - 1)]

    def _before(self, node: Node) -> Member | None:
        """What a node was made from, where its settings were moved."""
        if node.proposal.operator != "improve" or not node.proposal.parents:
            return None
        found = next((each for each in self.nodes if each.number == node.proposal.parents[0]), None)
        return found.proposal.members[0] if found is not None else None

    def _try(self, operator: Operator, each: Member, note: str, parents: tuple[int, ...] = ()) -> Try:
        code = render([each], task=self.challenge.task)
        return Try(Proposal(operator, each["family"], code, parents, (each,), note or NAMES[each["family"]]))


def _key(each: Member) -> str:
    """What makes a member the same as another."""
    return repr((each["family"], sorted(each["params"].items()), each["blocks"], each["seed_offset"]))
