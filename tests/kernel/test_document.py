"""Reading: what a scalar means, where everything stands, and what is refused at once."""

from __future__ import annotations

import os
import random
import resource
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.kernel.builder import MAX_COMPLAINTS, MAX_DEPTH
from loom.kernel.diagnostics import Diagnostic, Source, Span
from loom.kernel.document import MAX_BYTES, parse_document, read_document, walk
from tests.emitter import emit
from tests.process.checking import child_of, document_of, lines_of, offsets_of

CORE_SCALARS: list[tuple[str, Any]] = [
    ("null", None),
    ("Null", None),
    ("NULL", None),
    ("~", None),
    ("", None),
    ("nUll", "nUll"),
    ("true", True),
    ("True", True),
    ("TRUE", True),
    ("false", False),
    ("False", False),
    ("FALSE", False),
    ("tRue", "tRue"),
    ("yes", "yes"),
    ("Yes", "Yes"),
    ("no", "no"),
    ("NO", "NO"),
    ("on", "on"),
    ("off", "off"),
    ("y", "y"),
    ("n", "n"),
    ("0", 0),
    ("-0", 0),
    ("+12", 12),
    ("-19", -19),
    ("012", 12),
    ("0o14", 12),
    ("0o18", "0o18"),
    ("0xC", 12),
    ("0xfF", 255),
    ("0xG", "0xG"),
    ("-0xC", "-0xC"),
    ("0b11", "0b11"),
    ("1_000", "1_000"),
    ("1,000", "1,000"),
    ("60:30", "60:30"),
    ("1.", 1.0),
    (".5", 0.5),
    ("-.5", -0.5),
    ("1.10", 1.1),
    ("1e3", 1000.0),
    ("1E-2", 0.01),
    ("+1.5e+2", 150.0),
    ("1e", "1e"),
    ("e3", "e3"),
    (".", "."),
    ("-", "-"),
    ("+", "+"),
    ("..5", "..5"),
    ("1.2.3", "1.2.3"),
    ("2026-01-31", "2026-01-31"),
    ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
    ("=", "="),
    ("<<", "<<"),
    ("inf", "inf"),
    ("nan", "nan"),
    ("١٢", "١٢"),
    ("null and void", "null and void"),
    ("'true'", "true"),
    ('"12"', "12"),
    ("''", ""),
    (r'"\u00e9\x41\n\e"', "éA\n\x1b"),
    ("a  # comment", "a"),
    ("a#b", "a#b"),
    ("|\n  12\n", "12\n"),
    (">-\n  a\n  b\n", "a b"),
]


@pytest.mark.parametrize(("written", "value"), CORE_SCALARS)
def test_a_plain_scalar_means_what_yaml_1_2_says(written: str, value: Any) -> None:
    read = document_of(f"key: {written}\n").data["key"] if written != "-" else document_of("[-, a]\n").data[0]
    assert read == value
    assert type(read) is type(value)


def complaints(raw: bytes | str) -> list[Diagnostic]:
    return parse_document(raw if isinstance(raw, bytes) else raw.encode(), "it.yaml")[1]


def only(raw: bytes | str) -> tuple[str, int, int]:
    (found,) = complaints(raw)
    return found.code, found.span.line, found.span.column


@pytest.mark.parametrize(
    "written", [".inf", "-.inf", "+.INF", ".Inf", ".nan", ".NaN", ".NAN", "1e999", "-1e400"]
)
def test_a_number_that_is_no_number_is_refused(written: str) -> None:
    assert only(f"a: 1\nkey: {written}\n") == ("LM114", 2, 6)


@pytest.mark.parametrize(
    "written", ["9" * 301, "-" + "9" * 301, "0x" + "f" * 300, "1" * 400 + ".5", "0o" + "7" * 500]
)
def test_a_number_of_hundreds_of_digits_is_refused(written: str) -> None:
    assert only(f"key: [1, {written}]\n") == ("LM114", 1, 10)


