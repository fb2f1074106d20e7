"""Compute an arithmetic expression exactly."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from loom.tools.context import ToolContext
from loom.tools.expression import FUNCTIONS, MAX_LENGTH, ExpressionError, evaluate, shown
from loom.tools.results import ToolResult
from loom.tools.schema import takes, text
from loom.tools.tool import Effect, Tool

_VALUE = {
    "anyOf": [
        {"type": "number"},
        {"type": "array", "items": {"type": "number"}, "maxItems": 10_000},
    ]
}


class Calculator(Tool):
    """Computes with exact decimals; nothing but arithmetic is understood."""

    name = "calculator"
    description = (
        "Compute an arithmetic expression with exact decimals: + - * / // % **, comparisons, `a if b else c`, "
        f"lists in [], pi, e, and {', '.join(sorted(FUNCTIONS))}. Trigonometric functions take radians. Give "
        "named numbers or lists in `variables`."
    )
    parameters = takes(
        {
            "expression": text("Such as `round(100 * (b - a) / a, 1)`.", minLength=1, maxLength=MAX_LENGTH),
            "variables": {
                "type": "object",
                "description": "Numbers, or lists of numbers, by name.",
                "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]{0,63}$"},
                "additionalProperties": _VALUE,
                "maxProperties": 200,
            },
        },
        required=("expression",),
    )
    effects: frozenset[Effect] = frozenset()

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The value as a number, and exactly as text."""
        try:
            value = evaluate(args["expression"], args.get("variables", {}))
        except ExpressionError as error:
            return ToolResult.fail(f"{args['expression'][:80]}: {error}")
        exact = shown(value)
        return ToolResult.ok(exact, data={"value": _plain(value), "text": exact})


def _plain(value: Decimal | bool) -> int | float | bool | None:
    """The value as a JSON number: whole where it is whole and small, otherwise the nearest float."""
    if isinstance(value, bool):
        return value
    if value == value.to_integral_value() and abs(value) < 2**53:
        return int(value)
    nearest = float(value)
    # JSON has no number beyond the range of a float; `text` still has it
    return nearest if abs(nearest) != float("inf") else None
