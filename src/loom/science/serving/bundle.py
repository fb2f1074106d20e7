"""The folder that a model is deployed as: the model, the code it needs, what it reads, how to run it, and digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loom.science.serving.model import Served
from loom.science.serving.predicting import CHECKSUMS, MODEL
from loom.science.serving.vendor import libraries_behind, modules_behind

ENTRY = "loom.science.serving.predicting"
MODEL_CARD = "MODEL_CARD.md"
_SCRIPT = '''"""Score a table: python predict.py rows.csv predictions.csv"""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER / "code"))

from loom.science.serving.predicting import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(FOLDER))
'''


def bundle(served: Served, model_card: str, manifest: Mapping[str, Any]) -> dict[str, bytes]:
    """The files of a bundle by name; the same model, card and manifest give the same bytes."""
    modules = modules_behind([ENTRY])
    needs = libraries_behind(modules.values(), also=["pandas"] if served.solution is not None else [])
    schema = {
        "columns": [column.as_json() for column in served.columns],
        "target": served.target,
        "task": served.task,
        "classes": list(served.classes),
    }
    files = {
        MODEL: served.to_bytes(),
        MODEL_CARD: model_card.encode(),
        "manifest.json": _json(manifest),
        "input_schema.json": _json(schema),
        "requirements.txt": "".join(f"{name}=={version}\n" for name, version in needs.items()).encode(),
        "predict.py": _SCRIPT.encode(),
        **{f"code/{_place(name, path)}": path.read_bytes() for name, path in modules.items()},
    }
    if served.solution is not None:
        files["solution.py"] = served.solution.source.encode()
    sums = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())
    )
    return {**files, CHECKSUMS: sums.encode()}


def digest_of(files: Mapping[str, bytes]) -> str:
    """The digest of a bundle: that of the list of its files' digests."""
    return "sha256:" + hashlib.sha256(files[CHECKSUMS]).hexdigest()


def _place(name: str, path: Path) -> str:
    place = name.replace(".", "/")
    return f"{place}/__init__.py" if path.name == "__init__.py" else f"{place}.py"


def _json(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"
