"""Runs a project's own tests and its own build, found by what the project looks like."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from loom.settings.model import ALLOWLISTED_PREFIXES
from loom.tools.checks.outcome import Outcome
from loom.tools.context import NotPermittedError, ToolContext
from loom.tools.programs import Ended, environment, run_program
from loom.tools.snapshot import changes, take_snapshot
from loom.tools.threads import in_thread
from loom.tools.tool import LONGEST_TIMEOUT

Kind = Literal["tests", "build"]

BUILD_PREFIXES = (
    *("python -m compileall", "python3 -m compileall", "python -m build", "uv build", "ruff check", "mypy"),
    *("npm run build", "pnpm run build", "bun run build", "tsc", "go build", "go vet", "cargo build"),
    *("cargo check", "make"),
)
_COUNT = re.compile(r"(\d+)\s+(passed|failed|errors?|skipped|ignored)\b", re.IGNORECASE)
_NOTHING_RAN = 5  # pytest's code for a suite without tests


async def run_test_suite(args: Mapping[str, Any], ctx: ToolContext) -> Outcome:
    """Run the tests of the project and count them."""
    ended, changed, missing = await _run("tests", args, ctx, ALLOWLISTED_PREFIXES)
    if ended is None:
        return Outcome("unavailable", missing)
    counts = _counts(ended.stdout) or _counts(ended.stderr)
    said = ", ".join(f"{number} {word}" for word, number in counts.items()) or f"exit code {ended.exit_code}"
    if "No module named pytest" in ended.stderr:
        return _told("unavailable", "pytest is not installed for this project", ended, changed, counts)
    if ended.exit_code == _NOTHING_RAN and "pytest" in " ".join(ended.argv):
        return _told("failed", "no tests were found", ended, changed, counts)
    return _told("passed" if ended.exit_code == 0 else "failed", said, ended, changed, counts)


async def run_build_check(args: Mapping[str, Any], ctx: ToolContext) -> Outcome:
    """Build the project, or compile its sources where there is nothing to build."""
    ended, changed, missing = await _run("build", args, ctx, BUILD_PREFIXES)
    if ended is None:
        return Outcome("unavailable", missing)
    state: Literal["passed", "failed"] = "passed" if ended.exit_code == 0 else "failed"
    return _told(state, f"exit code {ended.exit_code}", ended, changed, {})


async def _run(
    kind: Kind, args: Mapping[str, Any], ctx: ToolContext, prefixes: Sequence[str]
) -> tuple[Ended | None, list[str], str]:
    """The command that was given, or the one the project calls for; None with a reason when there is none."""
    root = ctx.resolve(".")
    target = ctx.resolve(args["target"]) if args.get("target") else root
    argv = words_of(args.get("command")) or _suggested(kind, root, target)
    if not argv:
        return (
            None,
            [],
            f"nothing here says how {'it is tested' if kind == 'tests' else 'it is built'}; give a command",
        )
    check_allowed(argv, prefixes)
    path = _search_path(root, ctx)
    if shutil.which(argv[0], path=path) is None and argv[0] in ("python", "python3"):
        argv = [sys.executable, *argv[1:]]
    before = await in_thread(lambda _: take_snapshot(root))
    with tempfile.TemporaryDirectory(prefix="loom-check-") as bytecode:
        env = {"PYTHONPYCACHEPREFIX": bytecode, "PATH": path}
        seconds = args.get("timeout_seconds", LONGEST_TIMEOUT)
        ended = await run_program(argv, root, ctx, seconds, env=env, write=(Path(bytecode),))
    if not ended.found:
        return None, [], f"{argv[0]} is not installed"
    after = await in_thread(lambda _: take_snapshot(root))
    return ended, changes(before, after), ""


def _search_path(root: Path, ctx: ToolContext) -> str:
    """Where programs are looked for: in the project's own environment first, if it has one."""
    usual = environment(ctx)["PATH"]
    own = root / ".venv" / "bin"
    return f"{own}{os.pathsep}{usual}" if own.is_dir() else usual


def words_of(command: str | Sequence[str] | None) -> list[str]:
    """A command as words; a text is split as a shell would, and no shell reads it."""
    return shlex.split(command) if isinstance(command, str) else list(command or ())


def check_allowed(argv: Sequence[str], prefixes: Sequence[str]) -> None:
    """Raise NotPermittedError for a command that is none of those a check may run."""
    for prefix in prefixes:
        words = prefix.split()
        if list(argv[: len(words)]) == words:
            return
    known = ", ".join(f"`{prefix}`" for prefix in prefixes)
    raise NotPermittedError(f"`{shlex.join(argv)[:200]}` is not a command of checks; they begin with {known}")


def _suggested(kind: Kind, root: Path, target: Path) -> list[str]:
    """The command a project like this is usually tested or built with."""
    where = [] if target == root else [target.relative_to(root).as_posix()]
    python = any(
        (root / name).exists() for name in ("pyproject.toml", "setup.py", "setup.cfg", "pytest.ini", "tests")
    )
    if kind == "tests":
        if python or any(root.glob("test_*.py")):
            return ["python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *where]
        found = (("package.json", "npm test"), ("Cargo.toml", "cargo test"), ("go.mod", "go test ./..."))
    else:
        if python or any(root.glob("*.py")):
            return ["python", "-m", "compileall", "-q", *(where or ["."])]
        found = (
            ("package.json", "npm run build"),
            ("Cargo.toml", "cargo build"),
            ("go.mod", "go build ./..."),
        )
    for name, command in (*found, ("Makefile", "make test" if kind == "tests" else "make")):
        if (root / name).exists():
            return command.split()
    return []


def _counts(text: str) -> dict[str, int]:
    """Tests by outcome, from the last line that counts them."""
    for line in reversed(text.splitlines()[-200:]):
        if found := _COUNT.findall(line[:1000]):
            return {word.lower(): int(number) for number, word in found}
    return {}


def _told(
    state: Literal["passed", "failed", "unavailable"],
    said: str,
    ended: Ended,
    changed: list[str],
    counts: Mapping[str, int],
) -> Outcome:
    if ended.completed.stopped_by is not None:
        state, said = "failed", ended.why
    data = {
        "command": shlex.join(ended.argv),
        "argv": list(ended.argv),
        "counts": dict(counts),
        **ended.as_json(),
    }
    return Outcome(state, said, ended.text, data, changed, ended.completed.truncated, ended.sandbox)
