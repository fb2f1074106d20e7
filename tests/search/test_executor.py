"""Candidates run, end, and are described; what runs them may itself end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loom.kernel.errors import LoomError
from loom.sandbox import ladder
from loom.sandbox.ladder import Probe
from loom.search import executor as executor_room
from loom.search import server_link
from loom.search.executor import Executor
from loom.search.jobs import Finished, Job
from tests.sandbox.here import at_most, need
from tests.search.ground import PATIENCE_S, Ground, result, submission_of


@pytest.fixture(autouse=True)
def outer_limit() -> Iterator[None]:
    with at_most(120):
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground.at(tmp_path_factory.mktemp("executor"))


def _executor(place: Ground, **changes: object) -> Executor:
    asked: dict[str, object] = {"workers": 2, "seconds": 300.0, "imports": (), "allow_unsandboxed": True}
    return Executor([place.inputs], place.nodes, **(asked | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def executor(place: Ground) -> Iterator[Executor]:
    with _executor(place) as executor:
        yield executor


@pytest.fixture(scope="module")
def furnished(place: Ground) -> Iterator[Executor]:
    """With all the libraries."""
    need("isolated")
    with Executor([place.inputs], place.nodes, workers=1, seconds=300, minimum="restricted") as executor:
        yield executor


LEARNS = """
    import json, random
    import numpy as np
    import pandas as pd
    from lightgbm import LGBMClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(300, 4)), columns=list("abcd"))
    target = rows["a"] + rows["b"] ** 2 > 1
    first = LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1).fit(rows, target)
    second = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, target)
    chance = (first.predict_proba(rows)[:, 1] + second.predict_proba(rows)[:, 1]) / 2
    frame = pd.DataFrame({"row_id": range(300), "prediction": chance})
    frame.to_csv("./working/submission.csv", index=False)
    print("a line", json.dumps({"not": 1}))
    print(json.dumps({"score": 0.75, "rows": 300, "fine": True, "name": "x", "worst": float("nan")}))
    print("the end")
"""


def test_a_candidate_leaves_the_submission_that_python_solution_py_leaves(
    furnished: Executor, place: Ground
) -> None:
    finished = result(furnished, place.job("forked", LEARNS))
    assert (finished.status, finished.exit_code, finished.stderr) == ("ok", 0, b"")
    assert furnished.running == set()
    spawned = place.folder("spawned", LEARNS)
    done = subprocess.run([sys.executable, "solution.py"], cwd=spawned, check=True, capture_output=True)
    submission = submission_of(place.nodes / "forked" / "fold-0")
    assert submission is not None
    assert submission.count(b"\n") == 301
    assert submission == submission_of(spawned)
    assert finished.stdout == done.stdout
    assert finished.told == {"score": 0.75, "rows": 300.0}
    assert finished.cpu_s > 0
    assert finished.seconds > 0
    assert finished.peak_bytes > 1 << 24


SHARES = """
    import multiprocessing
    import os
    from multiprocessing.pool import ThreadPool
    import numpy as np
    from joblib import Parallel, cpu_count, delayed
    from sklearn.ensemble import RandomForestRegressor

    rows = np.arange(60.0).reshape(30, 2)
    for number in (2, -1):
        RandomForestRegressor(4, n_jobs=number).fit(rows, rows[:, 0])
        pids = Parallel(n_jobs=number, backend="loky")(delayed(os.getpid)() for _ in range(4))
        assert set(pids) == {os.getpid()}
    with ThreadPool(2) as pool:
        assert pool.map(abs, [-1, -2]) == [1, 2]
    lock = multiprocessing.RLock()
    with lock, lock:
        pass
    bounded = multiprocessing.BoundedSemaphore(1)
    assert bounded.acquire() and not bounded.acquire(timeout=0.01)
    bounded.release()
    try:
        bounded.release()
    except ValueError:
        queue = multiprocessing.Queue()
        queue.put(cpu_count())
        print(queue.get())
