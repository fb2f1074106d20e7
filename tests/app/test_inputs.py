"""What somebody typed becomes values, or an error that names the input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loom.app.inputs import read_inputs
from loom.kernel.errors import LoomError
from loom.process.spec.verb import Input


def one(kind: str, value: Any, **more: Any) -> Any:
    declared = {"it": Input.model_validate({"type": kind, **more})}
    return read_inputs({"it": value}, declared, process="probe", folder=Path("/project"))["it"]


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("text", " kept as it is ", " kept as it is "),
        ("integer", "007", 7),
        ("integer", 3.0, 3),
        ("integer", "123456789012345678901", 123456789012345678901),
        ("number", "0.25", 0.25),
        ("number", 1, 1.0),
        ("flag", "yes", True),
        ("flag", False, False),
        ("columns", "year, month,day", ["year", "month", "day"]),
        ("columns", ["a", "b"], ["a", "b"]),
        ("pathspec", "IngestDataset/7", "IngestDataset/7"),
        ("duration", "1h30m", "1h30m"),
        ("path", "out/report.html", "/project/out/report.html"),
        ("path", "/tmp/x", "/tmp/x"),
        ("metric", "auc>=0.8", "auc>=0.8"),
    ],
)
def test_a_value_gets_the_type_of_its_input(kind: str, written: Any, value: Any) -> None:
    found = one(kind, written)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("text", ""),
        ("text", "a\0b"),
        ("text", 7),
        ("integer", "1.5"),
        ("integer", True),
        ("integer", "nan"),
        ("number", "inf"),
        ("number", "one"),
        ("flag", "perhaps"),
        ("columns", "a,,b"),
        ("pathspec", "IngestDataset"),
        ("duration", "5"),
        ("duration", "5 m"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_the_name_of_its_input(kind: str, written: Any) -> None:
    with pytest.raises(LoomError) as refused:
        one(kind, written)
    assert "--it" in str(refused.value) or "pathspec" in str(refused.value)


def test_a_choice_that_is_nearly_right_is_suggested() -> None:
    with pytest.raises(LoomError, match="--it minimal"):
        one("choice", "minimla", choices=["full", "minimal"])


def test_what_nobody_gave_is_nothing_and_a_flag_is_off() -> None:
    declared = {
        "text": Input(type="text"),
        "flag": Input(type="flag"),
        "number": Input(type="number", default=0.2),
        "many": Input(type="text", repeat=True),
    }
    found = read_inputs({"many": ()}, declared, process="probe", folder=Path.cwd())
    assert found == {"text": None, "flag": False, "number": 0.2, "many": None}


def test_a_single_value_of_a_repeated_input_is_a_list() -> None:
    assert one("text", "a", repeat=True) == ["a"]
    assert one("columns", ["a,b", "c"], repeat=True) == ["a", "b", "c"]


def test_an_unknown_input_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(LoomError, match="did you mean `target`"):
        read_inputs({"tagret": "y"}, {"target": Input(type="column")}, process="eda", folder=Path.cwd())


def test_a_required_input_that_is_missing_is_named_with_its_option() -> None:
    declared = {"dataset": Input(type="pathspec", required=True, help="Data object")}
    with pytest.raises(LoomError, match="loom eda --dataset PATHSPEC"):
        read_inputs({}, declared, process="eda", folder=Path.cwd())
