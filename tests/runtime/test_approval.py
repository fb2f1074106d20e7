"""Who may start what: read-only and workspace-write work by itself, the rest with a grant that a person gave."""

from __future__ import annotations

import copy
import pickle
import shlex
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loom.kernel.errors import LoomError
from loom.runtime.approval import Approver, NotApprovedError, auto_limit_minutes
from loom.runtime.consent import Caller, CallerKind, CallPlan, Estimate, ToolUse, contributions
from loom.runtime.grants import Clearance, Grant, GrantRecord, HomeKey, SqliteGrants
from loom.settings.layers import load_settings
from loom.tools.builtin import builtin_tools
from loom.tools.context import NotPermittedError
from tests.fakes.approval import Clock, Does, MemoryGrants, MemoryKey, Mystery, Person

PERSON = Caller("person", ("loom", "deploy", "--apply"))
SENDER = Does("sender", "external")
PAYER = Does("payer", "spend")
READER = Does("reader", "reads")
FETCHER = Does("fetcher", "network")
WRITER = Does("writer", "writes")
SMALL = Estimate(minutes=5)


def a_plan(tier: str = "irreversible", *tools: Any, **changes: Any) -> CallPlan:
    """A plan of a tier that uses some tools."""
    why = contributions(tier, tools=[ToolUse(tool) for tool in tools])  # type: ignore[arg-type]
    digest = "sha256:" + "a" * 64
    return CallPlan(
        **{
            "name": "deploy",
            "version": "1",
            "package_digest": digest,
            "inputs": {"apply": True},
            "why": why,
            **changes,
        }
    )


class Desk:
    """An approver and what it works with."""

    def __init__(self, auto_minutes: float = 10) -> None:
        self.store, self.clock = MemoryGrants(), Clock()
        self.approver = Approver(self.store, MemoryKey(), self.clock, auto_minutes)

    def granted(self, plan: CallPlan, run_id: str = "run-1") -> Grant:
        """The grant of a person who said yes."""
        grant = self.approver.approve(plan, PERSON, run_id, tty=Person(True)).grant
        assert grant is not None
        return grant

    def cleared(self, plan: CallPlan, run_id: str = "run-1") -> Clearance:
        """The clearance of a run that somebody agreed to."""
        approved = self.approver.approve(plan, PERSON, run_id, tty=Person(True))
        return self.approver.redeem(approved.grant, plan, run_id)


@pytest.fixture
def desk() -> Desk:
    """A fresh desk."""
    return Desk()


EVERYBODY: tuple[CallerKind, ...] = ("person", "ci", "agent", "package")


@pytest.mark.parametrize("kind", EVERYBODY)
def test_reading_needs_nobody_and_says_nothing(desk: Desk, kind: CallerKind) -> None:
    approved = desk.approver.approve(a_plan("read-only"), Caller(kind), "run-1")
    assert (approved.grant, approved.note) == (None, None)


@pytest.mark.parametrize("kind", EVERYBODY)
def test_writing_to_the_workspace_is_allowed_with_a_note_of_one_line(desk: Desk, kind: CallerKind) -> None:
    approved = desk.approver.approve(a_plan("workspace-write"), Caller(kind), "run-1")
    assert approved.grant is None
    assert approved.note == "deploy is workspace-write: allowed without asking"
    assert desk.store.records == {}


def test_a_person_who_calls_an_expensive_verb_agrees_to_it_within_the_limit(desk: Desk) -> None:
    person = Person(False)
    approved = desk.approver.approve(a_plan("expensive", cost=SMALL), PERSON, "run-1", tty=person)
    assert approved.grant is not None
    assert approved.note == "deploy is expensive, at most 5 minutes, on local cpu: your call is your consent"
    assert person.asked == []


@pytest.mark.parametrize("kind", ["ci", "agent", "package"])
def test_nobody_else_agrees_by_calling(desk: Desk, kind: CallerKind) -> None:
    with pytest.raises(NotApprovedError):
        desk.approver.approve(a_plan("expensive", cost=SMALL), Caller(kind), "run-1")


BEYOND = [
    Estimate(),
    Estimate(minutes=10.5),
    Estimate(minutes=5, money=0.01),
    Estimate(minutes=5, tokens=1_000),
    Estimate(minutes=5, place="local-gpu"),
    Estimate(minutes=5, place="remote"),
]


@pytest.mark.parametrize("cost", BEYOND)
def test_beyond_the_limit_a_person_is_asked_too(desk: Desk, cost: Estimate) -> None:
    plan, person = a_plan("expensive", cost=cost), Person(True)
    assert desk.approver.approve(plan, PERSON, "run-1", tty=person).grant is not None
    assert person.asked == [f"{plan}\nasked for by a person; go ahead?"]
    with pytest.raises(NotApprovedError):
        desk.approver.approve(plan, PERSON, "run-1")


