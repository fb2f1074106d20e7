"""Which package a reference means, and what loading it does and does not do."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from loom.kernel.errors import LoomError
from loom.process.loader import ProcessError, ProcessLoader, builtin_root
from loom.process.trust import TrustStore

ROOT = Path(__file__).parents[2]
NOTE = (
    "name: {name}\nschema_version: 2\nrisk_level: low\nphases:\n  - {{id: {phase}, description: Write it.}}\n"
)
BROKEN = "name: broken\nschema_version: 2\nrisk_level: low\nphases:\n  - {id: a, description: Write., depends_on: [b]}\n"


def write(folder: Path, name: str, phase: str = "a") -> Path:
    """A small package."""
    package = folder / name
    package.mkdir(parents=True)
    (package / "process.yaml").write_text(NOTE.format(name=name, phase=phase))
    return package


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which is the workspace; the home folder is beside it."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder that does not exist yet."""
    return tmp_path / "home"


@pytest.fixture
def loader(workspace: Path, home: Path) -> ProcessLoader:
    """A loader for the workspace."""
    return ProcessLoader(workspace, home=home)


def phases(loader: ProcessLoader, reference: str | Path) -> list[str]:
    """The phases of the package that a reference means."""
    return [phase.id for phase in loader.load(reference).phases]


