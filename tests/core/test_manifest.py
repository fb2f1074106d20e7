from __future__ import annotations

from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.core import manifest as module
from loom.core.manifest import (
    AppManifest,
    ManifestError,
    known_extras,
    load_manifest,
    unknown_extras,
    validate_app_manifest,
)
from loom.kernel.errors import LoomError
from tests.core.test_portable import BAD

FULL = """
name: my-app
version: 1.0.0
description: An app
loom_version: ">=0.1"
required_extras: [duckdb, mcp]
python_package:
  name: myapp
  install_path: src/
entry_configs:
  workers:
    - config: configs/workers/one.yaml
      tier: standard
  pipelines:
    - config: configs/pipeline.yml
  schedulers:
    - config: configs/schedule.yaml
  mcp:
    - config: configs/mcp.yaml
scripts:
  - path: scripts/setup.py
    description: Sets up
"""


def data(**changes: Any) -> dict[str, Any]:
    return {"name": "a", "version": "1.0.0", "description": "d", **changes}


def _said(**changes: Any) -> list[str]:
    return validate_app_manifest(data(**changes))


def test_a_full_manifest_is_read(tmp_path: Path) -> None:
    file = tmp_path / "manifest.yaml"
    file.write_text(FULL.replace("1.0.0", '"1.0.0"'))
    app = load_manifest(file)
    assert (app.name, app.version, app.required_extras) == ("my-app", "1.0.0", ("duckdb", "mcp"))
    assert app.python_package is not None
    assert app.python_package.install_path == "src"
    assert next(ref.config for ref in app.entry_configs.all()) == "configs/workers/one.yaml"
    assert app.entry_configs.workers[0].tier == "standard"
    assert app.scripts[0].description == "Sets up"


def test_a_small_manifest_has_empty_parts() -> None:
    app = AppManifest.model_validate(data())
    assert list(app.entry_configs.all()) == []
    assert (app.scripts, app.python_package, app.loom_version, app.required_extras) == ((), None, None, ())


def test_missing_fields_are_named_beside_everything_else() -> None:
    assert validate_app_manifest({"zzz": 1}) == [
        "Missing required field: name",
        "Missing required field: version",
        "Missing required field: description",
        "Manifest validation error: zzz: unknown key",
    ]


@pytest.mark.parametrize("value", [[], "x", None, 3])
def test_what_is_no_mapping_is_no_manifest(value: Any) -> None:
    assert validate_app_manifest(value) == [f"Manifest must be a YAML mapping, got {type(value).__name__}"]


@pytest.mark.parametrize(
    "name", ["", "A", "1a", "a b", "a\n", "a/b", "../a", "ä", "a" * 65, "-a", "con", None, 3]
)
def test_a_name_has_to_match_to_its_end(name: Any) -> None:
    assert len(_said(name=name)) == 1


@pytest.mark.parametrize(
    "version", ["0.0.1", "1.0.0rc1", "1.0.0-rc.1", "1.0.0-beta", "1.0.0+build.5", "1.0.0.dev3"]
)
def test_a_version_has_three_numbers_and_a_suffix_that_can_be_compared(version: str) -> None:
    assert _said(version=version) == []


@pytest.mark.parametrize(
    "version",
    [
        "1",
        "1.0",
        "1.0.0.0",
        "v1.0.0",
        "1.0.0\n",
        " 1.0.0",
        "1.0.0garbage",
        "1.0.0-garbage",
        "1!1.0.0",
        "1.0.0; x",
        "١.٠.٠",
        1.0,
        None,
    ],
)
def test_a_version_has_to_match_to_its_end(version: Any) -> None:
    assert len(_said(version=version)) == 1


@pytest.mark.parametrize("wanted", ["", " ", "0.4.0", ">=x", ">=0.4 or so", ">=0.4.0\nx", 0.4])
def test_the_versions_of_loom_are_a_specifier(wanted: Any) -> None:
    assert len(_said(loom_version=wanted)) == 1


