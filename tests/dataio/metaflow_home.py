"""Runs of plain Metaflow flows that bring data in, and a Metaflow in this process that reads one of their homes."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# a flow as somebody would write it by hand: no word of it comes from Loom's compiler
FLOW = """
from metaflow import FlowSpec, Parameter, step


class {flow}(FlowSpec):
    record = Parameter("record")
    how = Parameter("how")

    @step(start=True, end=True)
    def register(self):
        if self.how != "without":
            from loom.dataio.artifacts import artifacts_of
            from loom.dataio.metaflow_store import MetaflowStore

            for name, value in artifacts_of(self.record, MetaflowStore.of("{flow}")).items():
                setattr(self, name, value)
        if self.how == "failed":
            raise SystemExit(3)
        if self.how == "killed":
            import os, signal
            os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    {flow}()
"""


def environment(home: Path, **more: str) -> dict[str, str]:
    """An environment in which Metaflow keeps everything below a folder, and knows nothing of its user's own."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW_", "AWS_"))}
    home.mkdir(parents=True, exist_ok=True)
    return mine | {
        "HOME": str(home),
        "METAFLOW_HOME": str(home / "no-profile"),
        "METAFLOW_USER": "tester",
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(home),
        "METAFLOW_CLIENT_CACHE_PATH": str(home / "cache"),
        "METAFLOW_DEFAULT_METADATA": "local",
        **more,
    }


def run_flow(folder: Path, env: Mapping[str, str], flow: str, record: str, how: str = "well") -> str:
    """Run a flow to its end, in a process group of its own, and answer with its pathspec."""
    script, number = folder / f"{flow}.py", folder / f"{flow}.run"
    script.write_text(FLOW.format(flow=flow))
    options = ["--record", record, "--how", how, "--run-id-file", str(number)]
    done = subprocess.run(
        [sys.executable, str(script), "--quiet", "run", *options],
        cwd=folder,
        env=dict(env),
        capture_output=True,
        text=True,
        timeout=120,
        start_new_session=True,
    )
    assert (done.returncode == 0) is (how in ("well", "without")), done.stdout + done.stderr
    return f"{flow}/{number.read_text().strip()}"


@contextmanager
def reading(home: Path) -> Iterator[None]:
    """Within it, the Metaflow of this process reads the runs of a folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of Metaflow's own modules
        import metaflow  # noqa: PLC0415
        from metaflow.plugins.datastores.local_storage import LocalStorage  # noqa: PLC0415
        from metaflow.plugins.metadata_providers.local import LocalMetadataProvider  # noqa: PLC0415
    core = sys.modules["metaflow.client.core"]
    before = core.current_metadata, LocalMetadataProvider._INFO, LocalStorage.datastore_root
    metaflow.metadata(f"local@{home}")
    try:
        yield
    finally:
        core.current_metadata, LocalMetadataProvider._INFO, LocalStorage.datastore_root = before
