"""Fails once, in its second step; has a library with threads of its own at module level."""

from __future__ import annotations

import os
from pathlib import Path

import polars
from metaflow import FlowSpec, current, step

OUT = Path(os.environ["FACTS"])


class ResumedFlow(FlowSpec):
    """Counts how often its first step runs."""

    @step
    def start(self):
        self.total = int(polars.DataFrame({"a": [1, 2, 3]})["a"].sum())
        with (OUT / "starts").open("a") as file:
            file.write("start\n")
        self.next(self.end)

    @step
    def end(self):
        if not current.origin_run_id or current.origin_run_id == "None":
            raise RuntimeError("not yet")
        total = polars.DataFrame({"a": [self.total]}).lazy().select(polars.col("a") * 2).collect().item()
        (OUT / "total").write_text(str(total))


if __name__ == "__main__":
    ResumedFlow()
