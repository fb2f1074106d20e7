"""The verb collab: what is not on the list stays here, the same runs give the same bytes, half a bundle is none."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loom.core.index import RunFacts
from loom.science.features.operations import OPERATIONS
from loom.science.judgement import RULES
from loom.science.metrics import METRICS
from tests.processes.sharing import COLLAB, FIXTURES, Room, bytes_of, part

SOAK = "LOOM_SOAK" in os.environ
SUMMARIES = sorted(part("_allowed").SUMMARIES)
CANARY = re.compile(rb"canary-|424242")


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def run_of(name: str, verb: str = "eda", **more: Any) -> RunFacts:
    """A run that took place."""
    told: dict[str, Any] = {"status": "ok", "verdict": "OK", "started": 1.0, **more}
    return RunFacts(name=name, pathspec=name, flow=name.partition("/")[0], verb=verb, **told)


def texts_in(value: Any) -> Iterator[str]:
    """Every text of a document, names of keys among them."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    for each in value if isinstance(value, list) else []:
        yield from texts_in(each)
    if isinstance(value, str):
        yield value


def documents(bundle: dict[str, Any]) -> dict[str, Any]:
    """The runs of a bundle by name."""
    folder = Path(bundle["folder"])
    found = [json.loads(path.read_bytes()) for path in (folder / "runs").iterdir()]
    return {each["run"]: each for each in found}


def test_nothing_that_is_not_on_the_list_is_in_any_byte(room: Room) -> None:
    bundle = room.built()
    assert not CANARY.findall(bytes_of(bundle))
    assert not CANARY.findall(json.dumps(room.ended(bundle)).encode())
    assert bundle["redactions"].keys() >= {
        "unknown_keys",
        "texts",
        "paths",
        "secrets",
        "names",
        "rare_levels",
    }
    assert set(documents(bundle)) == {
        *("IngestDataset/1", "EdaFlow/1", "FeaturesFlow/1", "ValidateFlow/1", "ReportFlow/1")
    }


def test_what_is_on_the_list_arrives(room: Room) -> None:
    found = documents(room.built())
    summary = found["EdaFlow/1"]["summary"]
    assert [each["name"] for each in summary["columns"]] == ["months", "plan", "refund"]
    assert summary["columns"][0]["quantiles"] == {"p1": 1.0, "p50": 29.0, "p99": 72.0}
    assert [each["level"] for each in summary["columns"][1]["levels"]] == ["monthly", "yearly"]
    assert summary["leakage_flags"] == [
        {"column": "refund", "reason": "missingness", "score": 0.99, "also": []}
    ]
    assert summary["leakage_scores"] == [
        {"column": "months", "value": 0.61},
        {"column": "plan", "value": 0.58},
    ]
    assert found["FeaturesFlow/1"]["summary"]["created"][0] == {
        "from": ["plan"],
        "op": "one_hot",
        "stateful": True,
        "features": 2,
    }
    validated = found["ValidateFlow/1"]
    assert validated["summary"]["holdout"]["ci"] == [0.72, 0.86]
    assert [each["group"] for each in validated["summary"]["fairness"][0]["groups"]] == ["monthly"]
    assert validated["reasons"] == [
        {"code": "imprecise", "severity": "warning", "value": 0.07, "threshold": 0.05}
    ]
    assert "error" not in found["EdaFlow/1"]


def test_a_failed_run_is_told_by_its_end_alone(room: Room) -> None:
    bundle = room.built(run="EdaFlow/2")
    assert documents(bundle)["EdaFlow/2"]["verdict"] == "ERROR"
    assert documents(bundle)["EdaFlow/2"]["reasons"] == [
        {"code": "tool_failure", "severity": "error", "threshold": None}
    ]
    assert not CANARY.findall(bytes_of(bundle))


def test_a_package_of_somebody_elses_leaves_nothing_but_its_end(room: Room) -> None:
    mine = run_of(
        "SecretFlow/3",
        "secret-project",
        summary={"n_rows": 3, "plan": "canary-x"},
        reads=("IngestDataset/1",),
    )
    bundle = Room(room.folder, (*FIXTURES, mine)).built(run="SecretFlow/3")
    told = documents(bundle)["SecretFlow/3"]
    assert told == {
        "run": "SecretFlow/3", "status": "ok", "verdict": "OK", "inputs": {}, "summary": {}, "reasons": [],
        "reads": ["IngestDataset/1"],
    }  # fmt: skip
    assert b"secret-project" not in bytes_of(bundle)


