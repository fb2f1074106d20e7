"""Configuration of workers, pipelines, orchestrators and routers: read strictly, checked when loaded.

The validators return what is wrong as sentences and never raise; callers decide what to do about it.
The models behind them are in `loom.core.families`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from loom.core.families.model import kind_of
from loom.core.families.orchestrator import OrchestratorConfig
from loom.core.families.pipeline import PipelineConfig
from loom.core.families.router import RouterRules
from loom.core.families.stages import find_problems
from loom.core.families.wording import complaints
from loom.core.families.worker import WorkerConfig
from loom.core.schema_refs import ConfigValidationError, resolve_schema_refs
from loom.kernel.diagnostics import Diagnostic
from loom.kernel.document import read_document

__all__ = [
    "ConfigValidationError",
    "OrchestratorConfig",
    "PipelineConfig",
    "RouterRules",
    "WorkerConfig",
    "load_config",
    "resolve_schema_refs",
    "validate_orchestrator_config",
    "validate_pipeline_config",
    "validate_router_rules",
    "validate_worker_config",
]

MAX_SHOWN = 20


def load_config(
    path: str | Path, *, resolve_refs: bool = True, trusted_roots: Sequence[Path] = ()
) -> dict[str, Any]:
    """Read a YAML file that holds one mapping, and resolve its `*_schema_ref` keys unless told not to.

    A file that is not there is a FileNotFoundError; one that cannot be used, a ConfigValidationError.
    Models of `*_schema_ref` are imported from installed packages and below `trusted_roots` only.
    """
    file = Path(path)
    if not file.exists():
        raise FileNotFoundError(f"no such configuration: {path}")
    document, found, _ = read_document(file)
    if found or document is None:
        raise ConfigValidationError(
            f"{path} cannot be read",
            "\n       ".join(_lines(found)),
            found[0].fix if found else f"see {path}",
        )
    data = document.data
    if not isinstance(data, dict):
        why = f"expected YAML mapping, got {kind_of(data)}"
        raise ConfigValidationError(f"{path} is not a configuration", why, "start with `name: ...`")
    return resolve_schema_refs(data, trusted_roots=trusted_roots) if resolve_refs else data


def validate_worker_config(config: Any, path: str | Path = "<unknown>") -> list[str]:
    """What is wrong with a worker's configuration; empty when nothing is."""
    return complaints(WorkerConfig, config, f"worker config at {path}")


def validate_pipeline_config(config: Any, path: str | Path = "<unknown>") -> list[str]:
    """What is wrong with a pipeline's configuration, in its stages and between them."""
    where = f"pipeline config at {path}"
    found = complaints(PipelineConfig, config, where)
    stages = config.get("pipeline_stages") if isinstance(config, dict) else None
    if isinstance(stages, list):
        for problem in find_problems(stages):
            stage = "" if problem.index is None else f"pipeline_stages[{problem.index}]: "
            found.append(f"{where}: {stage}{problem.said}")
    return found


def validate_orchestrator_config(config: Any, path: str | Path = "<unknown>") -> list[str]:
    """What is wrong with the configuration of a model-driven orchestrator."""
    return complaints(OrchestratorConfig, config, f"orchestrator config at {path}")


def validate_router_rules(config: Any, path: str | Path = "<unknown>") -> list[str]:
    """What is wrong with router rules."""
    return complaints(RouterRules, config, f"router rules at {path}")


def _lines(found: Sequence[Diagnostic]) -> Iterator[str]:
    for diagnostic in found[:MAX_SHOWN]:
        place = f"line {diagnostic.span.line}, column {diagnostic.span.column}"
        yield f"{place}: {diagnostic.message}: {diagnostic.detail}"
    if len(found) > MAX_SHOWN:
        yield f"and {len(found) - MAX_SHOWN} more"