def test_a_refused_number_leaves_a_hole_that_later_rules_can_see() -> None:
    document, _, _ = parse_document(b"a: {b: [1, .inf]}\n", "it.yaml")
    assert document is not None
    assert document.dropped == (("a", "b", 1),)


def test_line_ends_of_every_system_give_the_same_data_and_places() -> None:
    text = "a: é\nb:\n  - 'x: y'\n  - {c: 1}\n"
    unix = document_of(text)
    for line_break in ("\r\n", "\r"):
        other = document_of(text.replace("\n", line_break))
        assert other.data == unix.data
        for path, _ in walk(unix.data):
            assert other.value_at(path) == unix.value_at(path)
            assert other.key_at(path) == unix.key_at(path)


@pytest.mark.parametrize("mark", ["\ufeff", "\ufeff\ufeff"])
def test_a_byte_order_mark_moves_nothing(mark: str) -> None:
    document = document_of(mark + "a: 1\n")
    assert document.data == {"a": 1}
    assert document.value_at(("a",)) == Span(1, 4, 1, 5)
    assert only((mark + "a: .inf\n").encode()) == ("LM114", 1, 4)


def test_bytes_that_are_not_utf8_are_placed_in_characters() -> None:
    assert only("é: 1\nkey: é".encode() + b"\xff") == ("LM103", 2, 7)
    assert only(b"\xef\xbb\xbfa\xff") == ("LM103", 1, 2)
    assert only(b"a: 1\rb: \xe9") == ("LM103", 2, 4)
    assert only("a: 1\n".encode("utf-16")) == ("LM103", 1, 1)


@pytest.mark.parametrize(
    "character", ["\x00", "\x01", "\x0b", "\x1b", "\x7f", "\x9b", "\ufffe", "\u2028", "\u2029", "\x85"]
)
def test_an_invisible_character_is_refused_where_it_stands(character: str) -> None:
    assert only(f"a: é€😀\nb: é {character}c\n") == ("LM104", 2, 6)


@pytest.mark.parametrize("character", ["é", "€", "😀", "\u200b", "\u00a0", "\ue000", "\ufffd"])
def test_other_characters_are_text(character: str) -> None:
    assert document_of(f"a: x{character}y\n").data == {"a": f"x{character}y"}


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("name: [example", "LM105", 1, 15),
        ("name: 'example\n\n", "LM105", 1, 15),
        ("a: {b: c\n# the end\n", "LM105", 2, 10),
        ("a: b: c", "LM105", 1, 5),
        ("a: @b", "LM105", 1, 4),
        ("a: `b`", "LM105", 1, 4),
        ("a: %b", "LM105", 1, 4),
        ("a: 'b'c", "LM105", 1, 7),
        ('é: "\\q"', "LM105", 1, 5),
        ("a: 1\n b: 2\n", "LM105", 2, 3),
        ("- a\nb: 1\n", "LM105", 2, 1),
        ("%YAML 2.0\n---\na: 1\n", "LM105", 1, 1),
        ("a: !<x y\n", "LM105", 1, 7),
        ("a:\n\t- b\n", "LM106", 2, 1),
        ("a:\n  -\tb: 1\n    c: 2\n", "LM106", 2, 4),
        ("a: 1\n\tb: 2\n", "LM106", 2, 1),
        ("a: {b: 1,\n\tc: [}\n", "LM106", 2, 1),
        ("a: 1\na: 2\n", "LM107", 2, 1),
        ("a: {b: 1, 'b': 2}\n", "LM107", 1, 11),
        ("é: {é: 1, é: 2}\n", "LM107", 1, 11),
        ("a: &b 1\n", "LM108", 1, 4),
        ("a: *b\n", "LM108", 1, 4),
        ("a: [1, *b]\n", "LM108", 1, 8),
        ("a: 1\n*b : 2\n", "LM108", 2, 1),
        ("*b", "LM108", 1, 1),
        ("a: !!str 1\n", "LM109", 1, 4),
        ("a: ! b\n", "LM109", 1, 4),
        ("a: !!python/object:os.system b\n", "LM109", 1, 4),
        ("--- !x {a: 1}\n", "LM109", 1, 5),
        ("a: 1\n---\nb: 2\n", "LM110", 2, 1),
        ("a: 1\n...\n---\nb: 2\n", "LM110", 3, 1),
        ("? [a]\n: b\n", "LM112", 1, 3),
        ("{{a: 1}: b}\n", "LM112", 1, 2),
        ("1: a\n", "LM112", 1, 1),
        ("null: a\n", "LM112", 1, 1),
        ("a: {true: b}\n", "LM112", 1, 5),
        ("{? : a}\n", "LM112", 1, 4),
        ("? ", "LM112", 1, 2),
        ("-.5: a\n", "LM112", 1, 1),
        ("", "LM113", 1, 1),
        ("# nothing\n", "LM113", 1, 1),
        ("---\n", "LM113", 1, 1),
        ("~\n", "LM113", 1, 1),
    ],
)
def test_bad_yaml_is_refused_at_its_place(text: str, code: str, line: int, column: int) -> None:
    assert only(text) == (code, line, column)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("yes: 1\n", {"yes": 1}),
        ("'1': a\n", {"1": "a"}),
        ("2026-01-31: a\n", {"2026-01-31": "a"}),
        ("<<: {a: 1}\n", {"<<": {"a": 1}}),
        ("a:\tb\n", {"a": "b"}),
        ("a: 1\n...\n", {"a": 1}),
        ("%YAML 1.2\n---\na: 1\n", {"a": 1}),
        ("? a\n: b\n", {"a": "b"}),
        ("[]\n", []),
        ("42\n", 42),
    ],
)
def test_what_looks_odd_and_is_sound_is_read(text: str, data: Any) -> None:
    assert document_of(text).data == data


