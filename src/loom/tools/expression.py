"""Computes an arithmetic expression: exact decimals, known functions, bounded work, nothing executed."""

from __future__ import annotations

import ast
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow
from typing import Any

MAX_LENGTH = 2_000
MAX_NODES = 500
MAX_DEPTH = 60
MAX_ITEMS = 10_000
MAX_EXPONENT = 9_999
MAX_FACTORIAL = 1_000
DIGITS = 50

Value = Decimal | bool
_CONTEXT = Context(
    prec=DIGITS,
    Emax=MAX_EXPONENT,
    Emin=-MAX_EXPONENT,
    traps=[DivisionByZero, InvalidOperation, Overflow],
    flags=[],
)


class ExpressionError(ValueError):
    """Why an expression has no value."""


def evaluate(expression: str, variables: Mapping[str, int | float | Sequence[int | float]]) -> Value:
    """The value of an expression over named numbers and lists of numbers; ExpressionError without one."""
    if len(expression) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH:,} characters")
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except SyntaxError as error:
        where = f" at character {error.offset}" if error.offset else ""
        raise ExpressionError(f"it cannot be read{where}") from None
    except (ValueError, RecursionError, MemoryError):
        raise ExpressionError("it is nested too deeply") from None
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        raise ExpressionError("it has too many parts")
    try:
        value = _Evaluator(expression.strip(), variables).value(tree.body, 0)
    except DivisionByZero:
        raise ExpressionError("division by zero") from None
    except Overflow:
        raise ExpressionError(f"a number grows beyond 1e{MAX_EXPONENT}") from None
    except (DecimalException, ArithmeticError, statistics.StatisticsError) as error:
        raise ExpressionError(_said(error)) from None
    if isinstance(value, bool):
        return value
    if not isinstance(value, Decimal):
        raise ExpressionError("the result is a list; take sum, mean or another function of it")
    if not value.is_finite():
        raise ExpressionError("division by zero")
    return value


def _said(error: Exception) -> str:
    if isinstance(error, statistics.StatisticsError):
        return str(error)
    return "an operation has no value for these numbers"


class _Evaluator:
    """Walks the tree of an expression. Only what is named here means anything."""

    def __init__(self, text: str, variables: Mapping[str, Any]) -> None:
        self._text = text
        self._names: dict[str, Any] = {"pi": _number(math.pi), "e": _number(math.e)}
        for name, value in variables.items():
            self._names[name] = (
                [_number(each) for each in value] if isinstance(value, list) else _number(value)
            )

    def value(self, node: ast.expr, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise ExpressionError("it is nested too deeply")
        match node:
            case ast.Constant(value=bool()):
                return node.value
            case ast.Constant(value=int() | float()):
                return self._literal(node)
            case ast.Name(id=name):
                if name not in self._names:
                    raise ExpressionError(f"{name} is not given")
                return self._names[name]
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self._plain(item, depth) for item in items]
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self.value(operand, depth + 1)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
                number = self._plain(operand, depth)
                return _CONTEXT.minus(number) if isinstance(sign, ast.USub) else number
            case ast.BinOp(op=operator, left=left, right=right):
                return self._binary(operator, self._plain(left, depth), self._plain(right, depth))
            case ast.BoolOp(op=word, values=values):
                each = (bool(self.value(value, depth + 1)) for value in values)
                return all(each) if isinstance(word, ast.And) else any(each)
            case ast.Compare(left=left, ops=operators, comparators=others):
                return self._compare([left, *others], operators, depth)
            case ast.IfExp(test=test, body=body, orelse=other):
                return self.value(body if self.value(test, depth + 1) else other, depth + 1)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._call(name, [self.value(arg, depth + 1) for arg in args])
        raise ExpressionError(f"{type(node).__name__} is not arithmetic")

    def _literal(self, node: ast.Constant) -> Decimal:
        # the text itself is exact where its float is not
        source = ast.get_source_segment(self._text, node) or str(node.value)
        try:
            return _CONTEXT.create_decimal(source.replace("_", ""))
        except DecimalException:
            return _number(node.value)

    def _plain(self, node: ast.expr, depth: int) -> Decimal:
        value = self.value(node, depth + 1)
        if isinstance(value, bool):
            return Decimal(int(value))
        if not isinstance(value, Decimal):
            raise ExpressionError("a list stands where a number is needed")
        return value

    def _binary(self, operator: ast.operator, left: Decimal, right: Decimal) -> Decimal:
        match operator:
            case ast.Add():
                return _CONTEXT.add(left, right)
            case ast.Sub():
                return _CONTEXT.subtract(left, right)
            case ast.Mult():
                return _CONTEXT.multiply(left, right)
            case ast.Div():
                return _CONTEXT.divide(left, right)
            case ast.FloorDiv():
                return _floor(_CONTEXT.divide(left, right))
            case ast.Mod():
                # with the sign of the divisor, as in Python
                rest = _CONTEXT.remainder(left, right)
                return _CONTEXT.add(rest, right) if rest and (rest < 0) != (right < 0) else rest
            case ast.Pow():
                return _CONTEXT.power(left, right)
        raise ExpressionError(f"{type(operator).__name__} is not arithmetic")

    def _compare(self, nodes: Sequence[ast.expr], operators: Sequence[ast.cmpop], depth: int) -> bool:
        values = [self._plain(node, depth) for node in nodes]
        return all(
            _holds(operator, left, right)
            for operator, left, right in zip(operators, values, values[1:], strict=False)
        )

    def _call(self, name: str, args: list[Any]) -> Any:
        function = FUNCTIONS.get(name)
        if function is None:
            raise ExpressionError(f"{name} is not a function here; there are {', '.join(sorted(FUNCTIONS))}")
        flat = [_number(each) for arg in args for each in (arg if isinstance(arg, list) else [arg])]
        if len(flat) > MAX_ITEMS:
            raise ExpressionError(f"more than {MAX_ITEMS:,} numbers")
        try:
            return function(*flat)
        except (TypeError, ValueError, IndexError, OverflowError) as error:
            if isinstance(error, ExpressionError):
                raise
            raise ExpressionError(f"{name} has no value for these arguments") from None


