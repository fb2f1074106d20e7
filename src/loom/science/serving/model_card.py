"""The card of a deployed model, in Markdown: what it is for, what it learned from, how good it is, and where it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_TASKS = {
    "binary": "one of two classes",
    "multiclass": "one of several classes",
    "regression": "an amount",
}
_SHOWN = 12


def model_card(manifest: Mapping[str, Any], validation: Mapping[str, Any]) -> str:
    """The card; `manifest` says what is deployed, `validation` is the summary of the validation that it passed."""
    parts = [
        _head(manifest),
        _use(manifest),
        _data(manifest, validation),
        _scores(manifest, validation),
        _calibration(validation.get("calibration")),
        _slices(validation.get("slices") or []),
        _fairness(validation.get("fairness")),
        _limits(manifest, validation),
        _lineage(manifest),
        _versions(manifest),
    ]
    return "\n".join(line for part in parts for line in (*part, ""))


def _head(manifest: Mapping[str, Any]) -> Iterator[str]:
    model = manifest["model"]
    yield f"# Model card: {_said(manifest['name'])}"
    yield ""
    yield f"Predicts `{_code(model['target'])}`, {_TASKS[model['task']]}."
    yield f"Judged by {manifest['validation']['ref']}: **{manifest['validation']['verdict']}**."


def _use(manifest: Mapping[str, Any]) -> Iterator[str]:
    model = manifest["model"]
    yield "## Intended use"
    yield ""
    if manifest.get("purpose"):
        yield _said(manifest["purpose"])
        yield ""
    yield (
        f"It answers for rows like those of `{_code(manifest['name'])}`: described by the columns of "
        "`input_schema.json`, and known as early as those were. Nobody has judged it for other rows, or for a "
        "decision without a person."
    )
    yield ""
    yield "```console"
    yield "$ pip install -r requirements.txt"
    yield "$ python predict.py rows.csv predictions.csv"
    yield "```"
    if model["classes"]:
        yield ""
        named = ", ".join(f"`{_code(name)}`" for name in model["classes"][:_SHOWN])
        more = len(model["classes"]) - _SHOWN
        yield f"Classes: {named}" + (f", and {more} more." if more > 0 else ".")


def _data(manifest: Mapping[str, Any], validation: Mapping[str, Any]) -> Iterator[str]:
    yield "## Data"
    yield ""
    rows = [
        (one["pathspec"], one["name"], _count(one.get("rows")), _short(one["digest"]))
        for one in manifest["data"]
    ]
    yield from _table(("data object", "name", "rows", "digest"), rows)
    holdout, splitter = manifest["holdout"], validation.get("splitter") or {}
    yield ""
    yield (
        f"{_count(holdout['rows'])} rows were sealed when the data came in and opened once the model was frozen; "
        f"they were opened for {_count(holdout['openings'])} model{'' if holdout['openings'] == 1 else 's'}."
    )
    if splitter.get("why"):
        yield f"Before that it was refitted on splits of kind {splitter['kind']}: {_said(splitter['why'])}."


def _scores(manifest: Mapping[str, Any], validation: Mapping[str, Any]) -> Iterator[str]:
    yield "## How well it does"
    yield ""
    rows = [
        (one["metric"], one["of"], _number(one["score"]), _span(one.get("ci"), one.get("se")), one["on"])
        for one in manifest["metrics"]
    ]
    yield from _table(("metric", "model", "score", "95 % interval", "on"), rows)
    yield ""
    way = (validation.get("metric") or {}).get("direction")
    found = validation.get("permutation_p")
    if way:
        yield f"Of {manifest['metrics'][0]['metric']}, {way} is better."
    if found is not None:
        yield f"Shuffled answers score as well with a probability of {_number(found)}."


def _calibration(found: Mapping[str, Any] | None) -> Iterator[str]:
    yield "## Calibration"
    yield ""
    if not found:
        yield "It was not measured."
        return
    floor, slope = found.get("noise_floor") or {}, found.get("slope")
    unit = " standard deviations of the answers" if found.get("task") == "regression" else ""
    yield (
        f"What it says is off by {_number(found.get('ece'))}{unit} on average; a perfect model of this size would "
        f"show {_number(floor.get('mean'))}, and less than {_number(floor.get('p99'))} in 99 of 100 cases."
    )
    for key, said in (("brier_skill", "Brier skill against the base rate"), ("r2", "R² against the mean")):
        if found.get(key):
            yield f"{said}: {_estimate(found[key])}."
    if slope:
        yield f"Slope of the recalibration: {_estimate(slope)}; 1 is right."
    if found.get("bias"):
        yield f"Bias, answer minus prediction: {_estimate(found['bias'])}."


def _slices(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "## Parts of the data"
    yield ""
    if not found:
        yield "No part of the rows was found in which the model is worse than it claims."
        return
    rows = [
        (_said(one["name"]), _count(one["n"]), _number(one["effect"]), _number(one.get("q")))
        for one in found[:_SHOWN]
    ]
    yield from _table(("where", "rows", "effect", "q"), rows)


def _fairness(found: Any) -> Iterator[str]:
    yield "## Fairness"
    yield ""
    if not isinstance(found, list) or not found:
        why = "nobody named a sensitive column" if found in (None, "not assessed") else _said(str(found))
        yield f"Not assessed: {why}."
        return
    for one in found:
        yield f"By `{_code(one['column'])}`:"
        yield ""
        groups = [each for each in one["groups"] if isinstance(each, Mapping)][:_SHOWN]
        rows = [
            (_said(each["group"]), _count(each["n"]), _said(each.get("insufficient") or "compared"))
            for each in groups
        ]
        yield from _table(("group", "rows", "is"), rows)
        yield ""
        for name, gap in (one.get("gaps") or {}).items():
            yield f"- {name.replace('_', ' ')}: {_estimate(gap)}"
        if not any(each.get("severity") != "info" for each in one.get("findings") or ()):
            yield "- no difference was shown that a rule speaks against"


def _limits(manifest: Mapping[str, Any], validation: Mapping[str, Any]) -> Iterator[str]:
    yield "## Limits"
    yield ""
    yield "- Its figures hold for rows of the kind it was judged on; watch for drift with `loom ops`."
    yield "- It was judged as a whole: a score says nothing certain about a single row."
    splitter = validation.get("splitter") or {}
    if splitter.get("horizon") is None:
        yield "- Rows have no declared time: how its quality changes over time is not known."
    if validation.get("accepted_suspects"):
        named = ", ".join(f"`{_code(name)}`" for name in validation["accepted_suspects"])
        yield f"- Suspected of knowing the answer, and vouched for by whoever validated it: {named}."
    for reason in manifest["validation"]["reasons"]:
        column = f"`{_code(reason['column'])}`: " if reason.get("column") else ""
        yield f"- Noted by the validation ({reason['code']}): {column}{_said(reason['what'])}"


def _lineage(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield "## Lineage"
    yield ""
    rows = [(one["ref"], one["what"], _short(one.get("digest"))) for one in manifest["lineage"]]
    yield from _table(("", "is", "digest"), rows)


def _versions(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield "## Versions"
    yield ""
    versions = manifest["versions"]
    found = {"loom": versions["loom"], "Python": versions["python"], **versions["libraries"]}
    yield from _table(("", "version"), list(found.items()))


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(_said(cell).replace("|", "\\|") for cell in row) + " |"


def _estimate(found: Mapping[str, Any]) -> str:
    return f"{_number(found.get('value'))} ({_span([found.get('low'), found.get('high')])})"


def _span(ci: Any, error: Any = None) -> str:
    if isinstance(ci, list | tuple) and len(ci) == 2 and None not in ci:
        return f"{_number(ci[0])} to {_number(ci[1])}"
    return "not known" if error is None else f"standard error {_number(error)}"


def _number(value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.4g}" if is_number else "not known"


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "an unknown number of"


def _short(digest: Any) -> str:
    return "" if digest is None else f"`{str(digest)[:19]}…`"


def _said(value: Any) -> str:
    """A text on one line, in which nothing is taken for markup that would hide what it says."""
    plain = "".join(sign if sign.isprintable() else " " for sign in str(value))
    return plain.replace("<", "&lt;").strip()


def _code(value: Any) -> str:
    return _said(value).replace("`", "'").replace("&lt;", "<")
