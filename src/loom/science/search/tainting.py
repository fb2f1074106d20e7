"""Which values of a script come from rows to learn from, and which from rows to predict, as far as reading tells.

Names are followed through assignments, function by function. A value made by putting both kinds of rows together is
`both`; what is fitted on such a value, or on rows to predict, has seen what it must not. Where a function is called
with rows of either kind, nothing is claimed of them inside it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

Labels = frozenset[str]
Leak = tuple[int, str, bool]
"""The line, the code of the smell, and whether it is sure enough to suspect the script."""

_NOTHING: Labels = frozenset()
_CHOICE = frozenset({"choice"})
_PAIR = frozenset({"train", "test"})
_FITS = frozenset({"fit", "fit_transform", "fit_predict", "partial_fit", "fit_resample"})
_LEARNS = frozenset(
    {"factorize", "get_dummies", "rank", "qcut", "value_counts", "nunique", "mean", "median", "std"}
)
_JOINS = frozenset({"concat", "concatenate", "vstack", "append", "row_stack", "r_", "stack", "union"})
_FACTS = frozenset({"shape", "columns", "index", "dtypes", "size", "ndim", "name"})
_COUNTS = frozenset({"len", "range", "print", "isinstance", "list_columns", "type", "str"})
_READS = re.compile(
    r"(read_(?:csv|parquet|table|feather|pickle)|scan_csv|load|genfromtxt|loadtxt|Path|open)$"
)
_FILE = re.compile(r"(?:^|[/\\_.-])(train|test)(?:ing|_data|_set)?\.(?:csv|parquet|feather|pkl|tsv|txt)")
_ROWS = re.compile(r"mask|idx|index|rows|^is_|train|test|^tr|^va|valid|fold", re.IGNORECASE)
_ASKS = frozenset(
    {"isna", "isnull", "notna", "notnull", "isin", "duplicated", "eq", "ne", "gt", "lt", "between"}
)
_TARGETS = frozenset({"target", "TARGET", "target_col", "target_column", "TARGET_COL", "label_col", "y_col"})
_ROUNDS = 6


def leaks(tree: ast.Module, target: str | None = None) -> Iterator[Leak]:
    """Where something is learned from rows that are to be predicted, or their answer is asked for."""
    read = _Reading(tree)
    for scope, node in read.nodes:
        if isinstance(node, ast.Call):
            yield from _learned(read, scope, node)
        elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Load):
            asked = node.attr == target if isinstance(node, ast.Attribute) else _is_target(node.slice, target)
            if asked and read.of(node.value, scope) == {"test"}:
                yield node.lineno, "target_from_test", True


def _learned(read: _Reading, scope: str, node: ast.Call) -> Iterator[Leak]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in _FITS and isinstance(node.func, ast.Attribute):
        for each in [*node.args, *(word.value for word in node.keywords if word.arg in ("X", "y"))]:
            labels = read.of(each, scope)
            if "both" in labels or labels == {"test"}:
                yield node.lineno, "fit_on_test", True
                return
    elif name in _LEARNS:
        shown = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        if any("both" in read.of(each, scope) for each in [*shown, *node.args]):
            yield node.lineno, "fit_on_test", False


def _is_target(index: ast.expr, target: str | None) -> bool:
    if isinstance(index, ast.Constant):
        return target is not None and index.value == target
    if isinstance(index, ast.Attribute):
        return index.attr == "target" and isinstance(index.value, ast.Name)
    if isinstance(index, ast.Subscript):
        return isinstance(index.slice, ast.Constant) and index.slice.value == "target"
    return isinstance(index, ast.Name) and index.id in _TARGETS


class _Reading:
    """The labels of the names in every function of a script."""

    def __init__(self, tree: ast.Module) -> None:
        self.nodes: list[tuple[str, ast.AST]] = []
        self.functions: dict[str, ast.FunctionDef] = {}
        self._names: dict[tuple[str, str], Labels] = {}
        self._joining: set[str] = set()
        self._walk(tree, "")
        self._assumed()
        bindings = [
            each
            for each in self.nodes
            if isinstance(each[1], ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.For)
        ]
        self._calls = [
            (scope, node)
            for scope, node in self.nodes
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in self.functions
        ]
        returns = [(scope, node) for scope, node in self.nodes if isinstance(node, ast.Return)]
        for _ in range(_ROUNDS):
            before = dict(self._names)
            self._called()
            for scope, node in bindings:
                self._assign(scope, node)
            self._joining |= {scope for scope, node in returns if "both" in self.of(node.value, scope)}
            if self._names == before:
                break

    def of(self, node: ast.expr | None, scope: str) -> Labels:
        """The kinds of rows that an expression is made of."""
        if isinstance(node, ast.Name):
            return self._names.get((scope, node.id), self._names.get(("", node.id), _NOTHING))
        if isinstance(node, ast.Subscript):
            base = self.of(node.value, scope)
            return base if self._picks_columns(node, scope) else base - {"both"}
        if isinstance(node, ast.Attribute):
            return _NOTHING if node.attr in _FACTS else self.of(node.value, scope)
        if isinstance(node, ast.Call):
            return self._of_call(node, scope)
        if isinstance(node, ast.Compare):
            return _CHOICE
        if isinstance(node, ast.Constant | ast.Lambda) or node is None:
            return _NOTHING
        labels = _NOTHING
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                labels |= self.of(child, scope)
            elif isinstance(child, ast.comprehension):
                labels |= self.of(child.iter, scope)
        return labels

    def _of_call(self, node: ast.Call, scope: str) -> Labels:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _COUNTS:
            return _NOTHING
        if name in _ASKS:
            return _CHOICE
        if _READS.search(name):
            texts = [
                one.value for each in node.args for one in ast.walk(each) if isinstance(one, ast.Constant)
            ]
            found = {hit.group(1) for text in texts if isinstance(text, str) and (hit := _FILE.search(text))}
            if found:
                return frozenset(found)
        labels = _NOTHING
        for each in [*node.args, *(word.value for word in node.keywords)]:
            labels |= self.of(each, scope)
        if isinstance(node.func, ast.Attribute):
            # what a fitted model says of rows is made of those rows, not of those it was fitted on
            owner = self.of(node.func.value, scope)
            labels = (
                labels if labels and name in ("transform", "predict", "predict_proba") else labels | owner
            )
        joins = name in _JOINS or (isinstance(node.func, ast.Name) and name in self._joining)
        return labels | {"both"} if joins and labels >= _PAIR else labels

    def _walk(self, node: ast.AST, scope: str) -> None:
        for child in ast.iter_child_nodes(node):
            inner = scope
            if isinstance(child, ast.FunctionDef):
                self.functions[child.name] = child
                inner = child.name
            self.nodes.append((inner, child))
            self._walk(child, inner)

    def _assumed(self) -> None:
        """What the two functions of a solution are given."""
        for name, place, label in (("fit", 0, "train"), ("predict", 1, "test")):
            if name in self.functions and len(self.functions[name].args.args) > place:
                argument = self.functions[name].args.args[place].arg
                self._names[name, argument] = frozenset({label})

    def _called(self) -> None:
        """The labels of parameters: those that all calls agree on."""
        given: dict[tuple[str, str], set[Labels]] = {}
        for scope, node in self._calls:
            assert isinstance(node.func, ast.Name)
            function = self.functions[node.func.id]
            if function.name in ("fit", "predict"):
                continue
            for parameter, value in zip(function.args.args, node.args, strict=False):
                given.setdefault((function.name, parameter.arg), set()).add(self.of(value, scope))
            for word in node.keywords:
                if word.arg is not None:
                    given.setdefault((function.name, word.arg), set()).add(self.of(word.value, scope))
        for place, labels in given.items():
            self._names[place] = next(iter(labels)) if len(labels) == 1 else _NOTHING

    def _assign(self, scope: str, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(scope, target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
            self._bind(scope, node.target, node.value)
        elif isinstance(node, ast.For):
            self._bind(scope, node.target, node.iter)

    def _bind(self, scope: str, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            # a name that is given once one and once another kind of rows is of both, though never put together
            known = self._names.get((scope, target.id), _NOTHING)
            self._names[scope, target.id] = known | self.of(value, scope)
        elif isinstance(target, ast.Tuple | ast.List):
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
                for one, other in zip(target.elts, value.elts, strict=True):
                    self._bind(scope, one, other)
            else:
                for one in target.elts:
                    self._bind(scope, one, value)

    def _picks_columns(self, node: ast.Subscript, scope: str) -> bool:
        """Whether an index names columns; else it picks rows, so that rows put together come apart again."""
        index = node.slice
        if isinstance(node.value, ast.Attribute) and node.value.attr in ("iloc", "loc"):
            return False
        if isinstance(index, ast.Constant):
            return isinstance(index.value, str)
        if isinstance(index, ast.Name):
            return not _ROWS.search(index.id) and "choice" not in self.of(index, scope)
        return isinstance(index, ast.List | ast.Attribute | ast.BinOp | ast.ListComp)
