"""Removes and overwrites what it was given."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

reached = 0
for call, *arguments in (
    (Path("input/train.csv").unlink,),
    (Path("input/train.csv").write_text, "changed"),
    (os.truncate, "input/train.csv", 0),
    (Path("input/train.csv").rename, "working/train.csv"),
    (os.link, "input/train.csv", "working/linked.csv"),
    (Path("input").unlink,),
    (shutil.rmtree, Path("input").resolve()),
):
    try:
        call(*arguments)
        reached += 1
    except OSError:
        pass
with suppress(OSError):
    Path("input/train.csv").resolve().chmod(0)
print(f'{{"reached": {reached}}}')
