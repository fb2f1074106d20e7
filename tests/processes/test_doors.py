"""Tools are doors: short, documented, and without a way into what runs them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = sorted((ROOT / "processes" / "builtin").glob("*/tools/*.py"))
ALLOWED = (
    *(
        "loom.tools.registry",
        "loom.tools.card",
        "loom.tools.naming",
        "loom.tools.stages",
        "loom.tools.subject",
        "loom.dataio",
        "loom.science",
        "loom.sandbox",
    ),
    *(
        "loom.core.column_names",
        "loom.core.commands",
        "loom.core.durations",
        "loom.core.index",
        "loom.kernel",
    ),
)
LONGEST = 120
# it looks at Loom itself
INSIDERS = ("doctor",)


def name_of(path: Path) -> str:
    return f"{path.parts[-3]}/{path.stem}"


@pytest.mark.parametrize("path", TOOLS, ids=name_of)
def test_a_tool_is_a_thin_door(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert ast.get_docstring(tree)
    assert path.stem.startswith("_") or path.stem.startswith(path.parts[-3].replace("-", "_") + "_")
    if not path.stem.startswith("_") and path.parts[-3] not in INSIDERS:
        assert len(source.splitlines()) <= LONGEST
    for node in ast.walk(tree):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for module in (name for name in names if name.startswith("loom")):
            assert module == "loom" or module.startswith(ALLOWED) or path.parts[-3] in INSIDERS, (
                f"{path.name} imports {module}"
            )