def test_the_lineage_names_every_run_with_its_digests(room: Room) -> None:
    manifest = json.loads((Path(room.built()["folder"]) / "manifest.json").read_bytes())
    by_run = {each["run"]: each for each in manifest["lineage"]}
    assert by_run["IngestDataset/1"]["digests"] == {
        "data": "sha256:" + "2b" * 32,
        "holdout": "sha256:" + "1a" * 32,
    }
    assert by_run["ValidateFlow/1"]["reads"] == ["FeaturesFlow/1"]
    assert manifest["about"] == {"run": "ReportFlow/1"}
    assert manifest["verdict_of"] == "ValidateFlow/1"


def test_the_same_runs_give_the_same_bytes(room: Room, tmp_path: Path) -> None:
    one = room.built(out="one")
    other = Room(tmp_path / "elsewhere", tuple(reversed(FIXTURES))).built()
    assert one["digest"] == other["digest"]
    assert Path(one["archive"]).read_bytes() == Path(other["archive"]).read_bytes()
    assert one["digest"] == f"sha256:{hashlib.sha256(Path(one['archive']).read_bytes()).hexdigest()}"
    with zipfile.ZipFile(one["archive"]) as opened:
        assert {entry.date_time for entry in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        packed = {name.partition("/")[2]: opened.read(name) for name in opened.namelist()}
    assert packed == {
        each["path"]: (Path(one["folder"]) / each["path"]).read_bytes() for each in one["files"]
    }


def test_the_checksums_hold(room: Room) -> None:
    bundle = room.built()
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=bundle["folder"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(bundle["files"]) - 1


def test_an_experiment_is_all_of_its_finished_runs_but_bundles(room: Room) -> None:
    going = run_of("EdaFlow/7", status="running", experiment_id="loom-abc123")
    bundle = Room(room.folder, (*FIXTURES, going)).built(run=None, experiment="loom-abc123")
    assert "CollabFlow/1" not in bundle["runs"]
    assert "EdaFlow/2" not in bundle["runs"]
    assert bundle["redactions"]["runs"] == 1
    assert bundle["name"] == "loom-abc123"


def test_an_experiment_that_somebody_named_keeps_its_name_to_itself(room: Room) -> None:
    named = [replace(run, experiment_id="canary-merger") for run in FIXTURES if run.verb == "ingest"]
    bundle = Room(room.folder, named).built(run=None, experiment="canary-merger")
    assert bundle["name"] == "experiment"
    assert not CANARY.findall(bytes_of(bundle))


def test_runs_that_use_each_other_or_are_gone_are_no_trouble(room: Room) -> None:
    one = run_of("EdaFlow/1", reads=("EdaFlow/10", "IngestDataset/404", "EdaFlow/9"))
    runs = (one, run_of("EdaFlow/9", reads=("EdaFlow/1",)), run_of("EdaFlow/10", reads=("EdaFlow/10",)))
    bundle = Room(room.folder, runs).built(run="EdaFlow/1")
    assert bundle["runs"] == ["EdaFlow/1", "EdaFlow/9", "EdaFlow/10"]
    assert documents(bundle)["EdaFlow/1"]["reads"] == ["EdaFlow/10", "IngestDataset/404", "EdaFlow/9"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"run": "ReportFlow/99"}, "no run is called ReportFlow/99"),
        ({"run": None}, "neither of --run and --experiment"),
        ({"experiment": "loom-abc123"}, "both of --run and --experiment"),
        ({"run": None, "experiment": "loom-nobody"}, "no run belongs to it"),
        ({"run": "CollabFlow/1"}, "is a bundle itself"),
        ({"run": "EdaFlow/7"}, "is still running"),
        ({"run": None, "experiment": "loom-going"}, "it has no run that is finished"),
    ],
)
def test_what_cannot_be_shared_is_an_error(room: Room, asked: dict[str, Any], said: str) -> None:
    going = run_of("EdaFlow/7", status="running", experiment_id="loom-going")
    crowded = Room(room.folder, (*FIXTURES, going))
    assert said in crowded.refused("collab_bundle", **{"run": "ReportFlow/1"} | asked)
    assert not (room.folder / "run" / "bundle").exists()