"""


def test_where_libraries_would_start_processes_they_take_threads(furnished: Executor, place: Ground) -> None:
    finished = result(furnished, place.job("shares", SHARES, threads=2))
    assert (finished.status, finished.stdout, finished.stderr) == ("ok", b"2\n", b"")


RAISES = """
    class Mine(ValueError):
        pass

    def outer():
        inner()

    def inner():
        int("x")

    try:
        outer()
    except ValueError as error:
        raise Mine("a cell: 17.25") from error
"""


def test_an_error_is_its_kind_and_its_place_and_never_its_message(executor: Executor, place: Ground) -> None:
    finished = result(executor, place.job("raises", RAISES))
    assert (finished.status, finished.exit_code) == ("error", 1)
    assert finished.error == {"type": "ValueError", "line": 14, "function": "<module>"}
    assert b'solution.py", line 14, in <module>' in finished.stderr


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def broken(:\n", {"type": "SyntaxError", "line": 1, "function": "<module>"}),
        ("def f():\n    return {}['k']\nf()\n", {"type": "KeyError", "line": 2, "function": "f"}),
        ("import json\njson.loads('{')\n", {"type": "JSONDecodeError", "line": 2, "function": "<module>"}),
        ("import no_such_module\n", {"type": "ModuleNotFoundError", "line": 1, "function": "<module>"}),
        ("raise KeyboardInterrupt\n", {"type": "KeyboardInterrupt", "line": 1, "function": "<module>"}),
        ("def f(): f()\nf()\n", {"type": "RecursionError", "line": 1, "function": "f"}),
    ],
)
def test_the_place_is_the_last_one_in_the_script(
    executor: Executor, place: Ground, code: str, expected: dict[str, object]
) -> None:
    assert result(executor, place.job(f"place-{expected['type']}", code)).error == expected


@pytest.mark.parametrize(
    ("code", "status", "exit_code"),
    [
        ("raise SystemExit", "ok", 0),
        ("raise SystemExit(3)", "error", 3),
        ("import sys; sys.exit('a reason')", "error", 1),
        ("import threading, time; threading.Thread(target=time.sleep, args=(600,)).start()", "ok", 0),
    ],
)
def test_an_exit_is_as_pythons(
    executor: Executor, place: Ground, code: str, status: str, exit_code: int
) -> None:
    finished = result(executor, place.job(f"exit-{abs(hash(code))}", code))
    assert (finished.status, finished.exit_code, finished.error) == (status, exit_code, {})


SURROUNDINGS = """
    import json, os, pickle, random, sys
    held = open("working/held.txt", "w")
    held.write("written at the end")
    class Own: pass
    pickle.loads(pickle.dumps(Own()))
    said = dict(os.environ, argv=sys.argv, name=__name__, file=__file__, cwd=os.getcwd(), path=sys.path[0])
    said["stdin"] = sys.stdin.read()
    said["handles"] = sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1]
    said["random"] = random.random()
    said["group"] = os.getpgid(0) == os.getpid() == os.getsid(0)
    print(json.dumps(said))