def test_every_complaint_of_one_file_is_collected() -> None:
    text = "a: &x 1\nb: *x\nc: !t 2\na: 3\n4: 5\ne: .nan\n"
    assert [(d.code, d.span.line) for d in complaints(text)] == [
        ("LM108", 1),
        ("LM108", 2),
        ("LM109", 3),
        ("LM107", 4),
        ("LM112", 5),
        ("LM114", 6),
    ]


def test_of_two_equal_keys_the_first_one_counts() -> None:
    document, _, _ = parse_document(b"a: {b: 1}\na: {b: 2, c: [*x]}\n", "it.yaml")
    assert document is not None
    assert document.data == {"a": {"b": 1}}
    assert document.value_at(("a", "b")) == Span(1, 8, 1, 9)
    assert not any(path[0] == "a" for path in document.dropped)


def test_an_alias_leaves_a_hole_and_the_rest_keeps_its_place() -> None:
    document, _, _ = parse_document(b"a: [1, *x, 3]\nb: *x\nc: {d: *x}\n", "it.yaml")
    assert document is not None
    assert document.dropped == (("a", 1), ("b",), ("c", "d"))
    assert document.data["a"][2] == 3
    assert document.value_at(("a", 2)) == Span(1, 12, 1, 13)


def test_nulls_are_remembered_with_their_places() -> None:
    document = document_of("a:\nb: [1, ~, {c: }]\nd: 'null'\n")
    assert document.nulls == (("a",), ("b", 1), ("b", 2, "c"))


def test_what_is_missing_is_shown_at_the_key_of_its_nearest_ancestor() -> None:
    document = document_of("a:\n  b: [x]\n")
    assert document.value_at(("a", "c")) == document.key_at(("a",)) == Span(1, 1, 1, 2)
    assert document.value_at(("a", "b", 7, "d")) == document.key_at(("a", "b")) == Span(2, 3, 2, 4)
    assert document.key_at(("a", "b", 0)) == document.value_at(("a", "b", 0)) == Span(2, 7, 2, 8)


# files -----------------------------------------------------------------------------------------------


def refusal(path: Path) -> tuple[str, str]:
    document, (found,), source = read_document(path)
    assert document is None
    assert (source.name, source.text) == (str(path), "")
    assert found.span == Span(1, 1, 1, 1)
    assert found.severity == "error" and found.fix
    return found.code, found.detail


