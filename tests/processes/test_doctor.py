"""The doctor: facts become findings, every finding that is no pass has a remedy, and nothing stops it."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import re
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from loom.app.surroundings import Surroundings
from loom.tools.discover import load_tools
from loom.tools.invoke import invoke
from loom.tools.registry import Tool, ToolContext, ToolResult
from tests.app.test_surroundings import as_nobody

FOLDER = Path(__file__).parents[2] / "processes" / "builtin" / "doctor"

ROOM = {
    "path": "/somewhere",
    "problem": "",
    "free_bytes": 9_000_000_000,
    "total_bytes": 10_000_000_000,
    "free_files": 1_000_000,
    "total_files": 2_000_000,
}
TRIED = {"type": "local", "known": ["local"], "tried": True, "error": None, "place": "/h/.metaflow"}
ADDON = {"installed": True, "lacks": "", "version": "1.0", "gives": "DuckDB", "install": "pip install duckdb"}
SOUND: dict[str, dict[str, Any]] = {
    "python": {
        "version": "3.12.1",
        "tested": ["3.11", "3.12"],
        "implementation": "cpython",
        "executable": "/py",
    },
    "installation": {
        "version": "0.1.0",
        "kind": "wheel",
        "folder": "/loom",
        "bytecode_off": False,
        "uncompiled": [],
    },
    "settings": {"problem": ""},
    "home": {"path": "/h", "exists": True, "writable": True, "owned": True, "mode": 0o700, "problem": ""},
    "disk": {"home": ROOM, "temporary": ROOM},
    "metaflow": {
        "tested": ["2.19.39", "2.20"],
        "problem": "",
        "import": {"version": "2.19.40", "seconds": 0.2, "knows_user": True},
        "datastore": {**TRIED, "step": "look for stale probes", "seconds": 0.001, "stale": 0, "removed": 0},
        "metadata": {**TRIED, "step": "read", "seconds": 0.001},
    },
    "configuration": {"kind": "embedded", "where": "/h/.metaflow", "files": []},
    "journal": {
        "path": "/h/journal.db",
        "exists": True,
        "format": 1,
        "reads": 1,
        "runs": 3,
        "log_bytes": 0,
        "stale": [],
        "problem": "",
    },
    "sandbox": {"level": "isolated", "missing": [], "problem": ""},
    "model": {
        "provider": "anthropic",
        "known": ["anthropic"],
        "variable": "ANTHROPIC_API_KEY",
        "is_set": True,
        "has_spaces": False,
        "others": [],
    },
    "addons": {"duckdb": {**ADDON, "asked_by": ""}},
    "addon": {"name": "duckdb", "known": ["duckdb"], **ADDON},
    "secrets": {"too_open": []},
    "leftovers": {"files": []},
    "clock": {"now": 1_800_000_000.0, "skew": 0.1, "installed": 1_790_000_000.0, "newest": 1_799_999_999.0},
    "cores": {"cores": 4, "usable": 4, "quota": None, "threads": {}},
    "encoding": {"text": "utf-8", "files": "utf-8", "output": "utf-8", "variables": {}},
    "mend": {"done": [], "failed": []},
}


class FakeSurroundings:
    """Answers with sound facts, but for those a test changes; an exception instead of facts is raised."""

    def __init__(self, **changed: Any) -> None:
        self.facts = {**SOUND, **changed}
        self.asked: list[tuple[str, tuple[object, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        def find(*details: object) -> Any:
            self.asked.append((name, details))
            found = self.facts[name]
            if isinstance(found, BaseException):
                raise found
            return found

        return find


def _tool() -> Tool:
    (found,) = load_tools(FOLDER)
    return found.tool


def _examine(around: object, workspace: Path, **args: object) -> ToolResult:
    ctx = ToolContext(workspace=workspace, services={"surroundings": around})
    return asyncio.run(invoke(_tool(), args, ctx))


def _found(result: ToolResult) -> dict[str, dict[str, str]]:
    assert result.success, result.error
    assert result.data is not None
    return {each["name"]: each for each in result.data["checks"]}


def _changed(name: str, change: dict[str, Any]) -> dict[str, Any]:
    """Sound facts of one name with something changed, at a dotted path or at the top."""
    facts = json.loads(json.dumps(SOUND[name]))
    for path, value in change.items():
        *above, last = path.split(".")
        place = facts
        for part in above:
            place = place[part]
        place[last] = value
    return {name: facts}


def test_a_sound_machine_passes_every_check(tmp_path: Path) -> None:
    result = _examine(FakeSurroundings(), tmp_path)
    assert result.data is not None and result.data["verdict"] == "PASS"
    assert all(each["status"] == "PASS" and each["fix"] == "" for each in _found(result).values())
    assert result.output.endswith("VERDICT: PASS")
    assert result.data["mended"] == []


MISSING = {"level": "isolated", "why": "bubblewrap is not installed", "fix": "apt-get install bubblewrap"}
BROKEN = [{"path": "/u/config.json", "problem": "it is not valid JSON (line 1)"}]
NO_METAFLOW = {"tested": ["2.19.39", "2.20"], "problem": "ModuleNotFoundError: No module named 'metaflow'"}

CASES: list[tuple[str, dict[str, Any], str, str, str, str]] = [
    # fact, what is changed, finding, status, what is said, what mends it
    ("python", {"version": "3.99.0"}, "python", "WARN", "3.11, 3.12", "uv venv --python 3.12"),
    ("python", {"implementation": "pypy"}, "python", "WARN", "pypy", "uv venv --python 3.12"),
    ("installation", {"bytecode_off": True}, "loom", "WARN", "anew", "unset PYTHONDONTWRITEBYTECODE"),
    ("installation", {"uncompiled": ["/a b"]}, "loom", "WARN", "slow", "python -m compileall -q '/a b'"),
    ("installation", {"version": None, "kind": "source"}, "loom", "PASS", "source", ""),
    ("settings", {"problem": "x:1 is wrong", "why": "so", "fix": "do"}, "settings", "FAIL", "x:1", "do"),
    (
        "home",
        {"path": None, "writable": False, "problem": "no home"},
        "home",
        "FAIL",
        "no",
        "export LOOM_HOME=DIR",
    ),
    ("home", {"exists": False}, "home", "PASS", "is made", ""),
    ("home", {"owned": False}, "home", "WARN", "somebody else", "export LOOM_HOME=DIR"),
    ("home", {"writable": False, "problem": "permission denied"}, "home", "FAIL", "denied", "chmod u+rwx /h"),
    (
        "home",
        {"writable": False, "problem": "read-only file system"},
        "home",
        "FAIL",
        "read-only",
        "export LOOM_HOME=DIR",
    ),
    ("home", {"writable": False, "problem": "no space left on device"}, "home", "FAIL", "space", "loom gc"),
    ("disk", {"home.free_bytes": 10_000}, "disk-home", "FAIL", "10 kB of 10 GB", "loom gc"),
    ("disk", {"home.free_bytes": 999_000_000}, "disk-home", "WARN", "999 MB", "loom gc"),
    ("disk", {"temporary.free_files": 3}, "disk-temporary", "FAIL", "3 files", "export TMPDIR=DIR"),
    ("disk", {"home.free_files": 0, "home.total_files": 0}, "disk-home", "PASS", "9 GB", ""),
    ("disk", {"home.problem": "gone"}, "disk-home", "FAIL", "/somewhere: gone", "loom gc"),
    (
        "metaflow",
        {"datastore.space": {**ROOM, "free_bytes": 0}},
        "disk-datastore",
        "FAIL",
        "0 bytes",
        "loom gc",
    ),
    ("metaflow", {"import.version": "2.18.1"}, "metaflow", "WARN", "2.18.1", 'pip install "metaflow>='),
    (
        "metaflow",
        {"import.version": "2.20.0rc1"},
        "metaflow",
        "WARN",
        "before 2.20",
        'pip install "metaflow>=',
    ),
    ("metaflow", {"import.version": "2.19.39+ob(v1)"}, "metaflow", "PASS", "2.19.39", ""),
    (
        "metaflow",
        {"import.knows_user": False},
        "metaflow-config",
        "FAIL",
        "root",
        "export METAFLOW_USER=NAME",
    ),
    ("configuration", {"kind": "yours", "where": "/u"}, "metaflow-config", "PASS", "leaves alone (/u)", ""),
    (
        "configuration",
        {"files": BROKEN},
        "metaflow-config",
        "FAIL",
        "JSON",
        "python -m json.tool /u/config.json",
    ),
    (
        "configuration",
        {"files": [{"path": "/u/config_x.json", "problem": "there is no such file"}]},
        "metaflow-config",
        "FAIL",
        "no such file",
        "unset METAFLOW_PROFILE",
    ),
    (
        "configuration",
        {"files": [{"path": "/u/config.json", "problem": "permission denied"}]},
        "metaflow-config",
        "FAIL",
        "denied",
        "ls -l /u/config.json",
    ),
    (
        "metaflow",
        {"datastore.error": "OSError: [Errno 28] No space left on device", "datastore.step": "write"},
        "datastore",
        "FAIL",
        "write: OSError",
        "loom gc",
    ),
    (
        "metaflow",
        {"datastore.error": "PermissionError: x", "datastore.step": "read"},
        "datastore",
        "FAIL",
        "read: PermissionError",
        "ls -ld /h/.metaflow",
    ),
    (
        "metaflow",
        {"datastore.error": "AccessDenied", "datastore.step": "remove", "datastore.type": "s3"},
        "datastore",
        "WARN",
        "remove: AccessDenied",
        "aws s3 ls /h/.metaflow",
    ),
    (
        "metaflow",
        {
            "datastore.error": "Could not import module 'boto3'",
            "datastore.step": "open",
            "datastore.type": "s3",
        },
        "datastore",
        "FAIL",
        "boto3",
        "pip install boto3",
    ),
    (
        "metaflow",
        {
            "datastore.error": "LookupError: METAFLOW_DATASTORE_SYSROOT_S3 is not set",
            "datastore.type": "s3",
            "datastore.step": "open",
        },
        "datastore",
        "FAIL",
        "SYSROOT_S3",
        "export METAFLOW_DATASTORE_SYSROOT_S3=PLACE",
    ),
    (
        "metaflow",
        {"datastore.error": "X", "datastore.type": "gs"},
        "datastore",
        "WARN",
        "X",
        "metaflow status",
    ),
    ("metaflow", {"datastore.stale": 2}, "datastore", "WARN", "2 probes", "loom doctor --fix"),
    ("metaflow", {"datastore.stays": "probe/object"}, "datastore", "PASS", "probe/object stays", ""),
    (
        "metaflow",
        {"datastore.tried": False, "datastore.type": None},
        "datastore",
        "FAIL",
        "(local)",
        "unset METAFLOW_DEFAULT_DATASTORE",
    ),
    (
        "metaflow",
        {"datastore.tried": False, "datastore.type": "s3", "problem": "no answer within 15 s"},
        "datastore",
        "FAIL",
        "no answer within 15 s",
        "aws s3 ls /h/.metaflow",
    ),
    (
        "metaflow",
        {
            "metadata.error": "ConnectionError: refused",
            "metadata.type": "service",
            "metadata.place": "http://h:1",
        },
        "metadata",
        "FAIL",
        "refused",
        "curl -fsS http://h:1/ping",
    ),
    ("metaflow", {"metadata.type": "service"}, "metadata", "PASS", "it answers", ""),
    ("metaflow", {"metadata.error": "X"}, "metadata", "FAIL", "read: X", "ls -ld /h/.metaflow"),
    (
        "journal",
        {"problem": "file is not a database"},
        "journal",
        "FAIL",
        "not a database",
        "mv /h/journal.db ",
    ),
    ("journal", {"problem": "permission denied"}, "journal", "FAIL", "denied", "chmod u+rw /h/journal.db"),
    ("journal", {"problem": "database is locked"}, "journal", "FAIL", "locked", "loom doctor"),
    ("journal", {"path": None, "problem": "no home"}, "journal", "FAIL", "no home", "export LOOM_HOME=DIR"),
    ("journal", {"format": None}, "journal", "PASS", "no run", ""),
    ("journal", {"format": 2}, "journal", "FAIL", "format 2", "pip install --upgrade loom"),
    ("journal", {"log_bytes": 99_000_000}, "journal", "WARN", "99 MB", "loom doctor --fix"),
    (
        "journal",
        {"stale": [{"run": f"run-{n}", "process": "eda", "hours": 2.0} for n in range(5)]},
        "runs",
        "WARN",
        "and 2 more",
        "loom resume run-0",
    ),
    (
        "sandbox",
        {"level": "restricted", "missing": [MISSING]},
        "sandbox",
        "WARN",
        "bubblewrap",
        "apt-get install bubblewrap",
    ),
    ("sandbox", {"problem": "it could not be tried"}, "sandbox", "WARN", "tried", "loom doctor"),
    ("model", {"provider": ""}, "model", "PASS", "most verbs need none", ""),
    ("model", {"provider": "x"}, "model", "WARN", "none of anthropic", "loom config explain models.provider"),
    ("model", {"is_set": False}, "model", "WARN", "is not set", "export ANTHROPIC_API_KEY=KEY"),
    ("model", {"has_spaces": True}, "model", "WARN", "white space", "export ANTHROPIC_API_KEY=KEY"),
    ("addons", {"duckdb.installed": False}, "addons", "PASS", "not there: duckdb (DuckDB)", ""),
    (
        "addons",
        {"duckdb.installed": False, "duckdb.lacks": "it is gone", "duckdb.asked_by": "the connection `a`"},
        "addon-duckdb",
        "WARN",
        "the connection `a` needs it",
        "pip install duckdb",
    ),
    (
        "secrets",
        {"too_open": [{"path": "/h/approval.key", "mode": 0o644, "ought": 0o600, "owned": True}]},
        "modes",
        "FAIL",
        "644: others can read it",
        "loom doctor --fix",
    ),
    (
        "secrets",
        {"too_open": [{"path": "/h/loom.toml", "mode": 0o666, "ought": 0o644, "owned": False}]},
        "modes",
        "WARN",
        "others can change it",
        "sudo chmod 644 /h/loom.toml",
    ),
    (
        "leftovers",
        {"files": [{"path": "/h/.loom-a", "hours": 3.0}]},
        "leftovers",
        "WARN",
        "3 h",
        "loom doctor --fix",
    ),
    ("clock", {"now": 1_000.0}, "clock", "WARN", "behind", "timedatectl set-ntp true"),
    ("clock", {"skew": -500.0}, "clock", "WARN", "500 s behind", "timedatectl set-ntp true"),
    (
        "clock",
        {"newest": 1_800_009_000.0},
        "clock",
        "WARN",
        "9,000 s in the future",
        "timedatectl set-ntp true",
    ),
    ("clock", {"skew": None, "installed": None, "newest": None}, "clock", "PASS", "agrees", ""),
    ("cores", {"threads": {"OMP_NUM_THREADS": "64"}}, "cores", "WARN", "is 64", "unset OMP_NUM_THREADS"),
    ("cores", {"threads": {"OMP_NUM_THREADS": "many"}}, "cores", "WARN", "is many", "unset OMP_NUM_THREADS"),
    ("cores", {"quota": 0.5}, "cores", "WARN", "of 0.5", "export OMP_NUM_THREADS=1"),
    ("cores", {"quota": 0.5, "threads": {"OMP_NUM_THREADS": "1"}}, "cores", "PASS", "of 0.5", ""),
    ("encoding", {"text": "iso-8859-1"}, "encoding", "WARN", "iso-8859-1", "export PYTHONUTF8=1"),
    ("encoding", {"output": "ascii"}, "encoding", "WARN", "of output", "export PYTHONIOENCODING=utf-8"),
    ("encoding", {"text": "UTF8", "output": ""}, "encoding", "PASS", "UTF-8", ""),
]


@pytest.mark.parametrize(("fact", "change", "name", "status", "said", "fix"), CASES)
def test_each_fact_becomes_a_finding_with_its_remedy(
    tmp_path: Path, fact: str, change: dict[str, Any], name: str, status: str, said: str, fix: str
) -> None:
    result = _examine(FakeSurroundings(**_changed(fact, change)), tmp_path)
    found = _found(result)[name]
    assert (found["status"], found["name"]) == (status, name)
    assert said in found["what"]
    assert found["fix"].startswith(fix) and bool(found["fix"]) == (status != "PASS")
    assert result.data is not None and result.data["verdict"] in (status, "WARN", "FAIL")


def test_without_metaflow_three_checks_fail_and_all_others_go_on(tmp_path: Path) -> None:
    found = _found(_examine(FakeSurroundings(metaflow=NO_METAFLOW), tmp_path))
    assert [name for name, each in found.items() if each["status"] == "FAIL"] == [
        "metaflow",
        "datastore",
        "metadata",
    ]
    assert found["metaflow"]["fix"] == 'pip install "metaflow>=2.19.39,<2.20"'
    assert "disk-datastore" not in found


def test_a_broken_configuration_is_mended_before_metaflow_is_installed_anew(tmp_path: Path) -> None:
    broken = {"tested": ["2.19.39", "2.20"], "problem": "JSONDecodeError: x"}
    around = FakeSurroundings(metaflow=broken, **_changed("configuration", {"files": BROKEN}))
    found = _found(_examine(around, tmp_path))
    assert found["metaflow"]["fix"] == found["metaflow-config"]["fix"] == "python -m json.tool /u/config.json"


@pytest.mark.parametrize("fact", [name for name in SOUND if name not in ("mend", "addon")])
def test_a_check_that_breaks_is_a_finding_and_stops_no_other(tmp_path: Path, fact: str) -> None:
    result = _examine(FakeSurroundings(**{fact: RuntimeError("the secret of a stranger")}), tmp_path)
    found = _found(result)
    broken = [each for each in found.values() if "the check itself failed with RuntimeError" in each["what"]]
    assert broken and all(each["status"] == "WARN" and each["fix"] for each in broken)
    assert len(found) >= 17
    assert "stranger" not in json.dumps(result.as_json())


def test_facts_of_another_shape_are_findings_too(tmp_path: Path) -> None:
    strange = {name: {} for name in SOUND if name != "mend"}
    result = _examine(FakeSurroundings(**strange), tmp_path)
    assert result.data is not None and result.data["verdict"] != "PASS"
    assert all(each["fix"] for each in _found(result).values() if each["status"] != "PASS")


def test_facts_are_asked_for_at_once_and_each_only_once(tmp_path: Path) -> None:
    together = threading.Barrier(2, timeout=30)

    class Waiting(FakeSurroundings):
        def metaflow(self, fix: bool) -> Any:
            together.wait()
            return self.__getattr__("metaflow")(fix)

        def sandbox(self) -> Any:
            together.wait()
            return self.__getattr__("sandbox")()

    around = Waiting()
    assert _found(_examine(around, tmp_path))["sandbox"]["status"] == "PASS"
    names = [name for name, _ in around.asked]
    assert sorted(names) == sorted(set(names))


def test_an_addon_that_is_demanded_and_missing_fails(tmp_path: Path) -> None:
    missing = {**SOUND["addon"], "lacks": "duckdb is not installed", "installed": False}
    result = _examine(FakeSurroundings(addon=missing), tmp_path, require_addon="duckdb")
    assert result.data is not None and result.data["verdict"] == "FAIL"
    assert _found(result)["addon-duckdb"]["fix"] == "pip install duckdb"
    result = _examine(FakeSurroundings(), tmp_path, require_addon="duckdb")
    assert _found(result)["addon-duckdb"]["status"] == "PASS"


def test_an_addon_that_nobody_knows_fails_and_names_those_there_are(tmp_path: Path) -> None:
    unknown = {"name": "no-such-addon", "known": ["browser", "duckdb"], "near": ""}
    found = _found(_examine(FakeSurroundings(addon=unknown), tmp_path, require_addon="no-such-addon"))
    assert found["addon"]["status"] == "FAIL" and "browser, duckdb" in found["addon"]["what"]
    assert found["addon"]["fix"] == "loom doctor --require-addon browser"


def test_only_fix_mends_and_it_says_what_it_did_before_it_checks(tmp_path: Path) -> None:
    around = FakeSurroundings(
        mend={"done": ["made /h"], "failed": ["removing /h/.loom-a: permission denied"]},
        **_changed("metaflow", {"datastore.stale": 2, "datastore.removed": 2}),
    )
    result = _examine(around, tmp_path, fix=True)
    assert around.asked[0] == ("mend", ()) and ("metaflow", (True,)) in around.asked
    assert result.data is not None
    assert result.data["mended"] == ["made /h", "removed 2 old probes from /h/.metaflow"]
    assert result.output.startswith("mended: made /h")
    assert _found(result)["fix"]["status"] == "WARN" and "denied" in _found(result)["fix"]["what"]
    around = FakeSurroundings()
    _examine(around, tmp_path)
    assert "mend" not in [name for name, _ in around.asked] and ("metaflow", (False,)) in around.asked


def test_looking_is_read_only_and_mending_writes() -> None:
    tool = _tool()
    assert tool.effects_of({}) == {"reads"}
    assert tool.effects_of({"fix": None}) == tool.effects_of({"fix": False}) == {"reads"}
    assert tool.effects_of({"fix": True}) == {"reads", "writes"} == tool.effects


def test_the_tool_keeps_to_what_packages_may_import() -> None:
    for file in (FOLDER / "tools").glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                assert str(node.module).split(".")[0] in sys.stdlib_module_names or node.module in (
                    "loom.tools.registry",
                ), f"{file.name}: {node.module}"


# on this very machine


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment of nobody's own."""
    (tmp_path / "user").mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("METAFLOW", "AWS_", "LOOM_", "PYTHONDONT")) and name != "HOME"
    }
    return {**kept, "HOME": str(tmp_path / "user")}