class TestNames:
    def test_builtin_packages_come_first_then_the_users_then_the_workspaces(
        self, loader: ProcessLoader, workspace: Path, home: Path
    ) -> None:
        assert loader.find("eda").origin == "builtin"
        write(home / "processes", "eda", "users")
        assert loader.find("eda").origin == "user"
        assert phases(loader, "eda") == ["users"]
        for number, folder in enumerate(("loom-processes", ".loom/processes")):
            package = write(workspace / folder, "eda", f"workspace-{number}")
            TrustStore(home).add(package)
            assert loader.find("eda").origin == "workspace"
            assert phases(loader, "eda") == [f"workspace-{number}"]
        assert [found.origin for found in loader.candidates("eda")] == [
            "builtin",
            "user",
            "workspace",
            "workspace",
        ]

    @pytest.mark.parametrize("folder", ["loom-processes", ".loom/processes"])
    def test_a_workspace_package_that_shadows_nothing_needs_no_trust(
        self, folder: str, loader: ProcessLoader, workspace: Path, home: Path
    ) -> None:
        write(workspace / folder, "mine")
        assert loader.load("mine").name == "mine"
        assert not home.exists()

    @pytest.mark.parametrize("shadowed", ["builtin", "user"])
    def test_without_trust_the_refusal_names_both_packages(
        self, shadowed: str, loader: ProcessLoader, workspace: Path, home: Path
    ) -> None:
        name = "eda" if shadowed == "builtin" else "theirs"
        other = builtin_root() / name if shadowed == "builtin" else write(home / "processes", name)
        mine = write(workspace / "loom-processes", name, "mine")
        with pytest.raises(LoomError) as raised:
            loader.load(name)
        assert "not trusted" in raised.value.what
        assert f"loom-processes/{name}/process.yaml" in raised.value.why
        assert str(other / "process.yaml") in raised.value.why
        assert raised.value.fix == f"loom trust add loom-processes/{name}"
        TrustStore(home).add(mine)
        assert phases(loader, name) == ["mine"]
        (mine / "process.yaml").write_text(NOTE.format(name=name, phase="changed"))
        with pytest.raises(LoomError, match="not trusted"):
            loader.load(name)

    def test_the_command_that_settles_it_survives_a_space(
        self, workspace: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path / "my work" / "loom-processes", "eda")
        monkeypatch.chdir(tmp_path)
        with pytest.raises(LoomError) as raised:
            ProcessLoader(Path("my work"), home=home).load("eda")
        assert shlex.split(raised.value.fix)[2:] == ["add", "my work/loom-processes/eda"]

    def test_a_path_to_the_same_package_needs_no_trust(self, loader: ProcessLoader, workspace: Path) -> None:
        write(workspace / "loom-processes", "eda", "mine")
        assert phases(loader, "loom-processes/eda") == ["mine"]

    def test_a_name_is_looked_up_before_it_is_taken_for_a_folder(
        self, loader: ProcessLoader, workspace: Path
    ) -> None:
        write(workspace, "eda", "mine")
        assert loader.find("eda").origin == "builtin"
        assert phases(loader, "./eda") == ["mine"]
        assert phases(loader, Path("eda")) == ["mine"]
        assert phases(loader, "eda/") == ["mine"]

    def test_a_bare_name_nobody_has_may_be_a_folder_here_or_in_the_workspace(
        self, loader: ProcessLoader, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(workspace, "draft")
        assert loader.find("draft").origin == "path"
        monkeypatch.chdir(tmp_path)
        assert loader.load("draft").name == "draft"

    def test_a_single_file_is_a_package_under_its_own_name(
        self, loader: ProcessLoader, workspace: Path
    ) -> None:
        (workspace / "loom-processes").mkdir()
        for ending in ("yaml", "yml"):
            (workspace / "loom-processes" / f"one-{ending}.{ending}").write_text(
                NOTE.format(name="one", phase="a")
            )
            assert loader.load(f"one-{ending}").name == "one"

    def test_what_is_just_being_written_or_holds_no_package_is_not_listed(
        self, loader: ProcessLoader, workspace: Path
    ) -> None:
        folder = workspace / "loom-processes"
        write(folder, ".loom-half")
        (folder / ".hidden.yaml").write_text("")
        (folder / "empty").mkdir()
        (folder / "notes.md").write_text("")
        (folder / "dangling").symlink_to("nothing")
        assert [found for found in loader.all() if found.origin == "workspace"] == []

    @pytest.mark.parametrize("name", ["nobody", "README", "x" * 300, "no body", "ünï", "💥", "-", "~"])
    def test_an_unknown_name_is_said_to_be_unknown(
        self, name: str, loader: ProcessLoader, workspace: Path
    ) -> None:
        (workspace / "README").write_text("")
        with pytest.raises(LoomError) as raised:
            loader.load(name)
        assert raised.value.what == f"no process is called {name}"
        assert raised.value.fix == "loom process list"

    def test_a_name_that_is_nearly_right_gets_the_right_one(self, loader: ProcessLoader) -> None:
        with pytest.raises(LoomError) as raised:
            loader.load("reserch-report")
        assert "did you mean research-report?" in raised.value.why
        assert raised.value.fix == "loom process show research-report"

    @pytest.mark.parametrize("name", ["", " ", "\t"])
    def test_nothing_is_no_name(self, name: str, loader: ProcessLoader) -> None:
        with pytest.raises(LoomError, match="no package is named"):
            loader.load(name)

    def test_a_folder_of_packages_that_cannot_be_read_is_named(
        self, loader: ProcessLoader, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = Path.iterdir

        def closed(self: Path) -> object:
            if self == home / "processes":
                raise PermissionError(13, "Permission denied")
            return real(self)

        monkeypatch.setattr(Path, "iterdir", closed)
        with pytest.raises(LoomError) as raised:
            loader.load("eda")
        assert raised.value.what == f"{home / 'processes'} cannot be read"
        assert raised.value.why == "permission denied"


class TestPaths:
    def test_a_folder_and_its_file_are_the_same_package(self, loader: ProcessLoader, tmp_path: Path) -> None:
        package = write(tmp_path / "far", "away")
        for reference in (package, package / "process.yaml", str(package), str(package / "process.yaml")):
            assert loader.load(reference).name == "away"
            assert loader.find(reference).folder == package

    def test_a_path_is_looked_for_here_and_then_in_the_workspace(
        self, loader: ProcessLoader, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(workspace / "packages", "one", "workspace")
        monkeypatch.chdir(tmp_path)
        assert phases(loader, "packages/one") == ["workspace"]
        write(tmp_path / "packages", "one", "here")
        assert phases(loader, "packages/one") == ["here"]
        assert phases(loader, "packages/one/process.yaml") == ["here"]

    @pytest.mark.parametrize("reference", ["no/where", "missing.yaml", "./missing", "/missing/process.yaml"])
    def test_what_is_missing_is_said_to_be_missing(self, reference: str, loader: ProcessLoader) -> None:
        with pytest.raises(LoomError) as raised:
            loader.load(reference)
        assert raised.value.what == f"{reference} does not exist"

    @pytest.mark.parametrize("reference", [".", "..", "./empty"])
    def test_a_folder_without_a_package_is_said_to_be_none(
        self, reference: str, loader: ProcessLoader, workspace: Path
    ) -> None:
        (workspace / "empty").mkdir()
        with pytest.raises(LoomError) as raised:
            loader.load(reference)
        assert raised.value.what == f"{reference} is not a package"

    def test_a_dot_is_the_package_one_stands_in(
        self, loader: ProcessLoader, workspace: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(write(workspace, "one"))
        assert loader.load(".").name == "one"

    @pytest.mark.parametrize("reference", ["x" * 300 + "/y", "\0/y", "loop/y", "pipe.yaml"])
    def test_what_cannot_be_read_says_why(
        self, reference: str, loader: ProcessLoader, workspace: Path
    ) -> None:
        (workspace / "loop").symlink_to("loop")
        os.mkfifo(workspace / "pipe.yaml")
        with pytest.raises(ProcessError, match="LM101"):
            loader.load(reference)

    def test_no_home_folder_is_needed_for_a_path(
        self, workspace: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def nowhere(_: object) -> Path:
            raise LoomError("there is no home folder", "why", "fix")

        monkeypatch.setattr("loom.process.loader.loom_home", nowhere)
        write(workspace, "one")
        assert ProcessLoader().load("./one").name == "one"
        with pytest.raises(LoomError, match="there is no home folder"):
            ProcessLoader().load("one")

    def test_a_removed_current_folder_does_not_keep_a_path_from_loading(
        self, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        package = write(tmp_path, "one")

        def gone() -> str:
            raise FileNotFoundError(2, "No such file or directory")

        monkeypatch.setattr(os, "getcwd", gone)
        assert ProcessLoader(tmp_path, home=home).load(package).name == "one"


class TestFindings:
    def test_a_package_that_does_not_hold_carries_and_prints_its_findings(
        self, loader: ProcessLoader, workspace: Path
    ) -> None:
        (workspace / "broken.yaml").write_text(BROKEN)
        with pytest.raises(ProcessError) as raised:
            loader.load("broken.yaml")
        assert [d.severity for d in raised.value.report.diagnostics if d.severity == "error"] == ["error"]
        text = str(raised.value)
        assert text.startswith("error: broken.yaml has 1 error\n")
        assert "--> broken.yaml:5:" in text and "^" in text
        assert text.endswith("fix: loom process check broken.yaml")

    def test_very_many_findings_are_counted_and_not_all_printed(
        self, loader: ProcessLoader, workspace: Path
    ) -> None:
        many = "".join(f"  - {{id: p{n}, description: Write., depends_on: [gone]}}\n" for n in range(50))
        (workspace / "many.yaml").write_text(
            f"name: many\nschema_version: 2\nrisk_level: low\nphases:\n{many}"
        )
        with pytest.raises(ProcessError) as raised:
            loader.load("many.yaml")
        assert "has 50 errors" in raised.value.what
        assert str(raised.value).count("error[LM") == 20

    def test_warnings_keep_nothing_from_loading_and_check_still_tells_them(
        self, loader: ProcessLoader, workspace: Path
    ) -> None:
        write(workspace, "plain")
        assert loader.load("./plain").name == "plain"
        assert loader.check("./plain").report.warnings > 0

    def test_loading_imports_no_tool(self, loader: ProcessLoader, workspace: Path) -> None:
        package = write(workspace, "trap")
        (package / "tools").mkdir()
        for name in ("__init__", "trap", "_hidden"):
            (package / "tools" / f"{name}.py").write_text(
                f"open({str(workspace / 'sprung')!r}, 'w')\nraise SystemExit\n"
            )
        (package / "conftest.py").write_text("raise SystemExit\n")
        assert loader.load("./trap").name == "trap"
        assert loader.check("./trap").report.errors == 0
        assert not (workspace / "sprung").exists()
        assert not list(package.rglob("__pycache__"))


class TestFacade:
    def test_the_documented_snippet_prints_name_and_number_of_phases(self, tmp_path: Path) -> None:
        package = write(tmp_path / "path", "to")
        snippet = (
            "from pathlib import Path\n"
            "from loom.processes.schema import ProcessLoader\n"
            "loader = ProcessLoader(workspace=Path('.'))\n"
            f"loaded = loader.load({str(package / 'process.yaml')!r})\n"
            "print(f'{loaded.name}: {len(loaded.phases)}')\n"
        )
        ran = subprocess.run(
            [sys.executable, "-c", snippet], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "to: 1\n", "")

    def test_the_example_package_has_the_phases_its_documentation_promises(self) -> None:
        loaded = ProcessLoader(workspace=ROOT).load("packages/google-analytics")
        assert loaded.name == "google-analytics"
        assert len(loaded.phases) == 6

    def test_every_builtin_package_loads_by_name(self, loader: ProcessLoader) -> None:
        names = [found.name for found in loader.all()]
        assert {"eda", "ds-lifecycle", "code-change"} <= set(names)
        assert [loader.load(name).name for name in names] == names
