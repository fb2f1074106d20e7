"""What `${...}` stands for: values keep their type, a wrong turn says how far it went, and nothing is evaluated."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.runtime.lookup import NothingThereError, Scope, dig, fill, look_up
from loom.runtime.outcome import PhaseOutcome, of_items

SCORES = {
    "scores": [0.5, {"name": "b"}],
    "grid": [[1, 2], [3, 4]],
    "none": None,
    "deep": {"er": {"est": True}},
}
PROFILE = PhaseOutcome(
    "profile",
    "accepted",
    data=SCORES,
    verdict="OK",
    summary={"rows": 7},
    pathspec="EdaFlow/1",
    deliverables=("a.md", "b.csv"),
)
SCOPE = Scope(
    inputs={
        "dataset": "IngestDataset/3",
        "rows": 5,
        "absent": None,
        "columns": ["a", "b"],
        "off": False,
        "empty": "",
    },
    outcomes={
        "profile": PROFILE,
        "idle": PhaseOutcome("idle", "skipped"),
        "none": of_items("none", ()),
        "each": of_items("each", (PhaseOutcome("each", "accepted", data={"n": 1}, pathspec="F/1"),)),
    },
    run={"id": "run-1", "seed": 0, "goal": "look", "workspace": "/w", "experiment_id": "loom-abc123"},
    item={"path": "x.csv", "n": [10, 20]},
)


class TestValues:
    @pytest.mark.parametrize(
        ("reference", "value"),
        [
            ("inputs.dataset", "IngestDataset/3"),
            ("inputs.rows", 5),
            ("inputs.off", False),
            ("inputs.empty", ""),
            ("inputs.columns", ["a", "b"]),
            ("inputs.columns[1]", "b"),
            ("phases.profile.data", SCORES),
            ("phases.profile.data.scores[0]", 0.5),
            ("phases.profile.data.scores[1].name", "b"),
            ("phases.profile.data.grid[1][0]", 3),
            ("phases.profile.data.none", None),
            ("phases.profile.data.deep.er.est", True),
            ("phases.profile.verdict", "OK"),
            ("phases.profile.summary.rows", 7),
            ("phases.profile.pathspec", "EdaFlow/1"),
            ("phases.profile.deliverables", ["a.md", "b.csv"]),
            ("phases.profile.deliverables[1]", "b.csv"),
            ("phases.each.data[0].n", 1),
            ("phases.each.pathspec", ["F/1"]),
            ("item", {"path": "x.csv", "n": [10, 20]}),
            ("item.path", "x.csv"),
            ("item.n[1]", 20),
            ("run.id", "run-1"),
            ("run.seed", 0),
        ],
    )
    def test_a_reference_alone_gives_the_value_itself(self, reference: str, value: object) -> None:
        for found in (
            look_up(reference, SCOPE),
            look_up(f"${{{reference}}}", SCOPE),
            fill(f"${{{reference}}}", SCOPE),
        ):
            assert found == value and type(found) is type(value)

    @pytest.mark.parametrize(
        "reference",
        [
            "inputs.absent",
            "inputs.absent.deep",
            "inputs.absent[3]",
            "inputs.unheard.of",
            "phases.idle.data.x",
        ],
    )
    def test_what_was_not_given_or_had_nothing_to_do_is_nothing(self, reference: str) -> None:
        assert look_up(reference, SCOPE) is None

    def test_a_for_each_over_nothing_gives_empty_lists(self) -> None:
        assert look_up("phases.none.data", SCOPE) == []
        assert look_up("phases.none.pathspec", SCOPE) == []


class TestTexts:
    @pytest.mark.parametrize(
        ("text", "filled"),
        [
            ("plain", "plain"),
            ("$ {inputs.rows} $5", "$ {inputs.rows} $5"),
            ("${inputs.rows} rows", "5 rows"),
            ("<${inputs.absent}>", "<>"),
            ("${inputs.rows}${inputs.rows}", "55"),
            ("of ${inputs.dataset}!", "of IngestDataset/3!"),
            ("${inputs.columns} ${inputs.off}", '["a", "b"] false'),
            ("x ${item.n}", "x [10, 20]"),
            ("${inputs.rows}\n", "5\n"),
            ("${ inputs.rows }", 5),
        ],
    )
    def test_references_within_a_text_become_part_of_it(self, text: str, filled: object) -> None:
        assert fill(text, SCOPE) == filled

    def test_what_was_looked_up_is_not_looked_up_again(self) -> None:
        scope = Scope({"a": "${inputs.b}", "b": "secret"})
        assert fill("${inputs.a}", scope) == "${inputs.b}"
        assert fill("<${inputs.a}>", scope) == "<${inputs.b}>"

    def test_text_that_is_no_ascii_stays_readable(self) -> None:
        assert fill("${inputs.a} ", Scope({"a": ["é"]})) == '["é"] '

    def test_every_depth_is_filled_and_keys_are_not(self) -> None:
        value = {
            "a": ["${inputs.rows}", {"b": "${item.path}"}],
            "${inputs.rows}": 1,
            "n": None,
            "t": ("${run.id}",),
        }
        assert fill(value, SCOPE) == {
            "a": [5, {"b": "x.csv"}],
            "${inputs.rows}": 1,
            "n": None,
            "t": ["run-1"],
        }

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text().filter(lambda text: "${" not in text),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=10,
        )
    )
    def test_what_holds_no_reference_stays_as_it_is(self, value: Any) -> None:
        assert fill(value, SCOPE) == value


class TestWrongTurns:
    @pytest.mark.parametrize(
        ("reference", "said"),
        [
            ("phases.later.data", "`phases.later.data`: later has not run"),
            ("phases.profile.data.scored", "no `scored` in scores, grid, none, deep"),
            ("phases.profile.data.scores.name", "no `name` in a list"),
            ("phases.profile.data.none.x", "no `x` in null"),
            ("phases.profile.data.scores[2]", "there is no item 2"),
            ("phases.profile.data.deep[0]", "there is no item 0"),
            ("phases.profile.verdict[0]", "there is no item 0"),
            ("inputs.columns[2]", "there is no item 2"),
            ("inputs.rows.x", "no `x` in a int"),
            ("item.other", "no `other` in path, n"),
            ("phases.profile.status", "is not a reference"),
            ("phases.profile.__class__", "is not a reference"),
            ("inputs", "is not a reference"),
            ("env.HOME", "is not a reference"),
            ("inputs.rows + 1", "is not a reference"),
            ("", "is not a reference"),
        ],
    )
    def test_it_is_said_where_a_reference_ends(self, reference: str, said: str) -> None:
        with pytest.raises(NothingThereError) as error:
            look_up(reference, SCOPE)
        assert said in str(error.value)
        with pytest.raises(NothingThereError):
            fill(f"a ${{{reference}}}", SCOPE)

    def test_an_empty_mapping_is_called_one(self) -> None:
        with pytest.raises(NothingThereError, match="no `a` in an empty mapping"):
            dig({}, "a")

    def test_no_more_than_ten_names_are_listed(self) -> None:
        with pytest.raises(NothingThereError) as error:
            dig({f"k{number}": 0 for number in range(50)}, "a")
        assert str(error.value).endswith("k8, k9")

    def test_keys_that_are_no_text_do_not_break_the_message(self) -> None:
        with pytest.raises(NothingThereError, match="no `a` in 1, None"):
            dig({1: 0, None: 0}, "a")


class TestDigging:
    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("scores[0]", 0.5),
            ("grid[1][1]", 4),
            ("deep.er.est", True),
            ("scores[1].name", "b"),
            ("none", None),
        ],
    )
    def test_a_dotted_path_leads_to_a_value(self, path: str, value: object) -> None:
        assert dig(SCORES, path) == value

    def test_a_path_may_begin_with_an_index(self) -> None:
        assert dig([[1, 2]], "[0][1]") == 2
        assert dig(((1, 2),), "[0][1]") == 2

    @pytest.mark.parametrize(
        "path", ["", "a..b", "a.", ".a", "a[", "a[x]", "a[-1]", "a[0]b", "a]", "[]", "a[0"]
    )
    def test_what_is_no_path_leads_nowhere(self, path: str) -> None:
        with pytest.raises(NothingThereError):
            dig({"a": [{"b": 1}], "": 2, "a[x]": 3}, path)

    @given(
        st.text(),
        st.recursive(
            st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
        ),
    )
    def test_no_path_breaks_it(self, path: str, value: Any) -> None:
        try:
            dig(value, path)
        except NothingThereError as error:
            assert f"`{path}` " in str(error)
