"""What `loom process new` copies: clean from the start, under any name."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.app.new import TEMPLATES, create_package
from loom.process.bundled import read_tools
from loom.process.check import check_file

NAMES = ("price-watch", "2nd-look", "x", "a--b")
KINDS = sorted(path.name for path in TEMPLATES.iterdir() if path.is_dir())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_template_checks_without_a_single_finding_under_any_name(
    kind: str, name: str, tmp_path: Path
) -> None:
    folder = create_package(name, kind, tmp_path)
    assert not check_file(folder).report.diagnostics
    assert not [
        file for file in folder.rglob("*") if file.is_file() and "{{" in file.read_text(encoding="utf-8")
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_each_template_begins_with_the_way_to_editor_support(kind: str) -> None:
    first, second, *_ = (TEMPLATES / kind / "process.yaml").read_text(encoding="utf-8").splitlines()
    assert "loom process schema --out process.v2.json" in first
    assert second == "# yaml-language-server: $schema=./process.v2.json"


def test_the_tools_of_the_data_template_are_found_without_running_them(tmp_path: Path) -> None:
    folder = create_package("price-watch", "data", tmp_path)
    found = {tool.name: tool.is_mutating for tool in read_tools(folder).tools}
    assert found == {"price_watch_profile": False, "price_watch_verdict": True}
