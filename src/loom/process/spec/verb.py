"""`verb:` — makes the package a command: `loom NAME`, `/loom-NAME`, a tool for agents."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from loom.process.spec.model import SpecModel
from loom.process.spec.types import FreeMapping, Kebab, Seq, Text, Tier

InputType = Literal[
    "text",
    "integer",
    "number",
    "flag",
    "choice",
    "column",
    "columns",
    "pathspec",
    "path",
    "duration",
    "metric",
]


class Input(SpecModel):
    """One input of the verb; becomes an option with its type, help and completion."""

    type: InputType
    """What values it takes."""

    required: bool = False
    """Whether the verb can go without it."""

    default: JsonValue = None
    """The value when none is given."""

    help: str = ""
    """One line for `--help`."""

    choices: Seq[Text] = ()
    """The values a `choice` takes."""

    repeat: bool = False
    """Whether it may be given several times."""

    positional: bool = False
    """Whether it is an argument rather than an option."""

    raises_tier: Tier | None = None
    """The tier of the call when this input is given."""

    bounds_time: bool = False
    """Whether this duration says how long the verb works at most; what a person is asked to agree to follows it."""


class VerdictSource(SpecModel):
    """Where the verdict of the run comes from, and which outcomes are acceptable."""

    from_: Text = Field(alias="from")
    """A reference into the result of a phase, such as `phases.judge.data.verdict`."""

    values: Annotated[Seq[Text], Field(min_length=1)]
    """All verdicts this verb can reach."""

    ok: Seq[Text]
    """Verdicts that exit 0; every other one exits 1."""


class SummarySource(SpecModel):
    """Where the summary of the run comes from, and its shape."""

    from_: Text = Field(alias="from")
    """A reference into the result of a phase, such as `phases.summarise.data`."""

    schema_: FreeMapping = Field(default_factory=dict, alias="schema")
    """A JSON Schema the summary is checked against on every run."""


class Verb(SpecModel):
    """The command this package becomes."""

    command: Kebab
    """The command's name; unique across builtin and installed packages."""

    aliases: Seq[Kebab] = ()
    """Other names of the command."""

    flow: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]*$")] | None = None
    """The name of its flow, hence of its pathspecs: `EdaFlow` gives `EdaFlow/7`. Without it the verb
    leaves no run behind."""

    tier: Tier
    """What the verb may do without asking. Enforced beneath the model."""

    model: Literal["none", "optional", "required"] = "none"
    """Whether the verb needs a model."""

    inputs: dict[str, Input] = Field(default_factory=dict)
    """The verb's options, in this order."""

    verdict: VerdictSource | None = None
    """Where the verdict comes from, and which outcomes exit 0."""

    summary: SummarySource | None = None
    """Where the summary comes from, and its shape."""

    card: Text | None = None
    """The template of its card."""