@pytest.mark.parametrize(
    ("wanted", "version", "fits"),
    [
        (None, "0.1.0", True),
        (">=0.4.0", "0.4.0", True),
        (">=0.4.0", "0.3.9", False),
        (">=0.4.0,<1", "1.0.0", False),
        (">=0.4.0", "0.5.0rc1", True),
        ("~=0.4.0", "0.4.10", True),
        (">=0.10", "0.9", False),
    ],
)
def test_an_app_runs_on_the_versions_it_names(wanted: str | None, version: str, fits: bool) -> None:
    assert AppManifest.model_validate(data(loom_version=wanted)).runs_on(version) is fits


@pytest.mark.parametrize("path", BAD)
def test_paths_are_relative_and_stay_in_the_bundle(path: str) -> None:
    assert _said(scripts=[{"path": path}])
    assert _said(entry_configs={"workers": [{"config": f"{path}.yaml" if path.endswith("x") else path}]})
    if path != "a/":
        assert _said(python_package={"name": "a", "install_path": path})


@pytest.mark.parametrize("config", ["a.txt", "a.yaml.txt", "yaml", "a.YAML"])
def test_a_config_is_a_yaml_file(config: str) -> None:
    assert "must end in .yaml or .yml" in _said(entry_configs={"mcp": [{"config": config}]})[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"zzz": 1},
        {"entry_configs": {"worker": []}},
        {"entry_configs": {"workers": [{"config": "a.yaml", "zzz": 1}]}},
        {"scripts": [{"path": "a", "zzz": 1}]},
        {"python_package": {"name": "a", "zzz": 1}},
    ],
)
def test_unknown_keys_are_refused(changes: dict[str, Any]) -> None:
    said = _said(**changes)
    assert len(said) == 1
    assert said[0].endswith("unknown key")


@pytest.mark.parametrize(
    "changes",
    [
        {"description": " "},
        {"description": 3},
        {"required_extras": "duckdb"},
        {"required_extras": ["a b"]},
        {"required_extras": ["a\n"]},
        {"python_package": {"name": "my app"}},
        {"entry_configs": {"workers": [{"config": "a.yaml", "tier": "huge"}]}},
        {"entry_configs": {"pipelines": [{"config": "a.yaml", "tier": "local"}]}},
        {"entry_configs": {"workers": [{"config": "a.yaml"}], "mcp": [{"config": "a.yaml"}]}},
        {"entry_configs": []},
        {"scripts": {}},
    ],
    ids=str,
)
def test_what_is_wrong_with_a_part_is_one_complaint(changes: dict[str, Any]) -> None:
    assert len(_said(**changes)) == 1


def test_extras_come_from_the_package_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = Message()
    metadata["Provides-Extra"] = "duck-db"
    metadata["Provides-Extra"] = "nats"
    monkeypatch.setattr(module.importlib.metadata, "metadata", lambda name: metadata)
    assert known_extras() == {"duck-db", "nats"}
    app = AppManifest.model_validate(data(required_extras=["Duck_DB", "mcp", "nats"]))
    assert unknown_extras(app) == ("mcp",)
    assert _said(required_extras=["mcp"]) == []


def test_without_an_installation_no_extra_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DISTRIBUTION", "loom-is-not-called-like-this")
    assert known_extras() == frozenset()
    assert module.running_version() is None


@pytest.mark.parametrize("text", ["name: a\nname: b\n", "- 1\n", "", "name: a\n", "a: *x\n", "\xff"])
def test_a_file_that_is_no_manifest_is_a_value_error_and_a_loom_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "manifest.yaml"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(ManifestError) as caught:
        load_manifest(file)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, LoomError)


def test_a_missing_manifest_is_file_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_manifest(tmp_path / "manifest.yaml")


keys = st.sampled_from([*AppManifest.model_fields, "workers", "config", "path", "install_path", "tier"])


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("a.yaml")
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(keys, values, max_size=4))
def test_no_data_makes_the_validator_raise(value: dict[str, Any]) -> None:
    if validate_app_manifest(value) == []:
        AppManifest.model_validate(value)
    assert isinstance(validate_app_manifest(data(**value)), list)