def test_a_bundle_that_is_there_is_left_alone_and_a_changed_one_is_not_overwritten(room: Room) -> None:
    first = room.built(out="here")
    inode = Path(first["folder"]).stat().st_ino
    assert room.built(out="here")["digest"] == first["digest"]
    assert Path(first["folder"]).stat().st_ino == inode
    assert sorted(path.name for path in (room.folder / "here").iterdir()) == sorted(
        [Path(first["folder"]).name, Path(first["archive"]).name]
    )
    (Path(first["folder"]) / "notes.md").write_text("mine")
    assert "was changed since it was built" in room.refused("collab_bundle", run="ReportFlow/1", out="here")
    assert (Path(first["folder"]) / "notes.md").read_text() == "mine"


def test_a_folder_that_takes_nothing_is_an_error_and_stays_empty(room: Room) -> None:
    (room.folder / "file").write_text("taken")
    assert "there is a file of that name" in room.refused("collab_bundle", run="ReportFlow/1", out="file")
    assert "there is a file of that name" in room.refused("collab_bundle", run="ReportFlow/1", out="file/in")
    stem = Path(room.built(out="a")["folder"]).name
    (room.folder / "b" / f"{stem}.zip").mkdir(parents=True)
    room.refused("collab_bundle", run="ReportFlow/1", out="b")
    assert [path.name for path in (room.folder / "b").iterdir()] == [f"{stem}.zip"]


def test_when_the_archive_cannot_be_written_no_folder_is_left(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    placing = part("_placing")
    write = placing.write_atomically

    def full(path: Path, content: bytes) -> None:
        if path.suffix == ".zip":
            raise placing.LoomError(f"{path} cannot be written", "no space left on device", "df -h")
        write(path, content)

    monkeypatch.setattr(placing, "write_atomically", full)
    assert "no space left" in room.refused("collab_bundle", run="ReportFlow/1", out="here")
    assert not list((room.folder / "here").iterdir())


def test_what_slips_through_every_shape_is_caught_before_it_is_written(room: Room) -> None:
    look = part("_cleaning").refuse_if_dirty
    error = part("_cleaning").LoomError
    look({"a.json": b'{"n": 1}'}, [Path("/home/somebody")], "EdaFlow/1")
    for held in (b'{"x": "/home/somebody/x"}', b'{"x": "ghp_0123456789abcdef0123456789abcdef0123"}'):
        with pytest.raises(error, match="not clean"):
            look({"a.json": held}, [Path("/home/somebody")], "EdaFlow/1")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("tenure", "tenure"), ("Größe in cm", "Größe in cm"), ("plan=monthly", "plan=…"), ("a__minus__b", "a__minus__b"),
        ("share %", "share %"), ("email", None), ("firstName", None), ("home_address=Main St", None), ("", None),
        ("C:\\data", None), ("data/x.csv", None), ("49 170 1234567", None), ("ann@example.org", None), ("x" * 65, None),
        ("id 12345678", None), ("born 1970-01-31", None), ("a\nb", None), ("sk-live0123456789abcdefgh", None),
        ("17", None), (3, None), (None, None), ("AKIAABCDEFGHIJKLMNOP", None),
    ],
)  # fmt: skip
def test_a_name_of_a_column_leaves_only_where_it_is_nobodys(written: Any, shown: str | None) -> None:
    assert part("_names").column_name(written) == shown


@pytest.mark.parametrize(
    ("level", "count", "rows", "shown"),
    [
        ("monthly", 20, 800, "monthly"), ("monthly", 19, 100, None), ("monthly", 99, 10_000, None), ("x", 500, None, None),
        ("x", None, 100, None), ("x", True, 10, None), ("x", 50.0, 100, None), ("ann@example.org", 50, 100, None),
        ("12345", 50, 100, None), ("0", 50, 100, "0"), ("/etc/passwd", 50, 100, None), ("a" * 81, 50, 100, None),
        ("1970-01-31", 50, 100, None), ("", 50, 100, None), ("a\x1b[31m", 50, 100, None), (7, 50, 100, None),
    ],
)  # fmt: skip
def test_a_level_leaves_only_where_many_share_it(
    level: Any, count: Any, rows: Any, shown: str | None
) -> None:
    assert part("_names").level_name(level, count, rows) == shown


def test_a_pathspec_is_of_a_flow_that_is_known() -> None:
    named = part("_names").reference
    assert named("EdaFlow/3", ()) == "EdaFlow/3"
    assert named("ValidateFlow/3/model", ()) == "ValidateFlow/3/model"
    assert named("SecretFlow/3", ("SecretFlow/3",)) == "SecretFlow/3"
    for other in (
        "SecretFlow/3",
        "EdaFlow/3/../x",
        "EdaFlow/three",
        "Eda Flow/3",
        "/EdaFlow/3",
        3,
        "EdaFlow/3\n",
    ):
        assert named(other, ()) is None, other


