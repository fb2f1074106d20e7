"""A compiled flow can be deployed: Argo Workflows takes it, with its code in an object store, without a cluster."""

from __future__ import annotations

import importlib
import importlib.util
import io
import json
import subprocess
import sys
import tarfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loom.flows.dispatch import MetaflowDispatcher
from loom.flows.folder import write_flow
from loom.process.loader import ProcessLoader
from loom.process.plan import plan
from tests.flows.building import clean_environ, phases, planned, prepared

NEEDED = ("boto3", "kubernetes", "moto")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")

PACKAGE = """\
name: example
version: '1.0'
schema_version: 2
risk_level: medium
verb:
  command: example
  flow: ExampleFlow
  tier: read-only
  inputs:
    dataset: {type: pathspec, required: true}
    parts: {type: columns, default: [a]}
phases:
  - {id: list-them, description: List., run: {tool: calculator}, resources: {cpu: 2, memory_mb: 8192, timeout_seconds: 30}}
  - {id: each, description: One by one., depends_on: [list-them], for_each: "${phases.list-them.data.all}", run: {tool: calculator}, retries: 1}
  - {id: beside, description: Meanwhile., depends_on: [list-them], run: {tool: calculator}}
"""


@pytest.fixture(scope="module")
def store() -> Iterator[tuple[str, Any]]:
    """An S3 on this machine with one bucket: its address and a client."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        boto3 = importlib.import_module("boto3")
        server = importlib.import_module("moto.server").ThreadedMotoServer(
            ip_address="127.0.0.1", port=0, verbose=False
        )
        server.start()
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        client = boto3.client(
            "s3",
            endpoint_url=address,
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
        client.create_bucket(Bucket="flows")
        yield address, client
        client.close()
        server.stop()


def in_store(tmp_path: Path, address: str) -> dict[str, str]:
    """The environment of somebody whose Metaflow keeps everything in that store."""
    return clean_environ(
        tmp_path,
        METAFLOW_USER="ada",
        METAFLOW_DEFAULT_DATASTORE="s3",
        METAFLOW_DATASTORE_SYSROOT_S3="s3://flows/metaflow",
        METAFLOW_S3_ENDPOINT_URL=address,
        KUBECONFIG=str(tmp_path / "nothing"),
        AWS_ACCESS_KEY_ID="x",
        AWS_SECRET_ACCESS_KEY="x",
        AWS_DEFAULT_REGION="us-east-1",
    )


def test_argo_workflows_accepts_a_compiled_flow_and_takes_its_package_along(
    tmp_path: Path, store: tuple[str, Any]
) -> None:
    address, client = store
    package = tmp_path / "example"
    (package / "tools").mkdir(parents=True)
    (package / "process.yaml").write_text(PACKAGE)
    (package / "tools" / "words.csv").write_text("a\n")
    of = plan(ProcessLoader(tmp_path, home=tmp_path).load(package).package)
    file = write_flow(of, tmp_path / "flow", process=str(package), digest="sha256:00")
    # the step decorator of the warm server is attached in every way there is, and must not get there
    environ = in_store(tmp_path, address) | {"METAFLOW_DEFAULT_DECOSPECS": "loom_warm"}
    options = ["--quiet", "--no-pylint", "--with", "loom_warm"]
    done = subprocess.run(
        [sys.executable, str(file), *options, "argo-workflows", "create", "--only-json"],
        env=environ, cwd=file.parent, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    workflow = json.loads(done.stdout)
    templates = {template["name"]: template for template in workflow["spec"]["templates"]}
    assert {"list-them", "each", "beside"} <= set(templates)
    limits = templates["list-them"]["container"]["resources"]["requests"]
    assert (limits["cpu"], limits["memory"]) == ("2.0", "8192.0M")
    given = {parameter["name"] for parameter in workflow["spec"]["arguments"]["parameters"]}
    assert {"dataset", "parts"} <= given
    assert "loom_warm" not in done.stdout
    packed = [
        key["Key"] for key in client.list_objects_v2(Bucket="flows")["Contents"] if "/data/" in key["Key"]
    ]
    names: set[str] = set()
    for key in packed:
        content = client.get_object(Bucket="flows", Key=key)["Body"].read()
        if tarfile.is_tarfile(io.BytesIO(content)):
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                names |= set(archive.getnames())
    assert any(name.endswith("example_flow.py") for name in names)
    assert any(name.endswith("package/process.yaml") for name in names)
    assert any(name.endswith("package/tools/words.csv") for name in names)


def test_a_run_keeps_its_data_where_its_users_metaflow_does(
    tmp_path: Path, store: tuple[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, client = store
    monkeypatch.chdir(tmp_path)
    run = prepared(tmp_path, planned(phases({"only-this": []})), {"run": {"card": True}})
    environ = in_store(tmp_path, address)
    told: list[tuple[str, Any]] = []
    done = MetaflowDispatcher(run.home, environ).dispatch(run, lambda kind, body: told.append((kind, body)))
    assert (done.failure, sorted(done.outcomes), done.card_path) == ("", ["only-this"], None)
    assert done.pathspec is not None and done.pathspec.startswith("ExampleFlow/")
    assert not (run.home / ".metaflow").exists()
    keys = [key["Key"] for key in client.list_objects_v2(Bucket="flows")["Contents"]]
    (card,) = [key for key in keys if "/cards/loom-" in key]
    assert card.startswith(
        f"metaflow/mf.cards/ExampleFlow/runs/{done.pathspec.partition('/')[2]}/steps/only_this/"
    )
