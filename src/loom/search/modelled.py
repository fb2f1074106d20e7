"""Has a language model write the candidates: which kind of step comes next is a rule, what the step is made of is asked.

The rules look at the tree alone, so that the same answers make the same tree. Whatever a model says becomes a
candidate: what is no code fails as one, and what is harmful is refused and shut in like any other.
"""

from __future__ import annotations

import math
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from loom.core.model import Finished, Model, ModelError, ModelRequest, TextDelta, Usage, says
from loom.kernel.diagnostic_formats import clean
from loom.science.search.lint import LONGEST
from loom.science.search.nodes import GROWTH, Node, Proposal, Step, Try, View
from loom.science.search.order import Order
from loom.search.growing import growth_ends
from loom.search.prompt import Limits, Wish, failed_trial, instructions, question

DRAFTS, DEBUGS, IMPROVES = 3, 3, 3
"""Drafts at first; debugs of one idea at most; improvements of one candidate at most."""

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "family": {"type": "string", "description": "The kind of model, in one or two words."},
        "note": {"type": "string", "description": "What is tried, in at most ten words."},
        "code": {"type": "string", "description": "The whole of solution.py."},
    },
    "required": ["family", "note", "code"],
    "additionalProperties": False,
}

_FAMILIES = (
    "gradient boosting with LightGBM",
    "a regularised linear model on features made for it",
    "extremely randomised trees or a random forest",
    "a small neural network",
    "nearest neighbours or kernels on scaled features",
)
_MERGE_EVERY = 4
_SILENT = 5
_SILENCE = "the model gave no code"
_TOKENS = 16_000
_LONGEST_S, _SHORTEST_S = 180.0, 3.0
_TRIAL, _LEAST_TRIAL_S = 0.35, 2.0
_USUAL_STEPS = 10
_WAITS_S = (1.0, 4.0)
_FAMILY, _NOTE = 40, 120
_WORDS = re.compile(r"[^a-z0-9]+")
_PASSING = ("rate_limit", "overloaded", "transport", "truncated")
_NOT_ITS_FAULT = ("duplicate", "lost")


@dataclass(frozen=True, slots=True)
class Written:
    """A script and what its author says of it."""

    family: str
    note: str
    code: str


@dataclass
class ModelProposer:
    """Proposes what a model writes, and counts the tokens that it took."""

    model: Model
    order: Order
    seconds_left: Callable[[], float]
    rest: Callable[[float], None] = time.sleep
    usage: Usage = field(default_factory=Usage)

    def next(self, view: View) -> Step | None:
        """The next candidate; none where there is no time to write and try one, or the model has fallen silent."""
        if self._is_over(view):
            return None
        wish = choose(view)
        request = ModelRequest(
            messages=(says(question(view, wish, self._limits(view))),),
            system=instructions(),
            output_schema=SCHEMA,
            max_tokens=_TOKENS,
        )
        found = self._written(request, lambda: self._room(view))
        parents = tuple(node.number for node in wish.subjects)
        proposal = Proposal(wish.operator, found.family, found.code, parents, (), found.note)
        return Try(proposal, tuple(range(view.challenge.folds)))

    def _is_over(self, view: View) -> bool:
        steps = self.order.steps
        if steps is not None and len(view.nodes) >= steps:
            return True
        last = view.nodes[-_SILENT:]
        silent = len(last) == _SILENT and all(not node.proposal.code for node in last)
        return silent or self._room(view) < _SHORTEST_S

    def _room(self, view: View) -> float:
        """The seconds in which an answer must be there, so that it can still be tried once."""
        left = self.seconds_left()
        if self.order.steps is None:
            # a search that goes on has used up more than this process knows
            left = min(left, (1 - view.progress) * self.order.seconds)
        times = [node.seconds for node in view.nodes if node.trials]
        usual = statistics.median(times) if times else 0.0
        # the best are fitted once more in the end; where they are slow, trees stop growing earlier
        slowest = max((node.seconds for node in view.complete[:3]), default=0.0)
        kept = self.order.seconds - growth_ends(self.order.seconds, slowest)
        return left - kept - usual

    def _limits(self, view: View) -> Limits:
        """What a trial may take; of the order alone, for what is asked must not depend on the speed of a machine."""
        most = max(_LEAST_TRIAL_S, _TRIAL * self.order.seconds)
        trials = (self.order.steps or _USUAL_STEPS) * view.challenge.folds
        return Limits(most, min(most, max(_LEAST_TRIAL_S, GROWTH * self.order.seconds / trials)))

    def _written(self, request: ModelRequest, room: Callable[[], float]) -> Written:
        """What the model wrote; an empty script and the reason where nothing comes in time.

        A LoomError where asking again is of no use: nobody is let in, or there is no such model.
        """
        waits = iter(_WAITS_S)
        while True:
            try:
                return self._answer(replace(request, seconds=max(0.1, min(_LONGEST_S, room()))))
            except ModelError as error:
                if error.kind == "auth" or (error.kind == "invalid" and not error.retryable):
                    raise
                pause = max(next(waits, math.inf), error.retry_after or 0.0)
                passes = error.retryable and error.kind in _PASSING
                if not passes or pause > room() - _SHORTEST_S:
                    return _nothing(error.kind.replace("_", " "))
            self.rest(pause)

    def _answer(self, request: ModelRequest) -> Written:
        texts: list[str] = []
        try:
            for event in self.model.complete(request):
                match event:
                    case TextDelta():
                        texts.append(event.text)
                    case Usage():
                        self.usage += event
                    case Finished():
                        return read_answer(event.data, event.text)
        except ModelError as error:
            # some models do not keep to a schema, and still write code
            found = read_answer(None, "".join(texts))
            if error.kind != "invalid" or not error.retryable or not found.code:
                raise
            return found
        return _nothing("truncated")


