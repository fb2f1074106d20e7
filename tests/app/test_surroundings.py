"""Facts about the surroundings: found by trying, whole or broken, and never with a secret in them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from loom.app.surroundings import Surroundings, addons, engine, folder, machine
from loom.app.surroundings.screen import HIDDEN, Screen
from loom.runtime.journal import FILE_NAME, FORMAT, Journal
from loom.runtime.owner import owner

ROOT = Path(__file__).parents[2]
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("METAFLOW", "AWS_", "LOOM_")) and name != "HOME"
}

Look = Callable[..., Surroundings]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Surroundings with a home of their own, and variables to go with it."""
    (tmp_path / "user").mkdir()

    def at(home: Path | None = tmp_path / "home", timeout_s: float = 60.0, **variables: str) -> Surroundings:
        environ = {**CLEAN, "HOME": str(tmp_path / "user"), **variables}
        return Surroundings(home, environ, tmp_path, timeout_s=timeout_s)

    return at


def _metaflow_that(tmp_path: Path, does: str) -> str:
    """A folder for PYTHONPATH in which importing Metaflow does something else."""
    package = tmp_path / "broken" / "metaflow"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(does)
    return str(package.parent)


def _content(where: Path) -> list[str]:
    return sorted(path.relative_to(where).as_posix() for path in where.rglob("*"))


def test_importing_them_does_not_import_metaflow() -> None:
    code = "import sys, loom.app.surroundings; sys.exit(bool({'metaflow', 'boto3', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Metaflow


def test_the_embedded_engine_is_tried_and_leaves_nothing_behind(look: Look, tmp_path: Path) -> None:
    around = look()
    assert around.configuration()["kind"] == "embedded"
    found = around.metaflow()
    assert found["problem"] == ""
    assert re.match(r"\d+\.\d+", found["import"]["version"])
    assert found["import"]["knows_user"]
    for part in ("datastore", "metadata"):
        assert found[part]["tried"] and found[part]["error"] is None, found
        assert found[part]["type"] == "local"
        assert found[part]["place"] == str(tmp_path / "home" / ".metaflow")
    assert found["datastore"]["space"]["free_bytes"] > 0
    assert not (tmp_path / "home").exists()


def test_a_users_own_metaflow_is_tried_where_they_have_it_and_not_touched(look: Look, tmp_path: Path) -> None:
    config = tmp_path / "user" / ".metaflowconfig" / "config.json"
    config.parent.mkdir()
    store = tmp_path / "theirs"
    config.write_text(json.dumps({"METAFLOW_DATASTORE_SYSROOT_LOCAL": str(store), "METAFLOW_USER": "them"}))
    store.mkdir()
    before = config.read_bytes(), config.stat().st_mtime_ns
    around = look()
    facts = around.configuration()
    assert facts["kind"] == "yours"
    assert facts["files"] == [{"path": str(config), "problem": ""}]
    assert around.mend()["failed"] == []
    found = around.metaflow(True)
    assert found["datastore"]["place"] == str(store / ".metaflow") and found["datastore"]["error"] is None
    assert (config.read_bytes(), config.stat().st_mtime_ns) == before
    assert _content(store) == []


def test_a_metaflow_that_cannot_be_imported_is_a_problem_in_words(look: Look, tmp_path: Path) -> None:
    broken = _metaflow_that(tmp_path, "raise ImportError('libfoo.so is missing')")
    found = look(PYTHONPATH=broken).metaflow()
    assert found["problem"] == "ImportError: libfoo.so is missing"
    assert "import" not in found and "datastore" not in found


