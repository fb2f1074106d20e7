"""Fenced blocks of a Markdown page, and a scratch folder in which its commands are typed one after another.

Run as a script, it writes what the commands print now back into the pages.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from loom.cli.main import main
from loom.process.loader import builtin_root

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "docs" / "creating-packages.md")
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
COLUMNS = "100"


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, the words after it, and what it holds."""

    page: Path
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def file(self) -> str | None:
        """The file the block stands for, when it says `file=NAME`."""
        return next((word.removeprefix("file=") for word in self.words if word.startswith("file=")), None)

    @property
    def place(self) -> str:
        """`page:line` of the opening fence."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """Every fenced block of a page, in order."""
    return list(_blocks(page, page.read_text(encoding="utf-8")))


def _blocks(page: Path, text: str) -> Iterator[Block]:
    for found in FENCE.finditer(text):
        language, *words = found["info"].split() or [""]
        yield Block(page, text.count("\n", 0, found.start()) + 1, language, tuple(words), found["text"])


def commands_of(block: Block) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output that is printed below it."""
    parts = re.split(r"^\$ (.*)\n", block.text, flags=re.MULTILINE)
    assert not parts[0].strip(), f"{block.place}: a console block starts with a command"
    return list(zip(parts[1::2], parts[2::2], strict=True))


@dataclass
class Shell:
    """Types commands in one folder and returns what they print, without a process per command."""

    folder: Path
    home: Path
    exit_code: int = 0
    _names: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        # what a reader would see instead of this machine's folders
        self._names = {
            str(self.folder): "~/here",
            str(self.home): "~/.loom",
            str(builtin_root()): "…/processes/builtin",
        }

    def write(self, block: Block) -> None:
        """Save the file that a block stands for."""
        assert block.file is not None
        target = self.folder / block.file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(block.text, encoding="utf-8")

    def type(self, command: str) -> str:
        """What a command prints, errors included; `echo $?` prints the last exit code."""
        words = shlex.split(command)
        match words:
            case ["echo", "$?"]:
                return f"{self.exit_code}\n"
            case ["cat", name]:
                return (self.folder / name).read_text(encoding="utf-8")
            case ["loom", *arguments]:
                return self._readable(self._loom(arguments))
        raise AssertionError(f"`{command}` is not a command that the pages may use")

    def _loom(self, arguments: list[str]) -> str:
        printed = io.StringIO()
        typed = mock.patch.object(sys, "argv", ["loom", *arguments])
        self.exit_code = 0
        with self.inside(), typed, redirect_stdout(printed), redirect_stderr(printed):
            try:
                main()
            except SystemExit as end:
                self.exit_code = end.code if isinstance(end.code, int) else int(end.code is not None)
        return printed.getvalue()

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Work in the folder, with a home of its own and a terminal of known width."""
        before = Path.cwd()
        environ = {"LOOM_HOME": str(self.home), "COLUMNS": COLUMNS, "NO_COLOR": "1", "TERM": "dumb"}
        foreign = [name for name in os.environ if name.startswith("LOOM_")]
        with mock.patch.dict(os.environ, environ):
            for name in foreign:
                if name not in environ:
                    del os.environ[name]
            os.chdir(self.folder)
            try:
                yield
            finally:
                os.chdir(before)

    def _readable(self, printed: str) -> str:
        for path, name in self._names.items():
            printed = printed.replace(path, name)
        return "".join(line.rstrip() + "\n" for line in printed.splitlines())


def shell_in(scratch: Path) -> Shell:
    """A shell in an empty folder, with an empty home beside it."""
    folder, home = scratch / "work", scratch / "home"
    folder.mkdir(parents=True)
    return Shell(folder, home)


def refreshed(page: Path, shell: Shell) -> str:
    """The page with what its commands print now."""

    def replace(found: re.Match[str]) -> str:
        block = next(iter(_blocks(page, found[0])))
        if block.file is not None:
            shell.write(block)
        if block.language != "console":
            return found[0]
        lines = [f"$ {command}\n{shell.type(command)}" for command, _ in commands_of(block)]
        return f"```{found['info']}\n{''.join(lines)}```"

    return FENCE.sub(replace, page.read_text(encoding="utf-8"))


def _refresh() -> None:
    import tempfile  # noqa: PLC0415  only the script needs it

    for page in PAGES:
        with tempfile.TemporaryDirectory() as scratch:
            text = refreshed(page, shell_in(Path(scratch).resolve()))
        changed = text != page.read_text(encoding="utf-8")
        page.write_text(text, encoding="utf-8")
        print(f"{page.relative_to(ROOT)}: {'rewritten' if changed else 'as it was'}")


if __name__ == "__main__":
    _refresh()
