"""What a model is told before it writes a candidate: shapes, scores and code, bounded in size, and no cell of the data.

Texts that other people wrote stand in fences that they cannot leave: as JSON in which no sign of a fence is left, and
in which what cannot be seen is spelled out.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from loom.kernel.redact import redact
from loom.science.search.nodes import Challenge, Node, Operator, Trial, View
from loom.science.search.suspicion import words_for

MOST_BYTES = 60_000
"""Of everything that is said in one request."""

_GOAL, _ABOUT, _FACTS, _NAMES, _TREE = 4_000, 4_000, 16_000, 6_000, 8_000
_LINE = 200
_OTHERS = 2
_LIBRARIES = ("pandas", "numpy", "scipy", "scikit-learn", "lightgbm", "catboost", "pyarrow")
_CODE = re.compile(r"[a-z_]{1,40}\Z")
_TICKS = re.compile(r"`{3,}")
_WHY = {
    "error": "it raised, or ended with an error",
    "deadline": "it was ended because it took too long",
    "memory": "it took too much memory",
    "disk": "it wrote too much",
    "lost": "it was under way when the machine stopped",
    "duplicate": "it does the same as an earlier candidate",
    "no_score": "its predictions have no score in this metric",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted next: an operator, the nodes that it begins with, and for a draft the family that is missing."""

    operator: Operator
    subjects: tuple[Node, ...] = ()
    family: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """The seconds that a trial may take, and those that it should."""

    most: float
    aim: float


@cache
def instructions() -> str:
    """What holds for every candidate of every search on this machine."""
    return _rendered("system", libraries=", ".join(_installed()))


def question(view: View, wish: Wish, limits: Limits) -> str:
    """What is known of the problem and of the candidates so far, and what is to be written now."""
    challenge = view.challenge
    problem, left_out = _problem(challenge)
    tree, tree_cut = _tree(view.nodes)
    said: dict[str, Any] = {
        "problem": problem,
        "left_out": left_out,
        "metric": challenge.metric.name,
        "what": challenge.metric.what,
        "direction": challenge.metric.direction,
        "rows": challenge.rows,
        "folds": "one fold" if challenge.folds == 1 else f"{challenge.folds} folds",
        "time_said": _time_said(challenge),
        "limit": f"{limits.most:.3g}",
        "aim": f"{limits.aim:.3g}",
        "tree": tree,
        "tree_cut": tree_cut,
        "operator": wish.operator,
        "family": wish.family[:1].upper() + wish.family[1:],
        "subjects": [node.number for node in wish.subjects],
        "failure": _failure(wish.subjects[0]) if wish.operator == "debug" else "",
        "codes": (),
        "unseen": 0,
    }
    # some room is kept for what is said around each script
    room = MOST_BYTES - _size(instructions()) - _size(_rendered("ask", **said)) - 200 * (_OTHERS + 3)
    codes = _codes(view, wish, room)
    written = sum(1 for node in view.nodes if node.proposal.code)
    return _rendered("ask", **(said | {"codes": codes, "unseen": written - len(codes)}))


def shown(value: Any) -> str:
    """Plain data as one line of JSON that can neither end a fence nor hide anything."""
    written = json.dumps(value, ensure_ascii=False)
    if written.isprintable() and not any(sign in written for sign in "<>`"):
        return written
    return "".join(sign if sign.isprintable() and sign not in "<>`" else _spelled(sign) for sign in written)


def _spelled(sign: str) -> str:
    return json.dumps(sign)[1:-1] if not sign.isascii() else f"\\u{ord(sign):04x}"


def _problem(challenge: Challenge) -> tuple[str, list[str]]:
    """The goal and the columns as lines of JSON, and in words what there was no room for."""
    left_out = []
    asked = redact(challenge.goal[: 2 * _GOAL])
    goal = _within(asked, _GOAL)
    if len(goal) < len(asked):
        left_out.append("The goal is longer; its end is left out.")
    about = {name: value for name, value in challenge.brief.items() if name not in ("columns", "not_shown")}
    head: dict[str, Any] = {"goal": goal, "task": challenge.task}
    if challenge.classes:
        head["classes"] = challenge.classes
    lines = [shown(head), *_fitting([shown({name: value}) for name, value in about.items()], _ABOUT)]
    if len(lines) <= len(about):
        left_out.append("Some of what is known of the table is left out.")
    told = challenge.brief.get("columns", {})
    told = told if isinstance(told, Mapping) else {}
    facts = {name: shown({"column": name, **told[name]}) for name in challenge.columns if name in told}
    kept = set(_fitting(facts.values(), _FACTS))
    lines += [line for line in facts.values() if line in kept]
    rest = {name: shown(name) for name in challenge.columns if facts.get(name) not in kept}
    named = set(_fitting(rest.values(), _NAMES))
    for kind in dict.fromkeys(challenge.columns[name] for name in rest):
        names = [
            name for name, written in rest.items() if challenge.columns[name] == kind and written in named
        ]
        lines += [shown({"kind": kind, "columns": names})] if names else []
    if missing := sum(written not in named for written in rest.values()):
        left_out.append(f"{missing:,} more columns are not shown, those with the longest names among them.")
    return "\n".join(lines), left_out


