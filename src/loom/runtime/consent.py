"""What somebody consents to: how far a call goes and why, what it may cost, who asks, and the digest of it all."""

from __future__ import annotations

import copy
import hmac
import json
import math
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import JsonValue

from loom.kernel.diagnostic_formats import clean
from loom.kernel.ids import digest_json
from loom.kernel.redact import redact
from loom.process.spec.types import TIERS, Tier
from loom.process.spec.verb import Verb
from loom.tools.invoke import Raised, attempt, call_effects
from loom.tools.tool import EFFECTS, Effect, Tool

FORMAT = 1
SHORT = 16  # 64 bits: too many for anybody to craft a second plan with the same ones
SHOWN_CHARACTERS = 200
CALLER_VARIABLE = "LOOM_CALLER"

# a network is granted by the hosts a package names; it changes nothing by itself
_NEEDS: dict[Effect, Tier] = {
    "reads": "read-only",
    "network": "read-only",
    "writes": "workspace-write",
    "process": "workspace-write",
    "spend": "expensive",
    "external": "irreversible",
}
_WORDS: dict[Effect, str] = {
    "reads": "reads",
    "network": "uses the network",
    "writes": "writes files",
    "process": "starts programs",
    "spend": "costs money",
    "external": "acts outside this machine",
}
_DIGEST = re.compile(rf"(?:sha256:)?([0-9a-fA-F]{{{SHORT},64}})\Z")

Place = Literal["local-cpu", "local-gpu", "remote"]


def rank(tier: Tier) -> int:
    """How far a tier goes, as a number to compare."""
    return TIERS.index(tier)


def needs_grant(tier: Tier) -> bool:
    """Whether a tier is beyond what happens without asking."""
    return rank(tier) >= rank("expensive")


@dataclass(frozen=True, slots=True)
class Contribution:
    """One thing that makes a call go as far as it does."""

    source: str
    """Who says so: `verb`, `--apply`, `tool deploy_release`, `process optimize`."""

    tier: Tier
    because: str = ""
    """What it does, in a person's words."""

    spends: bool = False
    """Whether it may cost money."""


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool that a run may call, with the arguments as far as they are known."""

    tool: Tool
    args: Mapping[str, Any] | None = None
    """None when a model will choose them. A reference that is not known yet may stand in as text: the call
    itself is looked at again with its true arguments."""


def call_tier(tool: Tool, args: Mapping[str, Any] | None) -> Contribution:
    """How far one call of a tool goes; irreversible, where the tool does not say what it does."""
    effects = _effects(tool, args)
    source = f"tool {tool.name}"
    if effects == EFFECTS:
        return Contribution(source, "irreversible", "does not say what it does", spends=True)
    tier = max((_NEEDS[effect] for effect in effects), key=rank, default=TIERS[0])
    words = ", ".join(word for effect, word in _WORDS.items() if effect in effects)
    return Contribution(source, tier, words or "computes", "spend" in effects)


def uses_network(tool: Tool, args: Mapping[str, Any]) -> bool:
    """Whether one call may use a network."""
    return "network" in _effects(tool, args)


def _effects(tool: Tool, args: Mapping[str, Any] | None) -> frozenset[Effect]:
    if args is not None:
        # what a tool says must not change what it is called with afterwards
        return call_effects(tool, copy.deepcopy(dict(args)))
    declared = attempt(lambda: frozenset(tool.effects))
    return EFFECTS if isinstance(declared, Raised) or not declared <= EFFECTS else declared


def raised_by(verb: Verb, inputs: Mapping[str, JsonValue]) -> dict[str, Tier]:
    """The inputs that were given and raise the tier. A flag that is off, or an input without value, is not given."""
    return {
        name: item.raises_tier
        for name, item in verb.inputs.items()
        if item.raises_tier is not None and inputs.get(name) not in (None, False, (), [])
    }


def contributions(
    tier: Tier,
    raised: Mapping[str, Tier] | None = None,
    tools: Iterable[ToolUse] = (),
    nested: Iterable[CallPlan] = (),
) -> tuple[Contribution, ...]:
    """Everything that makes a call go as far as it does: its verb, its flags, its tools, processes inside it."""
    found = [Contribution("verb", tier)]
    found += [Contribution(f"--{name}", raises) for name, raises in (raised or {}).items()]
    found += [call_tier(use.tool, use.args) for use in tools]
    found += [
        Contribution(plan.source, plan.tier, spends=any(each.spends for each in plan.why)) for plan in nested
    ]
    return tuple(dict.fromkeys(found))


def effective_tier(why: Iterable[Contribution]) -> Tier:
    """The highest tier that anything contributes; irreversible, where nothing says anything."""
    return max((each.tier for each in why), key=rank, default=TIERS[-1])


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a call may cost at most, as far as it is known before it starts."""

    minutes: float | None = None
    money: float | None = None
    """In the currency of whoever is paid; 0 says that it is free."""

    tokens: int | None = None
    rows: int | None = None
    candidates: int | None = None
    place: Place = "local-cpu"

    def __post_init__(self) -> None:
        for value in (self.minutes, self.money, self.tokens, self.rows, self.candidates):
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"a cost cannot be {value}; what is not known is None")

    def __str__(self) -> str:
        facts = [
            f"{value:,} {name}"
            for name, value in (("rows", self.rows), ("candidates", self.candidates), ("tokens", self.tokens))
            if value is not None
        ]
        facts.append("no bound on its time" if self.minutes is None else f"at most {self.minutes:g} minutes")
        if self.money is not None:
            facts.append(f"at most {self.money:,.2f} in money" if self.money else "no money")
        return ", ".join((*facts, f"on {self.place.replace('-', ' ')}"))


