"""Approval: nothing expensive or irreversible happens without a grant, and only a person gives one.

A person agrees to a plan by its digest: at the terminal, with `--confirm`, or, for expensive work within
`approval.auto_limit_minutes`, by calling the verb themselves. Whatever a model, a tool or a package says is
text to this module; nothing it can say leads to a grant.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from loom.kernel.errors import LoomError
from loom.runtime.consent import Caller, CallPlan, call_tier, command_for, needs_grant, rank, uses_network
from loom.runtime.grants import Clearance, Grant, GrantRecord, GrantStore, How
from loom.settings.layers import Settings
from loom.tools.context import NotPermittedError
from loom.tools.tool import Tool

AUTO_LIMIT = "approval.auto_limit_minutes"
GRANT_SECONDS = 24 * 3600.0
CLOCK_SLACK_SECONDS = 60.0

_ID = re.compile(r"[0-9a-f]{32}\Z")


class Prompt(Protocol):
    """Asks the person at the terminal. It reads from the terminal itself, and forgets what was typed before."""

    def confirm(self, text: str) -> bool:
        """Show a text, and whether the person said yes; anything but a plain yes is a no."""


class Seals(Protocol):
    """Makes and checks seals with a key that nobody else has."""

    def seal(self, value: object) -> str:
        """A text that only the holder of the key can make for this value."""

    def fits(self, value: object, seal: str) -> bool:
        """Whether a seal was made for this value."""


class NotApprovedError(LoomError):
    """Nobody agreed to a plan; it holds the plan, to be shown, and says how to agree."""

    def __init__(self, plan: CallPlan, why: str, fix: str) -> None:
        super().__init__(f"{plan.name} was not started: it is {plan.tier}", why, fix)
        self.plan = plan


@dataclass(frozen=True, slots=True)
class Approved:
    """A plan may go ahead, for one run."""

    grant: Grant | None = None
    """What to redeem; None where the tier needs none."""

    note: str | None = None
    """One line to print: what was allowed without asking."""


def auto_limit_minutes(settings: Settings) -> int:
    """Minutes that may start without asking. A workspace, which a package may write, can lower them, never more."""
    minutes = 0
    for layer in settings.explain(AUTO_LIMIT):
        value = int(str(layer.value))
        minutes = min(minutes, value) if layer.name == "workspace" else value
    return minutes


class Approver:
    """The one place where grants are made, and where each is redeemed."""

    def __init__(
        self, store: GrantStore, seals: Seals, clock: Callable[[], float], auto_minutes: float = 10
    ) -> None:
        self._store = store
        self._seals = seals
        self._clock = clock
        self._auto_minutes = auto_minutes

    def approve(
        self,
        plan: CallPlan,
        caller: Caller,
        run_id: str,
        confirm: str | None = None,
        tty: Prompt | None = None,
    ) -> Approved:
        """Let a plan go ahead for a run, or raise NotApprovedError; asks the person at the terminal if need be."""
        digest, tier = plan.digest, plan.tier
        if not needs_grant(tier):
            return Approved(
                note=None if tier == "read-only" else f"{plan.name} is {tier}: allowed without asking"
            )
        if confirm is not None:
            self._check(plan, caller, confirm)
            return Approved(self._mint(plan, digest, run_id, "digest"))
        if caller.kind == "person" and self._is_small(plan):
            note = f"{plan.name} is {tier}, {plan.cost}: your call is your consent"
            return Approved(self._mint(plan, digest, run_id, "command line"), note)
        if tty is None:
            raise self._nobody_asked(plan, caller)
        if not tty.confirm(f"{plan}\nasked for by {caller.name}; go ahead?"):
            raise NotApprovedError(
                plan, "the answer was no", f"to be asked again: {command_for(plan, caller)}"
            )
        return Approved(self._mint(plan, digest, run_id, "terminal"))

    def recall(self, plan: CallPlan, run_id: str) -> Approved | None:
        """What was agreed to before a run was interrupted, for its resume; None means that it has to be asked for.

        Expensive work that had begun goes on. An irreversible act that had begun may have taken effect, so
        somebody has to look before it is done again.
        """
        digest = plan.digest
        for record in reversed(self._store.of_run(run_id)):
            if not self._is_genuine(record) or record.digest != digest:
                continue
            if record.spent is None and self._is_current(record):
                return Approved(Grant(record.id))
            if record.spent is not None and record.tier == "expensive":
                return Approved(self._mint(plan, digest, run_id, "resumed"))
        return None

    def redeem(self, grant: Grant | None, plan: CallPlan, run_id: str) -> Clearance:
        """Use a grant up, right before the first thing that needs it; NotPermittedError when it is not good."""
        digest, tier = plan.digest, plan.tier
        if needs_grant(tier):
            record = self._record(grant, plan)
            if (record.run_id, record.name, record.digest, record.tier) != (run_id, plan.name, digest, tier):
                raise NotPermittedError(f"{plan.name}: the grant was given for another plan or another run")
            if not self._is_current(record):
                raise NotPermittedError(f"{plan.name}: the grant has expired, or the clock was set back")
            if not self._store.spend(record.id, self._clock()):
                raise NotPermittedError(f"{plan.name}: the grant was used before")
        return self._clear(plan, digest, run_id)

    def delegate(self, parent: Clearance, plan: CallPlan, run_id: str) -> Clearance:
        """The clearance of a process that runs inside another, as far as the other's plan named it.

        Nothing irreversible is handed on: a process inside another asks for that itself, with what it
        knows by then.
        """
        tier = plan.tier
        if tier == "irreversible" or rank(tier) > rank(parent.tier):
            raise NotPermittedError(f"{plan.name} is {tier}, which the run that calls it cannot hand on")
        if needs_grant(tier):
            self._verify(parent)
            if not parent.covers(plan.source, tier):
                raise NotPermittedError(f"{plan.name} is {tier}, and was not part of the plan that was shown")
        return self._clear(plan, plan.digest, run_id)

    def admit(self, token: str, run_id: str) -> Clearance:
        """The clearance that a task of the run was given as text; NotPermittedError when it is not genuine."""
        try:
            clearance = Clearance.from_token(token)
        except ValueError:
            raise NotPermittedError("the clearance of this run cannot be read") from None
        if clearance.run_id != run_id:
            raise NotPermittedError("the clearance was given to another run")
        if needs_grant(clearance.tier):
            self._verify(clearance)
        return clearance

    def permit_call(self, tool: Tool, args: Mapping[str, Any], clearance: Clearance, run_id: str) -> None:
        """Return if the run may make this call, right before it is made; NotPermittedError otherwise."""
        need = call_tier(tool, args)
        if clearance.run_id != run_id:
            raise NotPermittedError(f"{tool.name}: the clearance was given to another run")
        if rank(need.tier) > rank(clearance.tier):
            raise NotPermittedError(
                f"{tool.name} {need.because}: that is {need.tier}, and this run may go as far as {clearance.tier}"
            )
        if clearance.tier == "read-only" and not clearance.hosts and uses_network(tool, args):
            raise NotPermittedError(
                f"{tool.name} uses the network; a read-only run has none unless `permissions: network` names hosts"
            )
        if needs_grant(need.tier):
            self._verify(clearance)
            if not clearance.covers(need.source, need.tier):
                raise NotPermittedError(
                    f"{tool.name} {need.because}: that is {need.tier}, and was not part of the plan that was shown"
                )

    def _check(self, plan: CallPlan, caller: Caller, confirm: str) -> None:
        if not caller.may_confirm:
            why = f"only a person can confirm it, not {caller.name}"
            raise NotApprovedError(plan, why, f"let a person run: {command_for(plan, caller)}")
        if not plan.is_named_by(confirm):
            why = f"--confirm names another plan; this one is {plan.agreed_by}"
            raise NotApprovedError(
                plan, why, f"to confirm this one: {command_for(plan, caller, plan.agreed_by)}"
            )

    def _nobody_asked(self, plan: CallPlan, caller: Caller) -> NotApprovedError:
        if not caller.may_confirm:
            why = f"only a person can agree to it, and {caller.name} asked"
            return NotApprovedError(plan, why, f"let a person run: {command_for(plan, caller)}")
        why = "there is no terminal to ask at"
        if plan.tier == "expensive":
            why = f"it takes {plan.cost}; without asking, {self._auto_minutes:g} minutes on local cpu may start, for no money"
        fix = f"to confirm plan {plan.agreed_by}: {command_for(plan, caller, plan.agreed_by)}"
        return NotApprovedError(plan, why, fix)

    def _is_small(self, plan: CallPlan) -> bool:
        """Whether a person's own call is consent enough. What is not known is not small."""
        cost = plan.cost
        free = cost.money == 0 or (
            cost.money is None and not cost.tokens and not any(each.spends for each in plan.why)
        )
        return (
            plan.tier == "expensive"
            and free
            and cost.place == "local-cpu"
            and cost.minutes is not None
            and 0 <= cost.minutes <= self._auto_minutes
        )

    def _mint(self, plan: CallPlan, digest: str, run_id: str, how: How) -> Grant:
        now = float(self._clock())
        record = GrantRecord(
            secrets.token_hex(16), run_id, plan.name, digest, plan.tier, how, now, now + GRANT_SECONDS
        )
        self._store.add(replace(record, seal=self._seals.seal(record.sealed_part())))
        return Grant(record.id)

    def _record(self, grant: Grant | None, plan: CallPlan) -> GrantRecord:
        """What a grant stands for. What somebody made up stands for nothing."""
        key = getattr(grant, "id", None) if isinstance(grant, Grant) else None
        found = self._store.get(key) if isinstance(key, str) and _ID.match(key) else None
        if found is None or not self._is_genuine(found):
            raise NotPermittedError(f"{plan.name} is {plan.tier}, and nobody granted it")
        return found

    def _is_genuine(self, record: GrantRecord) -> bool:
        return self._seals.fits(record.sealed_part(), record.seal)

    def _is_current(self, record: GrantRecord) -> bool:
        return record.minted - CLOCK_SLACK_SECONDS <= self._clock() < record.expires

    def _clear(self, plan: CallPlan, digest: str, run_id: str) -> Clearance:
        shown = tuple(dict.fromkeys((each.source, each.tier) for each in plan.why if needs_grant(each.tier)))
        clearance = Clearance(run_id, digest, plan.tier, plan.hosts, shown)
        if not needs_grant(plan.tier):
            return clearance  # nothing to prove, and a home that cannot be written is no obstacle
        return replace(clearance, seal=self._seals.seal(clearance.sealed_part()))

    def _verify(self, clearance: Clearance) -> None:
        if not self._seals.fits(clearance.sealed_part(), clearance.seal):
            raise NotPermittedError("nobody granted this run what it is about to do")
