from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loom.kernel.errors import LoomError
from loom.kernel.ids import Pathspec, digest, digest_json, is_experiment_id, new_experiment_id, parse_pathspec

relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
names = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,8}\Z")
numbers = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_.:-]{0,8}\Z")
pathspecs = st.one_of(
    st.builds(Pathspec, names, numbers),
    st.builds(Pathspec, names, numbers, names),
    st.builds(Pathspec, names, numbers, names, numbers),
    st.builds(Pathspec, names, numbers, names, numbers, names),
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def test_a_fresh_experiment_id_is_one() -> None:
    fresh = [new_experiment_id() for _ in range(50)]
    assert all(map(is_experiment_id, fresh))
    assert len(set(fresh)) > 45


@pytest.mark.parametrize(
    "text", ["", "loom-", "loom-abc12", "loom-abc1234", "loom-ABC123", "loom-abc123\n", "x-loom-abc123"]
)
def test_other_texts_are_no_experiment_ids(text: str) -> None:
    assert not is_experiment_id(text)


@relaxed
@given(pathspecs)
def test_a_pathspec_is_read_back_from_its_text(pathspec: Pathspec) -> None:
    assert parse_pathspec(str(pathspec)) == pathspec


def test_a_pathspec_has_five_named_parts() -> None:
    assert parse_pathspec("EdaFlow/7") == Pathspec("EdaFlow", "7")
    assert parse_pathspec("EdaFlow/argo-eda-x2f/profile/12/report").artifact == "report"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("EdaFlow", "no run"),
        ("EdaFlow/", "its run is empty"),
        ("/7", "its flow is empty"),
        ("EdaFlow//profile", "its run is empty"),
        ("EdaFlow/7/", "its step is empty"),
        ("EdaFlow/7/profile/1/report/more", "more than 5 parts"),
        ("Eda-Flow/7", "`Eda-Flow` cannot name a flow"),
        ("7/EdaFlow", "`7` cannot name a flow"),
        ("EdaFlow/..", "`..` cannot name a run"),
        ("EdaFlow/7\n", "cannot name a run"),
        ("EdaFlow/7 ", "cannot name a run"),
        ("EdaFlow/7/a\0b", "cannot name a step"),
        ("EdaFlow/" + "7" * 200, "cannot name a run"),
    ],
)
def test_a_text_that_is_no_pathspec_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(LoomError) as raised:
        parse_pathspec(text)
    assert why in raised.value.why
    assert "EdaFlow/7" in raised.value.fix


@relaxed
@given(st.text())
def test_any_text_is_a_pathspec_or_a_loom_error(text: str) -> None:
    try:
        assert str(parse_pathspec(text)) == text
    except LoomError as error:
        assert len(error.what) < 1000


def test_a_pathspec_with_a_gap_cannot_be_built() -> None:
    with pytest.raises(LoomError, match="it names a task but no step"):
        Pathspec("EdaFlow", "7", task="3")


def test_a_digest_is_the_sha256_of_the_bytes() -> None:
    assert digest(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@relaxed
@given(st.dictionaries(st.text(), plain))
def test_the_order_of_keys_does_not_change_a_digest(data: dict[str, object]) -> None:
    assert digest_json(data) == digest_json(dict(reversed(data.items())))


def test_different_values_have_different_digests() -> None:
    values = [None, False, 0, 0.0, "", "0", [], {}, [0], ["0"], {"0": 0}, [[], []], [[[]]], "\ud800"]
    assert len({digest_json(value) for value in values}) == len(values)


@pytest.mark.parametrize(
    "value", [{1: "a"}, [{None: 1}], float("nan"), [float("inf")], object(), {"a": b"x"}]
)
def test_what_json_cannot_write_exactly_has_no_digest(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        digest_json(value)