def test_the_words_are_those_that_verbs_use() -> None:
    words = part("_words")
    assert {rule.code for rule in RULES} <= set(words.CODES)
    assert set(OPERATIONS) == set(words.OPERATIONS)
    assert {metric.name for metric in METRICS} == set(words.METRICS)
    packages = [yaml.safe_load(path.read_text()) for path in sorted(COLLAB.parent.glob("*/process.yaml"))]
    verbs = [package for package in packages if package.get("verb", {}).get("flow")]
    assert {package["verb"]["command"] for package in verbs} <= set(words.VERBS)
    assert {package["verb"]["flow"] for package in verbs} <= set(words.FLOWS)
    assert {each for package in verbs for each in package["verb"]["verdict"]["values"]} <= set(words.VERDICTS)
    expected = [case.get("expect", {}).get("reason_code") for each in verbs for case in each["tests"]]
    assert {code for code in expected if code} - {"not_sent"} <= set(words.CODES)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
WATCHED = "zqxcanary"
BY_COLUMN = frozenset({"months", "plan", "email"})


def with_canaries(value: Any) -> Any:
    """The value with the canary in every text of it, keys among them."""
    if isinstance(value, dict):
        return {f"{WATCHED}{key}": with_canaries(each) for key, each in value.items()}
    if isinstance(value, list):
        return [with_canaries(each) for each in value]
    return f"{WATCHED}{value}" if isinstance(value, str) else value


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A summary with keys that nobody knows, at some of its places, each full of canaries."""
    run = draw(st.sampled_from([run for run in FIXTURES if run.summary and run.verb in SUMMARIES]))

    def spoil(value: Any) -> Any:
        if isinstance(value, dict):
            found = {key: spoil(each) for key, each in value.items()}
            # there, keys are names of columns
            if value.keys() - BY_COLUMN and draw(st.booleans()):
                found[WATCHED + draw(st.text(max_size=5))] = with_canaries(draw(ANY))
            return found
        return [spoil(each) for each in value] if isinstance(value, list) else value

    return run.verb, spoil(dict(run.summary))


@given(spoiled())
@settings(max_examples=1_000 if SOAK else 40, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_key_that_nobody_knows_never_leaves(given: tuple[str, dict[str, Any]]) -> None:
    verb, summary = given
    left = cleaned(
        run_of("EdaFlow/1", verb, summary=summary, reasons=({WATCHED: WATCHED},), inputs={WATCHED: WATCHED})
    )
    assert WATCHED not in json.dumps(left.runs, ensure_ascii=False)


@given(st.sampled_from(SUMMARIES), st.data())
@settings(max_examples=2_000 if SOAK else 40, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_summary_holds_only_known_words_and_harmless_names_leave(
    verb: str, data: st.DataObject
) -> None:
    keys = sorted(
        {key for run in FIXTURES for key in texts_in(dict(run.summary))} | {"how", "why", "rows", "n"}
    )
    values = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=30)
        | st.sampled_from(keys),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(keys), inner, max_size=8),
        max_leaves=25,
    )
    summary = data.draw(st.dictionaries(st.sampled_from(keys), values, max_size=12))
    reasons = data.draw(
        st.lists(st.dictionaries(st.sampled_from(["code", "value", "column", "what"]), values), max_size=2)
    )
    run = run_of("EdaFlow/1", verb, summary=summary, reasons=tuple(reasons), inputs=summary)
    left = cleaned(run)
    json.dumps(left.runs, allow_nan=False)
    names = part("_names")
    known = {
        each
        for name, found in vars(part("_words")).items()
        if name.isupper()
        for each in found
    } | {*keys, "run", "verb", "status", "verdict", "inputs", "summary", "reasons", "reads", "features", "column",
         "value", "review", "strict", "levels", "ranges", "flags", "suspects", "staged", "deployed", "not assessed"}  # fmt: skip
    for text in texts_in(list(left.runs)):
        shown = text.removesuffix("=…")
        harmless = (
            names.column_name(shown), names.reference(text, ()), names.digest(text), names.span(text),
            names.moment(text), names.level_name(text, 1_000, 1_000),
        )  # fmt: skip
        assert text in known or any(harmless), text


def cleaned(run: RunFacts) -> Any:
    """One run as it would leave."""
    return part("_cleaning").clean(part("_gathering").Subject(run.name, True, (run,), (), 0))
