"""Whatever happens to a sound declaration, checking it ends in findings at real places.

The gate looks at 5,000 broken declarations, `LOOM_SOAK=1` at 100,000.
"""

from __future__ import annotations

import copy
import os
import random
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loom.kernel.diagnostics import KeyPath
from loom.kernel.document import walk
from loom.process.edits import applicable, apply_edits
from loom.process.plan import plan
from loom.process.resolve import ResolvedProcess
from tests.emitter import emit
from tests.process.checking import (
    assert_renders,
    assert_spans_inside,
    check,
    child_of,
    document_of,
    errors_in,
    parts,
)

CASES = 100_000 if os.environ.get("LOOM_SOAK") else 5_000
STEPS = 5
EXAMPLES = CASES // STEPS // 2

FRAGMENTS = (
    *(
        "\t",
        "  ",
        "\n",
        "\r",
        "\r\n",
        ": ",
        "- ",
        "? ",
        ", ",
        "{",
        "}",
        "[",
        "]",
        "'",
        '"',
        "|\n",
        ">\n",
        "#",
    ),
    *(
        "&a ",
        "*a",
        "!t ",
        "!!str ",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "<<: ",
        "~",
        "null",
        "true",
        "yes",
        "0x1F",
    ),
    *("1.10", ".inf", "1e999", "\ufeff", "\u2028", "\x00", "\x1b[31m", "é", "😀", "${inputs.x}", "${", "x-"),
    *("phases:\n", "  - {id: a}\n", "id: a\n", "type: regex\n", "depends_on: [a]\n", "(a+)+$", "[a-"),
)
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        2,
        1.5,
        10**12,
        "",
        " ",
        "a",
        "yes",
        "12",
        "é",
        "work",
        "${item}",
        "${phases.a.data}",
    ),
    *(
        [],
        {},
        [None],
        [[]],
        ["a", "a"],
        {"id": "a"},
        {"type": "regex"},
        {"x-a": 1},
        {"enabled": "false"},
        "a\nb\n",
    ),
)
KEYS = ("x-a", "id", "type", "name", "phases", "enabled", "depnds_on", "é", "1", "", "schema_version")
SETTINGS = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@cache
def seeds() -> tuple[str, ...]:
    """Small sound texts: one for every root key."""
    return tuple(dict.fromkeys(parts().values()))


@cache
def trees() -> tuple[Any, ...]:
    """The same as data."""
    return tuple(document_of(text).data for text in seeds())


def judge(text: str) -> bool:
    """One case: no exception, and every place is in the text. Returns whether a package could be read."""
    checked = check(text)
    assert_spans_inside(checked.report)
    if checked.package is None:
        assert checked.report.errors
        return False
    resolved = ResolvedProcess(checked.package)
    for index in range(len(resolved.phases)):
        resolved.policy_of(index)
    if not checked.package.graph.cyclic:
        assert len(plan(checked.package).steps) == len(checked.package.phases)
    return True


def judge_closely(text: str) -> None:
    """The last case of a row: shown in every form, the same again, and repaired without harm."""
    report = check(text).report
    assert_renders(report)
    assert check(text).report == report
    repaired = check(apply_edits(report.source.text, applicable(report.diagnostics)))
    assert_spans_inside(repaired.report)


def break_text(text: str, kind: int, where: int, what: int) -> str:
    """Change a text in one of the ways in which editors and people do."""
    lines = text.split("\n")
    at, other, cut = where % len(lines), what % len(lines), where % (len(text) + 1)
    fragment = FRAGMENTS[what % len(FRAGMENTS)]
    match kind:
        case 0:
            del lines[at]
        case 1:
            lines.insert(other, lines[at])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at] = " " * (1 + what % 3) + lines[at]
        case 4:
            lines[at] = lines[at].removeprefix(" " * (1 + what % 3))
        case 5:
            return text[:cut]
        case 6:
            return text[:cut] + fragment + text[cut:]
        case 7:
            return text[:cut] + text[cut + 1 + what % 9 :]
        case 8:
            return text.replace("\n", ("\r\n", "\r")[what % 2])
        case _:
            lines[at] = lines[at].split(":")[0] + ": " + fragment
    return "\n".join(lines)


def break_data(data: Any, kind: int, where: int, what: int) -> Any:
    """Change a declaration in one of the ways in which programs that write YAML do."""
    data = copy.deepcopy(data)
    paths: list[KeyPath] = [path for path, _ in walk(data) if path]
    if not paths:
        return VALUES[what % len(VALUES)]
    path = paths[where % len(paths)]
    parent, last = child_of(data, path[:-1]), path[-1]
    match kind:
        case 0:
            del parent[last]
        case 1:
            parent[last] = copy.deepcopy(VALUES[what % len(VALUES)])
        case 2:
            parent[last] = copy.deepcopy(child_of(data, paths[what % len(paths)]))
        case 3:
            parent[last] = [parent[last]]
        case 4:
            parent[last] = {KEYS[what % len(KEYS)]: parent[last]}
        case 5 if isinstance(parent, list):
            parent.insert(what % (len(parent) + 1), copy.deepcopy(parent[last]))
        case 6 if isinstance(parent, dict):
            parent[KEYS[what % len(KEYS)]] = parent.pop(last)
        case 7 if isinstance(parent, dict):
            # a letter more or less
            name = str(last)
            parent[name[: what % (len(name) + 1)] + name[what % (len(name) + 1) + 1 :]] = parent.pop(last)
        case _:
            parent[last] = str(parent[last])
    return data


Change = st.tuples(st.integers(0, 9), st.integers(0, 10_000), st.integers(0, 10_000))
Changes = st.lists(Change, min_size=STEPS, max_size=STEPS)


def test_no_broken_text_is_worse_than_findings() -> None:
    judged = 0

    @SETTINGS
    @given(st.integers(0, len(seeds()) - 1), Changes)
    def fuzz(seed: int, changes: list[tuple[int, int, int]]) -> None:
        nonlocal judged
        sound = text = seeds()[seed]
        for change in changes:
            text = break_text(sound, *change)
            # what cannot be read hides whatever is done to it later
            sound = text if judge(text) else sound
            judged += 1
        judge_closely(text)

    fuzz()
    assert judged >= CASES // 2


def test_no_broken_data_is_worse_than_findings() -> None:
    judged = 0

    @SETTINGS
    @given(st.integers(0, len(seeds()) - 1), Changes, st.integers(0, 2**32))
    def fuzz(seed: int, changes: list[tuple[int, int, int]], spelling: int) -> None:
        nonlocal judged
        data = trees()[seed]
        choose = random.Random(spelling).randrange
        text = ""
        for change in changes:
            data = break_data(data, *change)
            text = emit(data, choose)
            judge(text)
            judged += 1
        judge_closely(text)

    fuzz()
    assert judged >= CASES // 2


def test_the_seeds_of_the_fuzz_are_read_without_complaint() -> None:
    assert len(seeds()) >= 18
    for text, data in zip(seeds(), trees(), strict=True):
        assert not errors_in(text)
        assert document_of(emit(data)).data == data
