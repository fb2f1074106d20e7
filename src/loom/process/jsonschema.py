"""The JSON Schema of a process.yaml: an editor that follows it never marks what the loader accepts.

The reverse holds as far as a schema can say it. The loader alone sees that a path climbs out of the
workspace half-way, that `1.0` is no whole number, and everything that takes two keys to notice.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from loom.process.keys import doc_of, docs_of, is_model, members
from loom.process.spec.phases import DeliverableField
from loom.process.spec.process import MEDIUM_SPELLINGS, ProcessSpec
from loom.process.spec.prompt_contracts import PromptContracts
from loom.process.spec.types import Argv, Comparable, PhaseNames, Text
from loom.process.spec.validity_contract import ValidityContractField
from loom.process.spec.verification import Remediation, RemediationStrategy

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
IDENTIFIER = "urn:loom:schema:process:2"
TITLE = "Loom process"

_ORDER = (
    *("$schema", "$id", "$ref", "title", "description", "deprecated", "type", "const", "enum", "pattern"),
    *("minimum", "exclusiveMinimum", "maximum", "minItems", "items", "minProperties", "maxProperties"),
    *("required", "properties", "patternProperties", "propertyNames", "additionalProperties"),
    *("anyOf", "oneOf", "not", "default", "$defs"),
)
_NOT_BLANK = {"pattern": r"\S"}
# where a path plainly leaves the workspace; the loader normalises it and sees the rest
_OUTSIDE = r"^\s*([/\\~]|\.\.|\S:[/\\])"
_NAMELESS = r"^\s*( [—–-] |: )"


def process_schema() -> Schema:
    """The schema of a whole declaration, in an order that is the same on every machine."""
    return copy.deepcopy(_process_schema())


@cache
def _process_schema() -> Schema:
    generated = ProcessSpec.model_json_schema(by_alias=True, mode="validation", schema_generator=_Accepted)
    definitions = generated.pop("$defs")
    models = {model.__name__: model for model in models_of(ProcessSpec)}
    named = {name: _described(definitions[name], model) for name, model in models.items()}
    named["Deliverable"]["properties"]["name"] |= _DELIVERABLE_NAME
    root = _described(generated, ProcessSpec)
    root["properties"]["schema_version"] = {
        "description": docs_of(ProcessSpec)["schema_version"],
        "anyOf": [{"const": 2}, {"const": 1, "deprecated": True}],
    }
    head = {"$schema": DIALECT, "$id": IDENTIFIER, "title": TITLE}
    ordered: Schema = _ordered({**root, **head, "$defs": dict(sorted(named.items()))})
    return ordered


def models_of(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Every model below a model, each once, in the order in which the keys are declared."""
    seen: set[type[BaseModel]] = {model}
    pending = [model]
    while pending:
        current = pending.pop(0)
        for info in current.model_fields.values():
            for found in _models_in(info.annotation):
                if found not in seen:
                    seen.add(found)
                    pending.append(found)
                    yield found


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    for member in members(annotation):
        if is_model(member):
            yield member
        else:
            for argument in get_args(member):
                yield from _models_in(argument)


def _reader(metadata: Iterable[Any]) -> Callable[..., Any]:
    """The function by which a key reads what is written there."""
    return next(m.func for m in metadata if isinstance(m, BeforeValidator | AfterValidator))


def _field_reader(model: type[BaseModel], name: str) -> Callable[..., Any]:
    return _reader(model.model_fields[name].metadata)


_DELIVERABLE_TEXT = {"type": "string", **_NOT_BLANK, "not": {"pattern": f"{_OUTSIDE}|{_NAMELESS}"}}
_DELIVERABLE_NAME = {**_NOT_BLANK, "not": {"pattern": _OUTSIDE}}
_DELIVERABLE_ENTRY = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "propertyNames": {**_DELIVERABLE_NAME, "not": {"anyOf": [{"const": "name"}, {"pattern": _OUTSIDE}]}},
    "additionalProperties": {"type": "string"},
}
_STRATEGY_TEXTS = {
    key: {"description": doc, "type": "string"} for key, doc in docs_of(RemediationStrategy).items()
}
_STRATEGIES = {
    "type": "object",
    "additionalProperties": {"type": "object", "properties": _STRATEGY_TEXTS},
}