def test_a_named_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe") == ("LM101", "it is not a regular file")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == ("LM101", "it is a directory")


def test_a_device_is_refused() -> None:
    assert refusal(Path("/dev/zero")) == ("LM101", "it is not a regular file")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.yaml") == ("LM101", "no such file or directory")
    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file" / "process.yaml") == ("LM101", "not a directory")


def test_a_path_that_no_system_takes_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / ("x" * 300)) == ("LM101", "file name too long")
    assert refusal(Path("a\0b"))[0] == "LM101"


def test_links_are_followed_and_loops_are_refused(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text("a: 1\n")
    (tmp_path / "link.yaml").symlink_to("real.yaml")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "dangling.yaml").symlink_to("gone.yaml")
    document, found, _ = read_document(tmp_path / "link.yaml")
    assert document is not None and document.data == {"a": 1} and not found
    assert refusal(tmp_path / "loop.yaml")[0] == "LM101"
    assert refusal(tmp_path / "dangling.yaml") == ("LM101", "no such file or directory")


def test_a_file_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # the user who runs the tests may be allowed to read everything
    def denied(*_: Any, **__: Any) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    assert refusal(tmp_path / "secret.yaml") == ("LM101", "permission denied")


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    read: list[int] = []
    real = os.fdopen

    def fdopen(handle: int, mode: str) -> Any:
        file = real(handle, mode)
        assert stat.S_ISREG(os.fstat(handle).st_mode)
        return _Watched(file, read)

    monkeypatch.setattr(os, "fdopen", fdopen)
    assert refusal(path) == ("LM102", "104,857,600 bytes; the limit is 1,048,576")
    assert read == []


class _Watched:
    """A file that notes every read."""

    def __init__(self, file: Any, read: list[int]) -> None:
        self._file, self._read = file, read

    def __enter__(self) -> _Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def fileno(self) -> int:
        return int(self._file.fileno())

    def read(self, size: int) -> bytes:
        self._read.append(size)
        return bytes(self._file.read(size))


def test_the_limit_is_one_mebibyte_exactly(tmp_path: Path) -> None:
    path = tmp_path / "full.yaml"
    path.write_bytes(b"a: " + b"x" * (MAX_BYTES - 4) + b"\n")
    document, found, _ = read_document(path, "shown.yaml")
    assert document is not None and not found and document.source.name == "shown.yaml"
    path.write_bytes(b"a: " + b"x" * (MAX_BYTES - 3) + b"\n")
    assert refusal(path) == ("LM102", "1,048,577 bytes; the limit is 1,048,576")
    assert only(b"x" * (MAX_BYTES + 1)) == ("LM102", 1, 1)


# bombs -----------------------------------------------------------------------------------------------


def test_a_billion_laughs_are_refused_at_the_first_laugh() -> None:
    text = "a: &a [lol, lol]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
    )
    found = complaints(text)
    assert (found[0].code, found[0].span.line, found[0].span.column) == ("LM108", 1, 4)
    assert len(found) == 10 + 9 * 9
    assert {d.code for d in found} == {"LM108"}


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 100_000, "[{a: " * 50_000])
def test_a_depth_bomb_is_refused_at_the_first_level_too_many(text: str) -> None:
    code, line, _ = only(text)
    assert (code, line) == ("LM111", 1)


@pytest.mark.parametrize("text", ["{" * 100_000, "? " * 100_000])
def test_a_bomb_of_keys_is_refused_at_the_first_key(text: str) -> None:
    assert only(text)[0] == "LM112"