def _time_said(challenge: Challenge) -> str:
    if challenge.time:
        return "Rows have an order in time: candidates learn from earlier ones and predict later ones."
    if challenge.group:
        return "Rows belong to groups: candidates predict groups that they have not seen."
    return "Rows are in no order."


def _tree(nodes: Sequence[Node]) -> tuple[str, bool]:
    """A line on every candidate, the oldest first; where there are too many, the oldest are left out."""
    lines: list[str] = []
    size = 0
    for node in reversed(nodes):
        line = shown(_line(node))
        size += _size(line) + 1
        if size > _TREE:
            break
        lines.insert(0, line)
    return "\n".join(lines), len(lines) < len(nodes)


def _line(node: Node) -> dict[str, Any]:
    proposal = node.proposal
    line: dict[str, Any] = {"candidate": node.number, "made_by": proposal.operator}
    if proposal.parents:
        line["from"] = list(proposal.parents)
    line |= {"family": proposal.family[:_LINE], "note": proposal.note[:_LINE]}
    failed = failed_trial(node)
    if failed is not None:
        line["failed"] = {"fold": failed.fold, "why": _code(failed), **_place(failed)}
        if text := _text_at(proposal.code, failed.error.get("line")):
            line["failed"]["text"] = text
    elif node.score is not None:
        line["score"] = _rounded(node.score)
        if len(node.scores) > 1:
            line["by_fold"] = [_rounded(node.scores[fold]) for fold in sorted(node.scores)]
    else:
        line["under_way"] = True
    return line


def failed_trial(node: Node) -> Trial | None:
    """The trial that a node failed in."""
    return next((trial for trial in node.trials if not trial.is_ok), None)


def _place(trial: Trial) -> dict[str, Any]:
    """Where and as what it raised; never what it said."""
    names = ("type", "line", "function")
    return {name: trial.error[name] for name in names if trial.error.get(name) is not None}


def _failure(node: Node) -> str:
    failed = failed_trial(node)
    if failed is None:
        return ""
    code = _code(failed)
    told = f"It failed on fold {failed.fold}: {_WHY.get(code) or words_for(code)}"
    where = _place(failed)
    if "type" in where:
        told += f" ({where['type']})"
    if "line" in where:
        told += f", line {where['line']}" + (f" in `{where['function']}`" if "function" in where else "")
    return f"{told}."


def _code(trial: Trial) -> str:
    return trial.why if _CODE.match(trial.why) else "error"


def _text_at(code: str, number: object) -> str:
    """A line of a script."""
    lines = code.split("\n")
    return lines[number - 1].strip()[:_LINE] if type(number) is int and 0 < number <= len(lines) else ""


def _rounded(score: float) -> float:
    return float(f"{score:.6g}")


def _codes(view: View, wish: Wish, room: int) -> list[tuple[int, str, str]]:
    """The scripts that the next one begins with, then the best others as far as there is room; each in a fence."""
    found = []
    share = room // max(len(wish.subjects), 1)
    for node in wish.subjects:
        cut = _shortened(node.proposal.code, share)
        found.append((node.number, _fenced(cut), "" if cut == node.proposal.code else ", without its middle"))
        room -= _size(found[-1][1])
    chosen = {node.number for node in wish.subjects}
    others = [] if wish.operator == "debug" else [node for node in view.complete if node.number not in chosen]
    for node in others[:_OTHERS]:
        block = _fenced(node.proposal.code)
        if _size(block) <= room:
            found.append((node.number, block, ""))
            room -= _size(block)
    return found


def _shortened(code: str, room: int) -> str:
    """Its first and its last lines, where it is too long."""
    if _size(code) + 20 <= room:
        return code
    half = max(room - 100, 0) // 2
    raw = code.encode("utf-8", "replace")
    head = raw[:half].decode("utf-8", "ignore").rpartition("\n")[0]
    tail = raw[len(raw) - half :].decode("utf-8", "ignore").partition("\n")[2]
    return f"{head}\n# [... {len(raw) - _size(head) - _size(tail):,} bytes are left out here ...]\n{tail}"


def _fenced(code: str) -> str:
    """The code in a fence that it cannot end: rows of ticks that are as long as the fence are cut short."""
    return f"````python\n{_TICKS.sub('```', code).rstrip()}\n````"


def _fitting(lines: Iterable[str], room: int) -> list[str]:
    """The lines without the longest ones, as far as they have to go; of equal ones the last go first."""
    listed = list(lines)
    left = sum(_size(line) + 1 for line in listed) - room
    dropped = set()
    for at in sorted(range(len(listed)), key=lambda at: (-_size(listed[at]), -at)):
        if left <= 0:
            break
        dropped.add(at)
        left -= _size(listed[at]) + 1
    return [line for at, line in enumerate(listed) if at not in dropped]


def _within(text: str, room: int) -> str:
    text = text[:room]
    while _size(shown(text)) > room:
        text = text[: len(text) * 3 // 4]
    return text


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _installed() -> Iterable[str]:
    for name in _LIBRARIES:
        try:
            yield f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            continue


def _rendered(template: str, **said: Any) -> str:
    written: str = _environment().get_template(f"{template}.j2").render(said)
    return written


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("loom.search", "prompts"),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