"""


def test_a_candidate_finds_what_a_script_finds_and_nothing_of_ours(
    executor: Executor, place: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_OURS", "secret")
    job = place.job("surroundings", SURROUNDINGS, threads=3)
    finished = result(executor, job)
    assert finished.status == "ok", finished
    said = json.loads(finished.stdout)
    folder = str(job.folder.resolve())
    assert (said["cwd"], said["path"], said["file"]) == (folder, folder, f"{folder}/solution.py")
    assert (said["argv"], said["name"], said["stdin"]) == (["solution.py"], "__main__", "")
    assert (said["handles"], said["group"]) == ([0, 1, 2, 3, 4], True)
    assert (said["OMP_NUM_THREADS"], said["LOKY_MAX_CPU_COUNT"]) == ("3", "3")
    assert said["HOME"] == said["TMPDIR"] == f"{folder}/working"
    assert not {"SECRET_OF_OURS", "SSH_AUTH_SOCK", "PYTHONPATH"} & set(said)
    assert (job.folder / "working" / "held.txt").read_text() == "written at the end"
    again = json.loads(result(executor, place.job("again", SURROUNDINGS, threads=3)).stdout)
    assert again["random"] == said["random"]


def test_of_long_output_the_beginning_and_the_end_are_kept(executor: Executor, place: Ground) -> None:
    code = "print('first'); print('x' * 1_000_000); print('last')"
    finished = result(executor, place.job("talks", code))
    assert finished.stdout.startswith(b"first\n")
    assert finished.stdout.endswith(b"x\nlast\n")
    assert b"934,4" in finished.stdout
    assert len(finished.stdout) < 66_000


def test_a_cancelled_job_is_gone_and_not_handed_back(executor: Executor, place: Ground) -> None:
    executor.start(place.job("cancelled", "while True: pass"))
    executor.start(place.job("stays", "print('here')"))
    assert executor.running == {"cancelled", "stays"}
    executor.cancel("cancelled")
    assert executor.running == {"stays"}
    assert [finished.stdout for finished in executor.wait(PATIENCE_S)] == [b"here\n"]
    executor.cancel("of nobody")
    assert executor.wait(PATIENCE_S) == []


def test_a_job_can_be_cancelled_before_the_libraries_are_there(
    place: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor_room, "LATE_S", 0.01)
    with _executor(place, imports=("json.tool", "pyarrow")) as executor:
        executor.start(place.job("early", "while True: pass"))
        executor.cancel("early")
        assert executor.running == set()


def test_waiting_ends_with_its_time(executor: Executor, place: Ground) -> None:
    executor.start(place.job("slow", "while True: pass"))
    assert executor.wait(0.0) == []
    assert executor.wait(0.05) == []
    executor.cancel("slow")


def test_what_cannot_be_run_is_refused_before_it_is_started(executor: Executor, place: Ground) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Job("none", place.nodes, seconds=0, memory_bytes=1)
    outside = Ground.at(place.root / "outside")
    with pytest.raises(ValueError, match="does not lie where"):
        executor.start(outside.job("outside", ""))
    (place.folder("gone", "") / "solution.py").unlink()
    with pytest.raises(ValueError, match=r"must hold solution\.py"):
        executor.start(Job("gone", place.nodes / "gone" / "fold-0", 1, 1))
    for name in ("one", "two"):
        executor.start(place.job(name, "while True: pass"))
    with pytest.raises(ValueError, match="run already"):
        executor.start(place.job("three", ""))
    for name in ("one", "two"):
        executor.cancel(name)


def test_when_the_server_ends_what_ran_is_lost_and_the_rest_goes_on(place: Ground) -> None:
    with _executor(place) as executor:
        assert result(executor, place.job("before", "")).status == "ok"
        executor.start(place.job("under-way", "while True: pass"))
        _launched(executor).process.kill()
        assert executor.wait(PATIENCE_S) == [Finished("under-way", "lost")]
        assert result(executor, place.job("after", "")).status == "ok"
        _kill(executor)
        assert result(executor, place.job("at once", "")).status == "ok"


def test_a_server_that_is_stuck_is_ended(place: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor_room, "LATE_S", 0.1)
    with _executor(place, level="none") as executor:
        assert result(executor, place.job("not stuck", "")).status == "ok"
        executor.start(place.job("stuck", "while True: pass", seconds=0.5))
        assert executor.wait(0.2) == []
        os.kill(int(_launched(executor).lines["started"][0]), signal.SIGSTOP)
        assert executor.wait(PATIENCE_S) == [Finished("stuck", "lost")]
        assert result(executor, place.job("free again", "")).status == "ok"


def test_a_server_that_keeps_ending_is_not_started_for_ever(
    place: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor_room, "RESTARTS", 0)
    with _executor(place) as executor:
        assert result(executor, place.job("once", "")).status == "ok"
        _kill(executor)
        with pytest.raises(LoomError, match="candidates cannot be run"):
            executor.start(place.job("twice", ""))


def test_a_server_that_does_not_start_is_an_error_in_its_words(
    place: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_link, "_PROGRAM", "raise SystemExit('it has no legs')")
    with _executor(place) as executor, pytest.raises(LoomError) as refused:
        executor.start(place.job("no legs", ""))
        executor.wait(PATIENCE_S)
    assert refused.value.why == "it has no legs"


def test_nothing_is_started_when_the_time_is_over(place: Ground) -> None:
    with _executor(place, seconds=0.5) as executor:
        executor.start(place.job("over", "while True: pass"))
        assert executor.wait(PATIENCE_S) == [Finished("over", "lost")]
        with pytest.raises(LoomError, match="no candidate can be started"):
            executor.start(place.job("late", ""))


def test_without_a_sandbox_nothing_is_run_unless_somebody_allows_it(
    place: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "_found", {os.geteuid(): Probe("none", "isolated: there is none", ())})
    with pytest.raises(LoomError, match="not run on this machine") as refused:
        _executor(place, allow_unsandboxed=False)
    assert "--allow-unsandboxed" in refused.value.fix
    with _executor(place) as executor:
        assert executor.level == "none"
        assert result(executor, place.job("allowed", "print(1)")).stdout == b"1\n"
    with pytest.raises(ValueError, match="below the minimum"):
        _executor(place, level="none", minimum="restricted")


@pytest.mark.parametrize("level", ["isolated", "restricted"])
def test_a_server_with_a_thread_starts_a_new_python_for_each_candidate(
    place: Ground, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    need(level)  # type: ignore[arg-type]
    # without the switch, Arrow keeps a thread from its import on
    variables = {name: value for name, value in server_link._VARIABLES.items() if not name.startswith("JE_")}
    monkeypatch.setattr(server_link, "_VARIABLES", variables)
    code = "import os, sys; print('numpy' in sys.modules, open('../../other/fold-0/solution.py').read())"
    with _executor(place, level=level, imports=("pyarrow",)) as executor:
        finished = result(executor, place.job(f"spawned-{level}", code))
    assert (finished.status, finished.error.get("type")) == ("error", "PermissionError")
    with _executor(place, level=level, imports=("pyarrow",)) as executor:
        finished = result(executor, place.job(f"new-{level}", "import sys; print('pyarrow' in sys.modules)"))
    assert finished.stdout == b"False\n"


def test_nothing_is_left_open_when_it_is_closed(place: Ground) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    executor = _executor(place)
    executor.start(place.job("left", "while True: pass"))
    executor.close()
    executor.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


HOST = """
    import sys
    sys.path[:0] = sys.argv[1:3]
    from pathlib import Path
    from loom.search.executor import Executor
    from loom.search.jobs import Job
    nodes, inputs = Path(sys.argv[3]), Path(sys.argv[4])
    with Executor([inputs], nodes, workers=1, seconds=60, imports=(), allow_unsandboxed=True) as executor:
        executor.start(Job("held", nodes / "held" / "fold-0", 60, 1 << 30))
        executor.wait(60)
