"""`loom process`: every command with good and bad arguments, as somebody would type them."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from loom.cli.process import Template
from tests.cli.conftest import Loom

BIN = str(Path(sys.executable).parent / "loom")
GOOD = "name: note\nschema_version: 2\nrisk_level: low\nphases:\n  - {id: a, description: Write it.}\n"
BAD = "name: note\nschema_version: 2\nrisk_level: low\nphases:\n  - {id: a, description: Write., depends_on: [b]}\n"
UNQUOTED = GOOD.replace("schema_version", "version: 1.10\nschema_version")
OLD = "name: note # kept\nphases:\n  - {id: a, description: Write it.}\n"


@pytest.fixture
def files(here: Path) -> Path:
    """Files good and bad in the current folder."""
    for name, text in (("good", GOOD), ("bad", BAD), ("unquoted", UNQUOTED), ("old", OLD)):
        (here / f"{name}.yaml").write_text(text)
    return here


class TestNew:
    @pytest.mark.parametrize("template", Template)
    def test_each_template_checks_clean_and_can_be_shown_and_planned(self, template: str, loom: Loom) -> None:
        assert loom("process", "new", "price-watch", "--template", template).code == 0
        answer = loom("process", "check", "--strict", "price-watch")
        assert (answer.code, answer.out) == (0, "1 file checked: no findings\n")
        assert loom("process", "show", "price-watch").out.startswith("price-watch 0.1.0\n")
        assert loom("process", "plan", "price-watch").code == 0

    def test_says_what_to_type_next_and_it_works(self, loom: Loom) -> None:
        answer = loom("process", "new", "mine", "--into", "some/where")
        assert answer.out.splitlines() == [
            "created some/where/mine",
            "next: loom process check some/where/mine",
        ]
        assert loom(*answer.out.splitlines()[1].split()[2:]).code == 0

    def test_is_created_in_the_workspace_that_was_named(self, here: Path, loom: Loom) -> None:
        (here / "there").mkdir()
        assert loom("-w", "there", "process", "new", "mine").out.startswith("created there/mine\n")

    def test_a_next_command_survives_a_folder_with_a_space(self, here: Path, loom: Loom) -> None:
        answer = loom("process", "new", "mine", "--into", "my work")
        command = shlex.split(answer.out.splitlines()[1].removeprefix("next: loom "))
        assert command == ["process", "check", "my work/mine"]
        assert loom(*command).code == 0

    def test_the_way_out_keeps_the_template_that_was_asked_for(self, loom: Loom) -> None:
        answer = loom("process", "new", "My_Data", "-t", "data")
        command = answer.err.rsplit("fix: loom ", 1)[1].split()
        assert command == ["process", "new", "my-data", "--template", "data"]
        assert loom(*command).code == 0

    def test_says_when_the_name_means_another_package(self, loom: Loom) -> None:
        answer = loom("process", "new", "eda")
        assert answer.code == 0
        assert "note: the name finds the builtin package of that name" in answer.out


class TestList:
    def test_text_has_a_line_per_package_that_fits_the_terminal(
        self, loom: Loom, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "90")
        answer = loom("process", "list")
        assert answer.code == 0
        assert max(map(len, answer.out.splitlines())) <= 90
        assert re.search(r"^eda +builtin +\d", answer.out, re.MULTILINE)

    def test_json_is_one_object_with_every_package(self, here: Path, loom: Loom) -> None:
        folder = here / "loom-processes" / "mine"
        folder.mkdir(parents=True)
        (folder / "process.yaml").write_text(BAD)
        listed = json.loads(loom("process", "list", "--json").out)
        assert listed["schema_version"] == 1
        by_name = {item["name"]: item for item in listed["packages"]}
        assert by_name["eda"]["origin"] == "builtin"
        mine = by_name["mine"]
        assert (mine["origin"], mine["errors"], mine["shadowed"], mine["untrusted"]) == (
            "workspace",
            1,
            False,
            False,
        )

    def test_marks_what_is_shadowed_what_is_not_trusted_and_what_is_wrong(
        self, here: Path, loom: Loom
    ) -> None:
        (here / "loom-processes").mkdir()
        (here / "loom-processes" / "eda.yaml").write_text(BAD)
        (here / "loom-processes" / "broken.yaml").write_text("{")
        lines = loom("process", "list").out.splitlines()
        assert [line.split()[1] for line in lines if line.startswith("eda ")] == ["workspace", "builtin"]
        assert [line.rsplit("(")[1] for line in lines if line.startswith("eda ")] == [
            "not trusted, 1 error)",
            "shadowed)",
        ]
        assert next(line for line in lines if line.startswith("broken")).endswith("(1 error)")


class TestShow:
    def test_one_package_at_a_glance_with_a_next_command_that_works(self, loom: Loom) -> None:
        answer = loom("process", "show", "eda")
        assert answer.code == 0
        for part in (
            "eda ",
            "--dataset",
            "(required)",
            "profile",
            "after profile, leakage",
            "next: loom process plan",
        ):
            assert part in answer.out
        assert loom(*answer.out.splitlines()[-1].split()[2:]).code == 0

    def test_a_path_stays_a_path_in_the_next_command(self, files: Path, loom: Loom) -> None:
        assert loom("process", "show", "./good.yaml").out.endswith("next: loom process plan ./good.yaml\n")

    def test_a_package_cannot_steer_the_terminal(self, here: Path, loom: Loom) -> None:
        (here / "evil.yaml").write_text(GOOD + 'description: "see \\e]0;title\\a\\e[2Jthis"\n')
        for command in ("show", "plan", "graph"):
            answer = loom("process", command, "evil.yaml")
            assert answer.code == 0
            assert "\x1b" not in answer.out and "\x07" not in answer.out
        for key in ("description", "phases", "nothing\x1b"):
            answer = loom("process", "explain", "evil.yaml", key)
            assert "\x1b" not in answer.out + answer.err and "\x07" not in answer.out + answer.err

    def test_a_package_that_does_not_hold_prints_its_findings(self, files: Path, loom: Loom) -> None:
        for command in ("show", "plan", "graph", "test"):
            answer = loom("process", command, "bad.yaml")
            assert (answer.code, answer.out) == (2, "")
            assert answer.err.startswith("error: bad.yaml has 1 error\n")
            assert "error[LM" in answer.err and "bad.yaml:5:" in answer.err
            assert answer.err.endswith("fix: loom process check bad.yaml\n")


class TestCheck:
    def test_several_files_are_checked_at_once_in_the_order_they_were_named(
        self, files: Path, loom: Loom
    ) -> None:
        answer = loom(
            "process", "check", "bad.yaml", "good.yaml", "unquoted.yaml", "bad.yaml", "--format", "json"
        )
        assert answer.code == 1
        found = json.loads(answer.out)
        assert [file["file"] for file in found["files"]] == ["bad.yaml", "good.yaml", "unquoted.yaml"]

    def test_text_ends_in_a_count(self, files: Path, loom: Loom) -> None:
        answer = loom("process", "check", "bad.yaml", "unquoted.yaml")
        assert "\n\n2 files checked: 2 errors, " in answer.out
        assert re.search(r"^error\[LM\d+\]: .+\n +--> bad.yaml:5:\d+$", answer.out, re.MULTILINE)

    @pytest.mark.parametrize("form", ["json", "sarif", "github"])
    def test_other_forms_hold_nothing_but_themselves(self, form: str, files: Path, loom: Loom) -> None:
        answer = loom("process", "check", "bad.yaml", "missing.yaml", "--format", form)
        assert (answer.code, answer.err) == (2, "")
        if form == "github":
            assert all(line.startswith(("::error ", "::warning ")) for line in answer.out.splitlines())
            assert "LM101" in answer.out
        else:
            assert "LM101" in json.dumps(json.loads(answer.out))

    @pytest.mark.parametrize("form", ["json", "sarif"])
    def test_a_clean_file_is_still_a_valid_document(self, form: str, loom: Loom) -> None:
        loom("process", "new", "mine")
        answer = loom("process", "check", "mine", "--format", form)
        assert answer.code == 0
        assert json.loads(answer.out)

    def test_strict_makes_a_warning_count(self, files: Path, loom: Loom) -> None:
        assert loom("process", "check", "good.yaml").code == 0
        assert loom("process", "check", "--strict", "good.yaml").code == 1

    def test_fix_repairs_says_how_much_and_leaves_nothing_to_repair(self, files: Path, loom: Loom) -> None:
        before = loom("process", "check", "unquoted.yaml")
        assert before.code == 1
        answer = loom("process", "check", "--fix", "unquoted.yaml")
        assert answer.code == 0
        assert answer.out.endswith("; 1 repaired\n")
        assert 'version: "1.10"\n' in (files / "unquoted.yaml").read_text()
        assert "repaired" not in loom("process", "check", "--fix", "unquoted.yaml").out

    def test_fix_of_a_clean_or_hopeless_file_changes_nothing(self, files: Path, loom: Loom) -> None:
        before = {file: file.stat().st_mtime_ns for file in files.iterdir()}
        loom("process", "check", "--fix", "good.yaml", "bad.yaml", "missing.yaml")
        assert before == {file: file.stat().st_mtime_ns for file in files.iterdir()}

    def test_a_folder_of_packages_a_package_a_file_and_a_name_may_be_mixed(
        self, here: Path, loom: Loom
    ) -> None:
        for name in ("one", "two"):
            (here / "many" / name).mkdir(parents=True)
            (here / "many" / name / "process.yaml").write_text(GOOD)
        answer = loom(
            "process", "check", "many", "many/one", "many/two/process.yaml", "eda", "--format", "json"
        )
        names = [file["file"] for file in json.loads(answer.out)["files"]]
        assert names[:2] == ["many/one/process.yaml", "many/two/process.yaml"]
        assert len(names) == 3 and names[2].endswith("eda/process.yaml")

    def test_a_path_counts_before_a_name(self, here: Path, loom: Loom) -> None:
        (here / "eda").mkdir()
        (here / "eda" / "process.yaml").write_text(BAD)
        assert "eda/process.yaml:5:" in loom("process", "check", "eda").out

    def test_single_files_are_packages_only_where_a_name_would_find_them(
        self, here: Path, loom: Loom
    ) -> None:
        for folder in ("loom-processes", "deploy"):
            (here / folder).mkdir()
            (here / folder / "bad.yaml").write_text(BAD)
        assert "loom-processes/bad.yaml:5:" in loom("process", "check", "loom-processes").out
        assert "process.yaml:1:1" in loom("process", "check", "deploy").out

    def test_watch_ends_with_130_when_it_is_interrupted(self, files: Path) -> None:
        with subprocess.Popen(
            [BIN, "process", "check", "--watch", "bad.yaml"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as watching:
            try:
                assert watching.stdout is not None
                first = watching.stdout.readline()
                watching.send_signal(signal.SIGINT)
                _, said = watching.communicate(timeout=60)
            finally:
                watching.kill()
        assert re.match(r"(error|warning)\[LM", first)
        assert (watching.returncode, said) == (
            130,
            "checking again whenever a file changes; Ctrl-C ends it\n",
        )


class TestExplain:
    def test_shows_the_value_every_layer_and_the_place(self, loom: Loom) -> None:
        answer = loom("process", "explain", "eda", "phases.profile.validity_contract.min_supported_ratio")
        assert answer.code == 0
        assert "0.65" in answer.out and "floor" in answer.out

    def test_json_is_one_object(self, loom: Loom) -> None:
        answer = loom("process", "explain", "eda", "risk_level", "--json")
        assert answer.code == 0
        assert isinstance(json.loads(answer.out), dict)

    def test_an_unknown_key_gets_the_nearest_one(self, loom: Loom) -> None:
        answer = loom("process", "explain", "eda", "risk_levle")
        assert (answer.code, answer.out) == (2, "")
        assert "risk_level" in answer.err
        assert len(answer.err.splitlines()) == 3


class TestPlan:
    def test_shows_every_phase(self, loom: Loom) -> None:
        answer = loom("process", "plan", "ds-lifecycle")
        assert answer.code == 0
        for phase in ("eda", "features", "optimize", "validate", "report"):
            assert phase in answer.out

    def test_json_is_one_object(self, loom: Loom) -> None:
        assert isinstance(json.loads(loom("process", "plan", "eda", "--json").out), dict)


class TestGraph:
    def test_each_form_is_what_it_says(self, loom: Loom) -> None:
        text = loom("process", "graph", "eda").out
        assert "profile" in text and "summarise" in text
        assert loom("process", "graph", "eda", "-f", "text").out == text
        assert loom("process", "graph", "eda", "-f", "mermaid").out.startswith(
            ("flowchart", "graph", "---", "%%")
        )
        assert ET.fromstring(loom("process", "graph", "eda", "--format", "svg").out).tag.endswith("svg")

    @pytest.mark.parametrize(
        ("file", "options", "begins"),
        [
            ("eda.svg", [], "<"),
            ("eda.SVG", [], "<"),
            ("eda.txt", ["-f", "svg"], "<"),
            ("eda.svg", ["-f", "mermaid"], "f"),
        ],
    )
    def test_a_file_takes_the_form_its_ending_says_unless_one_is_given(
        self, file: str, options: list[str], begins: str, here: Path, loom: Loom
    ) -> None:
        answer = loom("process", "graph", "eda", "--out", file, *options)
        assert (answer.code, answer.out) == (0, f"wrote {file}\n")
        written = (here / file).read_text()
        assert written.startswith(begins) and written.endswith("\n") and not written.endswith("\n\n")

    def test_a_minus_is_the_output_and_no_file(self, here: Path, loom: Loom) -> None:
        assert loom("process", "graph", "eda", "-o", "-").out == loom("process", "graph", "eda").out
        assert not (here / "-").exists()

    def test_a_device_is_left_alone(self, loom: Loom) -> None:
        answer = loom("process", "graph", "eda", "-o", "/dev/null")
        assert answer.code == 2
        assert "it is not a regular file" in answer.err
        assert Path("/dev/null").is_char_device()


class TestMigrate:
    def test_prints_the_new_text_on_stdout_and_what_changed_on_stderr(self, files: Path, loom: Loom) -> None:
        answer = loom("process", "migrate", "old.yaml")
        assert answer.code == 0
        assert answer.out.startswith("name: note # kept\nschema_version: 2\n")
        assert "6 changes; --write makes them" in answer.err
        assert (files / "old.yaml").read_text() == OLD

    def test_write_changes_the_file_and_a_second_time_there_is_nothing_to_do(
        self, files: Path, loom: Loom
    ) -> None:
        answer = loom("process", "migrate", "old.yaml", "--write")
        assert (answer.code, answer.err) == (0, "")
        assert "old.yaml is version 2 now" in answer.out
        written = (files / "old.yaml").read_bytes()
        assert "nothing to do" in loom("process", "migrate", "old.yaml", "--write").out
        assert (files / "old.yaml").read_bytes() == written
        assert loom("process", "check", "old.yaml").code == 0

    def test_the_command_a_finding_names_works(self, files: Path, loom: Loom) -> None:
        named = re.search(r"loom (process migrate \S+ --write)", loom("process", "check", "old.yaml").out)
        assert named
        assert loom(*named[1].split()).code == 0
        assert "LM212" not in loom("process", "check", "old.yaml").out


class TestSchema:
    def test_is_json_on_stdout_or_in_a_file(self, here: Path, loom: Loom) -> None:
        printed = loom("process", "schema").out
        assert json.loads(printed)["$schema"].endswith("2020-12/schema")
        assert loom("process", "schema", "--out", "schema.json").out == "wrote schema.json\n"
        assert (here / "schema.json").read_text() == printed


class TestCompletion:
    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("loom process ch", {"check"}),
            ("loom process show ds", {"ds-lifecycle"}),
            ("loom process show mi", {"mine"}),
            ("loom process new x --template s", {"software"}),
            ("loom explain LM30", {f"LM30{digit}" for digit in range(1, 7)}),
            ("loom config explain models.t", {"models.tier1", "models.tier2", "models.tier3"}),
            ("loom val", {"validate"}),
            ("loom validate --fair", {"--fairness"}),
        ],
    )
    def test_words_are_completed(
        self, line: str, expected: set[str], here: Path, loom: Loom, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (here / "loom-processes").mkdir()
        (here / "loom-processes" / "mine.yaml").write_text(GOOD)
        monkeypatch.setenv("_LOOM_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
        answer = loom()
        assert answer.code == 0
        found = set(answer.out.split())
        assert found == expected or (expected <= found and len(line.split()) == 3)

    def test_a_home_that_cannot_be_found_completes_nothing(
        self, here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from loom.cli.process import _complete_names  # noqa: PLC0415
        from loom.kernel.errors import LoomError  # noqa: PLC0415

        def nowhere(_: object) -> Path:
            raise LoomError("there is no home folder", "", "")

        monkeypatch.setattr("loom.process.loader.loom_home", nowhere)
        assert _complete_names("e") == []