def test_a_tool_that_costs_money_is_not_small_unless_it_is_known_to_be_free(desk: Desk) -> None:
    with pytest.raises(NotApprovedError):
        desk.approver.approve(a_plan("expensive", PAYER, cost=SMALL), PERSON, "run-1")
    free = Estimate(minutes=5, money=0, tokens=1_000)
    assert desk.approver.approve(a_plan("expensive", PAYER, cost=free), PERSON, "run-1").grant


def test_no_limit_makes_an_irreversible_call_small() -> None:
    desk = Desk(auto_minutes=1e9)
    with pytest.raises(NotApprovedError):
        desk.approver.approve(a_plan("irreversible", cost=SMALL), PERSON, "run-1")


def test_at_a_terminal_the_plan_is_shown_and_no_means_no(desk: Desk) -> None:
    plan, person = a_plan(), Person(False)
    with pytest.raises(NotApprovedError) as refused:
        desk.approver.approve(plan, PERSON, "run-1", tty=person)
    assert str(plan) in person.asked[0]
    assert refused.value.why == "the answer was no"
    assert desk.store.records == {}


def test_off_a_terminal_the_refusal_ends_in_the_command_that_works(desk: Desk) -> None:
    plan = a_plan()
    with pytest.raises(NotApprovedError) as refused:
        desk.approver.approve(plan, PERSON, "run-1")
    assert refused.value.plan == plan
    assert str(refused.value) == (
        "error: deploy was not started: it is irreversible\n"
        "  why: there is no terminal to ask at\n"
        f"  fix: to confirm plan {plan.short_digest}: loom deploy --apply --confirm {plan.short_digest}"
    )
    confirm = shlex.split(refused.value.fix)[-1]
    assert desk.approver.approve(plan, PERSON, "run-1", confirm).grant is not None


def test_an_expensive_refusal_says_what_it_takes_and_what_may_start(desk: Desk) -> None:
    with pytest.raises(NotApprovedError) as refused:
        desk.approver.approve(a_plan("expensive", cost=Estimate(minutes=60)), PERSON, "run-1")
    assert refused.value.why == (
        "it takes at most 60 minutes, on local cpu; "
        "without asking, 10 minutes on local cpu may start, for no money"
    )


@pytest.mark.parametrize("kind", ["person", "ci"])
def test_a_confirmation_names_this_plan_or_nothing_happens(desk: Desk, kind: CallerKind) -> None:
    plan, caller = a_plan(), Caller(kind)
    for wrong in ("", "y", "yes", a_plan(version="2").digest, a_plan("expensive").short_digest):
        # even somebody who would say yes is not asked: what was confirmed is not what would happen
        with pytest.raises(NotApprovedError, match="names another plan"):
            desk.approver.approve(plan, caller, "run-1", wrong, Person(True))
    assert desk.approver.approve(plan, caller, "run-1", plan.digest).grant is not None


@pytest.mark.parametrize("kind", ["agent", "package"])
def test_an_agent_or_a_package_cannot_confirm_but_a_person_can_be_asked(desk: Desk, kind: CallerKind) -> None:
    plan, caller = a_plan(), Caller(kind)
    with pytest.raises(NotApprovedError) as refused:
        desk.approver.approve(plan, caller, "run-1", plan.digest, Person(True))
    assert plan.short_digest not in str(refused.value)
    with pytest.raises(NotApprovedError) as refused:
        desk.approver.approve(plan, caller, "run-1")
    assert refused.value.fix == "let a person run: loom deploy --apply"
    person = Person(True)
    assert desk.approver.approve(plan, caller, "run-1", tty=person).grant is not None
    assert f"asked for by {'an agent' if kind == 'agent' else 'a package'}" in person.asked[0]


def test_a_plan_that_changes_while_somebody_looks_at_it_is_not_the_one_they_agreed_to(desk: Desk) -> None:
    plan = a_plan(inputs={"to": ["me"]})

    class Distracted(Person):
        def confirm(self, text: str) -> bool:
            plan.inputs["to"].append("everybody")  # type: ignore[union-attr]
            return True

    grant = desk.approver.approve(plan, PERSON, "run-1", tty=Distracted(True)).grant
    with pytest.raises(NotPermittedError, match="another plan"):
        desk.approver.redeem(grant, plan, "run-1")


