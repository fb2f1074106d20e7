"""Tasks that start in the warm server behave as tasks that Metaflow starts: what they find, how they end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loom.flows import warm
from loom.settings.engine import engine_environment
from tests.flows.building import SOAK, clean_environ, metaflow
from tests.flows.test_dispatch import DEADLINE, alive_in, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the warm server needs Linux")
ROOT = Path(__file__).parents[2]
FACTS = Path(__file__).parent / "facts"
_STAMP = re.compile(r"^\[MFLOG\|\d\|[^\]]*\](?:\d{4}-\d\d-\d\d [\d:.]+ )?", re.MULTILINE)
WARM = ("fork", "fresh") if SOAK else ("fork",)


@contextmanager
def started(kind: str, home: Path, flow: str, *options: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A flow under way, in an environment of its own."""
    home.mkdir(exist_ok=True)
    environ = clean_environ(home)
    environ |= {"FACTS": str(home), "FACTS_CWD": str(home), "PYTHONPATH": str(ROOT), **more}
    if not any(name.startswith("METAFLOW_") for name in more):
        environ |= engine_environment(home, environ)
    command = [sys.executable, "-m", "tests.flows.launching", kind, str(home), str(FACTS / flow)]
    process = subprocess.Popen(
        [*command, "--quiet", "--no-pylint", *options], env=environ, cwd=home, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def carried_out(kind: str, home: Path, flow: str, *options: str, **more: str) -> int:
    with started(kind, home, flow, *(options or ("run",)), **more) as process:
        return process.wait(timeout=3 * DEADLINE)


def log_of(home: Path) -> str:
    return (home / "log").read_text()


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """What came of the flow of facts, by launcher; each runs once."""
    known: dict[str, dict[str, Any]] = {}

    def of(kind: str) -> dict[str, Any]:
        if kind not in known:
            home = tmp_path_factory.mktemp(kind) / "home"
            status = carried_out(kind, home, "facts_flow.py", "run", "--number=8")
            assert status == 0, log_of(home)[-3000:]
            parents = {tuple(line.split()) for line in (home / "parents").read_text().splitlines()}
            runtime = (home / "pid").read_text()
            known[kind] = {
                "noted": _noted(home),
                "tasks": _tasks(home),
                "parents": parents,
                "runtime": runtime,
            }
        return known[kind]

    return of


def _noted(home: Path) -> dict[str, list[str]]:
    noted: dict[str, list[str]] = {}
    for line in (home / "facts.jsonl").read_text().splitlines():
        step, name, value = json.loads(line)
        for part, each in value.items() if isinstance(value, dict) else [("", value)]:
            noted.setdefault(f"{step}: {name} {part}".strip(), []).append(json.dumps(each))
    return {name: sorted(values) for name, values in sorted(noted.items())}


def _tasks(home: Path) -> dict[str, list[Any]]:
    """How each attempt at each step ended, and what it printed."""
    tasks: dict[str, list[Any]] = {}
    for end in sorted((home / ".metaflow" / "FactsFlow" / "1").glob("*/*/*.runtime")):
        attempt = end.name.partition(".")[0]
        texts = [
            _STAMP.sub("", (end.parent / f"{attempt}.runtime_{stream}.log").read_text())
            .replace(str(home), "HOME")
            .replace(str(home.parent), "HOME")
            for stream in ("stdout", "stderr")
        ]
        tasks.setdefault(end.parent.parent.name, []).append([json.loads(end.read_text()), *texts])
    return {step: sorted(attempts, key=json.dumps) for step, attempts in tasks.items()}


@pytest.mark.parametrize("kind", WARM)
def test_a_task_finds_what_it_would_find_otherwise(kind: str, facts: Callable[[str], dict[str, Any]]) -> None:
    expected, found = facts("stock")["noted"], facts(kind)["noted"]
    assert list(found) == list(expected)
    for name in expected:
        assert found[name] == expected[name], name
    assert json.loads(found["end: chances differ"][0]) == 3


@pytest.mark.parametrize("kind", WARM)
def test_only_a_task_that_needs_another_interpreter_gets_one(
    kind: str, facts: Callable[[str], dict[str, Any]]
) -> None:
    runtime, parents = facts(kind)["runtime"], facts(kind)["parents"]
    assert {step for step, parent in parents if parent == runtime} == {"seeded"}
    assert len({parent for _, parent in parents}) == 2
    assert {parent for _, parent in facts("stock")["parents"]} == {facts("stock")["runtime"]}


@pytest.mark.parametrize("kind", WARM)
def test_a_task_ends_and_speaks_as_it_would_otherwise(
    kind: str, facts: Callable[[str], dict[str, Any]]
) -> None:
    expected, found = facts("stock")["tasks"], facts(kind)["tasks"]
    assert list(found) == list(expected)
    for step in expected:
        assert found[step] == expected[step], step
    codes = {attempt[0]["return_code"] for attempt in found["end_somehow"]}
    assert codes == {0, 1, 3, 9, -signal.SIGSEGV, -signal.SIGKILL, -signal.SIGTERM, -signal.SIGABRT}
    ((_, talk, _),) = found["talk"]
    assert len(talk) > 5_000_000
    assert talk.splitlines()[-3:] == ["said late", "said at the very end", "said at the end"]


@pytest.mark.parametrize("kind", WARM)
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_a_signal_to_the_group_reaches_a_task_once_and_leaves_nothing(
    tmp_path: Path, name: str, kind: str
) -> None:
    home = tmp_path / "home"
    with started(kind, home, "waiting_flow.py", "run", WAITING="beside") as process:
        until((home / "0" / "ready").exists)
        leader = int((home / "pid").read_text())
        os.killpg(leader, getattr(signal, name))
        process.wait(timeout=DEADLINE)
        if name == "SIGKILL":
            until(lambda: not alive_in(leader))
        else:
            assert (home / "0" / "got").read_text() == f"{name.removeprefix('SIG')}\n"
            # what a task has started itself is ended by whoever dispatched the run
            until(lambda: len(alive_in(leader)) <= 1)
            os.killpg(leader, signal.SIGKILL)
    assert not (home / "1").exists()


@pytest.mark.parametrize("kind", WARM)
def test_whoever_of_the_three_is_killed_the_task_is_tried_again(tmp_path: Path, kind: str) -> None:
    home = tmp_path / "home"
    with started(kind, home, "waiting_flow.py", "run") as process:
        pids: list[tuple[int, int]] = []
        for attempt in range(4):
            until((home / str(attempt) / "ready").exists)
            task, server = map(int, (home / str(attempt) / "pids").read_text().split())
            pids.append((task, server))
            (client,) = {
                int(pid) for pid in re.findall(r"\(pid (\d+)\)\] Task is starting", log_of(home))[attempt:]
            }
            if attempt == 0:
                os.kill(client, signal.SIGTERM)  # what a person does who sees its number in the log
            elif attempt == 1:
                os.kill(client, signal.SIGKILL)
            elif attempt == 2:
                os.kill(server, signal.SIGKILL)
            else:
                (home / "3" / "go").touch()
            if attempt < 3:
                until(lambda task=task: not Path(f"/proc/{task}").exists())
        assert process.wait(timeout=DEADLINE) == 0, log_of(home)
    assert (home / "0" / "got").read_text() == "TERM\n"
    assert (home / "3" / "went").exists()
    servers = [server for _, server in pids]
    # without a server, the task is a child of the runtime again
    assert servers[0] == servers[1] == servers[2] != servers[3] == int((home / "pid").read_text())
    ends = [
        json.loads(path.read_text())["return_code"]
        for path in sorted((home / ".metaflow" / "WaitingFlow" / "1" / "wait" / "1").glob("*.runtime"))
    ]
    assert ends == [3, -signal.SIGKILL, -signal.SIGKILL, 0]


@pytest.mark.parametrize("kind", WARM)
def test_a_run_is_resumed_and_may_have_threads_at_module_level(tmp_path: Path, kind: str) -> None:
    home = tmp_path / "home"
    assert carried_out(kind, home, "resumed_flow.py", "run") == 1
    assert "RuntimeError: not yet" in log_of(home)
    assert carried_out(kind, home, "resumed_flow.py", "resume") == 0, log_of(home)
    assert ((home / "starts").read_text(), (home / "total").read_text()) == ("start\n", "12")


def test_without_the_plugin_tasks_start_as_metaflow_starts_them(tmp_path: Path) -> None:
    home, config = tmp_path / "home", tmp_path / "config"
    config.mkdir()
    (config / "config.json").write_text(json.dumps({"METAFLOW_ENABLED_STEP_DECORATOR": ["retry"]}))
    with started(
        "fork", home, "waiting_flow.py", "run", METAFLOW_HOME=str(config), METAFLOW_USER="ada"
    ) as process:
        until((home / "0" / "ready").exists)
        _, parent = map(int, (home / "0" / "pids").read_text().split())
        assert parent == int((home / "pid").read_text())
        (home / "0" / "go").touch()
        assert process.wait(timeout=DEADLINE) == 0, log_of(home)


class Beside:
    """A decorator of another kind."""

    def __init__(self, name: str) -> None:
        self.name = name


def attached(*names: str, environment: str = "local") -> tuple[Any, list[Any]]:
    """The step decorator between others, as a flow has it when its tasks start."""
    metaflow()
    decorator = metaflow("metaflow_extensions.loom.plugins.warm").WarmDecorator()
    beside = [decorator if name == "loom_warm" else Beside(name) for name in names]
    decorator.step_init(None, None, "step", beside, SimpleNamespace(TYPE=environment), None, None)
    return decorator, beside


def command(*commands: str) -> Any:
    return SimpleNamespace(entrypoint=[sys.executable, "flow.py"], commands=list(commands or ("step",)))


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """As if this process had a server."""
    entrypoint = [sys.executable, "client.py", "name"]
    monkeypatch.setattr(warm, "_entrypoint", entrypoint)
    return entrypoint


@pytest.mark.parametrize("names", [("loom_warm",), ("retry", "loom_warm"), ("loom_warm", "timeout", "catch")])
def test_a_plain_step_goes_to_the_server(names: tuple[str, ...], serving: list[str]) -> None:
    decorator, _ = attached(*names)
    given = command()
    decorator.runtime_step_cli(given, 0, 0, None)
    assert given.entrypoint == [*serving, "flow.py"]
    # neither tasks nor schedulers are told to attach it again
    assert decorator.statically_defined is True


@pytest.mark.parametrize("other", ["kubernetes", "batch", "conda", "pypi", "parallel", "somebody_elses"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_step_that_runs_elsewhere_does_not(other: str, is_first: bool, serving: list[str]) -> None:
    decorator, _ = attached(*(("loom_warm", other) if is_first else (other, "loom_warm")))
    given = command()
    decorator.runtime_step_cli(given, 0, 0, None)
    assert given.entrypoint == [sys.executable, "flow.py"]


@pytest.mark.parametrize(
    ("environment", "given", "context"),
    [
        ("conda", command(), None),
        ("local", command("kubernetes", "step"), None),
        ("local", SimpleNamespace(entrypoint=["/other/python", "flow.py"], commands=["step"]), None),
        ("local", command(), "ubf_control"),
    ],
)
def test_an_unusual_command_stays_as_it_is(
    environment: str, given: Any, context: Any, serving: list[str]
) -> None:
    before = list(given.entrypoint)
    decorator, _ = attached("loom_warm", environment=environment)
    decorator.runtime_step_cli(given, 0, 0, context)
    assert given.entrypoint == before


def test_a_process_without_a_server_changes_nothing() -> None:
    decorator, _ = attached("loom_warm")
    given = command()
    decorator.runtime_step_cli(given, 0, 0, None)
    assert given.entrypoint == [sys.executable, "flow.py"]


def test_a_process_with_threads_starts_no_server() -> None:
    script = "import threading, metaflow; from loom.flows.warm import start_server\n"
    script += "e = threading.Event(); threading.Thread(target=e.wait).start(); print(start_server()); e.set()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True,
        env={**os.environ, "METAFLOW_USER": "ada"},
    )  # fmt: skip
    assert done.stdout == "False\n"


def test_the_client_imports_only_what_is_built_in() -> None:
    run = f"exec(compile(open({str(warm.client.__file__)!r}).read(), 'client', 'exec'), {{'__name__': 'client'}})"
    before, after = (
        subprocess.run(
            [sys.executable, "-I", "-S", "-E", "-c", f"import sys; {code}; print(*sys.modules)"],
            capture_output=True, text=True, check=True,
        ).stdout.split()
        for code in ("pass", run)
    )  # fmt: skip
    assert set(after) - set(before) <= {"_socket"}
