"""Which model answers for whom is configured, and what is missing is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from loom.core.model import ModelRequest, answer, says
from loom.kernel.errors import LoomError
from loom.models.cassette import CassetteModel
from loom.models.scripted import ScriptedModel
from loom.models.tiers import KEYS, ROLES, Choice, choose_model, open_model
from loom.settings.layers import Settings, load_settings
from tests.fakes.messages_server import MessagesServer
from tests.fakes.model_server import Says

KEY = "sk-canary-0123456789abcdef"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path


def configured(here: Path, toml: str = "", user: str = "", **environ: str) -> Settings:
    (here / "loom.toml").write_text(f"[models]\n{toml}\n")
    (here / "home" / "loom.toml").write_text(f"[models]\n{user}\n")
    return load_settings(here, {"LOOM_HOME": str(here / "home"), **environ}, {})


def refusal(asked: str, settings: Settings, provider: str = "", **environ: str) -> LoomError:
    with pytest.raises(LoomError) as raised:
        open_model(asked, settings, environ, provider=provider)
    assert len(str(raised.value).splitlines()) == 3
    return raised.value


TIERED = 'tier1 = "anthropic:small"\ntier2 = "openai-compatible:llama3:8b"\ntier3 = "anthropic:large"'


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ("tier1", Choice("anthropic", "small")),
        ("tier2", Choice("openai-compatible", "llama3:8b")),
        ("planner", Choice("anthropic", "large")),
        ("executor", Choice("openai-compatible", "llama3:8b")),
        ("verifier", Choice("anthropic", "large")),
        ("extractor", Choice("anthropic", "small")),
        ("writer", Choice("anthropic", "large")),
        ("proposer", Choice("anthropic", "large")),
        ("anthropic:other", Choice("anthropic", "other")),
    ],
)
def test_a_role_leads_to_a_tier_and_a_tier_to_a_model(here: Path, asked: str, chosen: Choice) -> None:
    assert choose_model(asked, configured(here, TIERED)) == chosen


def test_a_role_may_have_another_tier_or_a_model_of_its_own(here: Path) -> None:
    settings = configured(here, f'{TIERED}\nwriter = "tier1"\nproposer = "openai-compatible:coder"')
    assert choose_model("writer", settings).model == "small"
    assert choose_model("proposer", settings) == Choice("openai-compatible", "coder")


def test_a_model_without_a_provider_is_of_the_one_that_is_set(here: Path) -> None:
    settings = configured(here, 'provider = "openai-compatible"\ntier3 = "llama3:8b"')
    assert choose_model("planner", settings) == Choice("openai-compatible", "llama3:8b")


def test_a_provider_that_is_given_goes_before_the_settings(here: Path) -> None:
    settings = configured(here, f'{TIERED}\nprovider = "openai-compatible"\nwriter = "plain"')
    assert choose_model("proposer", settings, "anthropic:other") == Choice("anthropic", "other")
    assert choose_model("proposer", settings, "anthropic") == Choice("anthropic", "large")
    assert choose_model("writer", settings, "anthropic") == Choice("anthropic", "plain")
    with pytest.raises(LoomError) as raised:
        choose_model("proposer", settings, "openai-compatible")
    assert raised.value.fix == "export LOOM_MODELS__TIER3=openai-compatible:MODEL"


@pytest.mark.parametrize("role", ROLES)
def test_where_nothing_is_configured_the_error_names_the_key(here: Path, role: str) -> None:
    error = refusal(role, configured(here))
    assert "models.tier" in error.why
    assert error.fix.startswith("export LOOM_MODELS__TIER")


def test_a_model_without_any_provider_is_an_error(here: Path) -> None:
    error = refusal("tier1", configured(here, 'tier1 = "small"'))
    assert "models.provider" in error.why


@pytest.mark.parametrize(
    ("asked", "toml", "provider", "said"),
    [
        ("planer", "", "", "did you mean `planner`?"),
        ("tier4", "", "", "did you mean `tier"),
        ("", "", "", "loom config explain models.tier3"),
        ("anthropic:", "", "", "export LOOM_MODELS__TIER3=anthropic:MODEL"),
        ("tier1", 'provider = "antropic"\ntier1 = "x"', "", "did you mean `anthropic`?"),
        ("tier1", TIERED, "antropic", "did you mean `anthropic`?"),
        ("tier1", TIERED, KEY, "loom config explain models.provider"),
    ],
)
def test_what_is_unknown_is_named_with_what_was_meant(
    here: Path, asked: str, toml: str, provider: str, said: str
) -> None:
    error = refusal(asked, configured(here, toml), provider)
    assert said in error.fix
    assert KEY not in str(error)


@pytest.mark.parametrize("toml", ["", TIERED])
@pytest.mark.parametrize("key", [{}, {"ANTHROPIC_API_KEY": " "}])
def test_without_a_key_three_lines_name_the_variable_and_the_flag(
    here: Path, toml: str, key: dict[str, str]
) -> None:
    error = refusal("proposer", configured(here, toml), "anthropic", **key)
    assert "ANTHROPIC_API_KEY is not set" in error.why
    assert "--model-provider" in error.fix
    assert error.fix.endswith("export ANTHROPIC_API_KEY=KEY")


@pytest.mark.parametrize("bad", [f"{KEY} {KEY}", f"{KEY}\n{KEY}", f"{KEY}é", f"{KEY}\x00"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_shown(here: Path, bad: str) -> None:
    error = refusal("planner", configured(here, TIERED), ANTHROPIC_API_KEY=bad)
    assert "ANTHROPIC_API_KEY" in error.why
    assert KEY not in str(error)


def test_a_configured_model_answers(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with MessagesServer([Says("hello"), Says("again")]) as server:
        settings = configured(here, f'{TIERED}\nanthropic_url = "{server.address}"')
        model = open_model("planner", settings, {"ANTHROPIC_API_KEY": f" {KEY}\n"})
        assert (model.provider, model.name) == ("anthropic", "large")
        assert answer(model.complete(ModelRequest((says("?"),)))).text == "hello"
        environ = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": server.address}
        other = open_model("planner", configured(here, TIERED), environ)
        assert answer(other.complete(ModelRequest((says("?"),)))).text == "again"


def test_a_compatible_service_needs_an_address_and_no_key(here: Path) -> None:
    error = refusal("tier2", configured(here, TIERED))
    assert "OPENAI_BASE_URL" in error.why
    assert "models.openai_compatible_url" in error.why
    model = open_model("tier2", configured(here, TIERED), {"OPENAI_BASE_URL": "http://10.0.0.1:8000/v1"})
    assert (model.provider, model.name) == ("openai-compatible", "llama3:8b")


def test_the_file_of_a_workspace_cannot_send_a_key_to_another_machine(here: Path) -> None:
    written = f'{TIERED}\nanthropic_url = "https://elsewhere.example/v1"'
    error = refusal("planner", configured(here, written), ANTHROPIC_API_KEY=KEY)
    assert "loom.toml:5" in error.what
    assert "elsewhere.example" in error.what
    assert KEY not in str(error)
    for toml, user in ((TIERED, written), (f'{TIERED}\nanthropic_url = "http://[::1]:1/"', "")):
        assert open_model("planner", configured(here, toml, user), {"ANTHROPIC_API_KEY": KEY})


@pytest.mark.parametrize(
    "url",
    [
        "elsewhere",
        "file:///etc/passwd",
        "http://",
        "http://h:99999",
        "http://me:pw@h/v1",
        "http://h h/",
        "http://[x",
    ],
)
def test_an_address_that_is_none_is_refused(here: Path, url: str) -> None:
    error = refusal("tier2", configured(here, TIERED), OPENAI_BASE_URL=url)
    assert "http(s)://HOST" in error.why
    assert "pw" not in str(error)


def test_a_script_and_a_tape_are_models_too(here: Path) -> None:
    (here / "tale.json").write_text('["once"]')
    settings = configured(here, f'tier1 = "scripted:{here}/tale.json"\ntier2 = "cassette:{here}/tape.jsonl"')
    asked = ModelRequest((says("?"),))
    assert answer(open_model("tier1", settings, {}).complete(asked)).text == "once"
    answer(CassetteModel(here / "tape.jsonl", ScriptedModel(["kept"])).complete(asked))
    assert answer(open_model("tier2", settings, {}).complete(asked)).text == "kept"


def test_nothing_of_a_provider_is_imported_until_a_model_is_opened(here: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from loom.kernel.errors import LoomError
from loom.models.tiers import open_model
from loom.settings.layers import load_settings
settings = load_settings(Path({str(here)!r}), {{"LOOM_HOME": {str(here)!r}}}, {{}})
try:
    open_model("proposer", settings, {{}}, provider="anthropic")
except LoomError as error:
    print(error.why)
print(sorted({{"anthropic", "httpx2", "jsonschema", "pydantic"}} & set(sys.modules)))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "ANTHROPIC_API_KEY is not set\n[]\n"


def test_each_provider_is_known_with_its_key() -> None:
    assert set(KEYS) == {"anthropic", "openai-compatible", "scripted", "cassette"}