def test_this_machine_is_examined_as_it_is_and_left_as_it_was(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    result = _examine(Surroundings(tmp_path / "home", environ, tmp_path), tmp_path)
    found = _found(result)
    assert len(found) >= 20
    assert all(
        found[name]["status"] == "PASS" for name in ("home", "datastore", "metadata", "settings", "journal")
    )
    assert all(re.match(r"[a-z.]+ ", each["fix"]) for each in found.values() if each["status"] != "PASS")
    assert not re.search(r"\[(TBD|TODO|INSERT|PLACEHOLDER)\]", result.output)
    assert "<REDACTED" not in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["user"]


def test_fix_makes_this_machine_sound_where_it_can(tmp_path: Path, environ: dict[str, str]) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "approval.key").write_bytes(b"1" * 32)
    (home / "approval.key").chmod(0o644)
    (home / ".loom-left").touch()
    os.utime(home / ".loom-left", (time.time() - 9000, time.time() - 9000))
    stale = home / ".metaflow" / ".loom-probe" / "1000000000-1-a"
    stale.mkdir(parents=True)

    def found() -> dict[str, dict[str, str]]:
        return _found(_examine(Surroundings(home, environ, tmp_path), tmp_path))

    wrong = ("modes", "leftovers", "datastore")
    before = found()
    assert [before[name]["fix"] for name in wrong] == ["loom doctor --fix"] * 3
    mended = _examine(Surroundings(home, environ, tmp_path), tmp_path, fix=True)
    assert mended.data is not None and len(mended.data["mended"]) == 3
    assert all(_found(mended)[name]["status"] == "PASS" for name in wrong)
    assert all(found()[name]["status"] == "PASS" for name in wrong)


