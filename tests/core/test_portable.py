from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.core.portable import folded, why_not_portable

BAD = [
    "",
    "/",
    "/etc/passwd",
    "..",
    "../x",
    "a/../b",
    "a/..",
    "./a",
    "a/./b",
    "a//b",
    "a/",
    "~/x",
    "a\\b",
    "C:/x",
    "C:x",
    "a:b",
    "a\0b",
    "a\nb",
    "a\u202eb",
    "a ",
    " a",
    "a.",
    "a/b./c",
    "nul",
    "NUL.txt",
    "a/com1.yaml",
    "a*",
    "a?",
    "x" * 256,
    "a/" * 40 + "b",
    "ab/" * 400 + "b",
    "\ud800",
]


@pytest.mark.parametrize("path", BAD)
def test_a_path_that_is_not_relative_everywhere_is_refused(path: str) -> None:
    assert why_not_portable(path)


@pytest.mark.parametrize(
    "path", ["a", "a/b.yaml", ".hidden", "a.b.c", "späß/☃.txt", "a b/c d", "...a", "-", "null"]
)
def test_a_plain_relative_path_is_accepted(path: str) -> None:
    assert why_not_portable(path) == ""


@given(st.text(alphabet=st.sampled_from("a./\\:~ \0AÄä\u0301")) | st.text())
def test_what_is_accepted_stays_below_its_folder_on_every_system(path: str) -> None:
    if why_not_portable(path):
        return
    posix, windows = PurePosixPath(path), PureWindowsPath(path)
    assert posix.parts == windows.parts == tuple(path.split("/"))
    assert not posix.is_absolute()
    assert not windows.is_absolute()
    assert not windows.drive
    assert (Path("/root") / path).resolve().is_relative_to("/root")


def test_names_that_differ_in_case_or_in_the_way_accents_are_written_fold_alike() -> None:
    assert folded("README.md") == folded("readme.MD")
    assert folded("\u00e4") == folded("a\u0308") == folded("\u00c4")
    assert folded("a") != folded("b")