@dataclass(frozen=True, slots=True)
class CallPlan:
    """Exactly what would be done. Two plans have the same digest only when nothing in them differs."""

    name: str
    """The verb, process or tool that is called."""

    version: str
    package_digest: str
    inputs: Mapping[str, JsonValue]
    why: tuple[Contribution, ...]
    cost: Estimate = Estimate()
    hosts: tuple[str, ...] = ()
    """Hosts that the package's permissions name."""

    staged: str = ""
    """The digest of what an earlier run showed and this one is to carry out; empty where nothing was shown."""

    staged_by: str = ""
    """That run."""

    def __post_init__(self) -> None:
        # a later change of the caller's own mapping must not reach a plan that was shown
        object.__setattr__(self, "inputs", copy.deepcopy(dict(self.inputs)))
        digest_json(self.inputs)  # what has no digest could not be agreed to

    @property
    def tier(self) -> Tier:
        """How far the call goes."""
        return effective_tier(self.why)

    @property
    def source(self) -> str:
        """The name under which a process that runs this one inside itself accounts for it."""
        return f"process {self.name} {self.package_digest}"

    @property
    def digest(self) -> str:
        """The name of this plan and of no other; computed anew each time, so that it cannot go stale."""
        return digest_json({"format": FORMAT, **asdict(self), "tier": self.tier})

    @property
    def short_digest(self) -> str:
        """The beginning of the digest, for people to copy."""
        return self.digest.removeprefix("sha256:")[:SHORT]

    @property
    def agreed_by(self) -> str:
        """What a person writes to agree: the beginning of the digest of what was shown, or of the plan itself."""
        return self.staged.removeprefix("sha256:")[:SHORT] or self.short_digest

    def is_named_by(self, written: str) -> bool:
        """Whether a text is the digest of this plan, or of what it carries out, whole or its beginning."""
        found = _DIGEST.match(written.strip())
        if found is None:
            return False
        given = found[1].lower()
        names = [each.removeprefix("sha256:") for each in (self.digest, self.staged) if each]
        return any(hmac.compare_digest(given, name[: len(given)]) for name in names)

    def __str__(self) -> str:
        """The plan for a person: nothing in it can steer a terminal, shows a secret, or adds a line."""
        lines = [f"{self.name} {self.version} is {self.tier}"]
        lines += [_shown(name, value) for name, value in self.inputs.items() if value is not None]
        for each in self.why:
            lines.append(f"  {each.source}: {each.tier}" + (f", {each.because}" if each.because else ""))
        if self.staged:
            lines.append(f"  carries out what {self.staged_by} has shown: {self.staged}")
        lines.append(f"  cost: {self.cost}")
        lines.append(f"  hosts: {', '.join(self.hosts) or 'none'}")
        lines.append(f"  plan {self.short_digest}")
        return "\n".join(map(clean, lines))


def _shown(name: str, value: JsonValue) -> str:
    text = redact(f"  {name} = {json.dumps(value, ensure_ascii=False)}")
    if len(text) <= SHOWN_CHARACTERS:
        return text
    return f"{text[:SHOWN_CHARACTERS]}… ({len(text):,} characters)"


CallerKind = Literal["person", "ci", "agent", "package"]
_NAMES: dict[CallerKind, str] = {
    "person": "a person",
    "ci": "an automated job",
    "agent": "an agent",
    "package": "a package",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks for something to be done."""

    kind: CallerKind
    command: tuple[str, ...] = ()
    """The words of the command line, `loom` included, where there is one."""

    @property
    def name(self) -> str:
        """Who it is, in a sentence."""
        return _NAMES[self.kind]

    @property
    def may_confirm(self) -> bool:
        """Whether its `--confirm` was written by a person: one at a command line, or one who set up a job."""
        return self.kind in ("person", "ci")


def caller_kind(environ: Mapping[str, str]) -> CallerKind:
    """Who started this process, by the mark that Loom leaves on what its tools start; a person, without one.

    An honest mark: a program can take it off. What keeps it away from grants then is the sandbox.
    """
    marked = environ.get(CALLER_VARIABLE, "person")
    return next((kind for kind in _NAMES if kind == marked), "agent")


def command_for(plan: CallPlan, caller: Caller, digest: str = "") -> str:
    """The command line that was typed, or one that says the same, with a confirmation or without."""
    words = list(caller.command)
    if not words:
        words = ["loom", plan.name]
        for name, value in plan.inputs.items():
            for each in value if isinstance(value, list) else [value]:
                if each is not None and each is not False:
                    words += [f"--{name}"] if each is True else [f"--{name}", _word(each)]
    kept, skip = [], False
    for word in words:
        if not skip and word != "--confirm" and not word.startswith("--confirm="):
            kept.append(word)
        skip = word == "--confirm"
    return shlex.join([*kept, *(("--confirm", digest) if digest else ())])


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
