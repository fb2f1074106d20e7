"""What each key means, in the words that stand below it in the models."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from loom.kernel.diagnostics import KeyPath
from loom.process.spec.process import ProcessSpec


def doc_of(model: type[BaseModel]) -> str:
    """What a model is for: its docstring as one paragraph."""
    return _paragraph(model.__doc__ or "")


@cache
def docs_of(model: type[BaseModel]) -> dict[str, str]:
    """What each key of a model means, by the key as it is written; empty where nothing is said."""
    docs: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        docs |= _attribute_docs(owner)
    return {info.alias or name: docs.get(name, "") for name, info in model.model_fields.items()}


def help_of(path: KeyPath) -> str:
    """What the key at a path means; empty for a key that nobody declared.

    An item of a list may be named by its index or by its id. Of several kinds of gates the first one that
    has the key answers. Below a mapping of the author's own, the mapping itself answers.
    """
    places: tuple[Any, ...] = (ProcessSpec,)
    doc = doc_of(ProcessSpec)
    for part in path:
        step = next((found for place in places if (found := _below(place, part, doc))), None)
        if step is None:
            return ""
        annotation, doc = step
        places = tuple(members(annotation))
    return doc


def members(annotation: Any) -> Iterator[Any]:
    """The kinds of values an annotation allows, without validators and without null."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from members(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from members(member)
    elif annotation is not NoneType:
        yield annotation


def is_model(annotation: Any) -> bool:
    """Whether an annotation is a mapping with declared keys."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _below(place: Any, part: str | int, doc: str) -> tuple[Any, str] | None:
    """What a key or an item below a place may hold, and what it means."""
    if is_model(place):
        for name, info in place.model_fields.items():
            if (info.alias or name) == part:
                return info.annotation, docs_of(place)[str(part)]
        return None
    arguments = get_args(place)
    if get_origin(place) is tuple:
        return arguments[0], _item_doc(arguments[0], doc)
    if get_origin(place) is dict:
        return arguments[1], _item_doc(arguments[1], doc)
    # anything goes below a free value; plain text and numbers have nothing below them
    return None if isinstance(place, type) else (place, doc)


def _item_doc(annotation: Any, doc: str) -> str:
    """One entry is described by its model, if it has exactly one; otherwise by the list it stands in."""
    models = [member for member in members(annotation) if is_model(member)]
    return doc_of(models[0]) if len(models) == 1 else doc


def _attribute_docs(owner: type) -> dict[str, str]:
    """The texts that follow the attributes in a class body; none where there is no source to read."""
    try:
        file = inspect.getsourcefile(owner)
    except TypeError:
        return {}
    body = _classes_in(file).get(owner.__qualname__, ()) if file else ()
    docs = {}
    for attribute, text in pairwise(body):
        match attribute, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str() as doc)),
            ):
                docs[name] = _paragraph(doc)
    return docs


@cache
def _classes_in(file: str) -> dict[str, list[ast.stmt]]:
    try:
        tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    except OSError:
        return {}
    return {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}


def _paragraph(text: str) -> str:
    return " ".join(text.split())
