"""docs/must-hold.md maps every promise to the tests that guard it; this keeps the map true."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
INDEX = ROOT / "docs" / "must-hold.md"
GUARD = re.compile(r"`(?P<file>(?:tests|benchmarks)/[\w/]+\.py)(?:::(?P<name>\w+))?`")


def _promises() -> list[str]:
    text = INDEX.read_text(encoding="utf-8")
    return [
        row for row in text.splitlines() if row.startswith("|") and not row.startswith(("|---", "| promise"))
    ]


def _functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_promise_names_a_test_that_exists() -> None:
    rows = _promises()
    assert len(rows) >= 20
    for row in rows:
        guards = list(GUARD.finditer(row))
        assert guards, f"no guard: {row}"
        for guard in guards:
            file = ROOT / guard["file"]
            assert file.exists(), f"{guard['file']} does not exist: {row}"
            if guard["name"]:
                assert guard["name"] in _functions(file), f"{guard[0]} does not exist: {row}"