def _no_home(home: Path, environ: dict[str, str]) -> None:
    del environ["HOME"]


def _home_is_a_file(home: Path, environ: dict[str, str]) -> None:
    home.touch()


def _no_metaflow(home: Path, environ: dict[str, str]) -> None:
    package = home.parent / "site" / "metaflow"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'metaflow'\")")
    environ["PYTHONPATH"] = str(package.parent)


def _broken_config(home: Path, environ: dict[str, str]) -> None:
    config = Path(environ["HOME"], ".metaflowconfig", "config.json")
    config.parent.mkdir()
    config.write_text("{")
    home.mkdir(mode=0o700)
    (home / "loom.toml").write_text("= nothing")


def _broken_journal(home: Path, environ: dict[str, str]) -> None:
    home.mkdir(mode=0o700)
    (home / "journal.db").write_bytes(b"scribble" * 1000)


@pytest.mark.parametrize(
    ("breaks", "failing"),
    [
        (_no_home, {"home", "journal", "datastore", "metadata"}),
        (_home_is_a_file, {"home", "datastore", "metadata"}),
        (_no_metaflow, {"metaflow", "datastore", "metadata"}),
        (_broken_config, {"settings", "metaflow", "metaflow-config", "datastore", "metadata"}),
        (_broken_journal, {"journal"}),
    ],
)
def test_when_nothing_else_works_it_still_answers(
    tmp_path: Path, environ: dict[str, str], breaks: Any, failing: set[str]
) -> None:
    home: Path | None = tmp_path / "home"
    assert home is not None
    breaks(home, environ)
    if "HOME" not in environ:
        home = None
    for fix in (False, True):
        result = _examine(Surroundings(home, environ, tmp_path), tmp_path, fix=fix)
        found = _found(result)
        assert {name for name, each in found.items() if each["status"] == "FAIL"} == failing
        assert result.data is not None and result.data["verdict"] == "FAIL"
        assert all(each["fix"] for each in found.values() if each["status"] != "PASS")


