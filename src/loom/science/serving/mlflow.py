"""What makes a bundle a model folder of MLflow: its description, its environment, and the columns it gives.

Nothing of MLflow is needed to write it: the format is a few text files. MLflow reads the model with the loader that
the bundle brings along.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Iterator

from loom.science.serving.model import Served

LOADER = "loom.science.serving.pyfunc"


def files(served: Served, requirements: bytes) -> dict[str, bytes]:
    """The files that MLflow looks for, by name."""
    version = platform.python_version()
    libraries = requirements.decode().split()
    environment = [f"python: {_text(version)}", "build_dependencies:", "- pip", "dependencies:"]
    environment.append("- -r requirements.txt")
    conda = [
        "name: loom-model",
        "channels:",
        "- conda-forge",
        "dependencies:",
        f"- python={version}",
        "- pip",
    ]
    conda += ["- pip:", *(f"  - {each}" for each in libraries)]
    return {
        "MLmodel": _lines(_description(served, version)),
        "python_env.yaml": _lines(environment),
        "conda.yaml": _lines(conda),
    }


def _description(served: Served, version: str) -> Iterator[str]:
    """Without types of what it takes: MLflow would refuse whole numbers with an empty cell, and the loader checks rows."""
    yield from (
        "flavors:",
        "  python_function:",
        "    code: code",
        "    data: .",
        "    env:",
        "      conda: conda.yaml",
        "      virtualenv: python_env.yaml",
        f"    loader_module: {LOADER}",
        f"    python_version: {_text(version)}",
        f"model_uuid: {served.digest.removeprefix('sha256:')[:32]}",
        "metadata:",
        "  input_schema: input_schema.json",
        f"  loom_digest: {_text(served.digest)}",
        "signature:",
        "  inputs: null",
        f"  outputs: {_text(json.dumps(_outputs(served), ensure_ascii=False))}",
        "  params: null",
    )


def _outputs(served: Served) -> list[dict[str, object]]:
    if served.task == "regression":
        return [{"type": "double", "name": "prediction", "required": True}]
    shares = [{"type": "double", "name": f"probability_{name}", "required": True} for name in served.classes]
    return [{"type": "string", "name": "prediction", "required": True}, *shares]


def _text(value: str) -> str:
    """A text in YAML, whatever it holds: quoted as JSON, which YAML reads alike."""
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in quoted)


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
