"""The ports of the driver in memory: somebody who carries out attempts, judges them, publishes, and a clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from loom.process.plan import Step
from loom.runtime.driver import Execution, PhaseDriver, PhaseTask
from loom.runtime.events import GatesEvaluated, Usage
from loom.runtime.outcome import PhaseOutcome
from loom.runtime.state import Reason
from loom.tools.results import ToolResult

Answer = Execution | BaseException | Callable[[PhaseTask], Execution]


class Clock:
    """A clock that moves only when somebody takes time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Take a pause."""
        self.pauses.append(seconds)
        self.now += seconds


def succeeded(data: dict[str, Any] | None = None, **about: Any) -> Execution:
    """An attempt that worked."""
    return Execution(ToolResult.ok("done", data), **about)


def failed(error: str = "it broke", kind: Any = "tool", *, retryable: bool = True, **about: Any) -> Execution:
    """An attempt that did not work."""
    return Execution(ToolResult.fail(error, kind=kind, retryable=retryable), **about)


@dataclass
class ScriptedExecutor:
    """Answers each attempt with the next line of a script, and with its last line from then on."""

    script: list[Answer] = field(default_factory=lambda: [succeeded()])
    tasks: list[PhaseTask] = field(default_factory=list)
    clock: Clock | None = None

    def execute(self, task: PhaseTask) -> Execution:
        answer = self.script[min(len(self.tasks), len(self.script) - 1)]
        self.tasks.append(task)
        if isinstance(answer, BaseException):
            raise answer
        done = answer(task) if callable(answer) else answer
        if self.clock is not None:
            self.clock.now += done.seconds
        return done


@dataclass
class ScriptedJudge:
    """Finds what a script says it finds, attempt by attempt; nothing once the script has ended."""

    entry: tuple[Reason, ...] = ()
    wrong: list[tuple[Reason, ...]] = field(default_factory=list)
    found: list[GatesEvaluated] = field(default_factory=list)
    takes_seconds: float = 0.0
    clock: Clock | None = None
    asked: list[str] = field(default_factory=list)

    def unmet(self, step: Step, outcomes: Mapping[str, PhaseOutcome]) -> tuple[Reason, ...]:
        self.asked.append("unmet")
        return self.entry

    def verify(self, task: PhaseTask, execution: Execution) -> tuple[Reason, ...]:
        self._take("verify")
        return self.wrong.pop(0) if self.wrong else ()

    def gates(self, task: PhaseTask, execution: Execution) -> GatesEvaluated:
        self._take("gates")
        return self.found.pop(0) if self.found else GatesEvaluated(usage=Usage(tool_calls=1))

    def _take(self, what: str) -> None:
        self.asked.append(what)
        if self.clock is not None:
            self.clock.now += self.takes_seconds


class Publisher:
    """Publishes what a phase declares, unless it is told to fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.published: list[tuple[str, ...]] = []

    def __call__(self, task: PhaseTask, execution: Execution) -> tuple[str, ...]:
        if self.error is not None:
            raise self.error
        self.published.append(tuple(item.name for item in task.step.phase.deliverables))
        return self.published[-1]


class Log:
    """Remembers what was told, in order, whoever tells it."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._lock = threading.Lock()

    def __call__(self, kind: str, body: Mapping[str, Any]) -> None:
        with self._lock:
            self.events.append((kind, dict(body)))

    @property
    def kinds(self) -> list[str]:
        """The kinds of what was told."""
        return [kind for kind, _ in self.events]

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        """The bodies of what was told of these kinds."""
        return [body for kind, body in self.events if kind in kinds]


@dataclass
class Bench:
    """A driver with everything it needs, all of it in memory."""

    executor: ScriptedExecutor = field(default_factory=ScriptedExecutor)
    judge: ScriptedJudge = field(default_factory=ScriptedJudge)
    publisher: Publisher = field(default_factory=Publisher)
    log: Log = field(default_factory=Log)
    clock: Clock = field(default_factory=Clock)
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        self.executor.clock = self.judge.clock = self.clock

    def driver(self) -> PhaseDriver:
        """The driver, ready to carry out phases."""
        return PhaseDriver(
            executor=self.executor,
            judge=self.judge,
            publish=self.publisher,
            emit=self.log,
            sleep=self.clock.sleep,
            settings=self.settings,
            seed=self.seed,
            clock=self.clock,
        )


def reasons(*codes: str, retryable: bool = False) -> tuple[Reason, ...]:
    """Reasons that differ in their codes."""
    return tuple(Reason(code, f"because of {code}", retryable) for code in codes)


def scored(*scores: float | None) -> Iterable[GatesEvaluated]:
    """Gates that do not hold, attempt after attempt, with these scores."""
    return [GatesEvaluated(reasons("gate"), score) for score in scores]


def spending(execution: Execution, **about: Any) -> Execution:
    """The same attempt at another price."""
    return replace(execution, **about)
