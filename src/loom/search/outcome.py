"""What a search came to, as plain data: its board, its tree, what failed and why."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from loom.science.search.nodes import Node
from loom.search.endgame import Ending, Finalist
from loom.search.journal import SearchJournal

Ended = Literal["ok", "failed", "interrupted"]

_ENDED: Mapping[str, str] = {
    "error": "it raised an exception, or its process ended badly",
    "deadline": "it was not over in time",
    "memory": "it took more memory than it may",
    "disk": "it wrote more than it may",
    "lost": "what runs candidates ended under it",
    "duplicate": "it is another candidate again",
    "no_score": "its predictions have no score in this metric",
}
"""How a candidate can end without a score, apart from what is wrong with its submission."""


@dataclass(frozen=True, slots=True)
class CandidateFacts:
    """A candidate that is settled: what it is, what it came to, and what it printed."""

    number: int
    ended: Ended
    """Interrupted is one that was still under way when the tree stopped growing."""

    code: str
    summary: Mapping[str, Any]
    stdout: bytes = field(default=b"", repr=False)
    stderr: bytes = field(default=b"", repr=False)

    @property
    def printed(self) -> str:
        """What it printed, for reading."""
        return (self.stdout + self.stderr).decode("utf-8", errors="replace")


def candidate_facts(
    node: Node, metric: str, finalist: Finalist | None, journal: SearchJournal, printed: tuple[bytes, bytes]
) -> CandidateFacts:
    """All that may be told of one candidate."""
    failed = next((trial for trial in node.trials if not trial.is_ok), None)
    proposal = node.proposal
    summary = {
        "node": node.number,
        "family": proposal.family,
        "operator": proposal.operator,
        "parents": list(proposal.parents),
        "note": proposal.note,
        "metric": metric,
        "search": node.score,
        "scores": {str(fold): score for fold, score in sorted(node.scores.items())},
        "seal": finalist.seal.value if finalist else None,
        "ci": _ends(finalist) if finalist else None,
        "seconds": round(node.seconds, 3),
        "code_digest": "sha256:" + hashlib.sha256(proposal.code.encode()).hexdigest(),
        "predictions_digest": _digest(node, journal),
        "why": failed.why if failed else None,
        "error": dict(failed.error) if failed else None,
    }
    ended: Ended = "ok" if node.score is not None else "failed" if failed else "interrupted"
    return CandidateFacts(node.number, ended, proposal.code, summary, *printed)


def figures(
    nodes: Sequence[Node],
    ending: Ending,
    pathspecs: Mapping[int, str],
    *,
    sign: int,
    meanings: Mapping[str, str],
) -> dict[str, Any]:
    """The board, the tree, the champion, suspects and failures."""
    finalists = {finalist.node.number: finalist for finalist in ending.finalists}
    champion = ending.champion
    board = [
        _row(rank, node, finalists.get(node.number), champion, pathspecs)
        for rank, node in enumerate(_ranked(nodes, sign), 1)
    ]
    failures = Counter(
        next(each.why for each in node.trials if not each.is_ok) for node in nodes if node.failed
    )
    oddities = sorted({trial.why for node in nodes for trial in node.trials if trial.is_ok and trial.why})
    said = {**_ENDED, **meanings}
    return {
        "best": _best(champion, pathspecs) if champion else None,
        "leaderboard": board,
        "nodes": [_node(node, champion) for node in nodes],
        "candidates": len(nodes),
        "suspects": [_suspect(each, pathspecs) for each in ending.finalists if each.doubt],
        "failures": dict(failures.most_common()),
        "oddities": {
            why: [
                node.number for node in nodes if any(each.is_ok and each.why == why for each in node.trials)
            ]
            for why in oddities
        },
        "meanings": {why: said.get(why, "") for why in (*failures, *oddities)},
        "checks": dict(ending.checks.get(str(champion.node.number), {})) if champion else {},
        "final": dict(ending.final),
    }


def _ranked(nodes: Iterable[Node], sign: int) -> list[Node]:
    """The nodes that came to a score: those tried on more folds first, the better first."""
    scored = [node for node in nodes if node.score is not None]
    return sorted(scored, key=lambda node: (-len(node.scores), -sign * (node.score or 0.0), node.number))


def _row(
    rank: int,
    node: Node,
    finalist: Finalist | None,
    champion: Finalist | None,
    pathspecs: Mapping[int, str],
) -> dict[str, Any]:
    return {
        "rank": rank,
        "node": node.number,
        "pathspec": pathspecs.get(node.number),
        "family": node.proposal.family,
        "operator": node.proposal.operator,
        "search": node.score,
        "folds": len(node.scores),
        "search_ci": [finalist.search.low, finalist.search.high] if finalist else None,
        "seal": finalist.seal.value if finalist else None,
        "ci": _ends(finalist) if finalist else None,
        "gap": _gap(finalist) if finalist else None,
        "seconds": round(node.seconds, 3),
        "note": node.proposal.note,
        "suspect": bool(finalist and finalist.doubt),
        "champion": champion is not None and champion.node.number == node.number,
    }


def _best(champion: Finalist, pathspecs: Mapping[int, str]) -> dict[str, Any]:
    node = champion.node
    return {
        "pathspec": pathspecs.get(node.number),
        "node": node.number,
        "family": node.proposal.family,
        "operator": node.proposal.operator,
        "search": node.score,
        "seal": champion.seal.value,
        "ci": _ends(champion),
        "se": champion.seal.se,
        "sealed_rows": champion.seal.n,
        "members": [_member(each) for each in node.proposal.members],
    }


def _member(member: Mapping[str, Any]) -> dict[str, Any]:
    return {"family": member["family"], "weight": round(float(member.get("weight", 1.0)), 4)}


def _node(node: Node, champion: Finalist | None) -> dict[str, Any]:
    proposal = node.proposal
    failed = next((trial.why for trial in node.trials if not trial.is_ok), None)
    return {
        "node": node.number,
        "parents": list(proposal.parents),
        "operator": proposal.operator,
        "family": proposal.family,
        "note": proposal.note,
        "score": node.score,
        "first": node.scores.get(0),
        "folds": len(node.scores),
        "why": failed,
        "champion": champion is not None and champion.node.number == node.number,
    }


def _suspect(finalist: Finalist, pathspecs: Mapping[int, str]) -> dict[str, Any]:
    node = finalist.node
    return {
        "pathspec": pathspecs.get(node.number),
        "node": node.number,
        "family": node.proposal.family,
        "search": node.score,
        "seal": finalist.seal.value,
        "why": finalist.doubt,
    }


def _ends(finalist: Finalist) -> list[float | None]:
    return [finalist.seal.low, finalist.seal.high]


def _gap(finalist: Finalist) -> float | None:
    search, seal = finalist.node.score, finalist.seal.value
    return None if search is None or seal is None else search - seal


def _digest(node: Node, journal: SearchJournal) -> str | None:
    """What the node predicted, as one digest; none where it predicted nothing."""
    folds = sorted(node.scores)
    if not folds:
        return None
    whole = hashlib.sha256()
    for fold in folds:
        for name, values in sorted(journal.said(node.number, fold).items()):
            whole.update(f"{fold}:{name}:{values.shape}".encode() + values.tobytes())
    return f"sha256:{whole.hexdigest()}"
