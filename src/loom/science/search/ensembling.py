"""Which of the nodes speak together, and how loudly: chosen greedily by what they predicted for rows they never saw."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from loom.kernel.errors import LoomError
from loom.science.metrics import Metric, score
from loom.science.search.nodes import Member, Node

Floats = npt.NDArray[np.float64]

ROUNDS = 20
_MOST = 8
_PATIENCE = 2
_DRAWS = 8
_INSIDE = 0.7
_LEAST = 0.04
_MANY = 10_000
_SIGMA = 1e-4


def greedy(
    predictions: Mapping[int, Floats],
    answers: npt.NDArray[np.generic],
    metric: Metric,
    *,
    seconds: Mapping[int, float] | None = None,
    limit: float | None = None,
    rounds: int = ROUNDS,
) -> dict[int, float]:
    """Weights of nodes, adding up to 1, whose weighted mean prediction scores best; the best node alone if none does.

    Nodes are added one at a time, again and again if that helps, on several draws of the rows, so that no few rows
    decide. `seconds` is how long each takes to fit and `limit` how long all of them together may. A new node has to
    bring more than one that is in already, and the whole has to be better than the best node on rows that chose
    neither of them.
    """
    voices = _Voices(predictions, np.asarray(answers), metric, dict(seconds or {}), limit)
    if not voices.order:
        raise LoomError(
            "there is nothing to put together", "no node has predictions that can be scored", "loom optimize"
        )
    alone = {voices.order[0]: 1.0}
    shares, gain = voices.drawn(rounds)
    chosen = voices.kept(shares)
    everything = np.arange(len(voices.answers))
    if len(chosen) < 2 or gain <= 0:
        return alone
    together = voices.worth(mixed(voices.said, chosen), everything)
    return chosen if together > voices.alone[voices.order[0]] else alone


def mixed(predictions: Mapping[int, Floats], weights: Mapping[int, float]) -> Floats:
    """The weighted mean of what nodes predicted."""
    parts = [weight * np.asarray(predictions[node], np.float64) for node, weight in weights.items()]
    return np.asarray(sum(parts) / sum(weights.values()), np.float64)


def members_of(weights: Mapping[int, float], nodes: Iterable[Node]) -> tuple[Member, ...]:
    """The members of an ensemble, ready to be rendered; none where a node was written by somebody.

    A node that is a mixture itself shares its weight out among its members; equal members are one.
    """
    found: dict[str, dict[str, object]] = {}
    for node in nodes:
        if node.number not in weights:
            continue
        members = node.proposal.members
        if not members:
            return ()
        whole = sum(float(member.get("weight", 1.0)) for member in members)
        for member in members:
            weight = weights[node.number] * float(member.get("weight", 1.0)) / whole
            plain = {name: member[name] for name in sorted(member) if name != "weight"}
            entry = found.setdefault(repr(plain), {**member, "weight": 0.0})
            entry["weight"] = float(entry["weight"]) + weight  # type: ignore[arg-type]
    rounded = ({**member, "weight": round(float(member["weight"]), 6)} for member in found.values())  # type: ignore[arg-type]
    return tuple(rounded)


class _Voices:
    """Predictions with the answers they are judged by."""

    def __init__(
        self,
        predictions: Mapping[int, Floats],
        answers: npt.NDArray[np.generic],
        metric: Metric,
        seconds: Mapping[int, float],
        limit: float | None,
    ) -> None:
        self.answers, self.metric, self.seconds, self.limit = answers, metric, seconds, limit
        self.said = {node: np.asarray(each, np.float64) for node, each in predictions.items()}
        everything = np.arange(len(answers))
        self.alone = {node: self.worth(each, everything) for node, each in self.said.items()}
        ok = [node for node, worth in self.alone.items() if np.isfinite(worth)]
        self.order = sorted(ok, key=lambda node: (-self.alone[node], self.seconds.get(node, 0.0), node))
        """The nodes that can be scored, the best first."""

    def worth(self, said: Floats, rows: npt.NDArray[np.int64]) -> float:
        """How good predictions are for some rows, more being better; NaN where that cannot be said."""
        found = said[rows]
        if not np.isfinite(found).all():
            return float("nan")
        try:
            return self.metric.sign * score(self.metric, self.answers[rows], found)
        except LoomError:
            return float("nan")

    def grown(self, rows: npt.NDArray[np.int64], rounds: int) -> Counter[int]:
        """How often each node was taken, when those rows decide."""
        alone = {node: self.worth(self.said[node], rows) for node in self.order}
        known = [node for node in self.order if np.isfinite(alone[node])]
        if not known:
            return Counter([self.order[0]])
        first = max(known, key=lambda node: (alone[node], -self.order.index(node)))
        taken, total = [first], self.said[first].copy()
        best, best_at = alone[first], 1
        scale = abs(best) if best else 1.0
        for _ in range(rounds - 1):
            offers = []
            for node in known:
                if node not in taken and not self.has_room(taken, node):
                    continue
                found = self.worth((total + self.said[node]) / (len(taken) + 1), rows)
                handicap = 0.0 if node in taken else _SIGMA * scale
                offers.append((found - handicap, -self.seconds.get(node, 0.0), -node))
            worth, _, node = max(offers)
            taken.append(-node)
            total += self.said[-node]
            if worth > best + 1e-12:
                best, best_at = worth, len(taken)
            elif len(taken) - best_at >= _PATIENCE:
                break
        return Counter(taken[:best_at])

    def has_room(self, taken: Sequence[int], node: int) -> bool:
        """Whether a new node still fits in."""
        inside = set(taken)
        if len(inside) >= _MOST:
            return False
        together = sum(self.seconds.get(each, 0.0) for each in inside) + self.seconds.get(node, 0.0)
        return self.limit is None or together <= self.limit

    def drawn(self, rounds: int) -> tuple[dict[int, float], float]:
        """The shares of nodes, as the mean over draws of the rows; and what that gains on rows left out of the draw."""
        count = len(self.answers)
        draw = np.random.default_rng(0)
        shares: dict[int, float] = defaultdict(float)
        gains = []
        for _ in range(_DRAWS if count < _MANY else _DRAWS // 2):
            order = draw.permutation(count)
            inside = min(int(_INSIDE * count), _MANY)
            rows, apart = np.sort(order[:inside]), np.sort(order[inside : inside + _MANY])
            chosen = self.grown(rows, rounds)
            total = sum(chosen.values())
            for node, times in chosen.items():
                shares[node] += times / total
            single = self.best_on(rows)
            gain = self.worth(mixed(self.said, chosen), apart) - self.worth(self.said[single], apart)
            gains.append(gain)
        known = [gain for gain in gains if np.isfinite(gain)]
        if not known:
            return shares, 0.0
        # they share rows, so that their spread says little; half of it is the benefit of the doubt
        return shares, float(np.mean(known) + 0.5 * np.std(known))

    def best_on(self, rows: npt.NDArray[np.int64]) -> int:
        """The best node, when those rows decide."""
        return max(self.order, key=lambda node: np.nan_to_num(self.worth(self.said[node], rows), nan=-np.inf))

    def kept(self, shares: Mapping[int, float]) -> dict[int, float]:
        """Weights of the largest shares that together take no longer than they may."""
        whole = sum(shares.values())
        taken: list[int] = []
        for node, share in sorted(shares.items(), key=lambda item: (-item[1], self.order.index(item[0]))):
            if share >= _LEAST * whole and (not taken or self.has_room(taken, node)):
                taken.append(node)
        total = sum(shares[node] for node in taken)
        return {node: shares[node] / total for node in taken}
