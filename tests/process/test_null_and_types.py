"""Every key of the contract with nothing, with the wrong kind of value, left out, or next to a stranger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from loom.kernel.diagnostics import Diagnostic, KeyPath, dotted
from loom.kernel.document import Document, walk
from loom.process.shape import model_at
from loom.process.spec.model import OpenModel, SpecModel
from tests.process.checking import (
    assert_renders,
    assert_spans_inside,
    check,
    child_of,
    document_of,
    errors_in,
    maximal,
    offsets_of,
    parts,
)

KEYS = sorted(parts())
LONG = "x" * 10_240
# each value as it is written, and as it is read
WRONG: tuple[tuple[str, Any], ...] = (
    ("null", None),
    ("42", 42),
    ("true", True),
    ('"text"', "text"),
    ("[]", []),
    ("{}", {}),
    ("[null]", [None]),
    (f'"{LONG}"', LONG),
)
# below these paths the author decides what the values are
FREE = (
    ("phases", 0, "run", "args"),
    ("phases", 1, "run", "args"),
    ("tests", 0, "inputs"),
    ("tests", 0, "script", "compare", 0, "verifier"),
    ("tests", 0, "script", "compare", 0, "calls", 0, "args"),
    ("verb", "inputs", "kind", "default"),
    ("verb", "summary", "schema"),
    ("evidence", "extraction"),
    ("verification", "remediation", "strategies", 0, "depth"),
    ("verification", "remediation", "retry_budget", "jitter"),
)
# a deliverable written as `name: text`, which is no mapping of keys
SHORT: KeyPath = ("phases", 2, "deliverables", 2)
# rules that may add what follows from the mistake
ECHOES = ("LM704", "LM722", "LM724", "LM726")


def is_free(path: KeyPath) -> bool:
    """Whether nothing is a value like any other here."""
    if str(path[-1]).startswith("x-"):
        return True
    inside = any(path[: len(free)] == free and len(path) > len(free) for free in FREE)
    return inside or path in (FREE[5], FREE[8], FREE[9])


def cut(document: Document, path: KeyPath) -> tuple[str, str]:
    """The text before and after the value at a path; the line break behind it stays."""
    text = document.source.text
    start, end = offsets_of(text, document.value_at(path))
    end = start + len(text[start:end].rstrip())
    return text[:start], text[end:]


def own_paths(document: Document, key: str) -> list[KeyPath]:
    """The paths of a part below its own root key."""
    return [path for path, _ in walk(document.data) if path[:1] == (key,)]


def judged(text: str) -> list[Diagnostic]:
    """The errors in a text whose report holds what every report must."""
    checked = check(text, warnings=False)
    assert_spans_inside(checked.report)
    errors = [found for found in checked.report.diagnostics if found.severity == "error"]
    assert errors or checked.package is not None
    return errors


def test_against_the_declaration_with_every_key_there_is_nothing_to_be_said() -> None:
    checked = check(maximal())
    assert checked.package is not None
    # keys that are kept for readers are named as such
    assert {found.code for found in checked.report.diagnostics} == {"LM990"}


def test_the_declaration_with_every_key_has_every_key() -> None:
    package = check(maximal()).package
    assert package is not None
    written: dict[type[BaseModel], set[str]] = {}
    pending: list[Any] = [package.spec]
    while pending:
        value = pending.pop()
        if isinstance(value, SpecModel):
            written.setdefault(type(value), set()).update(value.model_fields_set)
            pending += [getattr(value, name) for name in type(value).model_fields]
        elif isinstance(value, tuple | list):
            pending += value
        elif isinstance(value, dict):
            pending += value.values()
    own = [model for model in all_models(SpecModel) if model.__module__.startswith("loom.process.spec.")]
    models = [model for model in own if model.model_fields]
    assert {model: set(model.model_fields) - written.get(model, set()) for model in models} == {
        model: set() for model in models
    }


def all_models(model: type[SpecModel]) -> Iterator[type[SpecModel]]:
    for each in model.__subclasses__():
        yield each
        yield from all_models(each)


@pytest.mark.parametrize("key", KEYS)
def test_each_part_is_sound_by_itself(key: str) -> None:
    assert not errors_in(parts()[key])


@pytest.mark.parametrize("key", KEYS)
def test_nothing_where_a_value_belongs_is_refused_there_and_nowhere_else(key: str) -> None:
    document = document_of(parts()[key])
    for path in own_paths(document, key):
        before, after = cut(document, path)
        errors = [found for found in judged(f"{before}null{after}") if found.code not in ECHOES]
        if is_free(path):
            assert not errors, path
        elif path[:4] == SHORT and len(path) > 4:
            assert [(found.code, found.path) for found in errors] == [("LM204", dotted(SHORT))]
        else:
            # a value to compare with may be anything but nothing, and says so in its own words
            code = "LM203" if path[-1] == "value" else "LM204"
            assert [(found.code, found.path) for found in errors] == [(code, dotted(path))], path


@pytest.mark.parametrize("key", KEYS)
def test_a_value_of_the_wrong_kind_ends_in_findings_and_nothing_worse(key: str) -> None:
    document = document_of(parts()[key])
    for path in own_paths(document, key):
        before, after = cut(document, path)
        was = child_of(document.data, path)
        for written, value in WRONG:
            errors = judged(before + written + after)
            if not errors and not is_free(path):
                # what is accepted without a word is of the kind that stood there, or a shorthand for it
                assert_fits(path, was, value)


def assert_fits(path: KeyPath, was: Any, value: Any) -> None:
    shorthand: dict[str | int, tuple[type, ...]] = {
        "validity_contract": (bool, dict),
        "retry_budget": (int, dict),
        "transient_retry_policy": (int, dict),
        "strategies": (list, dict),
        "remediation_instructions": (str, dict),
        "command": (str, list),
        "applies_to_phases": (str, list),
    }
    if path[-1] in shorthand:
        assert isinstance(value, shorthand[path[-1]]), (path, value)
        return
    if "deliverables" in path or path[-1] == "value":
        return
    number = isinstance(was, int | float) and isinstance(value, int | float)
    assert type(value) is type(was) or (number and isinstance(was, bool) == isinstance(value, bool)), (
        path,
        value,
    )


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_is_left_out_is_missed_where_it_is_required(key: str) -> None:
    document = document_of(parts()[key])
    data = document.data
    for path in own_paths(document, key):
        parent, last = child_of(data, path[:-1]), path[-1]
        # an entry with a description alone is read as a file of that name
        if not isinstance(parent, dict) or len(parent) == 1 or path[-3:] == ("deliverables", 0, "name"):
            continue
        errors = judged(text_without(document, path))
        model = model_at(path[:-1], data)
        fields = {info.alias or name: info for name, info in model.model_fields.items()} if model else {}
        missed = [found.path for found in errors if found.code == "LM202"]
        required = last in fields and fields[str(last)].is_required()
        assert missed == ([dotted(path)] if required else []), path


def text_without(document: Document, path: KeyPath) -> str:
    """The text without one key and its value; a key of a block goes with its lines."""
    text = document.source.text
    key, value = document.key_at(path), document.value_at(path)
    start, _ = offsets_of(text, key)
    end = offsets_of(text, value)[0] + len(text[slice(*offsets_of(text, value))].rstrip())
    before, after = text[:start], text[end:]
    if before.rstrip(" ").endswith(("{", ",")):
        if after.startswith(", "):
            return before + after[2:]
        return before.removesuffix(", ") + after
    if before.rstrip(" ").endswith("-"):
        # the next key moves up to the dash
        return before + after.lstrip()
    return before.rstrip(" ") + after.lstrip(" ").removeprefix("\n")


@pytest.mark.parametrize("key", KEYS)
def test_a_stranger_among_the_keys_is_found_where_it_stands(key: str) -> None:
    text = parts()[key]
    document = document_of(text)
    mappings = [path for path, node in walk(document.data) if isinstance(node, dict)]
    for path in mappings:
        model = model_at(path, document.data)
        if model is None or issubclass(model, OpenModel) or path[:1] not in ((), (key,)) or path == SHORT:
            continue
        span = document.value_at(path)
        start, _ = offsets_of(text, span)
        is_flow = text[start] == "{"
        separator = ", " if is_flow else "\n" + " " * (span.column - 1)
        start += is_flow
        errors = judged(f"{text[:start]}zzz: 1{separator}{text[start:]}")
        assert [(found.code, found.path) for found in errors] == [("LM201", dotted((*path, "zzz")))], path
        assert (errors[0].span.line, errors[0].span.column) == (span.line, span.column + is_flow)


@pytest.mark.parametrize("key", KEYS)
def test_a_part_with_several_wrong_values_can_be_shown_in_every_form(key: str) -> None:
    document = document_of(parts()[key])
    for path in own_paths(document, key)[:3]:
        before, after = cut(document, path)
        assert_renders(check(f"{before}[{{}}]{after}").report)
