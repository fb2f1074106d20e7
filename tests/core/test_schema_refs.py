from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loom.core.config import ConfigValidationError, load_config, resolve_schema_refs, validate_worker_config
from loom.core.contracts import validate_input
from loom.core.schema_refs import trusted_folders

_numbers = itertools.count()
MODEL = """
import pathlib
from pydantic import BaseModel
pathlib.Path(__file__).with_name("imported").touch()
class Order(BaseModel):
    count: int
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a package that Python can import, from a folder that nobody trusts."""
    name = f"loom_test_orders_{next(_numbers)}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "models.py").write_text(MODEL)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield name
    for loaded in [module for module in sys.modules if module.split(".")[0] == name]:
        del sys.modules[loaded]


def _resolve(reference: Any, *roots: Path) -> dict[str, Any]:
    return resolve_schema_refs({"input_schema_ref": reference}, trusted_roots=roots)


def test_a_model_of_an_installed_package_becomes_a_schema() -> None:
    config: dict[str, Any] = {
        "name": "w",
        "system_prompt": "p",
        "input_schema_ref": "loom.core.messages.OrchestratorGoal",
        "output_schema_ref": "loom.core.messages.TaskError",
    }
    assert resolve_schema_refs(config) is config
    assert validate_worker_config(config) == []
    assert validate_input({"instruction": "x"}, config["input_schema"]) == []
    assert validate_input({}, config["input_schema"])
    assert set(config["output_schema"]["required"]) == {"kind", "message", "retryable"}


def test_code_outside_of_trusted_folders_is_refused_and_does_not_run(package: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigValidationError, match="not in a trusted folder"):
        _resolve(f"{package}.models.Order")
    assert not (tmp_path / package / "imported").exists()
    assert package not in sys.modules


def test_code_in_the_current_folder_is_refused(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *(entry for entry in sys.path if entry != str(tmp_path))])
    with pytest.raises(ConfigValidationError, match="not in a trusted folder"):
        _resolve(f"{package}.models.Order")


def test_a_folder_can_be_trusted_by_the_caller(package: str, tmp_path: Path) -> None:
    assert "count" in _resolve(f"{package}.models.Order", tmp_path)["input_schema"]["properties"]
    file = tmp_path / "w.yaml"
    file.write_text(f"input_schema_ref: {package}.models.Order\n")
    assert "input_schema" in load_config(file, trusted_roots=[tmp_path])
    assert "input_schema" not in load_config(file, resolve_refs=False)
    with pytest.raises(ConfigValidationError):
        load_config(file)


def test_a_trusted_folder_does_not_vouch_for_one_whose_name_begins_alike(
    package: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigValidationError, match="not in a trusted folder"):
        _resolve(f"{package}.models.Order", tmp_path / package[:-1])


def test_a_link_out_of_a_trusted_folder_is_not_trusted(package: str, tmp_path: Path) -> None:
    trusted = tmp_path / package / "trusted"
    trusted.mkdir()
    module = tmp_path / package / "models.py"
    module.rename(tmp_path / "elsewhere.py")
    module.symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(ConfigValidationError, match="elsewhere"):
        _resolve(f"{package}.models.Order", tmp_path / package)


def test_a_package_around_a_trusted_module_has_to_be_trusted_too(package: str, tmp_path: Path) -> None:
    inner = tmp_path / package / "inner"
    inner.mkdir()
    (inner / "__init__.py").write_text(MODEL)
    with pytest.raises(ConfigValidationError, match="__init__"):
        _resolve(f"{package}.inner.Order", inner)


def test_a_package_without_a_file_of_its_own_is_passed_through(package: str, tmp_path: Path) -> None:
    (tmp_path / package / "__init__.py").unlink()
    assert _resolve(f"{package}.models.Order", tmp_path)["input_schema"]
    (tmp_path / package / "imported").unlink()


@pytest.mark.parametrize(
    "reference", ["antigravity.x", "os.path.join", "sys.modules", "this.s", "json.JSONDecoder"]
)
def test_the_standard_library_is_not_run_for_a_schema(reference: str) -> None:
    before = set(sys.modules)
    with pytest.raises(ConfigValidationError):
        _resolve(reference)
    assert not {"antigravity", "this"} & (set(sys.modules) - before)


@pytest.mark.parametrize(
    "reference", [3, "", "name", "a..b", ".a.b", "a.b.", "a b.c", "../x.y", "os;x.y", ["a.b"], "a.b\n", True]
)
def test_a_reference_that_is_no_dotted_path_is_refused(reference: Any) -> None:
    with pytest.raises(ConfigValidationError, match="not a dotted path"):
        _resolve(reference)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("Order = 1", "no pydantic model called Order"),
        ("class Order: pass", "no pydantic model called Order"),
        ("", "no pydantic model called Order"),
        ("import nothing_called_like_this", "fails"),
        ("class Order(", "fails"),
        (
            "from pydantic import BaseModel, ConfigDict\nclass Odd: pass\nclass Order(BaseModel):\n"
            "    model_config = ConfigDict(arbitrary_types_allowed=True)\n    odd: Odd\n",
            "JsonSchema",
        ),
    ],
)
def test_what_is_no_model_or_cannot_be_imported_is_refused(
    package: str, tmp_path: Path, code: str, why: str
) -> None:
    (tmp_path / package / "models.py").write_text(code)
    with pytest.raises(ConfigValidationError) as caught:
        _resolve(f"{package}.models.Order", tmp_path)
    assert why in caught.value.why


def test_a_module_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigValidationError, match="there is no module loom_nothing"):
        _resolve("loom_nothing.models.Order")
    with pytest.raises(ConfigValidationError, match=r"there is no module loom\.core\.nothing"):
        _resolve("loom.core.nothing.Order")


def test_a_schema_that_is_written_out_takes_precedence() -> None:
    config = {"input_schema": {"type": "object"}, "input_schema_ref": "no.such.Thing"}
    assert resolve_schema_refs(dict(config)) == config


def test_references_of_stages_and_workers_are_resolved_too() -> None:
    reference = {"output_schema_ref": "loom.core.messages.TaskError"}
    config = resolve_schema_refs(
        {"pipeline_stages": [dict(reference), 3], "available_workers": [dict(reference)], "name": "p"}
    )
    assert config["pipeline_stages"][0]["output_schema"]["title"] == "TaskError"
    assert config["available_workers"][0]["output_schema"]["title"] == "TaskError"


@pytest.mark.parametrize("stages", [None, 3, {"a": 1}, "x"])
def test_stages_that_are_no_list_are_left_to_the_validators(stages: Any) -> None:
    assert resolve_schema_refs({"pipeline_stages": stages}) == {"pipeline_stages": stages}


def test_neither_the_root_nor_the_current_folder_is_trusted_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folders = trusted_folders()
    assert not any(tmp_path.is_relative_to(folder) for folder in folders)
    assert not any(Path("/") == folder for folder in folders)
