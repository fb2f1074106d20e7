"""Generated files match their source, and one that does not is named."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from loom.app.reference.markdown import anchor, fence, table
from loom.cli.generate import ARTIFACTS, checkout_root, main, stale
from loom.kernel.errors import LoomError
from loom.process.lint import RULES
from loom.process.spec.process import ProcessSpec
from loom.runtime import machine, run_machine
from loom.settings.model import SETTINGS

ROOT = Path(__file__).parents[2]
VERBS = ("eda", "optimize", "code-change")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small copy of the repository: two verbs and a package that is none."""
    for name in VERBS:
        shutil.copytree(ROOT / "processes" / "builtin" / name, tmp_path / "processes" / "builtin" / name)
    assert main([], tmp_path) == 0
    return tmp_path


def read(checkout: Path, name: str) -> str:
    path = next(artifact.path for artifact in ARTIFACTS if artifact.name == name)
    return (checkout / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("artifact", ARTIFACTS, ids=lambda artifact: artifact.name)
def test_the_committed_file_is_up_to_date(artifact: object) -> None:
    assert artifact not in stale(ROOT), "run: make generate"


def test_a_second_run_writes_nothing(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    before = {artifact.path: (checkout / artifact.path).stat().st_mtime_ns for artifact in ARTIFACTS}
    assert main([], checkout) == 0
    assert capsys.readouterr().out == ""
    assert before == {path: (checkout / path).stat().st_mtime_ns for path in before}
    assert main(["--check"], checkout) == 0


@pytest.mark.parametrize("artifact", ARTIFACTS, ids=lambda artifact: artifact.name)
def test_check_names_the_stale_file_and_the_command_and_changes_nothing(
    artifact: object, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = checkout / getattr(artifact, "path")  # noqa: B009
    path.write_text(path.read_text() + "\n")
    edited = path.read_bytes()
    capsys.readouterr()
    assert main(["--check"], checkout) == 1
    said = capsys.readouterr().err
    assert said == f"{path.relative_to(checkout)} does not match its source; run: make generate\n"
    assert path.read_bytes() == edited


def test_check_names_a_file_that_is_missing(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "schemas" / "process.v2.json").unlink()
    assert main(["--check"], checkout) == 1
    assert "schemas/process.v2.json" in capsys.readouterr().err


def test_a_changed_package_makes_its_pages_stale(checkout: Path) -> None:
    file = checkout / "processes" / "builtin" / "eda" / "process.yaml"
    file.write_text(file.read_text().replace("Column to predict", "Column to foretell"))
    assert [artifact.name for artifact in stale(checkout)] == ["catalogue", "verbs"]


def test_a_broken_package_stops_the_pages_about_it(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = checkout / "processes" / "builtin" / "eda" / "process.yaml"
    file.write_text(file.read_text().replace("tier: read-only", "tier: harmless"))
    assert main([], checkout) == 2
    assert "loom process check processes/builtin/eda/process.yaml" in capsys.readouterr().err


def test_an_installed_copy_has_nothing_to_generate(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    package = tmp_path / ".venv" / "lib" / "loom"
    package.mkdir(parents=True)
    with pytest.raises(LoomError, match="nothing to generate"):
        checkout_root(package)


def test_the_checkout_is_found_above_the_package() -> None:
    assert checkout_root() == ROOT


def test_nothing_generated_holds_a_path_of_this_machine() -> None:
    for artifact in ARTIFACTS:
        text = (ROOT / artifact.path).read_text(encoding="utf-8")
        assert str(ROOT) not in text
        assert str(Path.home()) + "/" not in text


def test_the_catalogue_holds_what_help_needs(checkout: Path) -> None:
    catalogue = json.loads(read(checkout, "catalogue"))
    assert [package["name"] for package in catalogue["packages"]] == ["code-change", "eda", "optimize"]
    assert [package["verb"] for package in catalogue["packages"]] == [None, "eda", "optimize"]
    eda, optimize = catalogue["verbs"]
    assert (eda["command"], eda["tier"], eda["flow"], eda["model"]) == ("eda", "read-only", "EdaFlow", "none")
    assert (eda["values"], eda["ok"]) == (["OK", "FLAGGED"], ["OK", "FLAGGED"])
    assert eda["inputs"][0]["name"] == "dataset"
    assert eda["inputs"][0]["required"] is True
    assert eda["description"].count(". ") == 0
    assert optimize["aliases"] == ["run"]
    seed = next(each for each in optimize["inputs"] if each["name"] == "seed")
    assert seed["default"] == 0
    assert "required" not in seed


def test_the_catalogue_changes_line_by_line(checkout: Path) -> None:
    lines = [line for line in read(checkout, "catalogue").splitlines() if '"name": "dataset"' in line]
    assert len(lines) == 2


def test_every_rule_is_on_the_page_with_its_message_and_both_examples(checkout: Path) -> None:
    page = read(checkout, "rules")
    for rule in RULES.values():
        entry = page.split(f"### {rule.code}\n")[1].split("\n### ")[0]
        assert f"**{rule.message}** ({rule.severity})" in entry
        assert rule.fix in entry
        assert "Accepted:" in entry
        assert "```" in entry


def test_every_root_key_has_a_section_and_every_setting_a_row(checkout: Path) -> None:
    keys = read(checkout, "keys")
    for name, info in ProcessSpec.model_fields.items():
        assert f"\n## {info.alias or name}\n" in keys
    assert all(f"| `{key}` |" in read(checkout, "settings") for key in SETTINGS)


@pytest.mark.parametrize(("heading", "machine"), [("A phase", machine), ("A run", run_machine)])
def test_every_row_of_a_machine_is_in_its_table_and_in_its_drawing(
    heading: str, machine: ModuleType, checkout: Path
) -> None:
    section = read(checkout, "machines").split(f"## {heading}\n")[1].split("\n## ")[0]
    drawing = section.split("```mermaid\n")[1].split("```")[0]
    for (stage, event), stages in machine.LEADS_TO.items():
        assert f"| `{event.__name__}` | {event.__doc__.partition(chr(10))[0]} |" in section
        for to in stages:
            anywhere = f"| any but an end | `{event.__name__}` | `{to}` | " in section
            assert anywhere or f"| `{stage}` | `{event.__name__}` | `{to}` | " in section
            arrow = rf"^ +{'anywhere' if anywhere else stage} --> {to}\b(?:: .*{event.__name__})?"
            assert stage == to or re.search(arrow, drawing, re.MULTILINE), (stage, event, to)
            asked = (machine.ASKS_FOR.get((stage, event)) or {}).get(to) or filter(
                None, [machine.ASKS_FOR.get(to)]
            )
            assert all(kind.__doc__.partition("\n")[0] in section for kind in asked)
    arrows = re.findall(r"(\w+) --> (\w+)", drawing)
    assert len(arrows) == len(set(arrows))


def test_a_verb_says_when_it_exits_with_0(checkout: Path) -> None:
    section = read(checkout, "verbs").split("## optimize\n")[1].split("\n## ")[0]
    assert "- exit 0: BEST\n- exit 1: EMPTY" in section
    assert "- also called `loom run`" in section
    assert "| `--seed` | integer | `0` |" in section


@pytest.mark.parametrize("name", ["keys", "rules", "verbs"])
def test_links_within_a_page_lead_to_exactly_one_heading(name: str, checkout: Path) -> None:
    page = re.sub(r"^```.*?^```", "", read(checkout, name), flags=re.DOTALL | re.MULTILINE)
    anchors = [anchor(line.lstrip("# ")) for line in page.splitlines() if re.match(r"#+ ", line)]
    targets = set(re.findall(r"\]\(#([^)]*)\)", page))
    assert targets
    assert [target for target in targets if anchors.count(target) != 1] == []


def test_pages_survive_bars_fences_and_control_characters() -> None:
    assert table(("a",), [("x|y\nz",)]).splitlines()[-1] == r"| x\|y z |"
    assert fence("a\x01\tb", "yaml") == "```yaml\na\\x01\tb\n```"
    assert fence("```", "markdown").startswith("````markdown\n")
