"""What is kept of a run to compare with, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.app.package_tests.golden import difference, steady, update
from loom.kernel.errors import LoomError


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"seconds": 1.25, "rows": 3}, {"seconds": "<seconds>", "rows": 3}),
        (
            {"digest": "sha256:ab", "content_digest": "x"},
            {"digest": "<digest>", "content_digest": "<content_digest>"},
        ),
        ({"finished_at": "2024-01-02T03:04:05Z"}, {"finished_at": "<finished_at>"}),
        ({"started_at": None}, {"started_at": None}),
        ("made on 2024-01-02T03:04:05.123+00:00.", "made on <time>."),
        ("sha256:" + "0a" * 32, "<digest>"),
        ("loom-abc123 in /case/dir/x.csv", "<experiment> in <case>/x.csv"),
        (["9b2f5c3e-1d2c-4f7a-8b1a-0123456789ab"], ["<id>"]),
        (0.1 + 0.2, 0.3),
        (True, True),
        ({"platform": "linux", "great": 1, "flat": 2}, {"platform": "linux", "great": 1, "flat": 2}),
    ],
)
def test_what_changes_from_run_to_run_is_taken_out(value: object, kept: object) -> None:
    assert steady(value, "/case/dir") == kept


def test_a_difference_shows_lines_of_both(tmp_path: Path) -> None:
    (tmp_path / "tests" / "golden").mkdir(parents=True)
    assert difference(tmp_path, "smoke", "a\n") == ""
    assert update(tmp_path, "smoke", "a\nb\n")
    assert not update(tmp_path, "smoke", "a\nb\n")
    assert difference(tmp_path, "smoke", "a\nb\n") == ""
    assert difference(tmp_path, "smoke", "a\nc\n").splitlines()[-2:] == ["-b", "+c"]


def test_a_golden_file_that_cannot_be_read_is_a_setup_failure(tmp_path: Path) -> None:
    (tmp_path / "tests" / "golden" / "smoke.json").mkdir(parents=True)
    with pytest.raises(LoomError, match="cannot be read"):
        difference(tmp_path, "smoke", "a\n")
