"""A phase is carried out once: what finished stays finished, under whatever pathspec the run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from loom.process.plan import Plan
from loom.runtime import phases as module
from loom.runtime.driver import Execution, PhaseDriver, PhaseTask
from loom.runtime.lookup import NothingThereError
from loom.runtime.outcome import PhaseOutcome
from loom.runtime.phases import Phases
from loom.runtime.state import Reason
from loom.runtime.tasks import TaskFolder
from tests.fakes.execution import Bench, Log, ScriptedExecutor, failed, succeeded
from tests.runtime.plans import phase, planned, prepared

PLAIN = planned(phase("work"))
EACH = planned(
    phase("list")
    + "  - {id: each, description: d, depends_on: [list], for_each: '${phases.list.data.items}',"
    " run: {tool: t, args: {item: '${item}'}}}\n"
)
LISTED = {"list": PhaseOutcome("list", "accepted", data={"items": ["x", "y", "z"]})}


@dataclass
class Site:
    """A run whose phases are carried out in memory, and what was told meanwhile by task."""

    plan: Plan
    folder: Path
    executor: ScriptedExecutor = field(default_factory=ScriptedExecutor)
    log: Log = field(default_factory=Log)
    told: list[tuple[str, str]] = field(default_factory=list)
    request: dict[str, Any] = field(default_factory=dict)

    def phases(self, pathspec: str | None = None, workers: int = 1) -> Phases:
        def tell(task: str, kind: str, body: Mapping[str, Any]) -> None:
            self.told.append((task, kind))
            self.log(kind, body)

        def driver_of(run: Any, where: str | None, emit: Any) -> PhaseDriver:
            bench = Bench(self.executor)
            return replace(bench.driver(), emit=emit)

        return Phases(prepared(self.plan, self.folder, **self.request), driver_of, tell, pathspec, workers)

    @property
    def calls(self) -> int:
        return len(self.executor.tasks)


def echo(task: PhaseTask) -> Execution:
    return succeeded({"was": task.args.get("item"), "ref": task.args.get("ref")})


class TestOnce:
    def test_what_is_finished_is_not_carried_out_again(self, tmp_path: Path) -> None:
        site = Site(PLAIN, tmp_path)
        first = site.phases().carry_out("work", {})
        assert site.told[-1] == ("work", "phase_finished")
        again = site.phases().carry_out("work", {})
        assert (again, site.calls) == (first, 1)
        assert site.told[-1] == ("work", "phase_reused")
        assert site.log.of("phase_reused") == [{"phase": "work"}]

    def test_the_outcome_is_kept_before_anybody_is_told(self, tmp_path: Path) -> None:
        site = Site(PLAIN, tmp_path)
        phases = site.phases()
        seen: list[object] = []

        def tell(task: str, kind: str, body: Mapping[str, Any]) -> None:
            if kind == "phase_finished":
                seen.append(TaskFolder(phases.run.tasks).outcome("work"))

        outcome = replace(phases, tell=tell).carry_out("work", {})
        assert seen == [outcome]

    def test_what_did_not_end_well_is_carried_out_again(self, tmp_path: Path) -> None:
        site = Site(PLAIN, tmp_path, ScriptedExecutor([failed(retryable=False), succeeded()]))
        assert site.phases().carry_out("work", {}).status == "rejected"
        assert site.phases().carry_out("work", {}).status == "accepted"
        assert site.calls == 2

    @pytest.mark.parametrize(
        "other", [{"digest": "sha256:1"}, {"inputs": {"n": 2}}], ids=["package", "inputs that it reads"]
    )
    def test_it_is_carried_out_again_when_something_it_depends_on_changed(
        self, tmp_path: Path, other: dict[str, Any]
    ) -> None:
        plan = planned(_with_args("n: '${inputs.n}'"), "n")
        Site(plan, tmp_path, request={"inputs": {"n": 1}}).phases().carry_out("work", {})
        site = Site(plan, tmp_path, request={"inputs": {"n": 1}, **other})
        site.phases().carry_out("work", {})
        assert site.calls == 1

    def test_it_is_not_carried_out_again_for_what_it_does_not_read(self, tmp_path: Path) -> None:
        Site(PLAIN, tmp_path, request={"inputs": {"n": 1}}).phases().carry_out("work", {})
        site = Site(PLAIN, tmp_path, request={"inputs": {"n": 2}})
        site.phases().carry_out("work", {})
        assert site.calls == 0

    def test_it_is_carried_out_again_when_a_dependency_ended_in_another_way(self, tmp_path: Path) -> None:
        plan = planned(phase("a") + phase("work", "a"))
        site = Site(plan, tmp_path)
        for status in ("accepted", "skipped", "skipped"):
            site.phases().carry_out("work", {"a": PhaseOutcome("a", status)})  # type: ignore[arg-type]
        assert site.calls == 2


def _with_args(*args: str) -> str:
    return f"  - {{id: work, description: d, run: {{tool: t, args: {{{', '.join(args)}}}}}}}\n"


class TestPathspecs:
    def test_an_outcome_belongs_to_the_run_it_was_made_in(self, tmp_path: Path) -> None:
        assert Site(PLAIN, tmp_path / "a").phases("EdaFlow/1").carry_out("work", {}).pathspec == "EdaFlow/1"
        assert Site(PLAIN, tmp_path / "b").phases().carry_out("work", {}).pathspec is None
        nested = ScriptedExecutor([succeeded(pathspec="Other/4")])
        assert (
            Site(PLAIN, tmp_path / "c", nested).phases("EdaFlow/1").carry_out("work", {}).pathspec
            == "Other/4"
        )

    def test_a_run_that_goes_on_under_another_pathspec_keeps_what_is_finished(self, tmp_path: Path) -> None:
        plan = planned(_with_args("ref: '${run.id}'", "text: 'made by ${run.id}.'"))
        data = {"ref": "EdaFlow/1", "list": ["EdaFlow/1", "EdaFlow/11"], "n": 1}
        site = Site(plan, tmp_path, ScriptedExecutor([succeeded(data)]))
        site.phases("EdaFlow/1").carry_out("work", {})
        moved = site.phases("EdaFlow/2").carry_out("work", {})
        assert site.calls == 1
        assert moved.pathspec == "EdaFlow/2"
        assert moved.data == {"ref": "EdaFlow/2", "list": ["EdaFlow/2", "EdaFlow/11"], "n": 1}

    def test_it_may_also_go_on_without_an_engine(self, tmp_path: Path) -> None:
        site = Site(planned(_with_args("ref: '${run.id}'")), tmp_path)
        site.phases().carry_out("work", {})
        site.phases("EdaFlow/1").carry_out("work", {})
        site.phases().carry_out("work", {})
        assert site.calls == 1

    def test_what_follows_a_phase_that_was_moved_stays_finished_too(self, tmp_path: Path) -> None:
        plan = planned(
            phase("a")
            + phase("work", "a").replace("{tool: t}", "{tool: t, args: {of: '${phases.a.pathspec}'}}")
        )
        site = Site(plan, tmp_path)
        for pathspec in ("EdaFlow/1", "EdaFlow/2", "EdaFlow/3"):
            phases = site.phases(pathspec)
            before = phases.carry_out("a", {})
            assert before.pathspec == pathspec
            phases.carry_out("work", {"a": before})
        assert site.calls == 2

    def test_a_name_that_only_begins_alike_is_another(self, tmp_path: Path) -> None:
        plan = planned(_with_args("of: '${inputs.of}'"), "of")
        Site(plan, tmp_path, request={"inputs": {"of": "EdaFlow/1"}}).phases("EdaFlow/1").carry_out(
            "work", {}
        )
        site = Site(plan, tmp_path, request={"inputs": {"of": "EdaFlow/12"}})
        site.phases("EdaFlow/1").carry_out("work", {})
        assert site.calls == 1

    def test_a_nested_run_keeps_its_own_pathspec(self, tmp_path: Path) -> None:
        plan = planned("  - {id: inner, description: d, run: {process: other}}\n")
        site = Site(plan, tmp_path, ScriptedExecutor([succeeded({"ref": "Other/4"}, pathspec="Other/4")]))
        site.phases("EdaFlow/1").carry_out("inner", {})
        moved = site.phases("EdaFlow/2").carry_out("inner", {})
        assert (moved.pathspec, moved.data, site.calls) == ("Other/4", {"ref": "Other/4"}, 1)


class TestItems:
    @pytest.mark.parametrize("workers", [1, 2])
    def test_a_phase_is_carried_out_once_per_item_in_their_order(self, tmp_path: Path, workers: int) -> None:
        site = Site(EACH, tmp_path, ScriptedExecutor([echo]))
        whole = site.phases(workers=workers).carry_out("each", LISTED)
        assert [each["was"] for each in whole.data] == ["x", "y", "z"]
        assert whole.items is not None and len(whole.items) == 3
        ends = site.log.of("phase_finished")
        assert sorted(end["item"] for end in ends) == [0, 1, 2]
        assert {task for task, _ in site.told} == {"each.0", "each.1", "each.2"}

    def test_items_that_are_finished_are_not_carried_out_again(self, tmp_path: Path) -> None:
        site = Site(EACH, tmp_path, ScriptedExecutor([succeeded(), failed(retryable=False), succeeded()]))
        assert site.phases().carry_out("each", LISTED).status == "rejected"
        assert site.phases().carry_out("each", LISTED).status == "accepted"
        assert [task.item for task in site.executor.tasks] == [0, 1, 2, 1]
        assert site.log.of("phase_reused") == [{"phase": "each", "item": 0}, {"phase": "each", "item": 2}]

    def test_an_item_that_changed_is_another(self, tmp_path: Path) -> None:
        plan = planned(
            phase("list")
            + "  - {id: each, description: d, depends_on: [list], for_each: '${phases.list.data}', run: {tool: t}}\n"
        )
        site = Site(plan, tmp_path)
        for items in (["x", "y"], ["x", "other"]):
            site.phases().carry_out("each", {"list": PhaseOutcome("list", "accepted", data=items)})
        assert [task.item for task in site.executor.tasks] == [0, 1, 1]

    @pytest.mark.parametrize(
        "before", [{"items": []}, {"items": None}], ids=["an empty list", "nothing at all"]
    )
    def test_without_items_there_is_nothing_to_do(self, tmp_path: Path, before: dict[str, Any]) -> None:
        site = Site(EACH, tmp_path)
        outcome = site.phases().carry_out("each", {"list": PhaseOutcome("list", "accepted", data=before)})
        assert (outcome.status, outcome.items, site.calls) == ("skipped", (), 0)
        assert site.told == [("each", "phase_finished")]
        assert TaskFolder(site.folder / "run" / "tasks").outcome("each") == outcome

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            ({}, "no `items` in an empty mapping"),
            ({"items": "text"}, "`${phases.list.data.items}` is no list"),
            ({"items": {"a": 1}}, "is no list"),
            ({"items": list(range(6))}, "has 6 items; the limit is 5"),
        ],
    )
    def test_what_is_no_list_of_items_blocks_and_is_named(
        self, tmp_path: Path, data: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MAX_ITEMS", 5)
        site = Site(EACH, tmp_path)
        before = {"list": PhaseOutcome("list", "accepted", data=data)}
        outcome = site.phases().carry_out("each", before)
        assert (outcome.status, outcome.reasons[0].code, site.calls) == ("blocked", "reference", 0)
        assert said in outcome.reasons[0].what
        assert site.told == [("each", "phase_finished")]
        with pytest.raises(NothingThereError, match=r"is no list|no `items`|the limit"):
            site.phases().items("each", before)

    def test_as_many_items_as_the_limit_are_fine(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MAX_ITEMS", 3)
        assert Site(EACH, tmp_path).phases().items("each", LISTED) == ["x", "y", "z"]

    def test_one_item_can_be_carried_out_alone(self, tmp_path: Path) -> None:
        site = Site(EACH, tmp_path, ScriptedExecutor([echo]))
        outcome = site.phases().carry_out_item("each", LISTED, ["x", "y", "z"], 1)
        assert (outcome.data["was"], site.executor.tasks[0].item) == ("y", 1)


class TestWithoutATurn:
    def test_word_is_left_of_a_phase_that_had_no_turn(self, tmp_path: Path) -> None:
        site = Site(PLAIN, tmp_path)
        outcome = site.phases().not_run("work", "blocked", "before")
        assert outcome.reasons == (Reason("dependency", "before did not end well"),)
        assert TaskFolder(site.folder / "run" / "tasks").outcome("work") == outcome
        assert site.told == [("work", "phase_finished")]

    def test_when_its_turn_comes_it_is_carried_out(self, tmp_path: Path) -> None:
        site = Site(PLAIN, tmp_path)
        site.phases().not_run("work", "blocked", "before")
        assert site.phases().carry_out("work", {}).status == "accepted"
        assert site.calls == 1


def test_what_a_phase_may_look_up_of_its_run(tmp_path: Path) -> None:
    names = ("id", "experiment_id", "workspace", "goal", "seed")
    plan = planned(_with_args(*(f"{name}: '${{run.{name}}}'" for name in names)))
    request = {"experiment_id": "loom-abc123", "goal": "look", "seed": 7}
    site = Site(plan, tmp_path, request=request)
    site.phases().carry_out("work", {})
    assert site.executor.tasks[0].args == {
        "id": "run-1",
        "experiment_id": "loom-abc123",
        "workspace": str(tmp_path / "run" / "workspace"),
        "goal": "look",
        "seed": 7,
    }
    other = Site(plan, tmp_path / "other", request=request)
    other.phases("EdaFlow/1").carry_out("work", {})
    assert other.executor.tasks[0].args["id"] == "EdaFlow/1"
