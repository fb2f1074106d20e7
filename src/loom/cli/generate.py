"""Writes the files that are made from the source, or says which of them no longer match it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import loom
from loom.app.reference.catalogue import catalogue
from loom.app.reference.keys import keys_page
from loom.app.reference.machines import machines_page
from loom.app.reference.rules import rules_page
from loom.app.reference.settings import settings_page
from loom.app.reference.verbs import verbs_page
from loom.app.reference.verdict_rules import verdict_rules_page
from loom.cli.reference import cli_page
from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError
from loom.process.jsonschema import process_schema

COMMAND = "make generate"


@dataclass(frozen=True, slots=True)
class Artifact:
    """One generated file: what it is called, where it goes, and how its text is made from the repository."""

    name: str
    path: str
    text: Callable[[Path], str]

    def is_current(self, root: Path) -> bool:
        """Whether the file holds exactly what would be written."""
        try:
            return (root / self.path).read_bytes() == self.text(root).encode()
        except OSError:
            return False

    def write(self, root: Path) -> None:
        """Write the file, and the folders around it."""
        target = root / self.path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, self.text(root).encode())


def _schema(_root: Path) -> str:
    return json.dumps(process_schema(), indent=2, ensure_ascii=False) + "\n"


ARTIFACTS: tuple[Artifact, ...] = (
    Artifact("schema", "schemas/process.v2.json", _schema),
    Artifact("catalogue", "src/loom/cli/catalogue.json", catalogue),
    Artifact("keys", "docs/reference/keys.md", keys_page),
    Artifact("rules", "docs/reference/rules.md", rules_page),
    Artifact("settings", "docs/reference/settings.md", settings_page),
    Artifact("cli", "docs/reference/cli.md", cli_page),
    Artifact("verbs", "docs/reference/verbs.md", verbs_page),
    Artifact("verdict-rules", "docs/reference/verdict-rules.md", verdict_rules_page),
    Artifact("machines", "docs/state-machines.md", machines_page),
)


def checkout_root(package: Path | None = None) -> Path:
    """The repository this Loom runs from; an installed copy has none."""
    package = (package or Path(loom.__file__).parent).resolve()
    for folder in package.parents:
        # the project of somebody who has merely installed Loom is not touched
        if (folder / "pyproject.toml").is_file() and folder / "src" / "loom" == package:
            return folder
    raise LoomError(
        "there is nothing to generate here",
        f"{package} is an installed copy; generated files belong to the repository",
        f"{COMMAND}  (in a checkout of the repository)",
    )


def stale(root: Path) -> list[Artifact]:
    """The files that are missing or differ from what would be written."""
    return [artifact for artifact in ARTIFACTS if not artifact.is_current(root)]


def main(arguments: Sequence[str] | None = None, root: Path | None = None) -> int:
    """Write what has changed; with --check, write nothing and exit 1 when something has."""
    parser = argparse.ArgumentParser(prog="python -m loom.cli.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="name stale files instead of writing them")
    check = parser.parse_args(arguments).check
    try:
        root = root or checkout_root()
        changed = stale(root)
        for artifact in changed:
            if check:
                print(f"{artifact.path} does not match its source; run: {COMMAND}", file=sys.stderr)
            else:
                artifact.write(root)
                print(f"wrote {artifact.path}")
    except LoomError as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
