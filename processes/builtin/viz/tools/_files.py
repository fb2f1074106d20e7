"""Plots as files: PNG, SVG and Vega-Lite of each, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError
from loom.science.charts import Chart
from loom.science.pictures import png, standalone, svg

SCALE = 2


def ready(folder: Path) -> None:
    """Make sure that a folder is there and takes files, before any work is done for it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, prefix=".loom-"):
            pass
    except OSError as error:
        why = (
            "there is a file of that name"
            if isinstance(error, FileExistsError | NotADirectoryError)
            else None
        )
        raise LoomError(
            f"no image can be written into {folder}",
            why or (error.strerror or str(error)).lower(),
            f"ls -ld {shlex.quote(str(folder))}",
        ) from None


def written(charts: Sequence[Chart], folders: Sequence[Path]) -> list[dict[str, Any]]:
    """The images, each with where it lies in the first folder; every folder gets the same files."""
    images = []
    for chart in charts:
        files = {
            "png": png(chart.spec, SCALE),
            "svg": svg(chart.spec).encode(),
            "vl.json": (json.dumps(standalone(chart.spec), indent=1, ensure_ascii=False) + "\n").encode(),
        }
        for folder in folders:
            for ending, content in files.items():
                write_atomically(folder / f"{chart.name}.{ending}", content)
        paths = {ending: str(folders[0] / f"{chart.name}.{ending}") for ending in files}
        images.append(
            {
                "name": chart.name,
                "title": chart.title,
                "path": paths["png"],
                "sha256": hashlib.sha256(files["png"]).hexdigest(),
                "bytes": len(files["png"]),
                "alt": chart.alt,
                "source": chart.source,
                "svg": paths["svg"],
                "spec": paths["vl.json"],
            }
        )
    return images
