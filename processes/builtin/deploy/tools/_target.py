"""Where a model is deployed to: a folder of versions, of Loom's own form or of MLflow's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from loom.kernel.errors import LoomError
from loom.science.serving.bundle import Form
from loom.tools.registry import ToolContext

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Target:
    """A folder, and what is laid out in it."""

    folder: Path
    form: Form = "folder"


def target_of(text: str | None, name: str, ctx: ToolContext) -> Target:
    """The target that somebody names; a folder of Loom's own, called as the data is, where nobody does."""
    if text is None:
        return Target(
            Path(ctx.services["home"]).absolute()
            / "deployments"
            / (_UNFIT.sub("-", name).strip(".-") or "model")
        )
    scheme = _SCHEME.match(text)
    if scheme is not None and scheme[1].lower() != "mlflow":
        raise LoomError(
            f"{text[:80]!r} is no place that a model can be deployed to",
            "it can be a folder, or a folder of MLflow models; a registry takes what lies in such a folder",
            "--target FOLDER, or --target mlflow:FOLDER",
        )
    place = text.partition(":")[2] if scheme else text
    if not place.strip() or "\0" in place:
        raise LoomError(f"{text!r} names no folder", "there is nothing after it", "--target FOLDER")
    base = Path(ctx.services.get("cwd") or ctx.workspace or Path.cwd())
    # the place is part of what somebody agrees to, so it is named in full
    folder = Path(base / Path(place).expanduser()).absolute()
    return Target(Path(*_flat(folder)), "mlflow" if scheme else "folder")


def _flat(folder: Path) -> list[str]:
    """The parts of a path without `.` and `..`: two names of one place are one target."""
    parts: list[str] = []
    for part in folder.parts:
        if part == "..":
            parts = parts[:-1] if len(parts) > 1 else parts
        elif part != ".":
            parts.append(part)
    return parts
