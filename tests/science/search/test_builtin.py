"""The proposer without a key, played against made-up scores: nothing is fitted here."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest

from loom.science.metrics import get
from loom.science.search.builtin import Builtin
from loom.science.search.lint import lint
from loom.science.search.nodes import Again, Challenge, Node, Proposal, Step, Trial, Try, View
from loom.science.search.portfolio import cost

NUMBERS = {f"x{at}": "number" for at in range(6)}
SMALL = Challenge("binary", get("auc"), 800, {**NUMBERS, "word": "word"}, 2, 5)
LARGE = Challenge("regression", get("rmse"), 40_000, NUMBERS, 0, 1, time=True)
GOOD = {
    "lightgbm": 0.84,
    "linear": 0.83,
    "mlp": 0.83,
    "random_forest": 0.82,
    "extra_trees": 0.82,
    "svm": 0.8,
    "knn": 0.7,
}


@dataclass
class Game:
    """A search whose trials take what they are thought to, on two workers, and know nothing of the last steps."""

    challenge: Challenge
    seconds: float = 60.0
    seed: int = 0
    lag: int = 4
    failing: str = ""
    nodes: list[Proposal] = field(default_factory=list)
    steps: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    trials: dict[tuple[int, int], Trial] = field(default_factory=dict)
    asked: list[Step] = field(default_factory=list)

    def view(self, steps: int, elapsed: float) -> View:
        known = {(node, fold) for node, folds in self.steps[: max(steps, 0)] for fold in folds}
        nodes = tuple(
            Node(
                at,
                proposal,
                tuple(self.trials[at, fold] for fold in range(self.challenge.folds) if (at, fold) in known),
            )
            for at, proposal in enumerate(self.nodes)
        )
        asked = frozenset((node, fold) for node, folds in self.steps for fold in folds)
        return View(self.challenge, nodes, min(elapsed / self.seconds, 1.0), self.seed, asked)

    def play(self, most: int = 10_000) -> Game:
        proposer = Builtin(budget=self.seconds, catboost=False)
        clocks = [0.0, 0.0]
        while min(clocks) < 0.8 * self.seconds and len(self.asked) < most:
            worker = clocks.index(min(clocks))
            step = proposer.next(self.view(len(self.steps) - self.lag, clocks[worker]))
            if step is None:
                step = proposer.next(self.view(len(self.steps), clocks[worker]))
            if step is None:
                break
            self.asked.append(step)
            if isinstance(step, Try):
                self.nodes.append(step.proposal)
            node, folds = (
                (step.node, (step.fold,)) if isinstance(step, Again) else (len(self.nodes) - 1, step.folds)
            )
            for fold in folds:
                assert (node, fold) not in self.trials, "nothing is tried twice"
                self.trials[node, fold] = self.trial(node, fold)
                clocks[worker] += self.trials[node, fold].seconds
            self.steps.append((node, folds))
        return self

    def trial(self, node: int, fold: int) -> Trial:
        proposal = self.nodes[node]
        if proposal.family == self.failing:
            return Trial(node, fold, None, "error", seconds=0.1)
        draw = np.random.default_rng([zlib.crc32(repr(proposal.members).encode()), fold])
        score = GOOD[proposal.family] + draw.normal(0, 0.01)
        return Trial(
            node,
            fold,
            self.challenge.metric.sign * score,
            seconds=cost(proposal.members[0], self.challenge) + 0.05,
        )

    @property
    def end(self) -> View:
        return self.view(len(self.steps), self.seconds)


@pytest.fixture(scope="module")
def small() -> Game:
    return Game(SMALL, seconds=25).play()


def test_three_different_models_come_first_on_one_fold_each(small: Game) -> None:
    first = small.asked[:3]
    assert [step.proposal.family for step in first if isinstance(step, Try)] == [
        "linear",
        "lightgbm",
        "extra_trees",
    ]
    assert {step.folds for step in first if isinstance(step, Try)} == {(0,)}


def test_the_best_of_several_families_are_tried_on_all_folds(small: Game) -> None:
    families = Counter(node.proposal.family for node in small.end.complete)
    assert len(families) >= 4 and families["lightgbm"] >= 3
    assert len(small.end.complete) >= 8
    assert "knn" not in families


def test_nothing_is_proposed_twice(small: Game) -> None:
    members = [repr(proposal.members) for proposal in small.nodes]
    assert len(set(members)) == len(members)


def test_winners_are_varied_and_name_their_parents(small: Game) -> None:
    later = [proposal for proposal in small.nodes if proposal.operator != "draft"]
    assert {"improve"} <= {proposal.operator for proposal in later}
    for proposal in later:
        parents = [small.nodes[parent] for parent in proposal.parents]
        assert parents and all(parent.family == proposal.family for parent in parents)
    assert Counter(proposal.family for proposal in later).most_common(1)[0][0] == "lightgbm"


def test_the_code_of_proposals_is_above_suspicion(small: Game) -> None:
    for proposal in small.nodes[:5]:
        assert not lint(proposal.code, "answer")


def test_the_same_views_lead_to_the_same_steps(small: Game) -> None:
    assert Game(SMALL, seconds=25).play(160).asked == small.asked[:160]
    assert Game(SMALL, seconds=25, seed=1).play(160).asked != small.asked[:160]


def test_with_one_fold_every_node_is_complete_and_nothing_is_asked_again() -> None:
    game = Game(LARGE).play()
    assert all(isinstance(step, Try) for step in game.asked)
    assert len(game.end.complete) == len(game.nodes) > 10
    longest = max(trial.seconds for trial in game.trials.values())
    assert longest < 0.1 * game.seconds


def test_a_family_that_fails_is_not_gone_on_with() -> None:
    game = Game(SMALL, failing="lightgbm").play(60)
    failed = {at for at, proposal in enumerate(game.nodes) if proposal.family == "lightgbm"}
    assert not any(isinstance(step, Again) and step.node in failed for step in game.asked)
    assert not any(set(proposal.parents) & failed for proposal in game.nodes)


def test_when_all_fails_there_is_an_end() -> None:
    proposer, nodes = Builtin(catboost=False), []
    for at in range(200):
        step = proposer.next(View(SMALL, tuple(nodes), 0.1))
        if step is None:
            break
        assert isinstance(step, Try)
        nodes.append(Node(at, step.proposal, (Trial(at, 0, None, "error", seconds=0.1),)))
    assert 20 < len(nodes) < 60


def test_a_huge_table_still_gets_models_that_fit_the_time() -> None:
    huge = Challenge("binary", get("auc"), 1_000_000, {f"x{at}": "number" for at in range(40)}, 2, 1)
    game = Game(huge).play(6)
    assert len({proposal.family for proposal in game.nodes}) >= 3
    assert any("most_rows" in proposal.members[0]["params"] for proposal in game.nodes)


def test_proposals_of_others_are_left_in_peace() -> None:
    written = Node(
        0, Proposal("draft", "other", "def fit(train, ctx): ..."), (Trial(0, 0, 0.99, seconds=1.0),)
    )
    proposer, nodes = Builtin(catboost=False), [written]
    asked: set[tuple[int, int]] = set()
    for at in range(1, 40):
        step = proposer.next(View(SMALL, tuple(nodes), 0.6, asked=frozenset(asked)))
        assert isinstance(step, Try | Again)
        if isinstance(step, Again):
            assert step.node != 0
            asked.add((step.node, step.fold))
        else:
            assert 0 not in step.proposal.parents
            nodes.append(Node(at, step.proposal, (Trial(at, 0, 0.8, seconds=0.1),)))
