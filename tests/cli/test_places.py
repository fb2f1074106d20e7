"""Where data and runs are kept: Loom's own home, a user's own Metaflow, an object store; and who may write there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.object_store import object_store

TABLE = "a,b,y\n" + "".join(f"{n:03d},{n * 7 % 13},{n % 2}\n" for n in range(50))
POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("METAFLOW_", "LOOM_", "AWS_"))
    }
    return kept | {"HOME": str(tmp_path), **more}


def loom(
    environ: Mapping[str, str], folder: Path, *words: str, powers: bool = True, code: int = 0
) -> dict[str, Any]:
    done = subprocess.run(
        [*([] if powers else POWERLESS), sys.executable, "-m", "loom.cli.main", *words, "--json"],
        cwd=folder,
        env=dict(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def round_trip(environ: Mapping[str, str], folder: Path, powers: bool = True) -> str:
    """Bring a table in and find it again; its pathspec."""
    (folder / "t.csv").write_text(TABLE)
    made = loom(environ, folder, "ingest", "--source", "t.csv", "--target", "y", powers=powers)
    listed = loom(environ, folder, "datasets", powers=powers)["summary"]["datasets"]
    assert [(each["pathspec"], each["rows"]) for each in listed] == [(made["pathspec"], 50)]
    return str(made["pathspec"])


def test_without_any_configuration_everything_is_below_looms_home(tmp_path: Path) -> None:
    folder = tmp_path / "anywhere" / "else"
    folder.mkdir(parents=True)
    assert round_trip(environment(tmp_path), folder) == "IngestDataset/1"
    assert (tmp_path / ".loom" / ".metaflow" / "IngestDataset" / "1").is_dir()
    assert not (folder / ".metaflow").exists()


def test_a_users_own_metaflow_is_honoured(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    config = tmp_path / ".metaflowconfig"
    config.mkdir()
    (config / "config.json").write_text(
        json.dumps({"METAFLOW_DATASTORE_SYSROOT_LOCAL": str(theirs), "METAFLOW_USER": "ada"})
    )
    before = (config / "config.json").read_bytes()
    round_trip(environment(tmp_path), tmp_path)
    assert list((theirs / ".metaflow" / "IngestDataset").iterdir())
    assert not (tmp_path / ".loom" / ".metaflow").exists()
    assert (config / "config.json").read_bytes() == before


def test_data_goes_to_an_object_store_by_configuration_alone(tmp_path: Path) -> None:
    with object_store() as configuration:
        environ = environment(tmp_path, METAFLOW_USER="ada", **configuration)
        pathspec = round_trip(environ, tmp_path)
        read = "import metaflow, sys; metaflow.namespace(None); print(metaflow.Run(sys.argv[1]).data.train.a.tolist())"
        done = subprocess.run(
            [sys.executable, "-c", read, pathspec],
            env=environ,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "'003'" in done.stdout


@pytest.fixture
def powerless() -> bool:
    """Whether commands have to give up what root may do; a normal user has nothing to give up."""
    if os.geteuid() != 0:
        return False
    if shutil.which("setpriv") is None:
        pytest.skip("RUNS WITHOUT ROOT'S POWERS ARE NOT TESTED: setpriv is not installed")
    return True


def test_without_the_powers_of_root_everything_works(powerless: bool, tmp_path: Path) -> None:
    assert round_trip(environment(tmp_path), tmp_path, not powerless) == "IngestDataset/1"


def test_a_home_that_is_read_only_is_an_error_that_names_it(powerless: bool, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TABLE)
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    environ = environment(home)
    refused = loom(environ, tmp_path, "ingest", "--source", "t.csv", powers=not powerless, code=2)
    assert str(home) in refused["error"]["what"] + refused["error"]["why"]
    assert loom(environ, tmp_path, "connect", "t.csv", powers=not powerless)["VERDICT"] == "OK"
