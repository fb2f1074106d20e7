"""Checking several files, repairing what is safe to repair, and looking again when something changes."""

from __future__ import annotations

import codecs
import errno
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loom.app import check as use_case
from loom.app.check import Outcome, check, files_of, watch
from loom.kernel.diagnostics import Diagnostic, Edit, Report, Source, Span
from loom.kernel.errors import LoomError
from loom.process.check import FILE_NAME, Checked, check_file
from loom.process.lint import RULES
from loom.process.loader import ProcessLoader
from tests.process.checking import maximal
from tests.process.lint.example import overlay, split
from tests.process.refusals import REFUSALS, whole

GOOD = "name: note\nschema_version: 2\nrisk_level: low\nphases:\n  - {id: a, description: Write it.}\n"
UNQUOTED = "name: note # kept\nversion: 1.10   # kept too\n" + GOOD.split("\n", 1)[1]


def _text(raw: str | bytes) -> bytes:
    return raw if isinstance(raw, bytes) else raw.encode()


# every mistake of the table that some finding offers to repair
FIXABLE = {
    refusal.sentence: _text(whole(refusal.text))
    for refusal in REFUSALS
    if any(d.edits for d in use_case.check_text(_text(whole(refusal.text)), "x").report.diagnostics)
}
RULE_EXAMPLES = {code: overlay(split(rule.failing)[0]).encode() for code, rule in RULES.items()}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A process file yet to be written."""
    return tmp_path / FILE_NAME


class TestFilesOf:
    def test_nothing_is_named_twice_and_the_order_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        for name in ("b", "a"):
            (tmp_path / "many" / name).mkdir(parents=True)
            (tmp_path / "many" / name / FILE_NAME).write_text(GOOD)
        loader = ProcessLoader(tmp_path, home=tmp_path / "home")
        named = files_of(["many/b", "many", "missing.yaml", "many/b/process.yaml", "no/where"], loader)
        assert list(map(str, named)) == [
            "many/b/process.yaml",
            "many/a/process.yaml",
            "missing.yaml",
            "no/where",
        ]

    def test_a_folder_without_packages_is_a_missing_file(self, tmp_path: Path) -> None:
        loader = ProcessLoader(tmp_path, home=tmp_path / "home")
        assert files_of([str(tmp_path)], loader) == [tmp_path / FILE_NAME]
        assert check(files_of([str(tmp_path)], loader)).exit_code() == 2


class TestExitCode:
    @pytest.mark.parametrize(
        ("texts", "plain", "strict"),
        [
            ([], 0, 0),
            ([overlay("").encode()], 0, 1),
            ([b"{"], 1, 1),
            ([None], 2, 2),
            ([None, b"{"], 2, 2),
            ([b"x" * (1024 * 1024 + 1)], 2, 2),
        ],
        ids=["nothing", "warnings", "errors", "missing", "missing and errors", "too large"],
    )
    def test_tells_wrong_from_unreadable(
        self, texts: list[bytes | None], plain: int, strict: int, tmp_path: Path
    ) -> None:
        files = [tmp_path / f"{number}.yaml" for number in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            if text is not None:
                file.write_bytes(text)
        outcome = check(files)
        assert (outcome.exit_code(), outcome.exit_code(strict=True)) == (plain, strict)


class TestFix:
    @pytest.mark.parametrize("text", FIXABLE.values(), ids=[name.replace(" ", "-") for name in FIXABLE])
    def test_what_can_be_repaired_is(self, text: bytes, file: Path) -> None:
        file.write_bytes(text)
        before = Counter(d.code for d in check_file(file).report.diagnostics if d.edits)
        outcome = check([file], fix=True)
        after = Counter(d.code for d in outcome.reports[0].diagnostics if d.edits)
        assert outcome.fixed >= 1
        assert sum(after.values()) < sum(before.values())

    def test_the_table_covers_every_kind_of_repair(self) -> None:
        codes = {
            d.code
            for text in (*FIXABLE.values(), *RULE_EXAMPLES.values())
            for d in use_case.check_text(text, "x").report.diagnostics
            if d.edits
        }
        assert codes >= {"LM112", "LM201", "LM203", "LM205", "LM414", "LM725"}

    @pytest.mark.parametrize(
        "text", [*FIXABLE.values(), *RULE_EXAMPLES.values()], ids=[*FIXABLE, *RULE_EXAMPLES]
    )
    def test_a_second_time_there_is_nothing_to_do_and_nothing_gets_worse(
        self, text: bytes, file: Path
    ) -> None:
        file.write_bytes(text)
        before = check_file(file).report.errors
        once = check([file], fix=True)
        written = file.read_bytes()
        assert once.reports[0].errors <= before
        again = check([file], fix=True)
        assert (again.fixed, file.read_bytes()) == (0, written)

    @settings(max_examples=4000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_a_damaged_file_never_gets_worse(self, data: st.DataObject, file: Path) -> None:
        lines = maximal().splitlines(keepends=True)
        for _ in range(data.draw(st.integers(1, 4))):
            number = data.draw(st.integers(0, len(lines) - 1))
            lines[number] = data.draw(st.sampled_from(DAMAGE))(lines[number])
        file.write_text("".join(lines))
        before = check_file(file).report
        outcome = check([file], fix=True)
        assert outcome.reports[0].errors <= before.errors
        if not outcome.fixed:
            assert file.read_text() == "".join(lines)
        assert check([file], fix=True).fixed == 0

    @pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8], ids=["plain", "marked"])
    @pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
    def test_everything_but_the_mistake_stays(self, end: bytes, mark: bytes, file: Path) -> None:
        file.write_bytes(mark + UNQUOTED.encode().replace(b"\n", end) + b"# tail \t")
        assert check([file], fix=True).fixed == 1
        expected = UNQUOTED.replace("1.10 ", '"1.10" ').encode().replace(b"\n", end) + b"# tail \t"
        assert file.read_bytes() == mark + expected

    def test_an_added_line_ends_as_the_others_do(self, file: Path) -> None:
        text = overlay("name: legal-review\nversion: '1.0'").replace("risk_level: medium\n", "")
        file.write_bytes(text.replace("\n", "\r\n").encode())
        assert check([file], fix=True).fixed == 1
        written = file.read_bytes()
        assert b"risk_level: high\r\n" in written
        assert written.count(b"\n") == written.count(b"\r\n")

    def test_mode_and_link_stay(self, tmp_path: Path, file: Path) -> None:
        target = tmp_path / "target.yaml"
        target.write_text(UNQUOTED)
        target.chmod(0o640)
        file.symlink_to("target.yaml")
        assert check([file], fix=True).fixed == 1
        assert file.is_symlink()
        assert stat.S_IMODE(target.stat().st_mode) == 0o640
        assert '"1.10"' in target.read_text()

    def test_each_edit_is_counted_once_and_overlapping_ones_are_made_in_turn(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write_text("a")
        monkeypatch.setattr(use_case, "check_file", _stub(file, {"a": [("b", 1), ("c", 1)], "b": [("d", 1)]}))
        monkeypatch.setattr(
            use_case, "check_text", lambda raw, name, folder: Checked(None, _report(raw.decode(), []))
        )
        assert check([file], fix=True).fixed == 2
        assert file.read_text() == "d"

    def test_a_repair_that_would_make_things_worse_is_left_undone(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write_text(UNQUOTED)
        found = check_file(file).report
        worse = Edit(Span(1, 1, 1, 5), "nmae")
        (error,) = (d for d in found.diagnostics if d.edits)
        spoiled = Diagnostic(error.code, "error", error.message, error.span, edits=(worse,))
        result = Checked(None, Report.of(found.source, [spoiled]))
        monkeypatch.setattr(use_case, "check_file", lambda _: result)
        assert check([file], fix=True).fixed == 0
        assert file.read_text() == UNQUOTED

    def test_repairs_that_never_end_are_given_up(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file.write_text("a")
        forever = _stub(file, {"a": [("b", 1)], "b": [("a", 1)]})
        monkeypatch.setattr(use_case, "check_file", forever)
        monkeypatch.setattr(
            use_case, "check_text", lambda raw, name, folder: Checked(None, _report(raw.decode(), []))
        )
        assert check([file], fix=True).fixed == use_case.MAX_FIX_ROUNDS

    def test_two_at_once_leave_one_of_the_two_right_results(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write_text(UNQUOTED)
        alone = UNQUOTED.replace("1.10 ", '"1.10" ')
        real, other = use_case.read_document, iter([True])

        def second_one_comes_first(path: Path, name: str) -> Any:
            if next(other, False):
                check([file], fix=True)
            return real(path, name)

        monkeypatch.setattr(use_case, "read_document", second_one_comes_first)
        assert check([file], fix=True).exit_code() == 0
        assert file.read_text() == alone

    def test_what_somebody_saves_meanwhile_is_not_overwritten(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write_text(UNQUOTED)
        real, saves = use_case.read_document, iter([UNQUOTED.replace("note", "renamed")])

        def saved_meanwhile(path: Path, name: str) -> Any:
            for text in saves:
                file.write_text(text)
                break
            return real(path, name)

        monkeypatch.setattr(use_case, "read_document", saved_meanwhile)
        check([file], fix=True)
        assert file.read_text() == UNQUOTED.replace("note", "renamed").replace("1.10 ", '"1.10" ')

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
    def test_a_disk_that_takes_no_more_is_said_and_leaves_the_file_alone(
        self, number: int, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write_text(UNQUOTED)
        monkeypatch.setattr(os, "fsync", _failing(OSError(number, os.strerror(number))))
        with pytest.raises(LoomError, match="cannot be written"):
            check([file], fix=True)
        assert [path.name for path in file.parent.iterdir()] == [FILE_NAME]
        assert file.read_text() == UNQUOTED


def _report(text: str, edits: list[tuple[str, int]]) -> Report:
    made = [Edit(Span(1, 1, 1, 1 + length), new) for new, length in edits]
    return Report.of(
        Source("x", text),
        [Diagnostic("LM1", "error", new.text, Span(1, 1, 1, 2), edits=(new,)) for new in made],
    )


def _stub(file: Path, edits: dict[str, list[tuple[str, int]]]) -> Callable[[Path], Checked]:
    return lambda _: Checked(None, _report(file.read_text(), edits.get(file.read_text(), [])))


def _failing(error: BaseException) -> Callable[..., NoReturn]:
    def fail(*_: Any, **__: Any) -> NoReturn:
        raise error

    return fail


DAMAGE: list[Callable[[str], str]] = [
    lambda line: re.sub(r"([a-z])([a-z])(\w*:)", r"\2\1\3", line, count=1),
    lambda line: re.sub(r": (true|false)", r": '\1'", line),
    lambda line: re.sub(r": (\w+)$", r": 12", line.rstrip("\n")) + "\n",
    lambda line: re.sub(r": ([a-z])", lambda m: ": " + m[1].upper(), line, count=1),
    lambda line: re.sub(r"^( *)(\w+):", r"\g<1>7:", line),
    lambda line: line.replace("[", "", 1).replace("]", "", 1),
    lambda line: line.replace("_", "-", 1),
    lambda line: "",
    lambda line: line + line,
]


class TestWatch:
    @staticmethod
    def _watching(
        files: list[Path], changes: list[Callable[[], object]], *, fix: bool = False
    ) -> Iterator[Outcome]:
        """The outcomes while one thing happens at each wait; interrupted when nothing is left to happen."""
        steps = iter(changes)

        def wait(_: float) -> None:
            change = next(steps, None)
            if change is None:
                raise KeyboardInterrupt
            change()

        try:
            yield from watch(files, fix=fix, wait=wait)
        except KeyboardInterrupt:
            return

    @staticmethod
    def _writing(file: Path, text: str, stamp: int) -> Callable[[], object]:
        def change() -> None:
            file.write_text(text)
            os.utime(file, ns=(stamp, stamp))

        return change

    def test_each_change_is_looked_at_once(self, file: Path) -> None:
        file.write_text(GOOD)
        changes = [
            lambda: None,
            self._writing(file, "{", 1),
            lambda: None,
            self._writing(file, GOOD, 2),
            self._writing(file, GOOD, 3),
        ]
        assert [outcome.exit_code() for outcome in self._watching([file], changes)] == [0, 1, 0, 0]

    def test_a_file_may_go_and_come_back(self, file: Path) -> None:
        file.write_text(GOOD)
        changes = [file.unlink, self._writing(file, GOOD, 5)]
        assert [outcome.exit_code() for outcome in self._watching([file], changes)] == [0, 2, 0]

    def test_a_change_of_one_file_checks_all_of_them(self, tmp_path: Path) -> None:
        one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
        one.write_text(GOOD)
        two.write_text(GOOD)
        outcomes = list(self._watching([one, two], [self._writing(two, "{", 7)]))
        assert [[report.errors for report in outcome.reports] for outcome in outcomes] == [[0, 0], [0, 1]]

    def test_its_own_repairs_are_no_reason_to_look_again(self, file: Path) -> None:
        file.write_text(UNQUOTED)
        changes = [lambda: None, self._writing(file, UNQUOTED, 9), lambda: None]
        assert [outcome.fixed for outcome in self._watching([file], changes, fix=True)] == [1, 1]