def test_a_grant_is_good_once(desk: Desk) -> None:
    plan = a_plan()
    grant = desk.granted(plan)
    assert desk.approver.redeem(grant, plan, "run-1").tier == "irreversible"
    with pytest.raises(NotPermittedError, match="used before"):
        desk.approver.redeem(grant, plan, "run-1")


def test_a_grant_is_good_for_its_own_run_and_plan_only(desk: Desk) -> None:
    plan = a_plan()
    grant = desk.granted(plan)
    with pytest.raises(NotPermittedError, match="another run"):
        desk.approver.redeem(grant, plan, "run-2")
    for other in (a_plan(inputs={}), a_plan(name="collab"), a_plan(version="2"), a_plan("expensive")):
        with pytest.raises(NotPermittedError, match="another plan"):
            desk.approver.redeem(grant, other, "run-1")
    assert desk.approver.redeem(grant, plan, "run-1")


def test_a_grant_expires_and_does_not_come_back_with_the_clock(desk: Desk) -> None:
    plan = a_plan()
    grant = desk.granted(plan)
    for wrong in (24 * 3600.0, 1e9, -61.0):
        desk.clock.now = 1_000_000.0 + wrong
        with pytest.raises(NotPermittedError, match="expired"):
            desk.approver.redeem(grant, plan, "run-1")
    desk.clock.now = 1_000_000.0 - 1  # a clock that is put right by a little
    assert desk.approver.redeem(grant, plan, "run-1")


def _forgeries(desk: Desk, plan: CallPlan) -> list[object]:
    """Objects that look like grants."""
    blank = object.__new__(Grant)
    other = object.__new__(Grant)
    object.__setattr__(other, "id", ["a"] * 32)
    sealed = GrantRecord("f" * 32, "run-1", plan.name, plan.digest, plan.tier, "terminal", 1e6, 2e6)
    desk.store.add(replace(sealed, seal=MemoryKey(b"a key of my own").seal(sealed.sealed_part())))
    made_up = [
        Grant("a" * 32),
        Grant(plan.digest),
        Grant("\ud800"),
        pickle.loads(pickle.dumps(Grant("b" * 32))),
    ]
    return [None, "yes", plan.digest, sealed, blank, other, *made_up, Grant("f" * 32)]


def test_what_looks_like_a_grant_is_none(desk: Desk) -> None:
    plan = a_plan()
    for forged in _forgeries(desk, plan):
        with pytest.raises(NotPermittedError, match="nobody granted it"):
            desk.approver.redeem(forged, plan, "run-1")  # type: ignore[arg-type]


def test_a_copy_of_a_grant_is_the_same_grant(desk: Desk) -> None:
    plan = a_plan()
    grant = desk.granted(plan)
    desk.approver.redeem(grant, plan, "run-1")
    for again in (copy.deepcopy(grant), pickle.loads(pickle.dumps(grant)), Grant(grant.id)):
        with pytest.raises(NotPermittedError, match="used before"):
            desk.approver.redeem(again, plan, "run-1")


@pytest.mark.parametrize(
    "change",
    [{"run_id": "run-2"}, {"digest": a_plan(version="2").digest}, {"expires": 1e12}, {"tier": "expensive"}],
)
def test_a_stored_grant_that_was_changed_is_worth_nothing(desk: Desk, change: dict[str, Any]) -> None:
    plan = a_plan()
    grant = desk.granted(plan)
    desk.store.records[grant.id] = replace(desk.store.records[grant.id], **change)
    with pytest.raises(NotPermittedError, match="nobody granted it"):
        desk.approver.redeem(grant, plan, "run-1")


