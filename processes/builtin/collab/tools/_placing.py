"""A bundle on the disk: whole or not at all, and never over something that is not the same."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError

from ._packing import Packed


def ready(folder: Path) -> None:
    """Make sure that a folder is there and takes files, before any work is done for it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, prefix=".loom-"):
            pass
    except OSError as error:
        taken = isinstance(error, FileExistsError | NotADirectoryError)
        raise _cannot(folder, "there is a file of that name" if taken else _why(error)) from None


def placed(packed: Packed, folder: Path) -> tuple[Path, Path]:
    """Where the files and the archive of a bundle lie; a bundle that is there already stays as it is."""
    whole, archive = folder / packed.stem, folder / f"{packed.stem}.zip"
    for path in (whole, archive):
        _refuse_another(path, packed)
    is_new = not whole.exists()
    if is_new:
        _put(packed, whole, folder)
    try:
        write_atomically(archive, packed.archive)
    except LoomError:
        if is_new:
            shutil.rmtree(whole, ignore_errors=True)
        raise
    return whole, archive


def _put(packed: Packed, whole: Path, folder: Path) -> None:
    """Write the files aside, and give them their name in one step."""
    aside: Path | None = None
    try:
        aside = Path(tempfile.mkdtemp(dir=folder, prefix=".loom-"))
        for name, held in packed.files.items():
            path = aside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, held)
        aside.chmod(0o755)
        # somebody else may have put the same bundle there meanwhile
        with suppress(FileExistsError):
            aside.rename(whole)
    except OSError as error:
        if not whole.is_dir():
            raise _cannot(folder, _why(error)) from None
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)


def _refuse_another(path: Path, packed: Packed) -> None:
    """What has the name of this bundle and another content was changed by somebody, and is not overwritten."""
    if not path.exists() and not path.is_symlink():
        return
    same = False
    with suppress(OSError):
        if path.suffix == ".zip":
            same = path.read_bytes() == packed.archive
        else:
            there = {each.relative_to(path).as_posix() for each in path.rglob("*") if not each.is_dir()}
            same = there == set(packed.files) and all(
                (path / name).read_bytes() == held for name, held in packed.files.items()
            )
    if not same:
        raise LoomError(
            f"{path} was changed since it was built",
            "it has the name of this bundle, and another content",
            f"move it away: mv {shlex.quote(str(path))} {shlex.quote(str(path))}.changed",
        )


def _cannot(folder: Path, why: str) -> LoomError:
    return LoomError(f"no bundle can be written into {folder}", why, f"ls -ld {shlex.quote(str(folder))}")


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
