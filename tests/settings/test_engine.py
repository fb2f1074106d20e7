"""Where Metaflow keeps its data: below Loom's home, unless its user has said something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loom.settings.engine import (
    CONFIG_FOLDER,
    engine_configuration,
    engine_environment,
    engine_root,
    is_embedded,
)


def person(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(tmp_path), "USER": "ada", **more}


def test_without_a_configuration_everything_stays_below_the_home(tmp_path: Path) -> None:
    home = tmp_path / ".loom"
    added = engine_environment(home, person(tmp_path))
    assert added == {
        "METAFLOW_HOME": str(CONFIG_FOLDER),
        "METAFLOW_DEFAULT_DATASTORE": "local",
        "METAFLOW_DEFAULT_METADATA": "local",
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(home),
        "METAFLOW_CLIENT_CACHE_PATH": str(home / "cache" / "metaflow"),
    }
    assert engine_configuration(home, person(tmp_path)) == ("embedded", str(home / ".metaflow"))
    assert engine_root(home, person(tmp_path)) == home
    assert not home.exists()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("METAFLOW_PROFILE", "work"), ("METAFLOW_DEFAULT_DATASTORE", "s3"), ("METAFLOW_HOME", "/etc/metaflow")],
)
def test_any_variable_of_metaflow_is_its_users_decision(tmp_path: Path, variable: str, value: str) -> None:
    environ = person(tmp_path, **{variable: value})
    assert engine_environment(tmp_path / ".loom", environ) == {}
    assert engine_configuration(tmp_path / ".loom", environ) == ("yours", f"environment: {variable}")
    assert engine_root(tmp_path / ".loom", environ) is None


def test_many_variables_are_named_briefly(tmp_path: Path) -> None:
    environ = person(tmp_path, **{f"METAFLOW_{letter}": "x" for letter in "EDCBA"})
    where = "environment: METAFLOW_A, METAFLOW_B, METAFLOW_C and 2 more"
    assert engine_configuration(tmp_path, environ) == ("yours", where)


def test_a_configuration_file_is_its_users_decision(tmp_path: Path) -> None:
    file = tmp_path / ".metaflowconfig" / "config.json"
    file.parent.mkdir()
    assert engine_configuration(tmp_path, person(tmp_path))[0] == "embedded"
    file.write_text("{}")
    assert engine_environment(tmp_path, person(tmp_path)) == {}
    assert engine_configuration(tmp_path, person(tmp_path)) == ("yours", str(file))


@pytest.mark.parametrize("names", [{}, {"USER": "root"}, {"USER": "root", "USERNAME": ""}])
def test_where_nobody_has_a_name_metaflow_is_given_one(tmp_path: Path, names: dict[str, str]) -> None:
    environ = {"HOME": str(tmp_path), **names}
    assert engine_environment(tmp_path, environ)["METAFLOW_USER"] == "loom"
    assert "METAFLOW_USER" not in engine_environment(tmp_path, {**environ, "SUDO_USER": "ada"})


def test_a_run_inside_a_run_is_embedded_like_the_outer_one(tmp_path: Path) -> None:
    outer = {
        **person(tmp_path),
        **engine_environment(tmp_path / "outer", person(tmp_path)),
        "METAFLOW_RUN_ID": "7",
    }
    assert is_embedded(outer) and not is_embedded(person(tmp_path))
    assert engine_environment(tmp_path / "inner", outer)["METAFLOW_DATASTORE_SYSROOT_LOCAL"] == str(
        tmp_path / "inner"
    )
    assert engine_configuration(tmp_path / "inner", outer)[0] == "embedded"


def test_the_configuration_that_comes_with_loom_lists_plugins_and_nothing_else() -> None:
    content = json.loads((CONFIG_FOLDER / "config.json").read_text())
    assert all(
        key.startswith("METAFLOW_ENABLED_") and isinstance(value, list) for key, value in content.items()
    )
