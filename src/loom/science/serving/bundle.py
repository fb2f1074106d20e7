"""The folder that a model is deployed as: the model, the code it needs, what it reads, how to run it, and digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from loom.science.serving import mlflow
from loom.science.serving.model import Served
from loom.science.serving.predicting import CHECKSUMS, MODEL
from loom.science.serving.vendor import libraries_behind, modules_behind

Form = Literal["folder", "mlflow"]
ENTRY = "loom.science.serving.predicting"
MODEL_CARD = "MODEL_CARD.md"
MANIFEST = "manifest.json"
SCHEMA = "input_schema.json"
REQUIREMENTS = "requirements.txt"
_SCRIPT = '''"""Score a table: python predict.py rows.csv predictions.csv"""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.dont_write_bytecode = True  # the folder stays as it was deployed
sys.path.insert(0, str(FOLDER / "code"))

from loom.science.serving.predicting import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(FOLDER))
'''


def bundle(
    served: Served, model_card: str, manifest: Mapping[str, Any], form: Form = "folder"
) -> dict[str, bytes]:
    """The files of a bundle by name; the same model, card and manifest give the same bytes."""
    modules = modules_behind([ENTRY] if form == "folder" else [ENTRY, mlflow.LOADER])
    schema = {
        "columns": [column.as_json() for column in served.columns],
        "target": served.target,
        "task": served.task,
        "classes": list(served.classes),
    }
    files = {
        MODEL: served.to_bytes(),
        MODEL_CARD: model_card.encode(),
        MANIFEST: _json(manifest),
        SCHEMA: _json(schema),
        REQUIREMENTS: "".join(
            f"{name}=={version}\n" for name, version in needs(served, form).items()
        ).encode(),
        "predict.py": _SCRIPT.encode(),
        **{f"code/{_place(name, path)}": path.read_bytes() for name, path in modules.items()},
    }
    if served.solution is not None:
        files["solution.py"] = served.solution.source.encode()
    if form == "mlflow":
        files |= mlflow.files(served, files[REQUIREMENTS])
    sums = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())
    )
    return {**files, CHECKSUMS: sums.encode()}


def needs(served: Served, form: Form = "folder") -> dict[str, str]:
    """The libraries without which the model cannot answer, each with its version here."""
    modules = modules_behind([ENTRY] if form == "folder" else [ENTRY, mlflow.LOADER])
    # a solution is given pandas tables, and what is pickled of it comes from what it imports
    tables = ["pandas", "pyarrow"] if served.solution is not None or form == "mlflow" else []
    sources = [served.solution.source] if served.solution is not None else []
    return libraries_behind(modules.values(), tables, sources)


def digest_of(files: Mapping[str, bytes]) -> str:
    """The digest of a bundle: that of the list of its files' digests."""
    return "sha256:" + hashlib.sha256(files[CHECKSUMS]).hexdigest()


def _place(name: str, path: Path) -> str:
    place = name.replace(".", "/")
    return f"{place}/__init__.py" if path.name == "__init__.py" else f"{place}.py"


def _json(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"
