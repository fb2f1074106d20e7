"""What the report says of the model: the verdict first, then the search for it and everything that was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ._material import Material
from ._parts import Cell, Code, Section, Table, cell, either, names, told
from ._source import Source

_SIDES = {"error": "against it", "warning": "to be reviewed", "info": "note"}


def verdict(material: Material) -> Section:
    """How the latest validation ended, and why."""
    run = material.head
    if run is None:
        said = ("No finished validation is among these runs: nothing here has been judged.",)
        return Section("verdict", "Verdict", [said])
    of = cell(" on ", run.label("dataset_ref")) or ("",)
    judged = cell(": ", either(run.text("model_source"), ("a model",)), of, ".")
    said = cell(Code(str(run.facts["verdict"])), " by ", run.code, judged)
    scored = cell(run.number("holdout", "score"), ", interval ", run.span("holdout", "ci"))
    found = {
        "metric": run.label("metric", "name"),
        "score on sealed rows": either(scored, run.number("holdout", "score")),
        "the same for all rows": run.number("baselines", "dummy", "score"),
        "asked for": cell(run.label("metric", "operator"), " ", run.number("metric", "threshold")),
        "suspects somebody vouched for": names(run.get("accepted_suspects") or ()),
    }
    reasons: list[Mapping[str, Cell]] = [
        {
            "code": (Code(str(reason.get("code"))),),
            "side": (_SIDES.get(str(reason.get("severity")), "note"),),
            "what": parts["what"],
            "value#": parts["value"],
            "limit#": parts["threshold"],
        }
        for reason, parts in run.reasons()
    ]
    heads = {"code": "reason", "side": "speaks", "what": "what", "value#": "value", "limit#": "limit"}
    tables = [told("What it says", found), Table("Reasons", heads, reasons)]
    calm = [] if reasons else [("Nothing speaks against it.",)]
    return Section("verdict", "Verdict", [said, *calm], [table for table in tables if table.rows])


def search(material: Material) -> Section:
    """The champion and those it was chosen from."""
    run = material.latest("optimize", tells="leaderboard")
    if run is None:
        return Section("search", "Search")
    found = {
        "searched by": (run.code,),
        "candidates": run.number("candidates"),
        "best": cell(run.label("best", "pathspec"), ", ", run.label("best", "family")),
        "sealed score of the best": either(
            cell(run.number("best", "seal"), ", interval ", run.span("best", "ci")),
            run.number("best", "seal"),
        ),
        "search score of the best": run.number("best", "search"),
        "suspects": run.number("suspects"),
        "seconds used": run.number("budget", "used"),
        "seconds asked for": run.number("budget", "asked"),
    }
    rows: list[Mapping[str, Cell]] = [
        {
            "candidate": run.label(*place, "pathspec"),
            "family": run.label(*place, "family"),
            "seal#": run.number(*place, "seal"),
            "search#": run.number(*place, "search"),
        }
        for place in run.each("leaderboard", most=20)
    ]
    heads = {"candidate": "candidate", "family": "family", "seal#": "sealed score", "search#": "search score"}
    return Section(
        "search", "Search", tables=[told("What was searched", found), Table("Leaderboard", heads, rows)]
    )


def validation(material: Material) -> Section:
    """How the model scored, beside what it has to be compared with."""
    run = material.head
    if run is None:
        return Section("validation", "Validation")
    folds = run.get("cv", "folds") or []
    canary = cell(run.number("canary", "score"), ", interval ", run.span("canary", "ci"))
    found = {
        "score on sealed rows": run.number("holdout", "score"),
        "its interval": run.span("holdout", "ci"),
        "rows judged": run.number("holdout", "n"),
        "models the seal was opened for": run.number("holdout", "openings"),
        "cross-validation": cell(run.number("cv", "mean"), " ± ", run.number("cv", "se")),
        "folds": cell(*_listed([run.number("cv", "folds", at) for at in range(len(folds))])),
        "as good by chance, p": run.chance("permutation_p"),
        "a fit of shuffled answers": either(canary, run.label("canary")),
        "chance": run.number("canary", "chance"),
        "sealed rows told from open ones, AUC": run.number("adversarial", "auc"),
        "leaks among the columns used": run.number("leakage"),
        "not measured": names(list(run.get("not_measured") or ())),
    }
    heads = {
        "model": "simple model",
        "score#": "its score",
        "by#": "the model is ahead by",
        "ci#": "interval",
    }
    rows: list[Mapping[str, Cell]] = [
        {
            "model": run.text(*place, "name"),
            "score#": run.number(*place, "score"),
            "by#": run.number(*place, "difference", "value"),
            "ci#": run.span(*place, "difference", "ci"),
        }
        for place in run.each("baselines", "simple")
    ]
    tables = [told("Score", found), Table("Beside simple models", heads, rows), _others(material)]
    return Section("validation", "Validation", tables=[table for table in tables if table.rows])


def _listed(cells: list[Cell]) -> Iterator[Cell]:
    for at, each in enumerate(cells):
        yield from ([] if at == 0 else [(", ",)])
        yield each


def _others(material: Material) -> Table:
    """All validations, where there are several."""
    runs = material.all("validate")
    rows: list[Mapping[str, Cell]] = [
        {
            "run": (run.code,),
            "verdict": (Code(str(run.facts["verdict"])),),
            "of": run.label("dataset_ref"),
            "score#": run.number("holdout", "score"),
            "ci#": run.span("holdout", "ci"),
        }
        for run in (runs if len(runs) > 1 else [])[:20]
    ]
    heads = {"run": "validation", "verdict": "verdict", "of": "data", "score#": "score", "ci#": "interval"}
    return Table("All validations", heads, rows)


def calibration(material: Material) -> Section:
    """Whether predictions mean what they say."""
    run = material.head
    if run is None or not run.get("calibration"):
        return Section("calibration", "Calibration")
    about = "calibration"

    def with_interval(*path: str) -> Cell:
        value = run.number(*path, "value")
        return either(cell(value, ", interval ", run.span(*path, low="low", high="high")), value)

    found = {
        "calibration error": run.number(about, "ece"),
        "what chance makes of it, at most": run.number(about, "noise_floor", "p99"),
        "Brier score": run.number(about, "brier"),
        "Brier skill": with_interval(about, "brier_skill"),
        "share of the variance explained": with_interval(about, "r2"),
        "slope": with_interval(about, "slope"),
        "intercept": with_interval(about, "intercept"),
        "bias": with_interval(about, "bias"),
    }
    table = told("What predictions mean", found)
    return Section("calibration", "Calibration", tables=[table] if table.rows else [])


def slices(material: Material) -> Section:
    """Where the model is worse than it claims."""
    run = material.head
    if run is None or run.get("slices") is None:
        return Section("slices", "Slices")
    if not run.get("slices"):
        return Section("slices", "Slices", [("No part of the data stands out.",)])
    heads = {
        "where": "where",
        "n#": "rows",
        "share#": "share",
        "excess#": "excess loss",
        "effect#": "effect",
        "q#": "q",
    }
    rows: list[Mapping[str, Cell]] = [
        {
            "where": run.text(*place, "name"),
            "n#": run.number(*place, "n"),
            "share#": run.share(*place, "share"),
            "excess#": run.number(*place, "excess"),
            "effect#": run.number(*place, "effect"),
            "q#": run.chance(*place, "q"),
        }
        for place in run.each("slices", most=20)
    ]
    return Section("slices", "Slices", tables=[Table("Slices that stand out", heads, rows)])


def fairness(material: Material) -> Section:
    """How groups fare, column by column."""
    run = material.head
    if run is None:
        return Section("fairness", "Fairness")
    if isinstance(run.get("fairness"), str):
        return Section("fairness", "Fairness", [cell("Fairness: ", run.text("fairness"), ".")])
    tables = [make(run, place) for place in run.each("fairness", most=10) for make in (_groups, _gaps)]
    return Section("fairness", "Fairness", tables=[table for table in tables if table.rows])


def _groups(run: Source, place: tuple[str | int, ...]) -> Table:
    """The groups of one sensitive column, with every figure that was measured."""
    groups = list(run.each(*place, "groups", most=30))
    known = ("group", "n", "insufficient")
    figures = list(dict.fromkeys(key for group in groups for key in run.get(*group) if key not in known))
    heads = {"group": "group", "n#": "rows", **{f"{key}#": key.replace("_", " ") for key in figures}}
    rows: list[Mapping[str, Cell]] = [
        {
            "group": run.text(*group, "group"),
            "n#": run.number(*group, "n"),
            **{
                f"{key}#": either(run.number(*group, key, "value"), run.text(*group, "insufficient"))
                for key in figures
            },
        }
        for group in groups
    ]
    return Table(f"Groups of {run.get(*place, 'column')}", heads, rows)


def _gaps(run: Source, place: tuple[str | int, ...]) -> Table:
    """How far the groups of one sensitive column are apart."""
    rows: list[Mapping[str, Cell]] = [
        {
            "gap": (str(name).replace("_", " "),),
            "value#": run.number(*place, "gaps", name, "value"),
            "ci#": run.span(*place, "gaps", name, low="low", high="high"),
        }
        for name in run.get(*place, "gaps") or {}
    ]
    heads = {"gap": "gap", "value#": "value", "ci#": "interval"}
    return Table(f"Gaps between groups of {run.get(*place, 'column')}", heads, rows)
