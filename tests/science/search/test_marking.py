"""A submission is read by its ids, and whatever is wrong with it is named by one code."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.science.metrics import get
from loom.science.search.keys import Key, key_of
from loom.science.search.marking import Rejected, read_submission, score
from loom.science.targets import Task

PLAYED = 1_000 if os.environ.get("LOOM_SOAK") else 60
CLASSES: dict[Task, tuple[str, ...]] = {
    "binary": ("no", "yes"),
    "multiclass": ("a", "b", "c"),
    "regression": (),
}


def key_for(task: Task, search: int = 9, seal: int = 4, test: int = 5) -> Key:
    return key_of(
        np.arange(search), np.arange(100, 100 + seal), test, task=task, classes=CLASSES[task], taken=(), secret=b"s",
        drawn_for="a test",
    )  # fmt: skip


def answer(key: Key, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """A good submission in the order of test.csv, and its numbers in the order of the key."""
    random = np.random.default_rng(seed)
    if key.task == "multiclass":
        numbers = random.dirichlet(np.ones(3), key.rows)
    else:
        numbers = random.random((key.rows, 1)) * (1 if key.task == "binary" else 1e6)
    frame = pd.DataFrame(numbers, columns=list(key.columns))
    frame.insert(0, key.id, list(key.ids))
    true = np.empty_like(numbers)
    true[key.order] = numbers
    return frame, true


def placed(folder: Path, content: bytes | str) -> Path:
    path = folder / "working" / "submission.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(path: Path, key: Key) -> Rejected:
    with pytest.raises(Rejected) as rejected:
        read_submission(path, key)
    assert rejected.value.what
    return rejected.value


@settings(max_examples=PLAYED)
@given(task=st.sampled_from(list(CLASSES)), seed=st.integers(0, 999), extra=st.booleans())
def test_rows_and_columns_in_any_order_are_found(
    tmp_path_factory: pytest.TempPathFactory, task: Task, seed: int, extra: bool
) -> None:
    key = key_for(task)
    frame, true = answer(key, seed)
    shuffled = frame.sample(frac=1, random_state=seed)
    columns = list(frame.columns)
    np.random.default_rng(seed).shuffle(columns)
    text = shuffled[columns].to_csv(
        index=False, quoting=1 if extra else 0, lineterminator="\r\n" if extra else "\n"
    )
    said = read_submission(placed(tmp_path_factory.mktemp("trial"), text), key)
    whole = np.concatenate([said.search, said.seal, said.test]).reshape(key.rows, -1)
    assert (len(said.search), len(said.seal), len(said.test)) == (9, 4, 5)
    assert np.allclose(whole, true)


Change = Callable[[pd.DataFrame, int], pd.DataFrame]


def _cell(value: object) -> Change:
    def changed(frame: pd.DataFrame, row: int) -> pd.DataFrame:
        frame[frame.columns[-1]] = frame[frame.columns[-1]].astype(object)
        frame.iloc[row, -1] = value
        return frame

    return changed


CHANGES: dict[str, tuple[str, Change]] = {
    "a row is missing": ("missing_rows", lambda frame, row: frame.drop(index=row)),
    "a row is there twice": ("repeated_ids", lambda frame, row: pd.concat([frame, frame.iloc[[row]]])),
    "a row is nobody's": ("unknown_ids", lambda frame, row: frame.assign(row_id=frame.row_id.where(frame.index != row, "r0"))),
    "a row is one too many": ("unknown_ids", lambda frame, row: pd.concat([frame, frame.iloc[[row]].assign(row_id="extra")])),
    "ids are numbers": ("unknown_ids", lambda frame, row: frame.assign(row_id=range(len(frame)))),
    "a cell is empty": ("not_finite", _cell(None)),
    "a cell is NaN": ("not_finite", _cell("nan")),
    "a cell is endless": ("not_finite", _cell("-inf")),
    "a cell is a word": ("not_finite", _cell("yes!")),
    "a column is missing": ("wrong_columns", lambda frame, row: frame[frame.columns[:-1]]),
    "a column is one too many": ("wrong_columns", lambda frame, row: frame.assign(index=0)),
    "a column is called otherwise": ("wrong_columns", lambda frame, row: frame.rename(columns={"row_id": "id"})),
    "there is no row": ("missing_rows", lambda frame, row: frame.head(0)),
}  # fmt: skip


@settings(max_examples=PLAYED)
@given(
    task=st.sampled_from(list(CLASSES)), seed=st.integers(0, 99), row=st.integers(0, 17),
    change=st.sampled_from(list(CHANGES)),
)  # fmt: skip
def test_any_change_is_rejected_by_its_name(
    tmp_path_factory: pytest.TempPathFactory, task: Task, seed: int, row: int, change: str
) -> None:
    key = key_for(task)
    code, changed = CHANGES[change]
    frame = changed(answer(key, seed)[0], row)
    path = placed(tmp_path_factory.mktemp("trial"), frame.to_csv(index=False))
    assert refusal(path, key).code == code


@pytest.mark.parametrize("value", [-0.1, 1.2, 3])
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_probabilities_lie_between_0_and_1(tmp_path: Path, task: Task, value: float) -> None:
    frame = _cell(value)(answer(key_for(task))[0], 3)
    assert refusal(placed(tmp_path, frame.to_csv(index=False)), key_for(task)).code == "not_probabilities"


def test_classes_that_nearly_add_up_to_1_are_made_to(tmp_path: Path) -> None:
    key = key_for("multiclass")
    frame, true = answer(key)
    frame[["a", "b", "c"]] *= 1.004
    said = read_submission(placed(tmp_path, frame.to_csv(index=False)), key)
    assert np.allclose(said.search, true[: len(key.search)])
    frame[["a", "b", "c"]] *= 1.1
    assert refusal(placed(tmp_path, frame.to_csv(index=False)), key).code == "not_probabilities"


def test_two_classes_may_have_a_column_each_in_any_spelling(tmp_path: Path) -> None:
    key = key_of(np.arange(5), np.arange(5), 0, task="binary", classes=("false", "true"), taken=(), secret=b"", drawn_for="")  # fmt: skip
    p = np.linspace(0.1, 0.7, 10)
    frame = pd.DataFrame({"row_id": key.ids, "True": p, "False": 1 - p})
    said = read_submission(placed(tmp_path, frame.to_csv(index=False)), key)
    assert np.allclose(np.concatenate([said.search, said.seal])[key.order], p)


def test_the_sample_handed_back_is_no_answer_and_a_constant_is_noted(tmp_path: Path) -> None:
    for task in CLASSES:
        key = key_for(task)
        frame = answer(key)[0]
        frame[list(key.columns)] = key.sample
        assert refusal(placed(tmp_path, frame.to_csv(index=False)), key).code == "sample_returned"
    frame["prediction"] = 7.0
    assert read_submission(placed(tmp_path, frame.to_csv(index=False)), key_for("regression")).notes == (
        "constant",
    )


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "unreadable"),
        (b"\n\n\n", "unreadable"),
        (b"\x00\xff\xfe\x80", "unreadable"),
        (b"row_id,prediction\nr1,0.5\nr2\n", "unreadable"),
        (b'row_id,prediction\n"r1,0.5\n', "unreadable"),
        (b"row_id,\xff\xfe\nr1,0.5\n", "unreadable"),
        (b"row_id,prediction\n\xff\xfe,0.5\n", "unreadable"),
        (b"\x1f\x8b\x08\x00 compressed", "unreadable"),
        (b"row_id,row_id\nr1,r2\n", "wrong_columns"),
        (b"<html>\n</html>\n", "wrong_columns"),
        (b"9" * 1_000_000, "too_large"),
    ],
)
def test_what_is_no_such_file_is_rejected(tmp_path: Path, content: bytes, code: str) -> None:
    assert refusal(placed(tmp_path, content), key_for("binary")).code == code


def test_a_submission_with_a_mark_of_its_encoding_is_read(tmp_path: Path) -> None:
    frame, _ = answer(key_for("binary"))
    path = placed(tmp_path, frame.to_csv(index=False).encode("utf-8-sig"))
    assert len(read_submission(path, key_for("binary")).search) == 9


def test_links_pipes_and_folders_are_never_followed(tmp_path: Path) -> None:
    key = key_for("binary")
    good = placed(tmp_path, answer(key)[0].to_csv(index=False))
    assert read_submission(good, key)
    trial = tmp_path / "trial"
    (trial / "working").mkdir(parents=True)
    path = trial / "working" / "submission.csv"
    assert refusal(path, key).code == "no_submission"
    makes: list[Callable[[], object]] = [
        lambda: path.symlink_to(good),
        lambda: path.hardlink_to(good),
        lambda: os.mkfifo(path),
        lambda: path.symlink_to("/dev/zero"),
    ]
    for make in makes:
        make()
        assert refusal(path, key).code == "link"
        path.unlink()
    path.mkdir()
    assert refusal(path, key).code == "link"
    path.rmdir()
    path.parent.rmdir()
    assert refusal(path, key).code == "no_submission"
    path.parent.symlink_to(good.parent)
    assert refusal(path, key).code == "link"


def test_a_rejection_holds_no_cell_of_the_submission(tmp_path: Path) -> None:
    key = key_for("binary")
    for change, (_, changed) in CHANGES.items():
        frame = changed(answer(key)[0], 3).astype(object)
        if len(frame):
            frame.iloc[0, -1] = "canary 4711"
        said = str(refusal(placed(tmp_path, frame.to_csv(index=False)), key))
        assert "canary" not in said, change
        assert not any(one in said for one in key.ids)


def test_scores_are_those_of_the_metrics(tmp_path: Path) -> None:
    y = np.array([0, 1, 1, 0])
    assert score(get("auc"), y, np.array([0.1, 0.9, 0.8, 0.2])) == 1.0
    assert score(get("accuracy"), y, np.array([0.1, 0.9, 0.3, 0.2])) == 0.75
    shares = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])
    assert score(get("accuracy"), np.array([0, 2]), shares) == 0.5
    assert score(get("rmsle"), np.array([0.0, 1.0]), np.array([-3.0, 1.0])) == 0.0


def test_names_of_classes_with_signs_of_a_csv_are_read(tmp_path: Path) -> None:
    classes = ('a,"b"', "two\nlines", "")
    key = key_of(
        np.arange(4), np.arange(4), 0, task="multiclass", classes=classes, taken=(), secret=b"", drawn_for=""
    )
    frame = pd.DataFrame(np.random.default_rng(0).dirichlet([1, 1, 1], 8), columns=list(classes))
    frame.insert(0, "row_id", list(key.ids))
    text = io.StringIO()
    frame.to_csv(text, index=False)
    said = read_submission(placed(tmp_path, text.getvalue()), key)
    assert np.allclose(np.vstack([said.search, said.seal])[key.order], frame[list(classes)])
