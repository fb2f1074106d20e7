"""Pipelines: stages, what flows between them, and when each of them runs."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, model_validator
from pydantic_core import PydanticCustomError

from loom.core.families.model import (
    ConfigModel,
    Dotted,
    Items,
    Name,
    PositiveInteger,
    PositiveNumber,
    Schema,
    Text,
    Tier,
    mapping,
    refuse,
    refuse_whole,
)
from loom.core.families.references import Condition, Path, Quoted, parse_condition, parse_source
from loom.core.families.stages import find_problems, in_waves, needs

BETWEEN_STAGES = "between_stages"


def _source(value: Any) -> Any:
    if not isinstance(value, str):
        refuse("must be a string path")
    if not value:
        refuse("must not be empty")
    try:
        parse_source(value)
    except ValueError as error:
        refuse(str(error))
    return value


def _condition(value: Any) -> Any:
    if not isinstance(value, str):
        refuse("must be a string")
    try:
        parse_condition(value)
    except ValueError as error:
        said = str(error)
        if said.startswith("operator"):
            refuse_whole(f"condition {said}")
        refuse(said)
    return value


def _stage_name(value: Any) -> Any:
    if not isinstance(value, str):
        refuse_whole("depends_on entries must be strings")
    return value


def _not_empty(value: tuple[Stage, ...]) -> tuple[Stage, ...]:
    if not value:
        refuse("must not be empty")
    return value


class Stage(ConfigModel):
    """One stage: a worker, what it is given, and what has to come before."""

    name: Name
    worker_type: Name
    description: Text | None = None
    tier: Tier | None = None
    input_mapping: (
        Annotated[dict[str, Annotated[str, BeforeValidator(_source)]], BeforeValidator(mapping)] | None
    ) = None
    depends_on: Items[Annotated[str, BeforeValidator(_stage_name)]] | None = None
    condition: Annotated[str, BeforeValidator(_condition)] | None = None
    timeout_seconds: PositiveNumber = None
    input_schema: Schema = None
    input_schema_ref: Dotted | None = None
    output_schema: Schema = None
    output_schema_ref: Dotted | None = None

    def sources(self) -> dict[str, Quoted | Path]:
        """Where each field of the worker's input comes from."""
        return {target: parse_source(source) for target, source in (self.input_mapping or {}).items()}

    def when(self) -> Condition | None:
        """The condition under which the stage runs; None when it always does."""
        return None if self.condition is None else parse_condition(self.condition)


class PipelineConfig(ConfigModel):
    """Stages whose order follows from what they need of each other."""

    name: Name
    description: Text | None = None
    pipeline_stages: Annotated[Items[Stage], AfterValidator(_not_empty)]
    timeout_seconds: PositiveNumber = None
    max_concurrent_goals: PositiveInteger | None = None

    @model_validator(mode="after")
    def _stages_fit_together(self) -> Self:
        problems = [
            problem.said for problem in find_problems([vars(stage) for stage in self.pipeline_stages])
        ]
        if problems:
            raise PydanticCustomError(BETWEEN_STAGES, "{said}", {"said": "; ".join(problems)})
        return self

    def dependencies(self) -> dict[str, frozenset[str]]:
        """What each stage waits for: what it names itself, together with what it reads from."""
        return {stage.name: needs(vars(stage)) for stage in self.pipeline_stages}

    def waves(self) -> tuple[tuple[str, ...], ...]:
        """Stages in the order they can run; those of one wave do not need each other."""
        return in_waves(self.dependencies())
