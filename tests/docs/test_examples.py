"""What the pages show is what happens: every example of README.md and of the guide is executed."""

from __future__ import annotations

import importlib.util
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from loom.kernel.diagnostics import Diagnostic
from loom.process.lint import RULES
from loom.process.loader import ProcessLoader
from loom.process.plan import plan
from loom.process.spec import process as root_models
from loom.process.spec.model import SpecModel
from loom.render.graph import draw
from tests.docs.examples import PAGES, ROOT, Block, blocks_of, commands_of, shell_in
from tests.process.lint.example import check_of

GUIDE = ROOT / "docs" / "creating-packages.md"
BLOCKS = [block for page in PAGES for block in blocks_of(page)]
FRAGMENTS = [block for block in BLOCKS if block.language == "yaml" and block.file is None]
KNOWN = {"yaml", "console", "python", "text", "yml", "toml", "sh", "mermaid"}


def _found(block: Block) -> tuple[Diagnostic, ...]:
    return check_of(block.text).report.diagnostics


@pytest.mark.parametrize("block", FRAGMENTS, ids=lambda block: block.place)
def test_each_fragment_is_accepted_or_refused_as_the_page_says(block: Block) -> None:
    found = _found(block)
    match block.words:
        case ():
            wrong = [f"{d.code} {d.message}: {d.detail}" for d in found if d.severity == "error"]
            assert not wrong, block.place
        case ("refused", code):
            assert code in {d.code for d in found}, f"{block.place}: found {found}"
        case _:
            pytest.fail(f"{block.place}: unknown words after `yaml`: {block.words}")


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_prints_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    shell = shell_in(tmp_path.resolve())
    # later blocks see what earlier ones define
    namespace: dict[str, Any] = {"__name__": "example"}
    for block in blocks_of(page):
        if block.file is not None:
            shell.write(block)
        elif block.language == "console":
            for command, shown in commands_of(block):
                printed = shell.type(command)
                hint = "refresh with: python -m tests.docs.examples"
                assert printed == shown, f"{block.place}: {command}; {hint}"
        elif block.language == "python":
            with shell.inside():
                exec(compile(block.text, block.place, "exec"), namespace)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stands in for `loom.tools.registry` where the tools are not part of the release."""
    if importlib.util.find_spec("loom.tools") is not None:
        yield
        return
    package, module = types.ModuleType("loom.tools"), types.ModuleType("loom.tools.registry")
    for name in ("Tool", "ToolContext", "ToolResult"):
        setattr(module, name, type(name, (), {}))
    monkeypatch.setitem(sys.modules, "loom.tools", package)
    monkeypatch.setitem(sys.modules, "loom.tools.registry", module)
    yield


def test_each_block_has_a_language_that_is_executed_or_known_to_be_shown_only() -> None:
    assert {block.language for block in BLOCKS} <= KNOWN


def test_each_root_key_has_a_heading_that_serves_as_its_anchor() -> None:
    headings = re.findall(r"^#{2,4} (.+)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    missing = {name for name in root_models.ProcessSpec.model_fields if name.replace("_", "-") not in anchors}
    assert not missing


def _models(model: type[BaseModel], seen: dict[type[BaseModel], None]) -> None:
    pending: list[Any] = [model]
    while pending:
        node = pending.pop()
        if isinstance(node, type) and issubclass(node, SpecModel) and node not in seen:
            seen[node] = None
            pending += [info.annotation for info in node.model_fields.values()]
        pending += getattr(node, "__args__", ())


def test_the_guide_mentions_each_key_of_the_declaration() -> None:
    seen: dict[type[BaseModel], None] = {}
    _models(root_models.ProcessSpec, seen)
    text = GUIDE.read_text(encoding="utf-8")
    keys = {info.alias or name for model in seen for name, info in model.model_fields.items()}
    missing = sorted(key for key in keys if not re.search(rf"\b{re.escape(key)}\b", text))
    assert not missing


def test_each_code_the_guide_names_is_a_rule() -> None:
    named = set(re.findall(r"\bLM\d{3}\b", GUIDE.read_text(encoding="utf-8")))
    assert named <= set(RULES)


def test_each_link_inside_the_guide_leads_somewhere() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    headings = re.findall(r"^#{1,4} (.+)$", text, re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


@pytest.mark.parametrize(
    "page", sorted({*PAGES, *ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")}), ids=lambda p: p.name
)
def test_each_link_to_a_file_finds_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = {
        target.split("#")[0] for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in target
    }
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing


def test_the_picture_in_the_readme_is_the_one_loom_draws() -> None:
    drawn = draw(plan(ProcessLoader(ROOT).load("ds-lifecycle").package), "svg").rstrip("\n") + "\n"
    hint = "refresh with: loom process graph ds-lifecycle --format svg --out docs/ds-lifecycle.svg"
    assert (ROOT / "docs" / "ds-lifecycle.svg").read_text(encoding="utf-8") == drawn, hint
