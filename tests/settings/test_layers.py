from __future__ import annotations

import json
import os
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loom.kernel.errors import LoomError
from loom.settings.layers import Settings, environment_name, load_settings, loom_home
from loom.settings.model import SETTINGS, Setting, Value
from loom.settings.toml import MAX_BYTES, MAX_LINE, read_toml

LOOPS = "execution.enable_process_iteration_loops"
REPLANS = "execution.max_iteration_replans_after_exhaustion"
PREFIXES = "execution.iteration_command_exit_allowlisted_prefixes"
NAMES = ("default", "user", "workspace", "environment", "flags")

words = st.text("abcxyz 019-_./", min_size=1, max_size=12).map(str.strip).filter(bool)


def _values(setting: Setting) -> st.SearchStrategy[Value]:
    kinds: dict[str, st.SearchStrategy[Value]] = {
        "flag": st.booleans(),
        "integer": st.integers(0, 10**6),
        "text": words,
        "texts": st.lists(words, max_size=3).map(tuple),
    }
    return kinds[setting.kind]


def _writings(name: str) -> st.SearchStrategy[dict[str, Value]]:
    """What one layer writes: any settings, with any sound values."""
    return st.fixed_dictionaries({}, optional={key: _values(setting) for key, setting in SETTINGS.items()})


def _as_toml(written: Mapping[str, Value]) -> str:
    return "".join(f"# {key}\n{key} = {json.dumps(value)}\n" for key, value in written.items())


def _as_environment(written: Mapping[str, Value]) -> dict[str, str]:
    return {
        environment_name(key): value if isinstance(value, str) else json.dumps(value)
        for key, value in written.items()
    }


