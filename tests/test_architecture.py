"""The tree is the architecture: these tests keep it readable."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from loom.process.spec.process import ProcessSpec

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "loom"
MODULES = sorted(p for p in SOURCE.rglob("*.py") if "templates" not in p.parts)
BAD_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
# may catch anything: the last line of defence of the command line, the place where foreign code is called,
# and the warm launcher's end of a program, which an interpreter would write otherwise
BROAD_EXCEPT = {
    "cli/main.py",
    "tools/invoke.py",
    "flows/program.py",
    "science/serving/trying.py",
    "search/server_child.py",
}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_each_module_says_what_it_is_for(module: Path) -> None:
    assert ast.get_docstring(_tree(module)), f"{module} has no docstring"
    assert module.stem not in BAD_NAMES, "name the noun, not the drawer"


def test_functions_stay_short_unless_their_docstring_gives_a_reason() -> None:
    long = [
        f"{module.relative_to(ROOT)}:{node.lineno} {node.name}"
        for module in MODULES
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= 60
        and "because" not in (ast.get_docstring(node) or "")
    ]
    assert not long


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_only_the_command_line_and_the_calling_of_tools_catch_everything() -> None:
    broad = {
        str(module.relative_to(SOURCE))
        for module in MODULES
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.ExceptHandler)
        and not _raises_again(node)
        and (
            node.type is None
            or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
        )
    }
    assert broad <= BROAD_EXCEPT


def test_each_root_key_names_its_model_its_file_its_test_and_its_heading() -> None:
    guide = (ROOT / "docs" / "creating-packages.md").read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^a-z]+", " ", line.lower()).strip() for line in guide.splitlines() if line.startswith("#")
    }
    shared = {"model", "process", "types", "__init__"}
    for file in (SOURCE / "process" / "spec").glob("*.py"):
        if file.stem in shared:
            continue
        assert (ROOT / "tests" / "process" / "spec" / f"test_{file.stem}.py").exists(), file.stem
        words = file.stem.replace("_", " ")
        assert any(words in heading for heading in headings), f"the guide has no heading for {file.stem}"
    own_file = {"tools", "auth", "permissions", "output_coordination", "validity_contract", "verb", "phases"}
    own_file |= {"verification", "evidence", "prompt_contracts", "memory", "workspace_analysis"}
    own_file |= {"planner_examples", "replanning", "tests"}
    assert own_file <= set(ProcessSpec.model_fields)
    for key in own_file:
        assert (SOURCE / "process" / "spec" / f"{key}.py").exists(), key


def test_documented_imports_exist() -> None:
    from loom.processes.schema import ProcessError, ProcessLoader, ResolvedProcess  # noqa: PLC0415

    assert ProcessLoader.load.__doc__ and ProcessError.__doc__ and ResolvedProcess.__doc__


def test_nothing_tracked_names_a_machine_or_a_registry() -> None:
    here = str(ROOT)
    for path in _tracked():
        if path.suffix in (".png", ".svg") or path.stat().st_size > 1_000_000:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        assert here + "/" not in text, f"{path} holds this machine's path"
        assert not re.search(r"--(?:extra-)?index-url\s+https?://", text), f"{path} names a registry"


def test_examples_of_packages_and_templates_are_shipped_where_the_loader_looks() -> None:
    from loom.process.loader import builtin_root  # noqa: PLC0415

    assert (builtin_root() / "eda" / "process.yaml").exists()
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert '"processes/builtin" = "loom/processes/builtin"' in project
    assert '"schemas" = "loom/schemas"' in project
