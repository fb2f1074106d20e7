"""Start a package from a template."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tempfile
from pathlib import Path

from loom.kernel.errors import LoomError
from loom.process.check import check_file

TEMPLATES = Path(__file__).parent / "templates"
NAME = re.compile(r"[a-z0-9][a-z0-9-]*\Z")


def create_package(name: str, template: str, into: Path) -> Path:
    """Create a package's folder, all of it or nothing; never over something that is there."""
    again = "" if template == "minimal" else f" --template {template}"
    if not NAME.match(name):
        fixed = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "my-process"
        raise LoomError(
            f"{name!r} cannot be a package's name",
            "a name is lowercase letters, digits and hyphens, and starts with a letter or digit",
            f"loom process new {fixed}{again}",
        )
    target = into / name
    staged: Path | None = None
    try:
        if target.exists() or target.is_symlink():
            raise LoomError(
                f"{target} exists already", "nothing is overwritten", f"loom process new {name}-2{again}"
            )
        into.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=".loom-", dir=into))
        staged.chmod(0o777 & ~_umask())
        _fill(TEMPLATES / template, staged, name)
        _refuse_misfit(staged, name)
        staged.rename(target)
        staged = None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LoomError(f"{target} cannot be created", why, f"ls -ld {shlex.quote(str(into))}") from None
    finally:
        if staged is not None:
            shutil.rmtree(staged, ignore_errors=True)
    return target


def _refuse_misfit(folder: Path, name: str) -> None:
    """A name can be sound and still not fit a template: a verb cannot be called what Loom calls a command."""
    errors = [d for d in check_file(folder).report.diagnostics if d.severity == "error"]
    if errors:
        why = f"{errors[0].message}: {errors[0].detail}"
        raise LoomError(f"this template cannot be called {name}", why, f"loom process new my-{name}")


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _fill(template: Path, folder: Path, name: str) -> None:
    tool = _tool_name(name)
    for source in sorted(path for path in template.rglob("*") if path.is_file()):
        # a tool's file and name carry the package's name; until then it is not Python, and not called so
        place = folder / str(source.relative_to(template)).replace("NAME", tool).removesuffix(".template")
        place.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8")
        text = text.replace("{{name}}", name).replace("{{tool}}", tool)
        place.write_text(text.replace("{{class}}", _class_name(name)), encoding="utf-8")
        os.utime(place)


def _tool_name(name: str) -> str:
    word = name.replace("-", "_")
    return word if word[0].isalpha() else f"p_{word}"


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-") if part) or "Package"
