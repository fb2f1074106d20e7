"""From members to a script: one readable `solution.py` that holds only the code that its members need."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from loom.science.search.nodes import Member
from loom.science.targets import Task

VIEWS: Mapping[str, str] = {
    "linear": "linear",
    "lightgbm": "boosted",
    "catboost": "boosted",
    "extra_trees": "trees",
    "random_forest": "trees",
    "mlp": "dense",
    "knn": "dense",
    "svm": "dense",
}
"""The families that can be rendered, each with the view of the features that it learns from."""

NAMES: Mapping[str, str] = {
    "linear": "a linear model",
    "lightgbm": "LightGBM",
    "catboost": "CatBoost",
    "extra_trees": "extremely randomised trees",
    "random_forest": "a random forest",
    "mlp": "small neural networks",
    "knn": "nearest neighbours",
    "svm": "a support vector machine",
}
_APART = re.compile(r"\n{2,}(?=(?:def|FAMILIES|if) )|\n{4,}")
_SCALED = {"linear", "mlp", "svm"}


def member(
    family: str,
    params: Mapping[str, Any],
    blocks: Iterable[str] = (),
    *,
    weight: float = 1.0,
    seed_offset: int = 0,
) -> Member:
    """A member as plain data, its blocks in one order."""
    return {
        "family": family,
        "params": dict(params),
        "blocks": sorted(set(blocks)),
        "weight": weight,
        "seed_offset": seed_offset,
    }


def render(members: Sequence[Member], *, task: Task) -> str:
    """The script whose predictions are the weighted mean of its members."""
    families = [family for family in VIEWS if any(each["family"] == family for each in members)]
    blocks = {block for each in members for block in each["blocks"]}
    views = {family: VIEWS[family] for family in families}
    code = _environment().get_template("solution.py.j2").render(
        task=task,
        members=[{"weight": 1.0, "seed_offset": 0, **each} for each in members],
        families=families,
        blocks=blocks,
        views=views,
        used_views=set(views.values()),
        draws=any("most_rows" in each["params"] for each in members),
        scaling=bool(_SCALED & set(families)),
        imports=list(_imports(set(families), blocks, task)),
        summary=_summary(members),
    )  # fmt: skip
    return _APART.sub("\n\n\n", code).rstrip() + "\n"


def render_ensemble_of_sources(sources: Sequence[tuple[float, str]], *, task: Task) -> str:
    """The script whose predictions are the weighted mean of other scripts that define `fit` and `predict`."""
    code = _environment().get_template("sources.py.j2").render(task=task, sources=sources)
    return code.rstrip() + "\n"


def _summary(members: Sequence[Member]) -> str:
    if len(members) == 1:
        return NAMES[members[0]["family"]]
    named = list(dict.fromkeys(NAMES[each["family"]] for each in members))
    said = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    return f"{len(members)} models and the weighted mean of what they say ({said})"


def _imports(families: set[str], blocks: set[str], task: Task) -> Iterable[str]:
    """The lines that import what the script uses, as a formatter would order them."""
    views = {VIEWS[family] for family in families}
    kind = "Regressor" if task == "regression" else "Classifier"
    text = "text" in blocks
    wanted = {
        "import catboost": "catboost" in families,
        "import lightgbm as lgb": "lightgbm" in families,
        "import numpy as np": True,
        "import pandas as pd": True,
        "from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype, is_timedelta64_dtype": True,
        "from scipy.sparse import csr_matrix, hstack, issparse": text,
        "from scipy.sparse import issparse": not text and "linear" in families and task != "regression",
    }
    yield from (line for line, wants in wanted.items() if wants)
    scaled = task == "regression" and bool(_SCALED & families)
    calibrated = "svm" in families and task != "regression"
    threshold = "threshold" in blocks
    dense = bool({"linear", "dense"} & views)
    yield from _from_sklearn(
        {
            "calibration.CalibratedClassifierCV": calibrated,
            "compose.TransformedTargetRegressor": scaled,
            "decomposition.TruncatedSVD": text,
            f"ensemble.ExtraTrees{kind}": "extra_trees" in families,
            f"ensemble.RandomForest{kind}": "random_forest" in families,
            "feature_extraction.text.TfidfVectorizer": text,
            f"feature_selection.{'f_regression' if task == 'regression' else 'f_classif'}": text,
            f"linear_model.{'Ridge' if task == 'regression' else 'LogisticRegression'}": "linear" in families,
            "metrics.accuracy_score": threshold,
            "metrics.balanced_accuracy_score": threshold,
            "metrics.f1_score": threshold,
            "metrics.matthews_corrcoef": threshold,
            "model_selection.StratifiedKFold": calibrated,
            f"neighbors.KNeighbors{kind}": "knn" in families,
            f"neural_network.MLP{kind}": "mlp" in families,
            "pipeline.make_pipeline": scaled,
            "preprocessing.FunctionTransformer": scaled,
            "preprocessing.QuantileTransformer": dense and "ranks" in blocks,
            "preprocessing.SplineTransformer": dense and "splines" in blocks,
            "preprocessing.StandardScaler": scaled,
            f"svm.{'SVR' if task == 'regression' else 'SVC'}": "svm" in families,
        }
    )


def _from_sklearn(wanted: Mapping[str, bool]) -> Iterable[str]:
    by_module: dict[str, list[str]] = {}
    for path, wants in wanted.items():
        module, _, name = path.rpartition(".")
        if wants:
            by_module.setdefault(module, []).append(name)
    for module, names in by_module.items():
        yield f"from sklearn.{module} import {', '.join(names)}"


def _literal(value: Any) -> str:
    """A value of plain data as Python writes it, with double quotes."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_literal(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _quoted(code: str) -> str:
    """Source as a text over several lines."""
    escaped = code.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""\\\n{escaped}{"" if escaped.endswith(chr(10)) else chr(10)}"""'


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("loom.science.search"),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters |= {"literal": _literal, "quoted": _quoted}
    return environment
