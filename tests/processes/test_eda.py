"""The verb eda on real tables and odd ones: what it finds, what it refuses, and what it never says."""

from __future__ import annotations

import json
import os
import random
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loom.dataio.derive import Making, derive
from loom.dataio.frames import load
from tests.processes.looks import Answer, Site, csv_of, real


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty catalogue."""
    return Site(tmp_path)


def made(rows: int = 400, seed: int = 0) -> dict[str, list[object]]:
    """A plain table: two numbers, levels, and a target that has to do with them."""
    chance = random.Random(seed)
    size = [chance.gauss(0, 1) for _ in range(rows)]
    return {
        "size": [f"{each:.4f}" for each in size],
        "count": [chance.randrange(100) for _ in range(rows)],
        "kind": [chance.choice("abc") for _ in range(rows)],
        "answer": ["yes" if each + chance.gauss(0, 1) > 0.3 else "no" for each in size],
    }


# real tables


def test_customers_have_ids_and_charges_that_were_blank(site: Site) -> None:
    dataset = site.bring(real("telco-churn.csv"), target="Churn")
    found = site.look(dataset)
    assert found["verdict"] == "OK"
    assert found.column("customerID")["role"] == "id"
    assert {"column": "customerID", "reason": "id"} in found["leakage_excluded"]
    assert found.column("TotalCharges")["role"] == "numeric"
    assert found.column("TotalCharges")["missing"] > 0
    (told,) = [each for each in found.reasons("as_ingested") if each.get("column") == "TotalCharges"]
    assert "11 blank cells" in told["what"]
    assert found["target"]["task"] == "binary"
    assert 0.25 < found["target"]["balance"]["smallest"] < 0.28
    assert found["next"][0] == f"loom features --dataset {dataset} --target Churn --from EdaFlow/3"


def test_a_fifth_of_the_wines_are_there_twice(site: Site) -> None:
    found = site.look(site.bring(real("winequality-white.csv"), target="quality"))
    assert found["duplicates"]["share"] > 0.15
    (told,) = found.reasons("duplicate_rows")
    assert told["severity"] == "warning"
    assert told["value"] == found["duplicates"]["share"]
    # both looks take a score from 3 to 9 for the same kind of thing
    assert found["target"]["task"] == found["leakage_task"] == "regression"


def test_year_month_day_and_hour_of_beijing_are_its_time(site: Site) -> None:
    source = real("beijing-pollution.csv")
    dataset = site.bring(source, target="pm2.5")
    found = site.look(dataset)
    assert found["time_col"] == ["year", "month", "day", "hour"]
    assert not found["time_declared"]
    assert found.reasons("time_found")
    words = shlex.split(found["next"][0])
    assert words[:4] == ["loom", "ingest", "--source", str(source)]
    assert words[-2:] == ["--time", "year,month,day,hour"]
    assert "target_missing" in found.codes() or found["target"]["missing"] > 0
    timed = site.bring(source, target="pm2.5", time=("year", "month", "day", "hour"))
    told = site.look(timed)
    assert told["time_declared"]
    assert told["next"][0].startswith("loom features")


def test_tickets_of_the_titanic_may_be_groups_and_names_stay_untold(site: Site) -> None:
    found = site.look(site.bring(real("titanic.csv"), target="Survived"))
    assert "Ticket" in {each["column"] for each in found["possible_groups"]}
    assert any(command.endswith("--group Ticket") for command in found["next"])
    assert found.column("Name")["levels"] == []
    assert "Braund" not in json.dumps(found.data)


# leaks and what follows from them


def test_a_planted_leak_is_flagged_with_its_reason_score_and_threshold(site: Site) -> None:
    table = made()
    table["shown"] = [f"{ord(cell[0])}.{at % 7}" for at, cell in enumerate(map(str, table["answer"]))]
    found = site.look(site.bring(csv_of(table), target="answer"))
    assert [flag["column"] for flag in found["leakage_flags"]] == ["shown"]
    first = found["reasons"][0]
    assert (first["severity"], first["column"], first["code"]) == (
        "error",
        "shown",
        found["leakage_flags"][0]["reason"],
    )
    assert first["value"] >= first["threshold"]
    leaks = found.section("What knows the answer")["rows"]
    assert leaks[0]["column"] == "shown"
    assert found.section("Columns")["rows"][0]["name"] == "shown"
    assert found["next"][0].startswith("loom features")


def test_nothing_is_offered_where_nothing_would_be_left(site: Site) -> None:
    table = made()
    known = [ord(str(cell)[0]) for cell in table["answer"]]
    found = site.look(site.bring(csv_of({"a": known, "answer": table["answer"]}), target="answer", share=0))
    assert found["verdict"] == "FLAGGED"
    assert found["leakage_blocking"]
    assert found["reasons"][0]["code"] == "nothing_to_model"
    assert not any("features" in command for command in found["next"])


def test_without_a_target_the_table_is_profiled_and_no_leak_is_claimed_to_be_absent(site: Site) -> None:
    found = site.look(site.bring(csv_of(made())))
    assert found["target"] is None
    assert (found["leakage_flags"], found["leakage_suspects"], found["leakage_blocking"]) == ([], [], False)
    (told,) = found.reasons("no_target")
    assert told["severity"] == "info"
    assert found["next"] == ["loom eda --dataset IngestDataset/1 --target answer"]
    labels = [number["label"] for number in found["card"]["numbers"] if number["value"] == "untested"]
    assert labels == ["leaks"]


def test_the_one_column_that_the_test_part_lacks_is_the_target_of_both_looks(site: Site) -> None:
    folder = site.folder / "given"
    folder.mkdir()
    table = made()
    (folder / "train.csv").write_text(csv_of(table))
    del table["answer"]
    (folder / "test.csv").write_text(csv_of(table))
    found = site.look(site.bring(folder))
    assert (found["target"]["name"], found["target"]["inferred"]) == ("answer", True)
    assert "size" in found["leakage_scores"]
    # the test part is the training part once more
    assert "train_test_overlap" in found.codes()


def test_a_target_that_never_changes_among_the_open_rows_is_told(site: Site) -> None:
    table = made(120)
    table["constant"] = ["same"] * 120
    found = site.look(site.bring(csv_of(table), target="answer"), target="constant")
    assert found["target"]["task"] is None
    assert {"target_constant", "leaks_untested"} <= found.codes()
    assert not found["leakage_blocking"]
    assert not any("features" in command for command in found["next"])


def test_features_are_looked_at_as_they_are_and_keep_the_holdout_of_what_they_were_made_of(
    site: Site,
) -> None:
    table = made()
    table["day"] = [f"2024-{1 + at // 40:02d}-{1 + at % 28:02d}" for at in range(400)]
    source = site.bring(csv_of(table), target="answer")
    parent = site.catalogue.open(source)
    open_rows = load(parent.parts["train"])
    answers = open_rows["answer"]
    new = pl.DataFrame({"twice": open_rows["size"] * 2, "told": (answers == "yes").cast(pl.Int8)})
    making = Making(parent, source, {"train": new}, kept=("answer",), target="answer")
    dataset = site.catalogue.register("FeaturesFlow", derive(making, site.catalogue.store, site.folder)[0])
    found = site.look(dataset)
    assert found["target"]["name"] == "answer"
    assert [flag["column"] for flag in found["leakage_flags"]] == ["told"]
    assert found["next"] == [
        f"loom eda --dataset {source} --target answer",
        f"loom viz --dataset {dataset} --target answer",
    ]
    assert "carved" in site.refusal(dataset, time=["twice"])["what"]
    assert found["card"]["numbers"][0]["note"] == f"{400 - open_rows.height} more are sealed"


# what is refused


def test_a_misspelt_target_is_refused_with_the_name_that_was_meant(site: Site) -> None:
    dataset = site.bring(csv_of(made()), target="answer")
    told = site.refusal(dataset, target="Awnser")
    assert told["what"] == f"{dataset} has no column `Awnser` for --target"
    assert told["why"] == "did you mean `answer`?"
    assert told["fix"] == f"loom eda --dataset {dataset} --target answer"
    assert "size" in site.refusal(dataset, target="xyzzy")["why"]


def test_an_unknown_data_object_is_refused(site: Site) -> None:
    site.bring(csv_of(made()))
    told = site.refusal("IngestDataset/9")
    assert "IngestDataset/9" in told["what"]
    assert told["fix"] == "loom datasets"


def test_a_time_or_entity_the_holdout_was_not_carved_by_is_refused_with_the_ingest_that_mends_it(
    site: Site,
) -> None:
    table = made()
    table["day"] = [f"2024-{1 + at // 40:02d}-{1 + at % 28:02d}" for at in range(400)]
    dataset = site.bring(csv_of(table), target="answer", name="mine", share=0.25)
    told = site.refusal(dataset, time=["day"])
    assert "was not carved by --time day" in told["what"]
    assert "chosen by a hash of their features" in told["why"]
    source = shlex.quote(str(site.folder / "table.csv"))
    command = f"loom ingest --source {source} --name mine --target answer"
    assert told["fix"] == f"{command} --time day --holdout 0.25"
    assert site.refusal(dataset, group="kind")["fix"] == f"{command} --group kind --holdout 0.25"
    timed = site.bring(csv_of(table), target="answer", time=("day",))
    assert site.look(timed, time=["day"])["time_col"] == "day"
    assert site.look(timed)["time_declared"]
    assert "carved" in site.refusal(timed, group="kind")["what"]


def test_without_sealed_rows_any_time_and_entity_may_be_named(site: Site) -> None:
    table = made()
    table["day"] = [f"2024-{1 + at // 40:02d}-{1 + at % 28:02d}" for at in range(400)]
    dataset = site.bring(csv_of(table), target="answer", share=0)
    found = site.look(dataset, time=["day"], group="kind")
    assert (found["time_col"], found["group_col"]) == ("day", "kind")
    assert {each["reason"] for each in found["leakage_excluded"]} == {"time", "group"}


def test_a_target_that_is_the_time_is_refused(site: Site) -> None:
    dataset = site.bring(csv_of(made()), share=0)
    assert "cannot be the target" in site.refusal(dataset, target="count", time=["count"])["what"]


# tables as they should not be


def test_odd_names_are_kept_told_and_quoted(site: Site) -> None:
    table = made()
    odd = ["grün 🌿", "two\nlines", "Size", "it's; rm -rf", "*", "a,b", "[odd]"]
    for at, name in enumerate(odd):
        table[name] = [(row * (at + 3)) % 11 for row in range(400)]
    table["the answer"] = table.pop("answer")
    found = site.look(site.bring(csv_of(table), target="the answer"))
    assert set(odd) <= {each["name"] for each in found["columns"]}
    assert {"odd_names", "similar_names"} <= found.codes()
    words = shlex.split(found["next"][0])
    assert words[words.index("--target") + 1] == "the answer"
    for name in odd:
        told = site.look("IngestDataset/1", target=name)
        assert shlex.split(told["next"][0])[5] == name


def test_odd_cells_are_told_column_by_column(site: Site) -> None:
    rows = 300
    chance = random.Random(1)
    ways = ["2021-03-{:02d}", "2021/03/{:02d}", "{:02d}.03.2021", "{:02d} March 2021", "202103{:02d}"]
    table: dict[str, list[object]] = {
        "empty": [""] * rows,
        "same": [7] * rows,
        "mixed": [chance.choice(["12", "7", "unknown"]) for _ in range(rows)],
        "endless": [chance.choice(["inf", "1.5", "2.25"]) for _ in range(rows)],
        "day": [ways[at % 5].format(1 + at % 28) for at in range(rows)],
        "inner": [json.dumps({"a": at}) for at in range(rows)],
        "label": [chance.choice("pq") for _ in range(rows)],
    }
    found = site.look(site.bring(csv_of(table), share=0))
    assert found["target"]["name"] == "label"
    assert {"all_missing", "constant", "mixed_types", "infinite", "mixed_dates", "nested"} <= found.codes()
    assert found.column("day")["role"] == "date"
    assert len(found.column("day")["scan"]["date_formats"]) == 5
    assert found["verdict"] == "OK"
    tags = {row["name"]: [tag["text"] for tag in row["tags"]] for row in found.section("Columns")["rows"]}
    assert "empty" in tags["empty"]
    assert "dates as text, 5 ways" in tags["day"]
    assert any("infinite" in text for text in tags["endless"])


def test_a_table_of_one_row_is_profiled(site: Site) -> None:
    found = site.look(site.bring("a,label\n1,x\n", share=0))
    assert found["n_rows"] == 1
    assert "few_rows" in found.codes()
    assert found["verdict"] == "OK"
    assert found["leakage_scores"] == {}


def test_a_wide_table_is_told_whole_and_shown_in_part(site: Site) -> None:
    chance = random.Random(3)
    table: dict[str, list[object]] = {
        f"column_{at:04d}": [chance.choice("abcdefgh") for _ in range(60)] for at in range(1_000)
    }
    table["answer"] = [chance.choice(["no", "yes"]) for _ in range(60)]
    found = site.look(site.bring(csv_of(table), target="answer", share=0))
    assert len(found["columns"]) == found["n_cols"] == 1_001
    assert len(json.dumps(found["card"])) < 100_000
    shown = found.section("Columns")
    assert len(shown["rows"]) < 100
    assert "1,001" in shown["note"]


def test_many_flags_leave_room_for_other_reasons(site: Site) -> None:
    table = made()
    known = [ord(str(cell)[0]) for cell in table["answer"]]
    for at in range(60):
        table[f"copy_{at}"] = [each * (at + 2) for each in known]
    found = site.look(site.bring(csv_of(table), target="answer"))
    assert len(found["leakage_flags"]) == 60
    assert len(found["reasons"]) < 50
    (more,) = found.reasons("more_findings")
    assert more["value"] == 60 - len(
        [each for each in found["reasons"] if each.get("column", "").startswith("copy_")]
    )


# what is never read and never said


def test_the_sealed_rows_are_not_there_to_be_read(site: Site) -> None:
    dataset = site.bring(csv_of(made()), target="answer")
    whole = site.catalogue.open(dataset)
    before = site.look(dataset)
    site.catalogue.store.open(whole.parts["holdout"].key).unlink()
    assert site.look(dataset).data == before.data
    assert before["n_rows"] == whole.parts["train"].rows


def test_nothing_of_a_cell_is_in_the_answer_the_events_or_the_page(tmp_path: Path) -> None:
    source = tmp_path / "canary.csv"
    canaries = write_canaries(source)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW_", "LOOM_"))}
    environ = kept | {"HOME": str(tmp_path), "NO_COLOR": "1"}

    def loom(*words: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "loom.cli.main", *words, "--json"],
            cwd=tmp_path, env=environ, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        said.append(done.stderr)
        said.append(done.stdout)
        return dict(json.loads(done.stdout))

    said: list[str] = []
    loom("ingest", "--source", str(source), "--target", "answer")
    answer = loom("eda", "--dataset", "IngestDataset/1", "--events", str(tmp_path / "events.jsonl"))
    assert answer["summary"]["n_rows"] > 400
    said.append((tmp_path / "events.jsonl").read_text(encoding="utf-8"))
    page = Path(answer["card_path"]).read_text(encoding="utf-8")
    assert "amount" in page
    for text in (*said, page):
        for canary in canaries:
            assert canary not in text


def write_canaries(path: Path) -> list[str]:
    """A table with values in every column that nothing may ever repeat, and those values."""
    chance = random.Random(11)
    rows = 600
    table: dict[str, list[object]] = {
        "customer": [f"IDCANARY{at:05d}X" for at in range(rows)],
        "note": [f"she said NOTECANARY{at:05d} and then left the shop" for at in range(rows)],
        "email": [f"mailcanary{at:05d}@example.org" for at in range(rows)],
        "amount": [f"{chance.uniform(10, 99):.6f}" for _ in range(rows)],
        "whole": [chance.randrange(1_000, 9_000) for _ in range(rows)],
        "day": [
            f"20{chance.randrange(10, 24)}-0{chance.randrange(1, 9)}-1{chance.randrange(9)}"
            for _ in range(rows)
        ],
        "level": [chance.choice(["north", "south", "east"]) for _ in range(rows)],
        "answer": [chance.choice(["yes", "no"]) for _ in range(rows)],
    }
    # rare levels, the least and the greatest of every column, each where no other cell comes near
    table["amount"][5], table["amount"][9] = "-7654321.125", "8675309.375"
    table["whole"][7], table["whole"][8] = "-55544433", "777666555"
    table["day"][3], table["day"][4] = "1871-03-14", "2177-11-23"
    table["level"][2] = "LEVELCANARY"
    for at in range(10, 22):
        table["level"][at] = "RARECANARY"
    path.write_text(csv_of(table), encoding="utf-8")
    planted = [
        "IDCANARY",
        "NOTECANARY",
        "mailcanary",
        "LEVELCANARY",
        "RARECANARY",
        "54321.1",
        "7654321",
        "8675309",
    ]
    planted += ["55544433", "777666555", "1871-03", "2177-11", "1871", "2177"]
    return planted + [str(cell) for cell in table["amount"][100:140]]


def test_an_answer_can_be_concluded_without_a_run_of_its_own(site: Site) -> None:
    found: Answer = site.look(site.bring(csv_of(made()), target="answer"), pathspec=None)
    assert found["next"][0] == "loom features --dataset IngestDataset/1 --target answer"
