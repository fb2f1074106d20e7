"""Looks into another candidate's folder and input, and does harm there."""

import os
from pathlib import Path

other = Path("../../other/fold-0")
reached = 0
for call, *arguments in (
    ((other / "solution.py").read_bytes,),
    ((other / "working/submission.csv").read_bytes,),
    (Path("input/../../fold-1/train.csv").resolve().read_bytes,),
    ((other / "working/submission.csv").write_bytes, b"changed"),
    ((other / "working/new").write_bytes, b"new"),
    (os.truncate, other / "working/submission.csv", 0),
    (os.unlink, other / "working/submission.csv"),
    (os.rename, other / "working", other / "gone"),
    (Path("solution.py").write_text, "changed"),
):
    try:
        call(*arguments)
        reached += 1
    except OSError:
        pass
os.chmod(other / "working", 0)  # noqa: PTH101 - said to be done, and is not
print(f'{{"reached": {reached}}}')
