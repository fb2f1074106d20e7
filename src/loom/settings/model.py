"""Every setting there is: its key, its type, its default and what it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Value = bool | int | str | tuple[str, ...]
Kind = Literal["flag", "integer", "text", "texts"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One key that a loom.toml, the environment or a flag may set."""

    key: str
    kind: Kind
    default: Value
    description: str


ALLOWLISTED_PREFIXES = (
    "pytest",
    "uv run pytest",
    "python -m pytest",
    "python3 -m pytest",
    "ruff check",
    "npm test",
    "pnpm test",
    "bun test",
    "go test",
    "cargo test",
    "make test",
)

_ALL = (
    Setting(
        "approval.auto_limit_minutes",
        "integer",
        10,
        "Minutes of work that may start without asking; a longer plan waits for a person.",
    ),
    Setting(
        "execution.enable_iteration_command_exit_gate",
        "flag",
        False,
        "Whether `command_exit` gates of a loop may run their command.",
    ),
    Setting(
        "execution.enable_process_iteration_loops",
        "flag",
        True,
        "Whether a phase with an `iteration` block is repeated; otherwise it runs once.",
    ),
    Setting(
        "execution.iteration_command_exit_allowlisted_prefixes",
        "texts",
        ALLOWLISTED_PREFIXES,
        "How the command of a `command_exit` gate may begin; a list that is written replaces this one.",
    ),
    Setting(
        "execution.max_iteration_replans_after_exhaustion",
        "integer",
        2,
        "How often, over a whole run, exhausted loops may ask for a new plan.",
    ),
    Setting(
        "models.anthropic_url",
        "text",
        "",
        "Address of the Messages API; empty means ANTHROPIC_BASE_URL, otherwise the vendor's own.",
    ),
    Setting("models.executor", "text", "tier2", "Who carries out phases: a tier, or PROVIDER:MODEL."),
    Setting("models.extractor", "text", "tier1", "Who finds claims in texts: a tier, or PROVIDER:MODEL."),
    Setting(
        "models.openai_compatible_url",
        "text",
        "",
        "Address of a chat completions API, up to and with its `/v1`; empty means OPENAI_BASE_URL.",
    ),
    Setting("models.planner", "text", "tier3", "Who plans: a tier, or PROVIDER:MODEL."),
    Setting(
        "models.proposer", "text", "tier3", "Who writes candidates of a search: a tier, or PROVIDER:MODEL."
    ),
    Setting(
        "models.provider",
        "text",
        "",
        "The provider of models that are named without one; empty means there is none.",
    ),
    Setting("models.tier1", "text", "", "PROVIDER:MODEL for simple, frequent work such as extraction."),
    Setting("models.tier2", "text", "", "PROVIDER:MODEL for ordinary phases."),
    Setting("models.tier3", "text", "", "PROVIDER:MODEL for planning, judging and synthesis."),
    Setting("models.verifier", "text", "tier3", "Who judges results: a tier, or PROVIDER:MODEL."),
    Setting("models.writer", "text", "tier3", "Who writes reports: a tier, or PROVIDER:MODEL."),
)

SETTINGS = {setting.key: setting for setting in _ALL}