def test_the_deepest_level_that_is_allowed_is_read() -> None:
    document = document_of("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert sum(1 for _ in walk(document.data)) == MAX_DEPTH
    assert only("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)) == ("LM111", 1, MAX_DEPTH + 1)


def test_a_mebibyte_of_short_lines_is_read() -> None:
    document = document_of("- a\n" * (MAX_BYTES // 4))
    assert len(document.data) == MAX_BYTES // 4


@pytest.mark.parametrize("unit", ["a: 1\n", "- &a b\n", "- *a\n", "- !t b\n", "1: a\n"])
def test_complaints_without_end_are_cut_short(unit: str) -> None:
    assert len(complaints(unit * 100_000)) == MAX_COMPLAINTS


def test_refusing_takes_no_more_memory_than_reading() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for text in ("[" * MAX_BYTES, "- *a\n" * (MAX_BYTES // 5), "a: &a\n" * (MAX_BYTES // 6), '"' * MAX_BYTES):
        assert complaints(text)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


# places ----------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        "a",
        "é",
        "key",
        "a b",
        "x: y",
        "- z",
        "#n",
        "it's",
        '"q"',
        "",
        "true",
        "12",
        "null",
        "😀€",
        "a\nb",
        "line\n",
        "[",
        "{}",
    ]
)
SCALARS = WORDS | st.none() | st.booleans() | st.integers(-999, 10**6) | st.floats(0.001, 1e6)
NESTED = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=14,
)


def reread(text: str, span: Span) -> Any:
    """What the text of a span alone means."""
    start, end = offsets_of(text, span)
    # the lines after the first keep their indentation, so the first one is given its own
    alone = " " * (span.column - 1) + text[start:end]
    return document_of(f"- {alone}").data[0] if "\n" not in alone else document_of(alone).data


@settings(max_examples=250, derandomize=True, deadline=None, database=None)
@given(data=NESTED.filter(lambda data: data is not None), seed=st.integers(0, 2**32))
def test_the_text_at_a_place_is_the_value_that_was_read(data: Any, seed: int) -> None:
    text = emit(data, random.Random(seed).randrange)
    document = document_of(text)
    assert document.data == data
    for path, value in walk(data):
        assert reread(text, document.value_at(path)) == value, (text, path)
        if path and isinstance(child_of(data, path[:-1]), dict):
            start, end = offsets_of(text, document.key_at(path))
            assert document_of(f"[{text[start:end]}]").data == [path[-1]], (text, path)


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(data=NESTED.filter(lambda data: data is not None), seed=st.integers(0, 2**32))
def test_spans_nest_as_the_data_does_and_siblings_do_not_overlap(data: Any, seed: int) -> None:
    text = emit(data, random.Random(seed).randrange)
    document = document_of(text)
    lines = lines_of(text)
    ends: dict[tuple[str | int, ...], tuple[int, int]] = {}
    for path, _ in walk(data):
        span = document.value_at(path)
        assert 1 <= span.line <= span.end_line <= len(lines)
        if path:
            outer = document.value_at(path[:-1])
            assert outer[:2] <= span[:2] and span[2:] <= outer[2:]
            assert ends.get(path[:-1], (1, 1)) <= span[:2]
            ends[path[:-1]] = span[2:]


def test_a_source_cuts_its_text_where_editors_do() -> None:
    source = Source("it", "one\r\ntwo\rthree\n\u2028four")
    assert [source.line(n) for n in range(7)] == ["", "one", "two", "three", "\u2028four", "", ""]
    assert source.slice(Span(1, 2, 3, 3)) == "ne\ntwo\nth"
    assert source.slice(Span(2, 1, 2, 3)) == "tw"


@pytest.mark.parametrize(
    "text", ["a:", "a: ", "a:\n", "- b:\n-", "? ", "{a: }", "a:\n  b:", "a: [\n]", "a: |\n", "a: >-"]
)
def test_what_ends_with_the_text_stands_inside_it(text: str) -> None:
    document, _, _ = parse_document(text.encode(), "it.yaml")
    assert document is not None
    lines = lines_of(text)
    for path, _ in walk(document.data):
        span = document.value_at(path)
        assert span.end_line <= len(lines) and span.end_column <= len(lines[span.end_line - 1]) + 1


def test_walk_meets_parents_before_children_in_order() -> None:
    assert [path for path, _ in walk({"a": [1, {"b": 2}], "c": 3})] == [
        (),
        ("a",),
        ("a", 0),
        ("a", 1),
        ("a", 1, "b"),
        ("c",),
    ]
