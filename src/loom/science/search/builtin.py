"""The proposer that needs no key: a portfolio first, then more folds for what does well, then small steps from there."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Mapping

import numpy as np

from loom.science.search.board import Board
from loom.science.search.nodes import Again, Member, Node, Operator, Proposal, Step, Try, View
from loom.science.search.portfolio import drafts, openers, thrifty
from loom.science.search.rendering import NAMES, render
from loom.science.search.tuning import varied

_DRAFTED = 0.5
_LONGEST = 0.1
_TRIES = 20
_LATE = 0.65
_ROOM: Mapping[str, float] = {"lightgbm": 3.0, "catboost": 2.0, "mlp": 2.0, "svm": 1.0, "linear": 0.5}
"""How much there is to vary in a family."""


class Builtin:
    """Proposes what is rendered from templates; the same view leads to the same step.

    `budget` is the wall clock of the whole search in seconds, `workers` how many trials run at once: what would take
    too much of it is not proposed.
    """

    def __init__(self, *, workers: int = 2, budget: float = 60.0, catboost: bool | None = None) -> None:
        self.workers, self.budget = workers, budget
        self.catboost = importlib.util.find_spec("catboost") is not None if catboost is None else catboost

    def next(self, view: View) -> Step | None:
        """The next step; none where nothing is left to try."""
        steps = _Steps(view, self)
        return steps.opener() or steps.next()


class _Steps:
    """The steps that may be taken from one view."""

    def __init__(self, view: View, owner: Builtin) -> None:
        self.view, self.owner, self.challenge = view, owner, view.challenge
        self.board = Board(view, seconds=owner.budget * owner.workers)
        alone = [node.proposal for node in view.nodes if len(node.proposal.members) == 1]
        self.known = {_key(proposal.members[0]) for proposal in alone}
        self.notes = {(proposal.family, proposal.note) for proposal in alone}
        trials = sum(len(node.trials) for node in view.nodes)
        self.draw = np.random.default_rng([view.seed, len(view.nodes), trials])

    def opener(self) -> Step | None:
        """One of the first models, as long as not all are proposed."""
        opened = {node.proposal.family for node in self.view.nodes[:3]}
        for draft in openers(self.challenge):
            made = self._thrifty(draft.member)
            if made is not None and _key(made) not in self.known and made["family"] not in opened:
                return self._try("draft", made, draft.note)
        return None

    def next(self) -> Step | None:
        """What the rest of a search consists of: at first two proposals for each further fold, later the reverse."""
        more = self.board.promotable()
        draft = self._draft() if self.view.progress < _DRAFTED or not self.board.order else None
        ahead = (2.0 if draft is not None else 0.5) * self.board.further() < len(self.board.nodes)
        if more is not None and (ahead or self.board.hurries):
            return Again(more[0].number, more[1])
        if draft is not None:
            return draft
        return self._refinement() or (Again(more[0].number, more[1]) if more is not None else None)

    def _draft(self) -> Step | None:
        """The next of the portfolio; families that are far behind wait until the others are through."""
        hopeless = self.board.hopeless
        every = drafts(self.challenge, catboost=self.owner.catboost)
        for draft in sorted(every, key=lambda each: each.member["family"] in hopeless):
            if (draft.member["family"], draft.note) in self.notes:
                continue
            made = self._thrifty(draft.member)
            if made is not None and _key(made) not in self.known:
                return self._try("draft", made, draft.note)
        return None

    def _thrifty(self, each: Member) -> Member | None:
        """The member in a form that takes no longer than a trial may."""
        most = _LONGEST * self.owner.budget / self.challenge.folds**0.5
        return thrifty(each, self.challenge, most / self.board.slowness(each["family"]))

    def _refinement(self) -> Step | None:
        """A small step from one of the best: settings, a block more or less, or what two of a family have in common."""
        for _ in range(_TRIES):
            parent = self._parent()
            if parent is None:
                return None
            mates = [node for node in self.board.proven(parent.proposal.family) if node is not parent]
            mate = mates[int(self.draw.integers(len(mates)))] if mates else None
            made = varied(
                parent.proposal.members[0],
                self.challenge,
                self.draw,
                mate=None if mate is None else mate.proposal.members[0],
                before=self._before(parent),
                width=0.2 if self.view.progress < _LATE else 0.1,
            )
            thrift = self._thrifty(made.member)
            if thrift is not None and _key(thrift) not in self.known:
                mixed = made.operator == "merge" and mate is not None
                parents = (parent.number, mate.number) if mixed and mate else (parent.number,)
                return self._try(made.operator, thrift, made.note, parents)
        return None

    def _parent(self) -> Node | None:
        """A node to start from: families that lead more often, those that were varied much already less so."""
        leading = [node.proposal.family for node in self.board.leaders]
        proven = {family: found for family in leading if (found := self.board.proven(family))}
        if not proven:
            return None
        children = Counter(
            node.proposal.family for node in self.view.nodes if node.proposal.operator != "draft"
        )
        weights = []
        for place, family in enumerate(proven):
            room = _ROOM.get(family, 1.0)
            weights.append(0.65**place * room / (1 + children[family] / (8 * room)))
        shares = np.array(weights) / sum(weights)
        found = proven[list(proven)[int(self.draw.choice(len(shares), p=shares))]]
        return found[min(int(self.draw.geometric(0.5)) - 1, len(found) - 1)]

    def _before(self, node: Node) -> Member | None:
        """What a node was made from, where its settings were moved."""
        if node.proposal.operator != "improve" or not node.proposal.parents:
            return None
        parent = next((each for each in self.view.nodes if each.number == node.proposal.parents[0]), None)
        return parent.proposal.members[0] if parent is not None and parent.proposal.members else None

    def _try(self, operator: Operator, each: Member, note: str, parents: tuple[int, ...] = ()) -> Try:
        code = render([each], task=self.challenge.task)
        return Try(Proposal(operator, each["family"], code, parents, (each,), note or NAMES[each["family"]]))


def _key(each: Member) -> str:
    """What makes a member the same as another."""
    return repr((each["family"], sorted(each["params"].items()), each["blocks"], each["seed_offset"]))
