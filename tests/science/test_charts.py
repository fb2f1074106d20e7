"""Charts: they compile, they say what is to be seen, they stay small, and their titles are true."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from loom.core.index import RunFacts
from loom.kernel.errors import LoomError
from loom.science.charts import (
    Chart,
    Survey,
    correlation,
    distributions,
    drift_effects,
    leaderboard,
    leak_scores,
    missing,
    missing_together,
    relations,
    run_health,
    survey,
    target_charts,
    target_rates,
    target_shares,
)
from loom.science.charts.chart import figure, labels, percent, slug
from loom.science.charts.leaks import DROP, SUSPECT
from loom.science.charts.rates import wilson
from loom.science.columns import Columns
from loom.science.leakage import rules
from loom.science.pictures import svg
from loom.science.profile import profile

OF = "IngestDataset/1, 3,000 open rows"
MOST_BYTES = 40_000


def people(rows: int = 3_000, seed: int = 0) -> pl.DataFrame:
    """Customers: one column that tells much, one that tells nothing, gaps, dates, an id."""
    random = np.random.default_rng(seed)
    months = random.integers(0, 72, rows)
    plan = random.choice(["basic", "plus", "family"], rows, p=[0.5, 0.3, 0.2])
    left = random.random(rows) < np.where(plan == "basic", 0.5, 0.1) * (1 - months / 100)
    gaps = random.random(rows) < 0.3
    return pl.DataFrame(
        {
            "customer_id": [f"C{at:06}" for at in range(rows)],
            "plan": plan,
            "months": months,
            "monthly": random.normal(50, 8, rows) + 10 * (plan == "family"),
            "wealth": random.lognormal(5, 2.5, rows),
            "rating": [None if gap else float(at % 10) for at, gap in enumerate(gaps)],
            "remark": [None if gap else "fine" if at % 3 else "slow" for at, gap in enumerate(gaps)],
            "comment": [None if at % 9 == 0 else "late" if at % 2 else "fast" for at in range(rows)],
            "joined": [date(2020, 1, 1) + timedelta(days=int(day)) for day in random.integers(0, 900, rows)],
            "churned": np.where(left, "yes", "no"),
        }
    )


def every(seen: Survey) -> list[Chart]:
    """All charts of a table."""
    found = [correlation(seen, OF), missing(seen, OF), missing_together(seen, OF)]
    return [
        *target_charts(seen, OF),
        *distributions(seen, OF),
        *(each for each in found if each is not None),
    ]


def named(charts: Sequence[Chart], name: str) -> Chart:
    (found,) = [chart for chart in charts if chart.name == name]
    return found


def rows_of(chart: Chart) -> list[dict[str, Any]]:
    return list(chart.spec["data"]["values"])


@pytest.fixture(scope="module")
def churn() -> list[Chart]:
    return every(survey(people(), target="churned"))


def test_every_chart_compiles_has_words_and_stays_small(churn: list[Chart]) -> None:
    assert len(churn) >= 15
    assert len({chart.name for chart in churn}) == len(churn)
    for chart in churn:
        assert chart.title and chart.alt.endswith(".") and chart.source == OF
        assert len(json.dumps(chart.as_json())) < MOST_BYTES
        assert svg(chart.spec).startswith("<svg")


def test_the_strongest_column_comes_first_and_ids_are_not_drawn(churn: list[Chart]) -> None:
    names = [chart.name for chart in churn]
    assert names[:3] == ["target", "target-strengths", "target-by-plan"]
    assert not [name for name in names if "customer" in name]


def test_titles_tell_the_finding(churn: list[Chart]) -> None:
    assert named(churn, "target").title.startswith("churned is yes in ")
    assert "where plan is basic" in named(churn, "target-by-plan").title
    assert named(churn, "distribution-plan").title.startswith("plan is basic in ")
    assert "share 100 % of their gaps" in named(churn, "missing-together").title


def test_rates_are_those_of_the_rows_with_their_intervals(churn: list[Chart]) -> None:
    frame = people()
    rates = {row["name"]: row for row in rows_of(named(churn, "target-by-plan"))}
    for plan in ("basic", "plus", "family"):
        some = frame.filter(pl.col("plan") == plan)["churned"] == "yes"
        assert rates[plan]["value"] == pytest.approx(some.mean(), abs=1e-4)
        assert rates[plan]["low"] < rates[plan]["value"] < rates[plan]["high"]


def test_wilsons_interval_is_right_at_the_ends() -> None:
    assert wilson(0, 20) == (0.0, pytest.approx(0.1611, abs=1e-3))
    assert wilson(20, 20) == (pytest.approx(0.8389, abs=1e-3), 1.0)
    assert wilson(8, 20) == (pytest.approx(0.2188, abs=1e-3), pytest.approx(0.6134, abs=1e-3))


def test_the_shares_of_a_histogram_are_those_of_its_class(churn: list[Chart]) -> None:
    chart = named(churn, "distribution-months")
    drawn = rows_of(chart)
    frame = people()
    for label in ("yes", "no"):
        some = frame.filter(pl.col("churned") == label)["months"]
        first = next(row for row in drawn if row["class"] == label)
        inside = ((some >= first["from"]) & (some < first["to"])).mean()
        width = (first["to"] - first["from"]) / min(row["to"] - row["from"] for row in drawn)
        assert first["share"] == pytest.approx(inside / width, abs=2e-4)


def test_a_column_over_many_powers_of_ten_has_a_logarithmic_scale(churn: list[Chart]) -> None:
    chart = named(churn, "distribution-wealth")
    assert "logarithmic" in chart.spec["title"]["subtitle"][0]


def test_without_a_target_columns_are_drawn_for_all_rows_in_their_order() -> None:
    charts = distributions(survey(people()), OF)
    assert [chart.name for chart in charts][:2] == ["distribution-plan", "distribution-months"]
    shares = [row["share"] for row in rows_of(named(charts, "distribution-monthly"))]
    assert 0.95 < sum(shares) <= 1.0


def test_dates_are_counted_by_round_periods(churn: list[Chart]) -> None:
    chart = named(churn, "distribution-joined")
    assert "per month" in chart.alt
    assert all(row["from"].endswith("-01T00:00:00Z") for row in rows_of(chart))


def test_an_amount_is_drawn_by_its_mean_along_columns() -> None:
    random = np.random.default_rng(1)
    area = random.normal(80, 20, 2_000)
    frame = pl.DataFrame({"area": area, "price": area * 1_000 + random.normal(0, 5_000, 2_000)})
    charts = target_charts(survey(frame, target="price"), OF)
    means = [row["value"] for row in rows_of(named(charts, "target-by-area"))]
    assert means == sorted(means)
    assert charts[0].name == "target" and charts[0].title.startswith("price: half of the rows")


def test_several_classes_are_drawn_as_mixtures() -> None:
    random = np.random.default_rng(2)
    grade = random.choice(["low", "mid", "high"], 2_000)
    frame = pl.DataFrame({"x": random.normal(size=2_000) + 2 * (grade == "high"), "grade": grade})
    (chart,) = target_rates(survey(frame, target="grade"), OF)
    totals: dict[str, float] = {}
    for row in rows_of(chart):
        totals[row["name"]] = totals.get(row["name"], 0) + row["value"]
    assert all(total == pytest.approx(1, abs=1e-3) for total in totals.values())


def test_noise_has_no_rates_and_the_ranking_says_so() -> None:
    random = np.random.default_rng(3)
    frame = pl.DataFrame({"x": random.normal(size=2_000), "y": random.integers(0, 2, 2_000)})
    charts = target_charts(survey(frame, target="y"), OF)
    assert [chart.name for chart in charts] == ["target", "target-strengths"]
    assert charts[1].title == "No single column goes together with y"


def test_a_column_that_tells_by_being_missing_is_strong() -> None:
    random = np.random.default_rng(4)
    left = random.random(2_000) < 0.3
    refund = [1.0 * at if gone else None for at, gone in enumerate(left)]
    seen = survey(pl.DataFrame({"refund": refund, "left": left}), target="left")
    assert seen.columns[0].strength == pytest.approx(1.0, abs=0.01)


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(LoomError, match="no column `chruned`"):
        survey(people(100), target="chruned")


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"x": pl.Series([], dtype=pl.Float64), "y": pl.Series([], dtype=pl.String)}),
        pl.DataFrame({"x": [1.0], "y": ["a"]}),
        pl.DataFrame({"x": [None] * 50, "y": ["a", "b"] * 25}),
        pl.DataFrame({"x": [float("inf"), float("-inf"), float("nan"), 1.0] * 20, "y": ["a", "b"] * 40}),
        pl.DataFrame({"x": [{"k": 1}] * 40, "y": [1e308, -1e308] * 20}),
        pl.DataFrame({"x": [7] * 60, "y": ["a"] * 60}),
        pl.DataFrame({"x": [1e-300 * at for at in range(60)], "y": [True, False] * 30}),
    ],
    ids=["0 rows", "1 row", "empty", "infinite", "nested", "constant", "tiny"],
)
def test_tables_with_nothing_in_them_are_drawn_or_left_out(frame: pl.DataFrame) -> None:
    for chart in every(survey(frame, target="y")):
        assert svg(chart.spec)


def test_names_of_any_kind_can_be_drawn() -> None:
    random = np.random.default_rng(5)
    names = ["", " ", "🙂", "a\nb", "a.b[0]", "@ink", "datum.x", "</svg><script>", "x" * 300, "'\"\\"]
    frame = pl.DataFrame({name: random.normal(size=200) for name in names}).with_columns(
        pl.Series("t", random.choice(["@bad", "<b>&amp;"], 200))
    )
    charts = every(survey(frame, target="t"))
    assert len({chart.name for chart in charts}) == len(charts)
    for chart in charts:
        drawn = svg(chart.spec)
        assert "<script" not in drawn
        assert chart.name.isascii() and "/" not in chart.name


def test_a_wide_table_gives_few_charts_of_bounded_size() -> None:
    random = np.random.default_rng(6)
    values = random.normal(size=(300, 1_500))
    frame = pl.DataFrame({f"column_{at}": values[:, at] for at in range(1_500)}).with_columns(
        pl.Series("y", np.where(values[:, 700] > 0, "yes", "no"))
    )
    charts = every(survey(frame, target="y"))
    assert len(charts) <= 24
    assert named(charts, "target-strengths").title.startswith("column_700 ")
    assert max(len(json.dumps(chart.spec)) for chart in charts) < MOST_BYTES


def test_a_long_table_is_read_in_blocks() -> None:
    random = np.random.default_rng(7)
    frame = pl.DataFrame({f"c{at}": random.normal(size=120_000) for at in range(80)})
    widest = 0

    def read(names: Sequence[str]) -> pl.DataFrame:
        nonlocal widest
        widest = max(widest, len(names))
        return frame[list(names)]

    charts = distributions(survey(Columns(tuple(frame.columns), frame.height, read)), OF, most=2)
    assert len(charts) == 2
    assert widest * frame.height <= 8_000_000


def test_what_goes_together_is_drawn_and_what_does_not_is_left_blank(churn: list[Chart]) -> None:
    random = np.random.default_rng(8)
    x = random.normal(size=2_000)
    frame = pl.DataFrame(
        {"up": x, "also": x + 0.1 * random.normal(size=2_000), "down": -x, "noise": random.normal(size=2_000)}
    )
    chart = correlation(survey(frame), OF)
    assert chart is not None
    kinds = {frozenset((row["a"], row["b"])): row["kind"] for row in rows_of(chart)}
    assert kinds == {
        frozenset(("up", "also")): "rise together",
        frozenset(("up", "down")): "opposed",
        frozenset(("also", "down")): "opposed",
    }
    assert correlation(survey(frame.select("up", "noise")), OF) is None


def test_a_complete_table_has_no_chart_of_gaps() -> None:
    seen = survey(people().select("plan", "months"))
    assert missing(seen, OF) is None
    assert missing_together(seen, OF) is None


def test_a_profile_and_its_plain_data_give_the_same_charts() -> None:
    found = profile(people(), target="churned")
    told = found.as_json()
    for draw in (missing, relations):
        assert draw(found, OF) == draw(told, OF) is not None  # type: ignore[operator]
    assert target_shares(told["target"], OF) is not None
    assert missing({"columns": []}, OF) is relations({}, OF) is target_shares({}, OF) is None


def test_the_lines_of_leaks_are_those_of_the_leak_tests() -> None:
    assert (DROP, SUSPECT) == (rules.DROP, rules.SUSPECT)


def test_leaks_come_first_and_are_named_in_the_title() -> None:
    told = {
        "leakage_scores": {"honest": 0.74, "refund": 0.98, "odd": 0.93},
        "leakage_flags": [{"column": "refund", "reason": "separates_target", "score": 0.998}],
        "leakage_suspects": [{"column": "odd", "reason": "strong_alone", "score": 0.93}],
        "leakage_task": "binary",
    }
    chart = leak_scores(told, "EdaFlow/1")
    assert chart is not None and svg(chart.spec)
    assert chart.title == "refund gives the target away"
    assert [row["tone"] for row in rows_of(chart)] == ["bad", "wary", "calm"]
    honest = leak_scores({"leakage_scores": {"a": 0.6}, "leakage_flags": []}, "EdaFlow/1")
    assert honest is not None and honest.title == "No column gives the target away; a knows most"
    assert leak_scores({}, "EdaFlow/1") is None


def test_drift_names_what_has_drifted() -> None:
    told = {
        "target": {"name": "churned", "verdict": "OK", "psi": 0.01, "reasons": []},
        "columns": [
            {"name": "monthly", "verdict": "DRIFT", "psi": 0.41, "reasons": ["distribution"]},
            {"name": "rating", "verdict": "DRIFT", "psi": 0.0, "missing_delta": 0.58, "reasons": ["missing"]},
            {"name": "calls", "verdict": "OK", "psi": None, "reasons": []},
        ],
    }
    chart = drift_effects(told, "OpsFlow/1")
    assert chart is not None and svg(chart.spec)
    assert chart.title == "monthly and rating drifted, of 4 columns compared"
    assert [row["label"] for row in rows_of(chart)][:3] == ["", "0.41", "missing +58 points"]
    assert drift_effects({"columns": []}, "OpsFlow/1") is None


def test_a_leaderboard_never_mixes_kinds_of_scores() -> None:
    rows = [
        {"family": "linear", "search": 0.9, "pathspec": "EvalCandidate/1"},
        {"family": "trees", "search": 0.8, "seal": 0.79, "ci": [0.77, 0.81], "pathspec": "EvalCandidate/2"},
        {"family": "trees", "search": 0.81, "seal": 0.78, "pathspec": "EvalCandidate/3", "suspect": True},
    ]
    chart = leaderboard(rows, "OptimizeFlow/1", metric="auc", baseline=0.5)
    assert chart is not None and svg(chart.spec)
    assert [(row["name"], row["value"]) for row in rows_of(chart)] == [("trees 2", 0.79), ("trees 3", 0.78)]
    assert chart.title == "trees 2 leads 2 candidates with auc 0.79"
    assert "baseline has 0.5" in chart.alt
    assert leaderboard([{"family": "x"}], "OptimizeFlow/1") is None


def test_where_less_is_better_the_smallest_error_leads() -> None:
    rows = [{"family": "a", "score": 3.0}, {"family": "b", "score": 2.0}]
    chart = leaderboard(rows, "OptimizeFlow/1", metric="rmse", higher_is_better=False)
    assert chart is not None and chart.title.startswith("b leads")


def test_the_health_of_runs_counts_each_and_draws_the_newest() -> None:
    started = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
    runs = [
        RunFacts(
            name=f"EdaFlow/{at}",
            verb="eda",
            status="failed" if at % 10 == 0 else "ok",
            started=started + 3_600 * at,
            seconds=1.0 + at % 7,
        )
        for at in range(300)
    ]
    chart = run_health(runs, "EdaFlow")
    assert chart is not None and svg(chart.spec)
    assert chart.title == "270 of 300 runs ended well; 95 % took at most 7 s"
    assert len(rows_of(chart)) == 200
    assert run_health([], "EdaFlow") is None


def test_figures_are_said_as_people_say_them() -> None:
    assert [percent(share) for share in (0, 0.0004, 0.004, 0.0995, 0.5, 1)] == [
        *("0 %", "under 0.1 %", "0.4 %", "10 %", "50 %", "100 %")
    ]
    assert [figure(value) for value in (0, 0.01234, 12.345, 2_012, 123_456, 1e20)] == [
        *("0", "0.0123", "12.3", "2012", "123,456", "1.00e+20")
    ]
    assert labels(["a" * 40, "a" * 41], 10) == ["aaaaaaaaa…", "aaaaaaaaa… (2)"]
    assert slug("target by", "Größe (cm)") == "target-by-große-cm".replace("ß", "") and slug("🙂").isascii()
