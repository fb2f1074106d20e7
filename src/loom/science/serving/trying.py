"""The program that runs a solution where it can do no harm: `python -m loom.science.serving.trying FOLDER`.

The folder holds `solution.py`, `job.json` and tables; what comes of it lies beside them: `fitted.pkl`,
`said-0.npy` and so on, or `failed.json`. What a failure says is not written down, for it may hold cells; where it
happened is.
"""

from __future__ import annotations

import faulthandler
import json
import pickle
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from loom.science.serving.solution import fitted_by, load

SOURCE, JOB, FITTED, FAILED, STUCK = "solution.py", "job.json", "fitted.pkl", "failed.json", "stuck.txt"
TRAIN = "train.parquet"


def rows_of(at: int) -> str:
    """The name of a table to be predicted."""
    return f"rows-{at}.parquet"


def said_of(at: int) -> str:
    """The name of its predictions."""
    return f"said-{at}.npy"


def main(folder: Path) -> int:
    """Fit, where the job asks for it, and predict every table."""
    job = json.loads((folder / JOB).read_bytes())
    with (folder / STUCK).open("w") as stuck:
        faulthandler.enable(stuck)
        faulthandler.dump_traceback_later(job["seconds"], file=stuck)
        try:
            _carry_out(folder, job)
        except BaseException as error:  # noqa: BLE001
            (folder / FAILED).write_text(json.dumps(_told(error)), encoding="utf-8")
            return 1
        finally:
            faulthandler.cancel_dump_traceback_later()
    return 0


def _carry_out(folder: Path, job: dict[str, Any]) -> None:
    module = load((folder / SOURCE).read_text(encoding="utf-8"))
    if job["fit"] is not None:
        fitted = fitted_by(module, pl.read_parquet(folder / TRAIN), **job["fit"])
        (folder / FITTED).write_bytes(fitted)
    # what was fitted is kept as bytes, and so is used as bytes
    model = pickle.loads((folder / FITTED).read_bytes())
    for at in range(job["tables"]):
        found = module.predict(model, pl.read_parquet(folder / rows_of(at)).to_pandas())
        np.save(folder / said_of(at), np.asarray(found, np.float64), allow_pickle=False)


def _told(error: BaseException) -> dict[str, Any]:
    """What kind of failure it was, and where in the solution."""
    frames = [each for each in traceback.extract_tb(error.__traceback__) if each.filename == SOURCE]
    if isinstance(error, SyntaxError) and error.filename == SOURCE:
        return {"kind": type(error).__name__, "line": error.lineno, "function": None}
    last = frames[-1] if frames else None
    return {
        "kind": type(error).__name__,
        "line": last.lineno if last else None,
        "function": last.name if last else None,
    }


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
