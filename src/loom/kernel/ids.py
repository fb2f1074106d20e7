"""Names of things that outlive a command: experiments, runs and contents."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import string
from dataclasses import dataclass

from loom.kernel.errors import LoomError

_ALPHABET = string.ascii_lowercase + string.digits
_EXPERIMENT = re.compile(r"loom-[a-z0-9]{6}\Z")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}\Z")

# in the order of a pathspec; runs and tasks are numbered by the engine, the rest is named in code
_PARTS = (("flow", _NAME), ("run", _NUMBER), ("step", _NAME), ("task", _NUMBER), ("artifact", _NAME))


def new_experiment_id() -> str:
    """A fresh experiment id, `loom-` and six letters or digits."""
    return "loom-" + "".join(secrets.choice(_ALPHABET) for _ in range(6))


def is_experiment_id(text: str) -> bool:
    """Whether a text is an experiment id."""
    return _EXPERIMENT.match(text) is not None


@dataclass(frozen=True, slots=True)
class Pathspec:
    """The address of a run, or of a step, task or artifact in it; one that cannot be read back does not exist."""

    flow: str
    run: str
    step: str | None = None
    task: str | None = None
    artifact: str | None = None

    def __post_init__(self) -> None:
        values = (self.flow, self.run, self.step, self.task, self.artifact)
        ended = ""
        for (name, pattern), value in zip(_PARTS, values, strict=True):
            if value is None:
                ended = ended or name
            elif ended:
                raise _not_a_pathspec(_joined(values), f"it names a {name} but no {ended}")
            elif not pattern.match(value):
                raise _not_a_pathspec(
                    _joined(values),
                    f"`{value[:40]}` cannot name a {name}" if value else f"its {name} is empty",
                )

    def __str__(self) -> str:
        return _joined((self.flow, self.run, self.step, self.task, self.artifact))


def _joined(values: tuple[str | None, ...]) -> str:
    return "/".join(value for value in values if value is not None)


def parse_pathspec(text: str) -> Pathspec:
    """Read `Flow/run[/step[/task[/artifact]]]`; anything else is a LoomError that says what is wrong."""
    parts = text.split("/", len(_PARTS))
    if len(parts) < 2:
        raise _not_a_pathspec(text, "it names a flow but no run" if text else "it is empty")
    if len(parts) > len(_PARTS):
        raise _not_a_pathspec(text, f"it has more than {len(_PARTS)} parts")
    return Pathspec(*parts)


def _not_a_pathspec(text: str, why: str) -> LoomError:
    shown = text if len(text) <= 80 else text[:79] + "…"
    return LoomError(
        f"{shown!r} is not a pathspec", why, "write Flow/run, such as EdaFlow/7; list them with: loom runs"
    )


def digest(content: bytes) -> str:
    """The address of some bytes by their content, `sha256:` and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def digest_json(value: object) -> str:
    """The digest of plain data, the same for every order of keys; what JSON cannot write is a TypeError or ValueError."""
    _refuse_other_keys(value)
    # ASCII, so that even a lone surrogate has one way to be written
    return digest(json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii"))


def _refuse_other_keys(value: object) -> None:
    # json would write 1 and "1" alike, and two different values would share a digest
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if not all(isinstance(key, str) for key in node):
                raise TypeError("a key must be text")
            pending.extend(node.values())
        elif isinstance(node, list | tuple):
            pending.extend(node)