"""


def test_kill_9_of_the_host_leaves_no_candidate_behind(place: Ground) -> None:
    folder = place.folder("held", "import os\nopen('working/ready', 'w').close()\nwhile True: pass")
    repository = Path(__file__).parents[2]
    words = [str(path) for path in (repository / "src", repository, place.nodes, place.inputs)]
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(HOST), *words]) as host:
        _until(lambda: (folder / "working" / "ready").exists())
        assert _candidates_in(folder) != []
        host.kill()
    _until(lambda: _candidates_in(folder) == [])


def _until(true: object) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not true():  # type: ignore[operator]
        assert time.monotonic() < give_up
        time.sleep(0.02)


def _candidates_in(folder: Path) -> list[str]:
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                if os.readlink(path / "cwd").startswith(str(folder)):  # noqa: PTH115
                    found.append(path.name)
            except OSError:
                continue
    return found


def _kill(executor: Executor) -> None:
    """Kill the server while nobody listens, and wait until it is gone."""
    _launched(executor).process.kill()
    assert executor._server is not None
    _until(lambda: executor._server is not None and not executor._server.tell({"cancel": ""}))


def _launched(executor: Executor) -> server_link.launch.Launched:
    assert executor._server is not None
    executor._server._launched.listen()
    return executor._server._launched