def test_a_metaflow_that_is_killed_says_by_which_signal(look: Look, tmp_path: Path) -> None:
    broken = _metaflow_that(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert look(PYTHONPATH=broken).metaflow()["problem"] == "it was ended by signal 9"


def test_a_metaflow_that_hangs_and_chatters_is_given_up(look: Look, tmp_path: Path) -> None:
    broken = _metaflow_that(
        tmp_path, 'print(\'{"name": "import"}\', flush=True)\nimport signal; signal.pause()'
    )
    found = look(PYTHONPATH=broken, timeout_s=0.5).metaflow()
    assert found["problem"] == "no answer within 0.5 s"
    assert "import" not in found


@pytest.mark.parametrize(
    ("content", "said"), [("{", "it is not valid JSON"), ("[1]", "it is not a JSON object"), (None, "")]
)
def test_a_broken_metaflow_configuration_is_named(
    look: Look, tmp_path: Path, content: str | None, said: str
) -> None:
    config = tmp_path / "user" / ".metaflowconfig" / "config.json"
    config.parent.mkdir()
    if content is not None:
        config.write_text(content)
        files = look().configuration()["files"]
        assert files[0]["path"] == str(config) and files[0]["problem"].startswith(said)
    else:
        files = look(METAFLOW_PROFILE="nowhere").configuration()["files"]
        assert files == [
            {"path": str(config.with_name("config_nowhere.json")), "problem": "there is no such file"}
        ]


def test_a_configuration_below_the_workspace_is_read_as_metaflow_reads_it(look: Look, tmp_path: Path) -> None:
    (tmp_path / ".metaflow").mkdir()
    (tmp_path / ".metaflow" / "config.json").write_text("not json")
    around = look(METAFLOW_USER="somebody")
    assert around.configuration()["files"][0]["problem"].startswith("it is not valid JSON")
    assert "JSONDecodeError" in around.metaflow()["problem"]


def test_a_datastore_that_metaflow_does_not_know_is_not_repeated(look: Look) -> None:
    found = look(METAFLOW_DEFAULT_DATASTORE="sk-0123456789abcdef0", METAFLOW_USER="me").metaflow()
    assert found["datastore"]["type"] is None and "local" in found["datastore"]["known"]
    assert "0123456789abcdef" not in json.dumps(found)
    assert found["metadata"]["error"] is None


def test_a_datastore_that_is_not_a_folder_is_an_error_with_its_step(look: Look, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    found = look().metaflow()
    assert found["datastore"]["step"] == "write" and "Not a directory" in found["datastore"]["error"]
    assert found["metadata"]["step"] == "write" and "Not a directory" in found["metadata"]["error"]


def test_what_killed_probes_left_is_counted_and_removed_on_demand(look: Look, tmp_path: Path) -> None:
    probes = tmp_path / "home" / ".metaflow" / ".loom-probe"
    old, fresh = probes / "1000000000-1-ab", probes / f"{int(time.time())}-1-cd"
    for probe in (old, fresh, probes / "1000000000-2-ef" / "_meta"):
        probe.mkdir(parents=True)
    (old / "object").write_bytes(b"1")
    found = look().metaflow()["datastore"]
    assert (found["stale"], found["removed"]) == (2, 0) and old.exists()
    found = look().metaflow(True)["datastore"]
    assert (found["stale"], found["removed"]) == (2, 2)
    assert _content(probes) == [fresh.name]


class _Service(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        assert self.path == "/ping"
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def _service(status: int) -> Iterator[str]:
    handler = type("Service", (_Service,), {"status": status})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "said"), [(200, None), (403, "it answers 403 Forbidden")])
def test_a_metadata_service_is_asked_whether_it_is_there(
    look: Look, tmp_path: Path, status: int, said: str | None
) -> None:
    with _service(status) as address:
        found = look(
            METAFLOW_SERVICE_URL=f"http://user:hunter2hunter2@{address}/",
            METAFLOW_DEFAULT_METADATA="service",
            METAFLOW_DATASTORE_SYSROOT_LOCAL=str(tmp_path),
            METAFLOW_USER="me",
        ).metaflow()
    assert found["metadata"]["place"] == f"http://{address}"
    assert (found["metadata"]["error"] or "").endswith(said or "")
    assert bool(found["metadata"]["error"]) == (status != 200)
    assert "hunter2" not in json.dumps(found)


def test_a_metadata_service_that_is_not_there_is_an_error(look: Look, tmp_path: Path) -> None:
    found = look(
        METAFLOW_SERVICE_URL="http://127.0.0.1:9",
        METAFLOW_DEFAULT_METADATA="service",
        METAFLOW_DATASTORE_SYSROOT_LOCAL=str(tmp_path),
        METAFLOW_USER="me",
    ).metaflow()
    assert found["metadata"]["step"] == "reach" and "refused" in found["metadata"]["error"]
    assert found["datastore"]["error"] is None


@contextlib.contextmanager
def _s3() -> Iterator[str]:
    server = pytest.importorskip("moto.server").ThreadedMotoServer(
        ip_address="127.0.0.1", port=0, verbose=False
    )
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def _on_s3(endpoint: str, bucket: str) -> dict[str, str]:
    return {
        "METAFLOW_DEFAULT_DATASTORE": "s3",
        "METAFLOW_DATASTORE_SYSROOT_S3": f"s3://{bucket}/loom",
        "METAFLOW_S3_ENDPOINT_URL": endpoint,
        "METAFLOW_USER": "me",
        "AWS_ACCESS_KEY_ID": "testing-access-key",
        "AWS_SECRET_ACCESS_KEY": "testing-secret-key",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


@pytest.mark.filterwarnings("default")
def test_a_datastore_on_s3_is_tried_through_metaflow_alone(look: Look, tmp_path: Path) -> None:
    boto3 = pytest.importorskip("boto3")
    with _s3() as endpoint:
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="testing-access-key",
            aws_secret_access_key="testing-secret-key",
        )
        client.create_bucket(Bucket="lake")
        client.put_object(Bucket="lake", Key="loom/.loom-probe/1000000000-1-ab/object", Body=b"1")
        client.put_object(Bucket="lake", Key="loom/SomeFlow/data/object", Body=b"1")
        found = look(**_on_s3(endpoint, "lake")).metaflow(True)
        keys = [each["Key"] for each in client.list_objects_v2(Bucket="lake")["Contents"]]
        missing = look(**_on_s3(endpoint, "absent")).metaflow()
        client.close()
    assert found["datastore"]["error"] is None, found
    assert found["datastore"]["place"] == "s3://lake/loom"
    assert (found["datastore"]["stale"], found["datastore"]["removed"]) == (1, 1)
    assert keys == ["loom/SomeFlow/data/object"]
    assert missing["datastore"]["step"] == "write" and missing["datastore"]["error"]
    assert "testing-" not in json.dumps([found, missing])


def test_an_s3_that_does_not_answer_is_given_up_soon(look: Look) -> None:
    pytest.importorskip("boto3")
    found = look(**_on_s3("http://127.0.0.1:9", "lake")).metaflow()
    assert found["datastore"]["tried"] and "127.0.0.1:9" in found["datastore"]["error"]


def test_the_tested_range_is_one_that_the_project_declares_if_it_declares_any() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    declared = re.search(r'"metaflow>=([0-9.]+),<([0-9.]+)"', project)
    assert declared is None or declared.groups() == engine.TESTED_METAFLOW


# Loom's home folder


def test_a_home_that_is_not_there_could_be_made(look: Look, tmp_path: Path) -> None:
    found = look().home()
    assert (found["exists"], found["writable"], found["problem"]) == (False, True, "")
    assert not (tmp_path / "home").exists()


def test_a_home_that_is_there_is_written_to_and_left_as_it_was(look: Look, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    found = look().home()
    assert found["writable"] and found["owned"] and found["exists"]
    assert _content(tmp_path / "home") == []


@pytest.mark.parametrize("below", ["", "further/down"])
def test_a_home_that_is_a_file_or_below_one_is_a_problem(look: Look, tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    found = look(home=tmp_path / "file" / below).home()
    assert not found["writable"] and "not a folder" in found["problem"]


def test_without_a_home_everything_still_answers(look: Look) -> None:
    around = look(home=None)
    for name in ("home", "journal"):
        assert "HOME" in getattr(around, name)()["problem"]
    assert around.mend() == {"done": [], "failed": [around.home()["problem"]]}
    assert list(around.disk()) == ["temporary"]
    found = around.metaflow()
    assert found["import"]["version"] and found["datastore"]["error"]
    for name in ("settings", "clock", "model", "addons", "secrets", "leftovers", "configuration"):
        assert getattr(around, name)()


def test_what_others_can_read_or_change_is_found_and_closed(look: Look, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o777)
    home.chmod(0o777)
    modes = {"approval.key": 0o644, "connections.toml": 0o600, "loom.toml": 0o666, "notes.txt": 0o666}
    for name, mode in modes.items():
        (home / name).touch()
        (home / name).chmod(mode)
    found = look().secrets()["too_open"]
    assert {Path(each["path"]).name: (each["mode"], each["ought"]) for each in found} == {
        "home": (0o777, 0o755),
        "approval.key": (0o644, 0o600),
        "loom.toml": (0o666, 0o644),
    }
    assert len(look().mend()["done"]) == 3
    assert look().secrets()["too_open"] == []
    assert (home / "notes.txt").stat().st_mode & 0o777 == 0o666


def test_a_link_with_the_name_of_a_secret_is_not_followed(look: Look, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "theirs").touch(mode=0o644)
    (tmp_path / "theirs").chmod(0o644)
    (tmp_path / "home" / "approval.key").symlink_to(tmp_path / "theirs")
    assert look().mend() == {"done": [], "failed": []}
    assert (tmp_path / "theirs").stat().st_mode & 0o777 == 0o644


def test_a_secret_that_has_a_second_name_elsewhere_is_left_to_a_person(look: Look, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "theirs").touch()
    (tmp_path / "theirs").chmod(0o644)
    (tmp_path / "home" / "approval.key").hardlink_to(tmp_path / "theirs")
    assert "not loom's alone" in look().mend()["failed"][0]
    assert (tmp_path / "theirs").stat().st_mode & 0o777 == 0o644


def test_only_old_temporary_files_of_looms_own_are_leftovers(look: Look, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    old = time.time() - folder.STALE_SECONDS - 60
    for name in (".loom-abc", ".approval.key.0f", ".loom-new", "kept"):
        (home / name).touch(mode=0o600)
        if name != ".loom-new":
            os.utime(home / name, (old, old))
    (home / ".loom-folder").mkdir()
    os.utime(home / ".loom-folder", (old, old))
    found = look().leftovers()["files"]
    assert sorted(Path(each["path"]).name for each in found) == [".approval.key.0f", ".loom-abc"]
    assert len(look().mend()["done"]) == 2
    assert _content(home) == [".loom-folder", ".loom-new", "kept"]


def test_mending_makes_the_home_for_its_owner_alone(look: Look, tmp_path: Path) -> None:
    assert look().mend() == {"done": [f"made {tmp_path / 'home'}"], "failed": []}
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert look().mend() == {"done": [], "failed": []}


def test_what_cannot_be_mended_is_said(look: Look, tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    said = look().mend()
    assert said["done"] == [] and "file exists" in said["failed"][0]


# the journal


def _journal(home: Path, **running: dict[str, Any]) -> Journal:
    journal = Journal(home / FILE_NAME)
    for run, who in running.items():
        journal.begin(run, "eda", {"owner": who})
    return journal


def test_a_run_whose_process_is_gone_is_cut_off_and_one_that_goes_on_is_not(
    look: Look, tmp_path: Path
) -> None:
    gone = {**owner(), "started": "0"}
    journal = _journal(tmp_path / "home", alive=owner(), gone=gone, unknown={}, finished=gone)
    journal.conclude("finished", "ok", "OK")
    journal.close()
    found = look().journal()
    assert found["problem"] == "" and found["format"] == found["reads"] == FORMAT
    assert found["runs"] == 4
    assert sorted(each["run"] for each in found["stale"]) == ["gone", "unknown"]


def test_a_journal_that_is_open_elsewhere_can_be_read_and_its_log_written_into_it(
    look: Look, tmp_path: Path
) -> None:
    journal = _journal(tmp_path / "home", run=owner())
    assert look().journal()["log_bytes"] > 0
    assert any("journal.db" in said for said in look().mend()["done"])
    assert look().journal()["log_bytes"] == 0
    assert journal.run("run").status == "running"
    journal.close()


def test_looking_at_a_journal_does_not_change_it(look: Look, tmp_path: Path) -> None:
    _journal(tmp_path / "home", run={}).close()
    file = tmp_path / "home" / FILE_NAME
    before = file.read_bytes()
    look().journal()
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database at all" * 100, None])
def test_a_journal_that_cannot_be_read_is_a_problem(
    look: Look, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "home" / FILE_NAME
    file.parent.mkdir()
    file.mkdir() if content is None else file.write_bytes(content)
    found = look().journal()
    assert found["exists"] and found["problem"]


def test_a_damaged_page_of_a_journal_is_found(look: Look, tmp_path: Path) -> None:
    journal = _journal(tmp_path / "home", **{f"run-{each}": {"pad": "x" * 500} for each in range(50)})
    journal.close()
    file = tmp_path / "home" / FILE_NAME
    content = bytearray(file.read_bytes())
    content[-4096:] = os.urandom(4096)
    file.write_bytes(content)
    assert look().journal()["problem"]


def test_a_journal_of_another_release_is_told_by_its_format(look: Look, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with contextlib.closing(sqlite3.connect(tmp_path / "home" / FILE_NAME)) as db:
        db.execute(f"PRAGMA user_version = {FORMAT + 1}")
        db.commit()
    assert look().journal()["format"] == FORMAT + 1


# settings and model


def test_a_broken_settings_file_is_a_problem_with_its_line(look: Look, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "loom.toml").write_text("[models]\nprovidr = 'x'\n")
    found = look().settings()
    assert "loom.toml:2" in found["problem"] and found["fix"]
    assert look().model()["provider"] == ""


def test_the_key_of_a_provider_is_told_to_be_set_and_never_shown(look: Look) -> None:
    key = "not-of-any-known-shape-11235813"
    found = look(LOOM_MODELS__PROVIDER="anthropic", ANTHROPIC_API_KEY=f"{key}\n").model()
    assert found["is_set"] and found["has_spaces"] and found["variable"] == "ANTHROPIC_API_KEY"
    assert key not in json.dumps(found)
    found = look(LOOM_MODELS__PROVIDER="openai-compatible").model()
    assert not found["is_set"] and found["variable"] == "OPENAI_API_KEY"


# addons


def test_an_addon_is_found_by_any_of_its_names_and_really_imported(
    look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "openpyxl"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('built for another Python')")
    monkeypatch.syspath_prepend(str(package.parent))
    found = look(PYTHONPATH=str(package.parent)).addon("Excel")
    assert found["name"] == "openpyxl" and not found["installed"]
    assert "built for another Python" in found["lacks"]


def test_an_addon_nobody_knows_is_answered_with_the_nearest(look: Look) -> None:
    assert look().addon("bowser") == {"name": "bowser", "known": sorted(addons.ADDONS), "near": "browser"}


def test_addons_are_asked_for_by_configuration_and_saved_connections(look: Look, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "connections.toml").write_text('[shop]\naddress = "postgresql://reader@db/shop"\n')
    found = look(METAFLOW_DEFAULT_DATASTORE="s3", METAFLOW_KUBERNETES_NAMESPACE="x").addons()
    assert {name: each["asked_by"] for name, each in found.items() if each["asked_by"]} == {
        "s3": "the Metaflow configuration",
        "kubernetes": "the Metaflow configuration",
        "psycopg": "the connection `shop`",
    }


def test_a_browser_is_looked_for_where_playwright_puts_it(
    look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site" / "playwright").mkdir(parents=True)
    (tmp_path / "site" / "playwright" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    bare = {"PATH": str(tmp_path / "empty"), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "browsers")}
    assert look(**bare).addons()["browser"]["install"] == "playwright install chromium"
    chrome = tmp_path / "browsers" / "chromium-1200" / "chrome-linux64" / "chrome"
    chrome.parent.mkdir(parents=True)
    chrome.touch()
    assert look(**bare).addons()["browser"]["installed"]


# the machine


def test_the_room_of_a_folder_that_is_not_there_is_that_of_the_one_above(tmp_path: Path) -> None:
    found = machine.space(tmp_path / "not" / "there")
    assert found["free_bytes"] > 0 and found["problem"] == ""


def test_without_any_folder_for_temporary_files_the_disk_is_a_problem(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    assert "no usable" in look().disk()["temporary"]["problem"]


def test_threads_and_processors_are_plain_numbers(look: Look) -> None:
    found = look(OMP_NUM_THREADS="64").cores()
    assert found["usable"] >= 1 and found["threads"]["OMP_NUM_THREADS"] == "64"


def test_a_file_from_the_future_is_seen(look: Look, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "later").touch()
    os.utime(tmp_path / "home" / "later", (time.time() + 9000, time.time() + 9000))
    found = look().clock()
    assert found["newest"] - found["now"] > 8000
    assert abs(found["skew"]) < 60


def test_the_sandbox_is_really_tried(look: Look) -> None:
    found = look().sandbox()
    assert found["level"] in ("isolated", "restricted", "none")
    assert (found["level"] == "isolated") == (found["missing"] == [])
    assert all(each["why"] and each["fix"] for each in found["missing"])


def test_a_full_disk_is_an_error_and_no_exception(tmp_path: Path) -> None:
    """On a file system of its own that is really full, where one may be mounted."""
    code = """
import json, os, sys
from pathlib import Path
from loom.app.surroundings import Surroundings
home = Path(sys.argv[1])
try:
    with (home / "filler").open("wb") as file:
        while True: file.write(bytes(4096)); file.flush()
except OSError: pass
around = Surroundings(home, {**os.environ, "HOME": sys.argv[1]}, home)
print(json.dumps({name: getattr(around, name)() for name in ("home", "metaflow", "disk", "mend", "clock")}))
"""
    (tmp_path / "full").mkdir()
    script = 'mount -t tmpfs -o size=64k tmpfs "$1" && exec "$2" -c "$3" "$1"'
    command = ["unshare", "-m", "sh", "-c", script, "sh", str(tmp_path / "full"), sys.executable, code]
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare")
    done = subprocess.run(command, env=CLEAN, capture_output=True, text=True, check=False)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("nothing may be mounted here")
    found = json.loads(done.stdout)
    assert "no space left" in found["home"]["problem"]
    for part in ("datastore", "metadata"):
        assert "No space left" in found["metaflow"][part]["error"], found
    assert found["disk"]["home"]["free_bytes"] == 0


# secrets

CANARY = "xyzzy-canary-{}-f00dfeed"


def _planted(tmp_path: Path) -> tuple[dict[str, str], list[str]]:
    """Every variable a vendor reads, each with a value that is found again wherever it turns up."""
    names = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY"]
    names += [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_ROLE_ARN",
    ]
    config = (Path(engine.__file__).parents[1], "metaflow_config.py")
    spec = subprocess.run(
        [sys.executable, "-c", "import importlib.util as u; print(u.find_spec('metaflow').origin)"],
        capture_output=True,
        text=True,
        check=True,
    )
    source = Path(spec.stdout.strip()).with_name(config[1]).read_text(encoding="utf-8")
    names += [f"METAFLOW_{name}" for name in re.findall(r'from_conf\(\s*"([A-Z0-9_]+)"', source)]
    planted = {name: CANARY.format(name.lower()) for name in dict.fromkeys(names)}
    return planted, list(planted.values())


def _facts(around: Surroundings) -> str:
    names = [
        name
        for name in vars(Surroundings)
        if not name.startswith("_") and name not in ("addon", "mend", "sandbox", "screen")
    ]
    return json.dumps({name: getattr(around, name)() for name in names})


def test_no_secret_of_any_vendor_is_in_any_fact(look: Look, tmp_path: Path) -> None:
    planted, canaries = _planted(tmp_path)
    assert len(planted) > 100
    said = _facts(look(**planted))
    assert [each for each in canaries if each in said] == []


@pytest.mark.parametrize(
    "name",
    [
        "METAFLOW_SERVICE_AUTH_KEY",
        "METAFLOW_SERVICE_HEADERS",
        "AWS_SECRET_ACCESS_KEY",
        "METAFLOW_ARGO_EVENTS_EVENT",
    ],
)
def test_a_secret_that_an_error_repeats_is_taken_out(look: Look, tmp_path: Path, name: str) -> None:
    secret = "correct-horse-battery-staple"
    value = json.dumps({"x-api-key": secret}) if name.endswith("HEADERS") else secret
    broken = _metaflow_that(tmp_path, f"raise ValueError('it is ' + {secret!r})")
    found = look(PYTHONPATH=broken, **{name: value}).metaflow()
    assert found["problem"] == f"ValueError: it is {HIDDEN}"


def test_the_name_of_a_profile_is_shown_if_there_is_one_of_that_name(look: Look, tmp_path: Path) -> None:
    profile = "production-in-the-east"
    assert profile not in json.dumps(look(METAFLOW_PROFILE=profile).configuration())
    config = tmp_path / "user" / ".metaflowconfig" / f"config_{profile}.json"
    config.parent.mkdir()
    config.write_text("{}")
    assert look(METAFLOW_PROFILE=profile).configuration()["files"] == [{"path": str(config), "problem": ""}]


def test_a_secret_in_metaflows_own_file_is_taken_out(look: Look, tmp_path: Path) -> None:
    config = tmp_path / "user" / ".metaflowconfig" / "config.json"
    config.parent.mkdir()
    config.write_text(json.dumps({"METAFLOW_SERVICE_AUTH_KEY": "correct-horse-battery"}))
    broken = _metaflow_that(tmp_path, "raise ValueError('it is correct-horse-battery')")
    assert look(PYTHONPATH=broken).metaflow()["problem"] == f"ValueError: it is {HIDDEN}"


def test_places_and_plain_words_of_a_configuration_stay_readable() -> None:
    screen = Screen(
        {
            "METAFLOW_DATASTORE_SYSROOT_S3": "s3://lake/loom",
            "METAFLOW_DATASTORE_SYSROOT_LOCAL": "/data/runs",
            "METAFLOW_DEFAULT_METADATA": "service",
            "METAFLOW_USER": "christopher.smith",
            "AWS_REGION": "eu-central-1",
            "EDITOR": "something-long-enough",
        },
        {"METAFLOW_USER"},
    )
    text = "christopher.smith: service at s3://lake-eu-central-1/loom, /data/runs, something-long-enough"
    assert screen.text(text) == text


# a normal user

AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
SEEN_BY_NOBODY = """
import json, os, sys
from pathlib import Path
from loom.app.surroundings import Surroundings
around = Surroundings(Path(sys.argv[1]), dict(os.environ), Path(sys.argv[1]))
names = ("home", "settings", "journal", "metaflow", "clock", "mend")
print(json.dumps({name: getattr(around, name)() for name in names}))
"""


def as_nobody(code: str, argument: Path) -> str:
    """What a normal user's Python prints; skipped where no Python can be run by one."""
    if os.name != "posix" or os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can give up root, with setpriv")
    path = os.pathsep.join((str(ROOT / "src"), sysconfig.get_path("purelib")))
    environ = {**CLEAN, "HOME": str(argument.parent), "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    able = "import sys, subprocess, loom, metaflow; subprocess.run([sys.executable, '-c', ''], check=True)"
    for program in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        for attempt in (able, code):
            done = subprocess.run(
                [*AS_NOBODY, program, "-c", attempt, str(argument)],
                env=environ,
                cwd=argument,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                break
        else:
            return done.stdout
        if attempt is code:
            pytest.fail(done.stderr)
    pytest.skip("no Python here that a normal user can run")


def test_a_home_that_a_normal_user_cannot_write_to_is_found_out() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        home = Path(name, "home")
        home.mkdir(mode=0o755)
        _journal(home, run={}).close()
        (home / FILE_NAME).chmod(0o644)
        (home / "loom.toml").touch(mode=0o600)
        found = json.loads(as_nobody(SEEN_BY_NOBODY, home))
    assert found["home"]["exists"] and not found["home"]["writable"] and not found["home"]["owned"]
    assert found["home"]["problem"] == "permission denied"
    assert "cannot be read" in found["settings"]["problem"]
    assert found["journal"]["runs"] == 1 and found["journal"]["problem"] == ""
    assert "Permission denied" in found["metaflow"]["datastore"]["error"]
    assert "Permission denied" in found["metaflow"]["metadata"]["error"]
    assert found["mend"]["done"] == []


def test_a_home_below_a_folder_that_may_not_be_entered_is_a_problem() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        (Path(name) / "start").mkdir()
        (Path(name) / "closed").mkdir(mode=0o700)
        code = SEEN_BY_NOBODY.replace(
            "(Path(sys.argv[1]), dict", "(Path(sys.argv[1], '../closed/home'), dict"
        )
        found = json.loads(as_nobody(code, Path(name) / "start"))
    assert found["home"]["problem"] == "permission denied" and not found["home"]["writable"]
    assert found["journal"]["problem"] == "permission denied"
    assert "Permission denied" in found["metaflow"]["datastore"]["error"]
    assert found["mend"]["failed"]