def _load(
    folder: Path,
    *,
    user: str | None = None,
    workspace: str | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Settings:
    for name, text in (("home", user), ("work", workspace)):
        (folder / name).mkdir(exist_ok=True)
        if text is not None:
            (folder / name / "loom.toml").write_text(text, encoding="utf-8", newline="")
    return load_settings(folder / "work", {"LOOM_HOME": str(folder / "home"), **(environ or {})}, flags or {})


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(_writings("user"), _writings("workspace"), _writings("environment"), _writings("flags"))
def test_the_highest_layer_that_writes_a_key_wins_and_is_named(
    user: dict[str, Value], workspace: dict[str, Value], environ: dict[str, Value], flags: dict[str, Value]
) -> None:
    written = {
        "default": {key: s.default for key, s in SETTINGS.items()},
        "user": user,
        "workspace": workspace,
    }
    written |= {"environment": environ, "flags": flags}
    with tempfile.TemporaryDirectory() as folder:
        loaded = _load(
            Path(folder),
            user=_as_toml(user),
            workspace=_as_toml(workspace),
            environ=_as_environment(environ),
            flags=flags,
        )
    for key in SETTINGS:
        writers = [name for name in NAMES if key in written[name]]
        layers = loaded.explain(key)
        assert [(layer.name, layer.value) for layer in layers] == [
            (name, written[name][key]) for name in writers
        ]
        assert [layer.wins for layer in layers] == [False] * (len(layers) - 1) + [True]
        assert loaded.get(key) == written[writers[-1]][key]


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(_writings("any"))
def test_a_file_names_the_line_of_every_key(written: dict[str, Value]) -> None:
    text = _as_toml(written)
    with tempfile.TemporaryDirectory() as folder:
        loaded = _load(Path(folder), workspace=text)
    for key in written:
        name, _, line = loaded.explain(key)[-1].where.rpartition(":")
        assert name.endswith("work/loom.toml")
        assert text.splitlines()[int(line) - 1].startswith(f"{key} =")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(_writings("any"))
def test_what_one_load_yields_another_reads_back_from_file_and_environment(written: dict[str, Value]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        from_flags = _load(Path(folder), flags=written)
        values = {key: from_flags.get(key) for key in SETTINGS}
        from_environment = _load(Path(folder), environ=_as_environment(values))
        from_file = _load(Path(folder), workspace=_as_toml(values))
    for loaded in (from_environment, from_file):
        assert {key: loaded.get(key) for key in SETTINGS} == values


def test_without_any_layer_the_defaults_hold(tmp_path: Path) -> None:
    loaded = _load(tmp_path)
    assert loaded.get("execution.enable_iteration_command_exit_gate") is False
    assert loaded.get(LOOPS) is True
    assert loaded.get(REPLANS) == 2
    assert loaded.get("approval.auto_limit_minutes") == 10
    assert loaded.get("models.tier1") == loaded.get("models.provider") == ""
    prefixes = loaded.get(PREFIXES)
    assert isinstance(prefixes, tuple)
    assert len(prefixes) == 11
    assert {"pytest", "uv run pytest", "make test"} <= set(prefixes)
    assert loaded.explain(LOOPS)[0].where == "default"


def test_every_setting_says_what_it_does_and_has_a_default_of_its_kind() -> None:
    types = {"flag": bool, "integer": int, "text": str, "texts": tuple}
    for key, setting in SETTINGS.items():
        assert key == setting.key
        assert type(setting.default) is types[setting.kind]
        assert setting.description.endswith(".")


def test_a_place_names_file_and_line_or_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loom.toml").write_text("# mine\n\n[execution]\nenable_process_iteration_loops = false\n")
    variable = "LOOM_EXECUTION__ENABLE_PROCESS_ITERATION_LOOPS"
    loaded = load_settings(Path(), {"LOOM_HOME": "none", variable: "true"}, {LOOPS: False})
    assert [layer.where for layer in loaded.explain(LOOPS)] == [
        "default",
        "loom.toml:4",
        f"environment {variable}",
        "command line",
    ]


@pytest.mark.parametrize(
    "text",
    [
        '# [execution]\nx = 1\n[execution]\nmax = """\n[other]\nmax = 2\n"""\n',
        "[a]\nx = '''\n[b]\nx = 1\n'''\ny = 2 # z = 3\n[b]\nx = ']='\n",
        'a.b."c.d" = 1\n[ "x y" . z ]\nq = { r = 1, s = [1, 2] } # ] =\nt = [\n  "=", # = [\n  \'[u]\',\n]\nv = 1\n',
        '[[list]]\nx = 1\n[[list]]\ny = """a""""\n[list.deep]\nz = "\\"=\\\\"\nw = ""\n[[ n ]] # [m]\nk = []',
        '"#" = 1\r\n\'=\' = 2\r\n"\\"]" = 3\r\n["]"]\r\nx = 1\r\n',
    ],
)
def test_lines_of_keys_agree_with_the_parser(tmp_path: Path, text: str) -> None:
    file = tmp_path / "loom.toml"
    file.write_text(text, encoding="utf-8", newline="")
    read = read_toml(file)
    assert read is not None
    assert read.lines == _lines_by_the_parser(text.replace("\r\n", "\n"))


def _lines_by_the_parser(text: str) -> dict[tuple[str, ...], int]:
    """The same answer by force: parse ever longer beginnings and see when a key first appears."""
    found: dict[tuple[str, ...], int] = {}
    lines = text.split("\n")
    start = 1
    for end in range(1, len(lines) + 1):
        try:
            data = tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue
        for path in _paths(data):
            found.setdefault(path, start)
        start = end + 1
    return found


def _paths(data: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every table key; what an inline table or a plain list holds has no line of its own."""
    if isinstance(data, list) and data and all(isinstance(item, dict) for item in data):
        return [found for item in data for found in _paths(item, path)]
    if not isinstance(data, dict) or path[-1:] == ("q",):
        return []
    return [found for key, value in data.items() for found in ((*path, key), *_paths(value, (*path, key)))]


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        (
            "[execution]\nenable_process_iteration_loop = true",
            "loom.toml:2: unknown setting",
            f"did you mean `{LOOPS}`?",
        ),
        ("[exectuion]\nx = 1", "loom.toml:1: unknown setting `exectuion`", "did you mean `execution`?"),
        ('"models.tier1" = "x"', 'unknown setting `"models.tier1"`', "did you mean `models.tier1`?"),
        ("zzz = 1", "unknown setting `zzz`", "loom config explain"),
        ("\nexecution = 5", "loom.toml:2: `execution` must be a table", "[execution]"),
        ("[[execution]]\nx = 1", "loom.toml:1: `execution` must be a table", "[execution]"),
        (f"\n\n{LOOPS} = 'false'", f"loom.toml:3: wrong type for `{LOOPS}`", "true"),
        (f"{LOOPS} = 1", "wrong type", "true"),
        (f"{REPLANS} = true", "wrong type", "2"),
        (f"{REPLANS} = 2.0", "wrong type", "2"),
        (f"{REPLANS} = -1", "wrong type", "2"),
        ("models.tier1 = 1", "wrong type", '""'),
        ("models.tier1.name = 'x'", "wrong type", '""'),
        (f"{PREFIXES} = 'pytest'", "wrong type", '["pytest"'),
        (f"{PREFIXES} = ['pytest', 1]", "wrong type", '["pytest"'),
        (f"{PREFIXES} = ['']", "wrong type", '["pytest"'),
        ("a = 1\nb = = 2", "loom.toml:2 is not valid TOML", "key = value"),
        ("a = 1\na = 2", "loom.toml:2 is not valid TOML", "key = value"),
        ("\na = [", "loom.toml:2 is not valid TOML", "key = value"),
        ("a = " + "9" * 1900, "loom.toml:1: unknown setting", "loom config explain"),
        ("a = 2024-99-99", "not valid TOML", "key = value"),
        ("a = [\n" + "[\n" * 20_000, "nested too deeply", "flat"),
        ("a" + ".a" * MAX_LINE, "loom.toml:1 is too long", "several lines"),
        ("# x\n" * MAX_BYTES, "loom.toml is too large", "only settings"),
    ],
)
@pytest.mark.parametrize("layer", ["user", "workspace"])
def test_a_faulty_file_is_refused_with_its_place_and_a_way_out(
    tmp_path: Path, layer: str, text: str, what: str, fix: str
) -> None:
    with pytest.raises(LoomError) as raised:
        _load(tmp_path, **{layer: text})
    assert what in raised.value.what
    assert str(tmp_path / ("home" if layer == "user" else "work") / "loom.toml") in raised.value.what
    assert fix in raised.value.fix
    assert raised.value.why
    assert len(str(raised.value)) < 1000


def test_a_file_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "loom.toml").write_bytes(b"# ok\n# \xff\n")
    with pytest.raises(LoomError, match=r"loom\.toml:2 is not UTF-8 text") as raised:
        load_settings(tmp_path, {"LOOM_HOME": str(tmp_path / "none")}, {})
    assert raised.value.why == "byte 0xff at offset 7"


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    (tmp_path / "loom.toml").write_bytes(b"\xef\xbb\xbf[models]\r\ntier1 = 'x'\r\n")
    loaded = load_settings(tmp_path, {"LOOM_HOME": str(tmp_path / "none")}, {})
    assert loaded.explain("models.tier1")[-1].where.endswith("loom.toml:2")


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop"])
def test_what_is_no_readable_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "loom.toml"
    {"folder": file.mkdir, "pipe": lambda: os.mkfifo(file), "loop": lambda: file.symlink_to(file)}[kind]()
    with pytest.raises(LoomError, match=r"loom\.toml cannot be read"):
        load_settings(tmp_path, {"LOOM_HOME": str(tmp_path / "none")}, {})


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [
        (LOOPS, "FALSE", False),
        (LOOPS, " 1 ", True),
        (LOOPS, "off", False),
        (REPLANS, "07", 7),
        ("models.tier1", "", ""),
        ("models.tier1", "a model: v=1", "a model: v=1"),
        (PREFIXES, "pytest, ruff check ,", ("pytest", "ruff check")),
        (PREFIXES, '["a, b"]', ("a, b",)),
        (PREFIXES, "", ()),
    ],
)
def test_an_environment_value_is_read_by_the_type_of_its_setting(
    tmp_path: Path, key: str, written: str, value: Value
) -> None:
    assert _load(tmp_path, environ={environment_name(key): written}).get(key) == value
    assert _load(tmp_path, flags={key: written}).get(key) == value


@pytest.mark.parametrize(
    ("key", "written"),
    [
        (LOOPS, "perhaps"),
        (LOOPS, ""),
        (REPLANS, "two"),
        (REPLANS, "-1"),
        (REPLANS, "1_0"),
        (REPLANS, "٣"),
        (REPLANS, "9" * 5000),
        ("models.tier1", "a\nb"),
        ("models.tier1", "\udcff"),
        (PREFIXES, "[pytest]"),
        (PREFIXES, "[1]"),
        (PREFIXES, "[" * 100_000),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_and_its_variable_named(
    tmp_path: Path, key: str, written: str
) -> None:
    with pytest.raises(LoomError) as raised:
        _load(tmp_path, environ={environment_name(key): written})
    assert raised.value.what == f"environment {environment_name(key)}: wrong type for `{key}`"
    assert len(str(raised.value).encode("utf-8")) < 500


def test_an_unknown_variable_with_a_double_underscore_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(LoomError, match="LOOM_MODELS__TEIR1") as raised:
        _load(tmp_path, environ={"LOOM_MODELS__TEIR1": "x"})
    assert raised.value.fix == "did you mean `LOOM_MODELS__TIER1`?"


def test_other_variables_are_none_of_our_business(tmp_path: Path) -> None:
    environ = {"LOOM_DEBUG": "1", "LOOM_X": "1", "PATH": "", "OTHER_MODELS__TIER1": "x", "XLOOM_A__B": "1"}
    assert _load(tmp_path, environ=environ).layers == _load(tmp_path).layers


def test_a_flag_that_was_not_given_sets_nothing(tmp_path: Path) -> None:
    assert _load(tmp_path, flags={LOOPS: None}).layers == _load(tmp_path).layers


@pytest.mark.parametrize(
    "flags", [{"execution.enable_loops": True}, {LOOPS: 1}, {PREFIXES: [1]}, {REPLANS: "x"}]
)
def test_a_flag_of_an_unknown_name_or_type_is_refused(tmp_path: Path, flags: dict[str, object]) -> None:
    with pytest.raises(LoomError, match="command line"):
        _load(tmp_path, flags=flags)


def test_a_question_about_an_unknown_key_is_answered_with_the_nearest(tmp_path: Path) -> None:
    loaded = _load(tmp_path)
    for ask in (loaded.get, loaded.explain):
        with pytest.raises(LoomError) as raised:
            ask("models.tier")
        assert "did you mean `models.tier" in raised.value.fix


def test_the_home_folder_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert loom_home({"HOME": "/h"}) == Path("/h/.loom")
    assert loom_home({"HOME": "/h", "LOOM_HOME": ""}) == Path("/h/.loom")
    assert loom_home({"HOME": "/h", "LOOM_HOME": "~/x"}) == Path("/h/x")
    assert loom_home({"HOME": "/h", "LOOM_HOME": "~"}) == Path("/h")
    assert loom_home({"LOOM_HOME": "/x"}) == Path("/x")
    assert loom_home({"LOOM_HOME": "x"}) == tmp_path / "x"


def test_a_machine_without_a_home_folder_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(LoomError) as raised:
        loom_home({})
    assert raised.value.fix == "export LOOM_HOME=DIR"
