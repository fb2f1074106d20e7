"""What a script would do that it has no business to do, found by reading it; nothing of it is run.

The sandbox is what stops a cheat. Reading the script names it, and finds the honest mistake that no sandbox sees:
learning from rows that are to be predicted. `refuse` is not run at all, `suspect` never becomes the champion, `note`
is told to people and to whoever improves the script.
"""

from __future__ import annotations

import ast
import hashlib
import warnings
from collections.abc import Iterable, Iterator, Sequence

from loom.science.search import smells
from loom.science.search.smells import CODES, Severity, Smell
from loom.science.search.tainting import leaks

LONGEST = 200_000
_DEEPEST = 200
_POWERS = frozenset({"os", "sys", "builtins"})


def lint(code: str, target: str | None = None) -> tuple[Smell, ...]:
    """What a script would do that it should not, by line; none of an honest one."""
    if not code.strip():
        return (Smell(1, "no_code", CODES["no_code"], "refuse"),)
    if len(code.encode("utf-8", "replace")) > LONGEST:
        return (Smell(1, "too_long", CODES["too_long"], "refuse"),)
    try:
        tree, nodes = _parsed(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        return (Smell(line, "not_python", CODES["not_python"], "refuse"),)
    aliases = _aliases(nodes)
    found = [
        *_imports(nodes), *_calls(nodes, aliases), *_attributes(nodes, aliases), *_texts(nodes),
        *_patches(nodes, aliases),
    ]  # fmt: skip
    found += [_smell(line, name, "suspect" if sure else "note") for line, name, sure in leaks(tree, target)]
    worst: dict[tuple[int, str], Smell] = {}
    for smell in sorted(found, key=lambda one: ("note", "suspect", "refuse").index(one.severity)):
        worst[smell.line, smell.code] = smell
    return tuple(sorted(worst.values()))


def ast_digest(code: str) -> str:
    """What a script does, whatever its comments, its docstrings and its layout; of what cannot be read, its text."""
    try:
        tree, nodes = _parsed(code)
        for node in nodes:
            if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                node.body = [each for each in node.body if not _is_text(each)] or [ast.Pass()]
        spelled = ast.dump(tree, annotate_fields=False)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        spelled = code
    return hashlib.sha256(spelled.encode("utf-8", "replace")).hexdigest()


def _parsed(code: str) -> tuple[ast.Module, list[ast.AST]]:
    """A script as a tree, and all nodes of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(code)
    # what nests deeper than anybody writes would make the readers below run out of stack
    level: list[ast.AST] = [tree]
    nodes = list(level)
    for _ in range(_DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        nodes += level
        if not level:
            return tree, nodes
    raise RecursionError("it nests too deeply")


def _smell(node: ast.AST | int, code: str, severity: Severity, about: str = "") -> Smell:
    line = node if isinstance(node, int) else getattr(node, "lineno", 1)
    return Smell(line, code, CODES[code] + (f": `{about[:60]}`" if about else ""), severity)


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _aliases(nodes: Sequence[ast.AST]) -> dict[str, str]:
    """What the names of a script stand for: `system` for `os.system` after `from os import system`."""
    names: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for each in node.names:
                names[each.asname or each.name.split(".")[0]] = (
                    each.name if each.asname else each.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                names[each.asname or each.name] = f"{node.module}.{each.name}"
    return names


def _dotted(node: ast.expr, aliases: dict[str, str]) -> str:
    """The full name of `a.b.c`; empty where it is not made of names alone."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([aliases.get(node.id, node.id), *reversed(parts)])


def _module(name: str) -> tuple[str, Severity] | None:
    if name.startswith("urllib.parse"):
        return None
    return smells.MODULES.get(name.split(".")[0])


def _imports(nodes: Sequence[ast.AST]) -> Iterator[Smell]:
    for node in nodes:
        names: Iterable[str] = ()
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module or ''}.{each.name}" for each in node.names]
        for name in names:
            if found := _module(name):
                yield _smell(node, *found, name)


def _calls(nodes: Sequence[ast.AST], aliases: dict[str, str]) -> Iterator[Smell]:
    for node in nodes:
        if not isinstance(node, ast.Call):
            continue
        name = _dotted(node.func, aliases)
        first = node.args[0] if node.args else None
        if name in smells.IMPORTERS:
            known = isinstance(first, ast.Constant) and isinstance(first.value, str)
            module = _module(str(first.value)) if isinstance(first, ast.Constant) and known else None
            yield _smell(node, *(module or ("built_code", "note")), name)
        elif found := smells.CALLS.get(name):
            yield _smell(node, *found, name)
        elif name in ("os.getenv", "os.environ.get", "os.environb.get") and not _is_harmless(first):
            yield _smell(node, "environment", "suspect", name)
        elif name == "getattr" and len(node.args) > 1 and not isinstance(node.args[1], ast.Constant):
            owner = _dotted(node.args[0], aliases)
            yield _smell(node, "built_code", "suspect" if owner in _POWERS else "note", "getattr")