def _holds(operator: ast.cmpop, left: Decimal, right: Decimal) -> bool:
    match operator:
        case ast.Eq():
            return left == right
        case ast.NotEq():
            return left != right
        case ast.Lt():
            return left < right
        case ast.LtE():
            return left <= right
        case ast.Gt():
            return left > right
        case ast.GtE():
            return left >= right
    raise ExpressionError(f"{type(operator).__name__} is not a comparison of numbers")


def _number(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ExpressionError("a number is not finite")
        return _CONTEXT.create_decimal(repr(value))
    try:
        return _CONTEXT.create_decimal(int(value))
    except (ValueError, DecimalException):
        raise ExpressionError("a number is too large") from None


def _floor(value: Decimal) -> Decimal:
    return value.to_integral_value(rounding="ROUND_FLOOR", context=_CONTEXT)


def _through(function: Callable[..., float]) -> Callable[..., Decimal]:
    """A function that is computed in floating point, to about 15 digits."""
    return lambda *args: _number(float(function(*(float(arg) for arg in args))))


def _sum(*values: Decimal) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = _CONTEXT.add(total, value)
    return total


def _mean(*values: Decimal) -> Decimal:
    return _CONTEXT.divide(_sum(*values), Decimal(len(values)))


def _spread(*values: Decimal) -> Decimal:
    """The standard deviation of a sample."""
    middle = _mean(*values)
    squares = [_CONTEXT.power(_CONTEXT.subtract(value, middle), 2) for value in values]
    return _CONTEXT.sqrt(_CONTEXT.divide(_sum(*squares), Decimal(len(values) - 1)))


def _round(value: Decimal, places: Decimal = Decimal(0)) -> Decimal:
    """Half away from zero, as people round."""
    digits = int(places)
    if abs(digits) > DIGITS:
        raise ExpressionError("round takes at most 50 places")
    return value.quantize(Decimal(1).scaleb(-digits), rounding="ROUND_HALF_UP", context=_CONTEXT)


def _log(value: Decimal, base: Decimal | None = None) -> Decimal:
    natural = _CONTEXT.ln(value)
    return natural if base is None else _CONTEXT.divide(natural, _CONTEXT.ln(base))


def _factorial(value: Decimal) -> Decimal:
    if value != _floor(value) or not 0 <= value <= MAX_FACTORIAL:
        raise ExpressionError(f"factorial takes a whole number from 0 to {MAX_FACTORIAL}")
    return _number(math.factorial(int(value)))


FUNCTIONS: dict[str, Callable[..., Decimal]] = {
    "abs": lambda value: _CONTEXT.abs(value),
    "ceil": lambda value: value.to_integral_value(rounding="ROUND_CEILING", context=_CONTEXT),
    "count": lambda *values: Decimal(len(values)),
    "exp": lambda value: _CONTEXT.exp(value),
    "factorial": _factorial,
    "floor": _floor,
    "log": _log,
    "log10": lambda value: _CONTEXT.log10(value),
    "log2": lambda value: _log(value, Decimal(2)),
    "max": lambda *values: max(values),
    "mean": _mean,
    "median": lambda *values: statistics.median(values),
    "min": lambda *values: min(values),
    "round": _round,
    "sqrt": lambda value: _CONTEXT.sqrt(value),
    "stdev": _spread,
    "sum": _sum,
    "sin": _through(math.sin),
    "cos": _through(math.cos),
    "tan": _through(math.tan),
    "asin": _through(math.asin),
    "acos": _through(math.acos),
    "atan": _through(math.atan),
}


def shown(value: Value, digits: int = 28) -> str:
    """A value as people write it: no needless zeros, no exponent unless it is very large or small."""
    if isinstance(value, bool):
        return "true" if value else "false"
    rounded = Context(prec=digits, Emax=MAX_EXPONENT, Emin=-MAX_EXPONENT).plus(value)
    if rounded == 0:
        return "0"
    plain = rounded.normalize(_CONTEXT)
    return f"{plain:f}" if -12 <= plain.adjusted() <= 27 else str(plain)