def test_no_key_that_is_set_is_shown_anywhere(tmp_path: Path, environ: dict[str, str]) -> None:
    names = [
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "METAFLOW_SERVICE_AUTH_KEY",
        "METAFLOW_SERVICE_HEADERS",
        "METAFLOW_DEFAULT_DATASTORE",
        "METAFLOW_DEFAULT_METADATA",
        "METAFLOW_DATASTORE_SYSROOT_S3",
        "METAFLOW_SERVICE_URL",
        "METAFLOW_PROFILE",
        "METAFLOW_USER",
        "METAFLOW_KUBERNETES_SECRETS",
        "LOOM_MODELS__PROVIDER",
    ]
    canaries = {name: f"canary-of-{name.lower()}-8d1f" for name in names}
    around = Surroundings(tmp_path / "home", {**environ, **canaries}, tmp_path)
    shown = json.dumps(_examine(around, tmp_path, require_addon="duckdb").as_json())
    assert [value for value in canaries.values() if value in shown] == []


EXAMINED = f"""
import asyncio, json, os, sys
from pathlib import Path
from loom.app.surroundings import Surroundings
from loom.tools.discover import load_tools
from loom.tools.invoke import invoke
from loom.tools.registry import ToolContext
home = Path(sys.argv[1])
around = Surroundings(home, dict(os.environ), home)
ctx = ToolContext(workspace=home, services={{"surroundings": around}})
result = asyncio.run(invoke(load_tools(Path({str(FOLDER)!r}))[0].tool, {{}}, ctx))
print(json.dumps(result.as_json()))
"""


def test_a_normal_user_is_told_that_the_home_folder_is_not_theirs() -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name, "home")
        for folder in (home.parent, home):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)
        found = _found(ToolResult.from_json(json.loads(as_nobody(EXAMINED, home))))
    assert found["home"]["status"] == "FAIL" and found["home"]["fix"] == "export LOOM_HOME=DIR"
    assert found["datastore"]["status"] == found["metadata"]["status"] == "FAIL"
    assert found["metaflow"]["status"] == found["journal"]["status"] == "PASS"
