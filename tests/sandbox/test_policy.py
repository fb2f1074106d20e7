"""A policy says what a program may do, and cannot say what no level could hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.sandbox.policy import LEVELS, Policy, at_least


def test_levels_are_ordered_from_none_to_isolated() -> None:
    assert LEVELS == ("none", "restricted", "isolated")
    assert at_least("isolated", "restricted")
    assert at_least("none", "none")
    assert not at_least("restricted", "isolated")


def test_a_read_path_below_a_write_path_is_refused_because_it_could_be_written(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    with pytest.raises(ValueError, match="lies in the write path"):
        Policy(read=(tmp_path / "input",), write=(tmp_path,))
    Policy(read=(tmp_path,), write=(tmp_path / "input",))


def test_a_link_does_not_hide_that_a_read_path_lies_below_a_write_path(tmp_path: Path) -> None:
    (tmp_path / "real" / "input").mkdir(parents=True)
    (tmp_path / "way").symlink_to(tmp_path / "real")
    with pytest.raises(ValueError, match="lies in the write path"):
        Policy(read=(tmp_path / "way" / "input",), write=(tmp_path / "real",))


@pytest.mark.parametrize("path", ["relative", "/a/../b", "/nul\0", "/proc/1", "/dev", "/sys/kernel"])
def test_paths_that_no_level_can_give_are_refused(path: str) -> None:
    with pytest.raises(ValueError):
        Policy(read=(Path(path),))


def test_the_root_folder_can_be_read_and_not_written() -> None:
    Policy(read=(Path("/"),))
    with pytest.raises(ValueError, match="root folder"):
        Policy(write=(Path("/"),))


@pytest.mark.parametrize("name", ["", "A=B", "1A", "A B", "A\0"])
def test_what_is_no_name_of_a_variable_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        Policy(env=(name,))
    with pytest.raises(ValueError):
        Policy(set_env=((name, "value"),))
    with pytest.raises(ValueError):
        Policy(set_env=(("NAME", "a\0b"),))


def test_an_unknown_minimum_is_refused() -> None:
    with pytest.raises(ValueError, match="minimum"):
        Policy(minimum="strong")  # type: ignore[arg-type]