def _is_harmless(name: ast.expr | None) -> bool:
    """Whether a variable of the environment only says how many threads to use."""
    return (
        isinstance(name, ast.Constant)
        and isinstance(name.value, str)
        and bool(smells.THREADS.fullmatch(name.value))
    )


def _attributes(nodes: Sequence[ast.AST], aliases: dict[str, str]) -> Iterator[Smell]:
    harmless: set[ast.AST] = set()
    for node in nodes:
        if (
            isinstance(node, ast.Subscript) and (isinstance(node.ctx, ast.Store) or _is_harmless(node.slice))
        ) or (isinstance(node, ast.Attribute) and node.attr in ("get", "setdefault", "update")):
            harmless.add(node.value)
    for node in nodes:
        if not isinstance(node, ast.Attribute | ast.Name):
            continue
        name = _dotted(node, aliases)
        if name in ("os.environ", "os.environb") and node not in harmless:
            yield _smell(node, "environment", "suspect", name)
        if isinstance(node, ast.Attribute) and node.attr in smells.HIDDEN:
            yield _smell(node, "memory", "note", node.attr)
        if isinstance(node, ast.Attribute) and _climbs(node):
            yield _smell(node, "outside", "suspect", "parent")


def _climbs(node: ast.Attribute) -> bool:
    """Whether a path is left upwards, by `.parents` or by two `.parent` in a row, from where the script is."""
    inner = node.value
    twice = node.attr == "parent" and isinstance(inner, ast.Attribute) and inner.attr == "parent"
    return (twice or node.attr == "parents") and any(
        isinstance(each, ast.Name) and each.id == "__file__" for each in ast.walk(inner)
    )


def _texts(nodes: Sequence[ast.AST]) -> Iterator[Smell]:
    """Paths and addresses in texts; what a script merely says about itself is none."""
    said, later = set[ast.AST](), set[ast.AST]()
    for node in nodes:
        if isinstance(node, ast.Expr):
            said.add(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            said.update(node.args)
        elif isinstance(node, ast.JoinedStr):
            later.update(node.values[1:])
        elif isinstance(node, ast.BinOp):
            later.add(node.right)
    for node in nodes:
        if not isinstance(node, ast.Constant) or node in said:
            continue
        text = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
        if not isinstance(text, str) or not text or len(text) > 4_096:
            continue
        if smells.PROCESS_FILES.match(text):
            yield _smell(node, "memory", "refuse", text)
        elif smells.ADDRESS.match(text):
            yield _smell(node, "network", "suspect", text)
        elif _leads_out(text, node not in later):
            yield _smell(node, "outside", "suspect", text)


def _leads_out(text: str, begins: bool) -> bool:
    """Whether a text is a path that leaves the folder; only where a path begins, a slash is its root."""
    if text in ("/", "/dev/null") or any(sign.isspace() for sign in text):
        return False
    return bool(
        smells.UPWARDS.search(text) or (begins and (smells.ABSOLUTE.match(text) or smells.HOME.match(text)))
    )


def _patches(nodes: Sequence[ast.AST], aliases: dict[str, str]) -> Iterator[Smell]:
    """Functions of other modules that a script puts its own in the place of."""
    for node in nodes:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        elif isinstance(node, ast.Call) and _dotted(node.func, aliases) == "setattr" and len(node.args) > 1:
            owner, name = node.args[0], node.args[1]
            shown = str(name.value) if isinstance(name, ast.Constant) else "score"
            if _is_foreign(_dotted(owner, aliases), aliases) and smells.JUDGES.search(shown):
                yield _smell(node, "scorer", "suspect", shown)
        for target in targets:
            inner = target.value if isinstance(target, ast.Subscript) else target
            shown = _dotted(inner, aliases) if isinstance(inner, ast.Attribute) else ""
            owned, _, last = shown.rpartition(".")
            replaced = inner is target and _is_foreign(owned, aliases) and bool(smells.JUDGES.search(last))
            if replaced or shown == "sys.modules" or shown.startswith(("builtins.", "loom.")):
                yield _smell(node, "scorer", "suspect", shown)


def _is_foreign(name: str, aliases: dict[str, str]) -> bool:
    return bool(name) and any(name == each or name.startswith(f"{each}.") for each in aliases.values())
