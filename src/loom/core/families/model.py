"""What the families share: closed models and words that say themselves what they want."""

from __future__ import annotations

import re
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

from loom.core.contracts import check_schema
from loom.core.messages import ModelTier
from loom.core.names import RULE, is_token
from loom.core.plain import shown, why_not_json

QUOTE = "'"
TIERS = sorted(ModelTier)
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+")

_Item = TypeVar("_Item")


class ConfigModel(BaseModel):
    """A mapping with a fixed set of keys; any other key is a mistake."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


def refuse(said: str) -> NoReturn:
    """Reject a value; the words follow the name of its key."""
    raise PydanticCustomError("said", "{said}", {"said": said})


def refuse_whole(said: str) -> NoReturn:
    """Reject a value with a sentence that names the key itself."""
    raise PydanticCustomError("said_whole", "{said}", {"said": said})


def kind_of(value: Any) -> str:
    """What a value is, as messages call it."""
    return type(value).__name__


def _text(value: Any) -> Any:
    if not isinstance(value, str):
        refuse("must be a string")
    if not value.strip():
        refuse("must not be empty")
    if why_not_json(value):
        refuse("must be text that UTF-8 can carry")
    return value


def _name(value: Any) -> Any:
    if not is_token(_text(value)):
        refuse(f"must consist of {RULE}, got {shown(value)}")
    return value


def _dotted(value: Any) -> Any:
    if not _DOTTED.fullmatch(_text(value)):
        refuse(f"must be a dotted path, such as package.module.Name, got {shown(value)}")
    return value


def _positive_integer(value: Any) -> Any:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 2**63:
        refuse("must be a positive integer")
    return value


def _natural(value: Any) -> Any:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        refuse("must be a non-negative integer")
    return value


def _positive_number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        refuse(f"must be a number, got {kind_of(value)}")
    if value <= 0:
        refuse(f"must be positive, got {shown(value).strip(QUOTE)}")
    # an integer may be too large for a float, and both for everything that waits or counts
    if not value < 2**63:
        refuse(f"must be finite and less than 2**63, got {shown(value)}")
    return float(value)


def _rate(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 2**63:
        refuse("must be a positive number")
    return float(value)


def _tier(value: Any) -> ModelTier:
    if not isinstance(value, str) or value not in TIERS:
        refuse(f"must be one of {[str(tier) for tier in TIERS]}, got {shown(value)}")
    return ModelTier(value)


def _items(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        refuse("must be a list")
    return tuple(value)


def mapping(value: Any) -> Any:
    """A mapping, whatever is in it."""
    if not isinstance(value, dict):
        refuse("must be a dict")
    return value


def _plain(value: Any) -> Any:
    wrong = why_not_json(value)
    if wrong:
        refuse(f"must be plain data: {wrong}")
    return value


def _data(value: Any) -> Any:
    return _plain(mapping(value))


def distinct(value: Any) -> Any:
    """Items that each have a name of their own."""
    names = [item.name for item in value or ()]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            refuse(f"must have names of their own, got {shown(name)} twice")
    return value


def _schema(value: Any) -> Any:
    complaints = check_schema(mapping(value))
    if complaints:
        refuse(f"is not a valid JSON Schema: {'; '.join(complaints)}")
    return value


Text = Annotated[str, BeforeValidator(_text)]
Name = Annotated[str, BeforeValidator(_name)]
Dotted = Annotated[str, BeforeValidator(_dotted)]
PositiveInteger = Annotated[int, BeforeValidator(_positive_integer)]
Natural = Annotated[int, BeforeValidator(_natural)]
Rate = Annotated[float, BeforeValidator(_rate)]
Tier = Annotated[ModelTier, BeforeValidator(_tier)]
Items = Annotated[tuple[_Item, ...], BeforeValidator(_items)]
Plain = Annotated[Any, BeforeValidator(_plain)]
Data = Annotated[dict[str, Any], BeforeValidator(_data)]
# what is absent is None; what is written as nothing is a slip
PositiveNumber = Annotated[float | None, BeforeValidator(_positive_number)]
Schema = Annotated[dict[str, Any] | None, BeforeValidator(_schema)]
