"""`loom config explain`: which layer sets what."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.settings.model import SETTINGS
from tests.cli.conftest import Loom


def test_without_a_key_every_setting_has_a_line_with_its_value_and_its_place(here: Path, loom: Loom) -> None:
    (here / "loom.toml").write_text('[models]\ntier1 = "small"\n')
    lines = loom("config", "explain").out.splitlines()
    assert [line.split(" = ")[0] for line in lines] == list(SETTINGS)
    assert "approval.auto_limit_minutes = 10  (default)" in lines
    assert (
        next(line for line in lines if line.startswith("models.tier1"))
        == f'models.tier1 = "small"  ({here}/loom.toml:2)'
    )
    assert max(map(len, lines)) < 160


def test_with_a_key_every_layer_speaks_and_the_winner_is_marked(
    here: Path, tmp_path: Path, loom: Loom, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "loom.toml").write_text('[models]\ntier1 = "mine"\n')
    (here / "loom.toml").write_text('[models]\ntier1 = "ours"\n')
    monkeypatch.setenv("LOOM_MODELS__TIER1", "now")
    out = loom("config", "explain", "models.tier1").out
    assert out.splitlines()[0] == 'models.tier1 = "now"'
    layers = [line.split()[-2:] if line.startswith(">") else line.split() for line in out.splitlines()[4:8]]
    assert [line[:1] for line in out.splitlines()[4:8]] == [" ", " ", " ", ">"]
    assert layers[0] == ["default", '""']
    assert layers[1] == ["user", '"mine"', f"({tmp_path}/home/loom.toml:2)"]
    assert layers[2] == ["workspace", '"ours"', f"({here}/loom.toml:2)"]
    assert "LOOM_MODELS__TIER1=" in out.splitlines()[-1]


@pytest.mark.parametrize("key", SETTINGS)
def test_every_setting_can_be_explained_alone(key: str, loom: Loom) -> None:
    answer = loom("config", "explain", key)
    assert answer.code == 0
    assert SETTINGS[key].description.split()[-1] in answer.out


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("model.tier1", "`models.tier1`"),
        ("models.tier9", "`models.tier"),
        ("nothing", "loom config explain"),
        ("", ""),
    ],
)
def test_an_unknown_key_gets_the_nearest_one(key: str, meant: str, loom: Loom) -> None:
    answer = loom("config", "explain", key)
    assert (answer.code, answer.out) == (2, "")
    assert meant in answer.err.splitlines()[-1]


def test_a_broken_settings_file_is_named_with_its_line(here: Path, loom: Loom) -> None:
    (here / "loom.toml").write_text("[models]\ntier1 = \n")
    answer = loom("config", "explain")
    assert (answer.code, answer.out) == (2, "")
    assert "loom.toml:2" in answer.err.splitlines()[0]