def test_of_two_approvers_in_two_processes_one_redeems(tmp_path: Path) -> None:
    plan = a_plan()
    answers: list[str] = []
    ready = threading.Barrier(4)

    def open_approver(database: sqlite3.Connection) -> Approver:
        return Approver(SqliteGrants(database), HomeKey(tmp_path), Clock())

    with closing(sqlite3.connect(tmp_path / "journal", timeout=30)) as database:
        grant = open_approver(database).approve(plan, PERSON, "run-1", tty=Person(True)).grant

        def redeem() -> None:
            with closing(sqlite3.connect(tmp_path / "journal", timeout=30)) as mine:
                approver = open_approver(mine)
                ready.wait()
                try:
                    answers.append(approver.redeem(grant, plan, "run-1").tier)
                except NotPermittedError:
                    answers.append("refused")

        threads = [threading.Thread(target=redeem) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(answers) == ["irreversible"] + ["refused"] * 3


def test_a_run_that_was_interrupted_before_it_began_keeps_its_grant(desk: Desk) -> None:
    plan = a_plan()
    desk.granted(plan)
    assert desk.approver.recall(plan, "run-2") is None
    assert desk.approver.recall(a_plan(version="2"), "run-1") is None
    recalled = desk.approver.recall(plan, "run-1")
    assert recalled is not None
    assert desk.approver.redeem(recalled.grant, plan, "run-1")


def test_expensive_work_that_had_begun_goes_on_and_an_irreversible_act_is_asked_for_again(desk: Desk) -> None:
    search, release = a_plan("expensive", PAYER), a_plan("irreversible")
    for plan in (search, release):
        desk.cleared(plan)
    desk.clock.now += 1e6
    recalled = desk.approver.recall(search, "run-1")
    assert recalled is not None
    clearance = desk.approver.redeem(recalled.grant, search, "run-1")
    desk.approver.permit_call(PAYER, {}, clearance, "run-1")
    assert desk.approver.recall(release, "run-1") is None


def test_a_grant_that_expired_before_the_resume_is_asked_for_again(desk: Desk) -> None:
    plan = a_plan("expensive")
    desk.granted(plan)
    desk.clock.now += 1e6
    assert desk.approver.recall(plan, "run-1") is None


def test_a_forged_line_in_the_journal_is_not_recalled(desk: Desk) -> None:
    plan = a_plan("expensive")
    _forgeries(desk, plan)
    assert desk.approver.recall(plan, "run-1") is None


@pytest.mark.parametrize(
    ("tier", "tool", "args"),
    [
        ("read-only", WRITER, {}),
        ("read-only", FETCHER, {}),
        ("workspace-write", PAYER, {}),
        ("workspace-write", Mystery(), {}),
        ("expensive", SENDER, {"confirm": "yes", "approved_by": "the user", "text": "y"}),
        ("irreversible", Mystery(), {}),
        ("irreversible", Does("sender ", "external"), {}),
    ],
)
def test_a_call_beyond_what_the_run_may_do_is_refused(
    desk: Desk, tier: str, tool: Any, args: dict[str, Any]
) -> None:
    clearance = desk.cleared(a_plan(tier, *([SENDER] if tier == "irreversible" else [])))
    with pytest.raises(NotPermittedError):
        desk.approver.permit_call(tool, args, clearance, "run-1")


def test_a_call_that_the_plan_named_is_made_as_far_as_it_was_named(desk: Desk) -> None:
    release = Does("release", "reads", when_applied=("external",))
    staged = a_plan("irreversible", why=contributions("irreversible", tools=[ToolUse(release, {})]))
    clearance = desk.cleared(staged)
    desk.approver.permit_call(release, {"apply": False}, clearance, "run-1")
    with pytest.raises(NotPermittedError, match="not part of the plan"):
        desk.approver.permit_call(release, {"apply": True}, clearance, "run-1")
    applied = a_plan(
        "irreversible", why=contributions("read-only", tools=[ToolUse(release, {"apply": True})])
    )
    desk.approver.permit_call(release, {"apply": True}, desk.cleared(applied), "run-1")


def test_a_read_only_run_has_the_network_that_its_package_names(desk: Desk) -> None:
    named = desk.cleared(a_plan("read-only", FETCHER, hosts=("example.org",)))
    desk.approver.permit_call(FETCHER, {}, named, "run-1")
    with pytest.raises(NotPermittedError, match="names hosts"):
        desk.approver.permit_call(FETCHER, {}, desk.cleared(a_plan("read-only", FETCHER)), "run-1")


def test_builtin_tools_work_within_the_tiers_they_declare(desk: Desk) -> None:
    tools = {tool.name: tool for tool in builtin_tools()}
    reads = desk.cleared(a_plan("read-only"))
    writes = desk.cleared(a_plan("workspace-write"))
    desk.approver.permit_call(tools["calculator"], {"expression": "1 + 1"}, reads, "run-1")
    desk.approver.permit_call(tools["shell_execute"], {"command": "ls"}, writes, "run-1")
    with pytest.raises(NotPermittedError, match="starts programs"):
        desk.approver.permit_call(tools["shell_execute"], {"command": "ls"}, reads, "run-1")


def test_a_clearance_is_for_one_run_and_cannot_be_made_or_changed(desk: Desk) -> None:
    approver = desk.approver
    clearance = desk.cleared(a_plan("expensive", PAYER))
    approver.permit_call(PAYER, {}, clearance, "run-1")
    forged = [
        replace(clearance, seal=""),
        replace(clearance, tier="irreversible"),
        replace(clearance, tier="irreversible", shown=(("tool sender", "irreversible"),)),
        Clearance("run-1", clearance.digest, "irreversible", (), (("tool sender", "irreversible"),)),
        replace(clearance, run_id="run-2"),
    ]
    for each in forged:
        for tool in (PAYER, SENDER):
            with pytest.raises(NotPermittedError):
                approver.permit_call(tool, {}, each, each.run_id)
        with pytest.raises(NotPermittedError):
            approver.admit(each.token(), each.run_id)
    with pytest.raises(NotPermittedError, match="another run"):
        approver.permit_call(READER, {}, clearance, "run-2")


def test_a_clearance_reaches_the_tasks_of_its_run_as_text(desk: Desk) -> None:
    clearance = desk.cleared(a_plan("expensive", PAYER))
    child = Approver(MemoryGrants(), MemoryKey(), desk.clock)
    assert child.admit(clearance.token(), "run-1") == clearance
    child.permit_call(PAYER, {}, child.admit(clearance.token(), "run-1"), "run-1")
    for token, run_id in ((clearance.token(), "run-2"), ("yes", "run-1"), ("", "run-1")):
        with pytest.raises(NotPermittedError):
            child.admit(token, run_id)
    stranger = Approver(MemoryGrants(), MemoryKey(b"another home"), desk.clock)
    with pytest.raises(NotPermittedError):
        stranger.admit(clearance.token(), "run-1")


def test_a_run_below_expensive_needs_no_key_and_no_journal(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("no folder")
    approver = Approver(MemoryGrants(), HomeKey(tmp_path / "home"), Clock())
    for tier in ("read-only", "workspace-write"):
        plan = a_plan(tier)
        grant = approver.approve(plan, PERSON, "run-1").grant
        clearance = approver.admit(approver.redeem(grant, plan, "run-1").token(), "run-1")
        approver.permit_call(READER, {}, clearance, "run-1")
    with pytest.raises(LoomError, match=r"approval\.key"):
        approver.approve(a_plan(), PERSON, "run-1", tty=Person(True))


def test_a_process_inside_another_is_covered_as_far_as_the_plan_named_it(desk: Desk) -> None:
    approver = desk.approver
    search = a_plan("expensive", PAYER, name="optimize")
    pipeline = a_plan(
        "workspace-write", name="pipeline", why=contributions("workspace-write", nested=[search])
    )
    parent = desk.cleared(pipeline, "run-1")
    child = approver.delegate(parent, search, "run-2")
    approver.permit_call(PAYER, {}, child, "run-2")
    # its inputs become known on the way, its package does not change
    approver.delegate(parent, replace(search, inputs={"dataset": "FeaturesFlow/1"}), "run-3")
    others = [
        replace(search, package_digest="sha256:" + "b" * 64),
        replace(search, name="train"),
        a_plan("irreversible", name="optimize"),
    ]
    for other in others:
        with pytest.raises(NotPermittedError):
            approver.delegate(parent, other, "run-4")
    with pytest.raises(NotPermittedError):
        approver.delegate(replace(parent, seal=""), search, "run-4")
    with pytest.raises(NotPermittedError):
        approver.delegate(desk.cleared(a_plan("read-only")), a_plan("workspace-write"), "run-4")


def test_an_irreversible_process_inside_another_asks_for_itself(desk: Desk) -> None:
    send = a_plan("irreversible", SENDER, name="collab")
    parent = desk.cleared(a_plan("read-only", why=contributions("read-only", nested=[send])))
    with pytest.raises(NotPermittedError, match="cannot hand on"):
        desk.approver.delegate(parent, send, "run-2")
    assert desk.approver.approve(send, Caller("package"), "run-2", tty=Person(True)).grant


@pytest.mark.parametrize(
    ("workspace", "environ", "flags", "minutes"),
    [
        (None, {}, {}, 10),
        (1_000_000, {}, {}, 10),
        (2, {}, {}, 2),
        (2, {"LOOM_APPROVAL__AUTO_LIMIT_MINUTES": "30"}, {}, 30),
        (None, {}, {"approval.auto_limit_minutes": "45"}, 45),
        (1_000_000, {"LOOM_APPROVAL__AUTO_LIMIT_MINUTES": "0"}, {}, 0),
    ],
)
def test_a_workspace_can_lower_what_starts_without_asking_and_not_raise_it(
    tmp_path: Path, workspace: int | None, environ: dict[str, str], flags: dict[str, object], minutes: int
) -> None:
    if workspace is not None:
        (tmp_path / "loom.toml").write_text(f"[approval]\nauto_limit_minutes = {workspace}\n")
    settings = load_settings(tmp_path, {"HOME": str(tmp_path / "nobody"), **environ}, flags)
    assert auto_limit_minutes(settings) == minutes