# short forms, by the function that reads them
_SHORT: dict[Callable[..., Any], tuple[Schema, ...]] = {
    _reader(get_args(PhaseNames)): ({"type": "string", **_NOT_BLANK},),
    _reader(get_args(Argv)): ({"type": "string", **_NOT_BLANK},),
    _reader(get_args(ValidityContractField)): ({"type": "boolean"},),
    _reader(get_args(DeliverableField)): (_DELIVERABLE_TEXT, _DELIVERABLE_ENTRY),
    _field_reader(Remediation, "strategies"): (_STRATEGIES,),
    _field_reader(Remediation, "retry_budget"): ({"type": "integer", "minimum": 0},),
    _field_reader(PromptContracts, "remediation_instructions"): ({"type": "string"},),
    _field_reader(ProcessSpec, "risk_level"): ({"type": "string", "enum": list(MEDIUM_SPELLINGS)},),
}


class _Accepted(GenerateJsonSchema):
    """Says what the readers in front of the models accept; pydantic alone would describe the models."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> Schema:
        """A key may be left out; an empty one is a slip."""
        return self.generate_inner(schema["schema"])

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> Schema:
        """The full form or one of the short ones."""
        short = _SHORT.get(schema["function"]["function"])
        if short is None:
            return super().function_before_schema(schema)
        return {"anyOf": [self.generate_inner(schema["schema"]), *copy.deepcopy(short)]}

    def function_after_schema(self, schema: core_schema.AfterValidatorFunctionSchema) -> Schema:
        """What a check of the value itself leaves over."""
        check = schema["function"]["function"]
        if check is _reader(get_args(Comparable)):
            return {"type": ["string", "number", "boolean", "array"]}
        found = super().function_after_schema(schema)
        return {**found, **_NOT_BLANK} if check is _reader(get_args(Text)) else found

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> Schema:
        """The members alone: each one names its kind."""
        found = super().tagged_union_schema(schema)
        found.pop("discriminator", None)
        return found


def _described(schema: Schema, model: type[BaseModel]) -> Schema:
    """The schema of one model with the words of its author, and room for keys that start with `x-`."""
    docs = docs_of(model)
    found: Schema = _plain(schema)
    found["description"] = doc_of(model)
    for key, value in found.get("properties", {}).items():
        value["description"] = docs[key]
        # the model of a mapping has the defaults; nothing is said by repeating them here
        if value.get("default") is None or isinstance(value["default"], dict):
            value.pop("default", None)
    if found.get("additionalProperties") is False:
        found["patternProperties"] = {"^x-": {}}
    return found


def _plain(node: Any) -> Any:
    """A copy without generated titles, and with free values spelt out."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("$ref") == "#/$defs/JsonValue":
        return {key: value for key, value in node.items() if key != "$ref"}
    kept = {key: value for key, value in node.items() if not (key == "title" and isinstance(value, str))}
    plain = {key: _plain(value) for key, value in kept.items()}
    if plain.get("type") == "object" and plain.get("additionalProperties") == {}:
        del plain["additionalProperties"]
    return plain


def _ordered(node: Any, *, names: bool = False) -> Any:
    """The keywords of each schema in one order; names of properties stay as they are declared."""
    if isinstance(node, list):
        return [_ordered(item) for item in node]
    if not isinstance(node, dict):
        return node
    keys = list(node) if names else sorted(node, key=lambda key: (_ORDER.index(key), key))
    maps = ("properties", "patternProperties", "$defs")
    return {key: _ordered(node[key], names=not names and key in maps) for key in keys}