def modelled(model: Model, order: Order, seconds_left: Callable[[], float]) -> ModelProposer:
    """A proposer that asks a model, within what is left of the order's time."""
    return ModelProposer(model, order, seconds_left)


def choose(view: View) -> Wish:
    """What comes next: some drafts, then what is broken, then what is best, and now and then two of them as one."""
    drafts = sum(node.proposal.operator == "draft" for node in view.nodes)
    draft = Wish("draft", family=_FAMILIES[drafts % len(_FAMILIES)])
    if drafts < DRAFTS:
        return draft
    if broken := _broken(view.nodes):
        return Wish("debug", (broken,))
    grown = sum(node.proposal.operator in ("improve", "merge") for node in view.nodes)
    if grown % _MERGE_EVERY == _MERGE_EVERY - 1 and (pair := _pair(view)):
        return Wish("merge", pair)
    for node in view.complete[:DRAFTS]:
        made = sum(
            each.proposal.operator == "improve" and node.number in each.proposal.parents
            for each in view.nodes
        )
        if made < IMPROVES:
            return Wish("improve", (node,))
    return draft


def _broken(nodes: Sequence[Node]) -> Node | None:
    """The latest candidate that failed and may be mended: what it comes from was not mended too often already."""
    branches: dict[int, list[Node]] = {}
    roots: dict[int, int] = {}
    for node in nodes:
        proposal = node.proposal
        mends = proposal.operator == "debug" and proposal.parents
        roots[node.number] = root = roots.get(proposal.parents[0], node.number) if mends else node.number
        branches.setdefault(root, []).append(node)
    for branch in reversed(branches.values()):
        if branch[-1].failed and len(branch) <= DEBUGS:
            mendable = [node for node in branch if node.proposal.code and _why(node) not in _NOT_ITS_FAULT]
            if mendable:
                return mendable[-1]
    return None


def _why(node: Node) -> str:
    failed = failed_trial(node)
    return failed.why if failed else ""


def _pair(view: View) -> tuple[Node, Node] | None:
    """The best candidate and the best of another family, where they are not one already."""
    if len(view.complete) < 2:
        return None
    best, *others = view.complete
    other = next((node for node in others if node.proposal.family != best.proposal.family), others[0])
    numbers = {best.number, other.number}
    done = any(
        node.proposal.operator == "merge" and set(node.proposal.parents) == numbers for node in view.nodes
    )
    return None if done else (best, other)


def read_answer(data: object, text: str) -> Written:
    """Family, note and code of an answer that nobody has checked; code in a fence will do."""
    fields = data if isinstance(data, Mapping) else {}
    said = {name: str(fields.get(name) or "") for name in ("family", "note", "code")}
    code = said["code"] if fields else fenced(text)
    if code.lstrip().startswith("```"):
        code = fenced(code) or code
    code = code.replace("\r\n", "\n").encode("utf-8", "replace").decode("utf-8")
    if not code.strip():
        return _nothing("invalid")
    if len(code.encode("utf-8")) > LONGEST:
        return _nothing("it is too long")
    family = _WORDS.sub("_", said["family"][:1_000].casefold())[:_FAMILY].strip("_")
    note = clean(" ".join(said["note"][:1_000].split())[:_NOTE])
    return Written(family or "model", note, code)


def fenced(text: str) -> str:
    """The longest block of code in a text; empty where there is none that is closed."""
    blocks: list[list[str]] = [[]]
    is_open = False
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("```"):
            closes = is_open and not line.strip("` \t")
            if closes or not is_open:
                blocks.append([])
                is_open = not closes
                continue
        if is_open:
            blocks[-1].append(line)
    if is_open:
        blocks.pop()
    longest = max(blocks, key=lambda block: sum(map(len, block)), default=[])
    return "".join(f"{line}\n" for line in longest)


def _nothing(why: str) -> Written:
    return Written("model", f"{_SILENCE} ({why})", "")
