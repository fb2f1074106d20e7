"""The numbers of a document: which of them claim something, and that none gets past without the place it was read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from loom.validity.numbers import Cited, check, cite, numbers_in, pointer, value_at

RUN = "ValidateFlow/3"
SUMMARY = {
    "holdout": {"score": 0.84213, "ci": [0.8219, 0.8604], "n": 1409},
    "share": 0.261803,
    "p": 0.00012,
    "rows": 5634,
    "flags": [{"column": "refund"}, {"column": "paid"}],
    "why": "31 of 5,634 rows have features that another row has; `a1` is id-like",
    "nothing": None,
    "is_odd": True,
}
PLACES = ("/holdout/score", "/holdout/ci/0", "/holdout/n", "/share", "/p", "/rows", "/flags", "/why")


def artifacts(summary: Any = SUMMARY) -> Any:
    def lookup(pathspec: str) -> Any:
        return {RUN: summary}[pathspec]

    return lookup


def cited(path: str, summary: Any = SUMMARY, **how: Any) -> Cited:
    found = cite(RUN, summary, path, **how)
    assert found is not None
    return found


def written(parts: Sequence[str | Cited]) -> tuple[str, list[Cited]]:
    text = "".join(part if isinstance(part, str) else part.shown for part in parts)
    return text, [part for part in parts if isinstance(part, Cited)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("an AUC of 0.842 on 1,409 rows", ["0.842", "1,409"]),
        ("26.2 % of them, 3%, 12 per cent", ["26.2 %", "3%", "12 per cent"]),
        ("0.85 ± 0.02", ["0.85", "0.02"]),
        ("0.82–0.86, 0.82-0.86, 0.82 to 0.86, [0.82, 0.86]", ["0.82", "0.86"] * 4),
        ("between -0.3 and −.5 (+2)", ["-0.3", "−.5", "+2"]),
        ("1e-6, 1.5E+03, 2.1 × 10^-5, 3 × 10⁻⁷", ["1e-6", "1.5E+03", "2.1 × 10^-5", "3 × 10⁻⁷"]),
        ("p < 0.001, n ≥ 20, > 99.9 %", ["< 0.001", "≥ 20", "> 99.9 %"]),
        ("12\u202f345, 12\u00a0345, 12’345, 12_345", ["12\u202f345", "12\u00a0345", "12’345", "12", "345"]),
        ("a 5-fold split, 27.3s, 3rd, 5 of 7, 5/7", ["5", "27.3", "3", "5", "7", "5", "7"]),
        ("0,842 is no thousand, 12,34 neither", ["0", "842", "12", "34"]),
        ("½ of it, ٣ and ９", ["½", "٣", "９"]),
        ("score0.85 hides nothing, top-10 neither, a->5", [".85", "10", "5"]),
        ("AUC/85, Score/0.85, OpsFlow/0.85, OpsFlow/1,200", ["85", "0.85", "0.85", "1,200"]),
    ],
)
def test_a_number_that_claims_something_is_found(text: str, found: list[str]) -> None:
    assert [number.text for number in numbers_in(text)] == found


@pytest.mark.parametrize(
    "text",
    [
        "on 2026-11-21, at 2026-11-21T13:35:59+00:00, 2026-11-21 13:35:59Z, 13:35:59",
        "on 21.11.2026, on 11/21/2026, in March 2026, on 3 March 2026, on March 3rd, 2026",
        "version 0.85, v1.2, v3.11.2rc1, 1.26.4, 2.7.0+cpu, 127.0.0.1",
        "EdaFlow/1, IngestDataset/12/start/3, `x`, ValidateFlow/3#/summary/holdout/ci/0.",
        "sha256:79dee5bdc5f46ddc, 9ecb237f686cae7d, loom-a1b2c3, run-6c55eb4aae",
        "`0.85`, ``a `0.85` b``, a [page](http://x.org/12?a=3), https://x.org/12",
        "# 5 rows\n\n  ## 3 % of them\n",
        "```\n0.85\n12\n```\n\n~~~ text\n9\n~~~",
        "p95, R², F1, k_3, utf8, übung2, χ²",
        "said before[^3]\n\n[^3]: there",
        "1. first\n2. second\n10) tenth",
        "three of them, no digits at all",
        "",
    ],
)
def test_what_claims_nothing_is_left_alone(text: str) -> None:
    assert numbers_in(text) == ()


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("0.842", 0.84213, True),
        ("0.842", 0.8425, True),
        ("0.842", 0.84251, False),
        ("0.843", 0.84213, False),
        ("0.8", 0.84213, True),
        ("26.2 %", 0.261803, True),
        ("26.2 %", 26.1803, False),
        ("26.2", 0.261803, False),
        ("1,409", 1409, True),
        ("1,410", 1409, False),
        ("< 0.001", 0.00012, True),
        ("< 0.001", 0.001, False),
        ("≤ 0.001", 0.001, True),
        ("> 99.9 %", 0.9997, True),
        ("1.2e-4", 0.00012, True),
        ("3 × 10⁻⁷", 3e-7, True),
        ("-0.5", -0.5, True),
        ("0.5", -0.5, False),
        ("½", 0.5, True),
        ("1e-9999", 0.0, False),
        ("0", float("nan"), False),
        ("> 1", float("inf"), False),
        ("9" * 500, 1.0, False),
    ],
)
def test_a_number_stands_for_what_rounds_to_its_digits(text: str, value: float, holds: bool) -> None:
    (number,) = numbers_in(text)
    assert number.holds(value) is holds


def test_a_number_knows_its_line() -> None:
    assert [number.line for number in numbers_in("one\n2\n\n`3` 4\n5")] == [2, 4, 5]


def test_what_was_read_is_shown_as_people_write_it() -> None:
    shown = [cited(path).shown for path in ("/holdout/score", "/holdout/n", "/flags")]
    assert shown == ["0.8421", "1,409", "2"]
    assert cited("/share", shape="share").shown == "26.2 %"
    assert cited("/p", shape="chance").shown == "< 0.001"
    assert cited("/rows", shape="share").shown == "5,634"


@pytest.mark.parametrize(
    "path", ["/nothing", "/is_odd", "/gone", "/flags/2", "/flags/x", "/rows/0", "/why/0"]
)
def test_where_no_number_stands_there_is_nothing_to_cite(path: str) -> None:
    assert cite(RUN, SUMMARY, path) is None


def test_a_pointer_reaches_names_of_any_kind() -> None:
    artifact = {"a/b": [{"c~d": {"": 3}}]}
    assert value_at(artifact, pointer("a/b", 0, "c~d", "")) == 3


def test_a_cited_text_is_cut_between_words_and_outside_of_code() -> None:
    long = {"why": "rows of `one` " + "and `another one` " * 60}
    found = cited("/why", long, most=100)
    assert found.shown.endswith("…") and len(found.shown) <= 101
    assert found.shown.count("`") % 2 == 0
    assert check(f"because {found.shown}", [found], artifacts(long)) == ()


def test_a_cited_text_is_not_cut_within_a_number() -> None:
    for most in range(1, 40):
        told = {"why": "between 12 % and 3 × 10^-5 of all rows, or 1,234 of them"}
        found = cited("/why", told, most=most)
        assert check(f"because {found.shown}", [found], artifacts(told)) == ()


def test_backticks_without_a_partner_make_no_code_of_what_follows() -> None:
    odd = {"why": "a ` b 5", "n": 7}
    text, citations = written([cited("/why", odd), " and `x` ", cited("/n", odd)])
    assert check(text, citations, artifacts(odd)) == ()
    assert [finding.kind for finding in check(text.replace("7", "8"), citations, artifacts(odd))] == [
        "altered"
    ]


def test_each_kind_of_unsupported_claim_is_named() -> None:
    score, rows = cited("/holdout/score"), cited("/rows")
    text = f"AUC {score.shown} on {rows.shown} rows"
    assert check(text, [score, rows], artifacts()) == ()
    (altered,) = check(text.replace("0.8421", "0.8431"), [score, rows], artifacts())
    assert (altered.kind, altered.line, altered.address) == ("altered", 1, f"{RUN}#/holdout/score")
    assert altered.what == "0.8431 stands where 0.8421 was read"
    (uncited,) = check(f"{text}\nand 12 more", [score, rows], artifacts())
    assert (uncited.kind, uncited.line) == ("uncited", 2)
    (missing,) = check(f"AUC {score.shown} on rows", [score, rows], artifacts())
    assert (missing.kind, missing.address) == ("missing", f"{RUN}#/rows")
    (different,) = check(text, [score, rows], artifacts({**SUMMARY, "rows": 5635}))
    assert (different.kind, different.what) == ("different", "5,634 is 5635 there")
    (gone,) = check(text, [score, rows], artifacts({**SUMMARY, "rows": None}))
    assert gone.kind == "gone"
    assert {each.kind for each in check(text, [score, rows], lambda pathspec: {}[pathspec])} == {"gone"}


def test_numbers_that_changed_places_are_found() -> None:
    low, high = cited("/holdout/ci/0"), cite(RUN, SUMMARY, "/holdout/ci/1")
    assert high is not None
    assert check(f"{high.shown} to {low.shown}", [low, high], artifacts())


def test_a_citation_that_shows_another_value_than_it_read_is_found() -> None:
    lied = Cited(RUN, "/holdout/score", 0.84213, "0.91")
    assert [each.kind for each in check("0.91", [lied], artifacts())] == ["different"]
    words = Cited(RUN, "/why", SUMMARY["why"], "32 rows")  # type: ignore[arg-type]
    assert [each.kind for each in check("32 rows", [words], artifacts())] == ["different"]


FINITE = st.one_of(
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False, width=64, min_value=-1e12, max_value=1e12),
    st.floats(0, 1),
)
WORDS = st.text(alphabet="abcdé |*_\n%,.-–()±<>", max_size=12).map(lambda text: f" {text} ")


@st.composite
def documents(draw: Any) -> tuple[list[str | Cited], dict[str, Any]]:
    values = draw(st.lists(FINITE, min_size=1, max_size=8))
    summary = {f"v{at}": value for at, value in enumerate(values)}
    parts: list[str | Cited] = [draw(WORDS)]
    for name in summary:
        shape = draw(st.sampled_from(["number", "share", "chance"]))
        parts += [cited(f"/{name}", summary, shape=shape), "; " + draw(WORDS)]
    return parts, summary


@given(documents())
def test_a_document_whose_numbers_were_all_read_passes(document: Any) -> None:
    parts, summary = document
    text, citations = written(["x: " if isinstance(part, str) else part for part in parts])
    assert check(text, citations, artifacts(summary)) == ()


@given(documents(), st.data())
def test_any_digit_that_is_changed_is_found(document: Any, data: st.DataObject) -> None:
    parts, summary = document
    text, citations = written(["x: " if isinstance(part, str) else part for part in parts])
    places = [
        at for number in numbers_in(text) for at in range(number.start, number.end) if text[at].isdigit()
    ]
    at = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from([each for each in "0123456789" if each != text[at]]))
    assert check(text[:at] + digit + text[at + 1 :], citations, artifacts(summary))


@given(documents(), st.data())
def test_any_value_that_is_no_longer_there_is_found(document: Any, data: st.DataObject) -> None:
    parts, summary = document
    text, citations = written(["x: " if isinstance(part, str) else part for part in parts])
    name = data.draw(st.sampled_from(sorted(summary)))
    other = data.draw(FINITE)
    assume(other != summary[name])
    assert check(text, citations, artifacts({**summary, name: other}))
    left = {key: value for key, value in summary.items() if key != name}
    assert [each.kind for each in check(text, citations, artifacts(left))] == ["gone"]


@given(documents())
def test_whatever_stands_between_them_no_number_is_lost(document: Any) -> None:
    parts, summary = document
    text, citations = written(parts)
    found = check(text, citations, artifacts(summary))
    # what stands beside a number may make another of it; that is told, and nothing worse happens
    assert all(each.kind in ("altered", "uncited", "missing") for each in found)


@given(FINITE, st.sampled_from(["number", "share", "chance"]))
def test_what_is_shown_says_what_was_read(value: float, shape: Any) -> None:
    found = cited("/v", {"v": value}, shape=shape)
    (number,) = numbers_in(found.shown)
    assert number.holds(value)


@given(st.text(max_size=300))
@example("⒜ ⓩ")  # letters in brackets stand among the digits in circles
def test_no_text_is_too_strange_to_be_read(text: str) -> None:
    for number in numbers_in(text):
        assert text[number.start : number.end] == number.text
    check(text, [], artifacts())
    summary = {"why": text}
    if text:
        found = cited("/why", summary, most=40)
        assert json.loads(json.dumps(found.as_json()))["value"] == text
        assert check(f"because {found.shown}", [found], artifacts(summary)) == ()
