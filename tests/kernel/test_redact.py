from __future__ import annotations

import copy
import json
import logging
import pickle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loom.kernel.redact import Secret, redact

# put together at run time, so that no scanner takes this file for a leak
TOKENS = {
    "api_key": "sk-" + "ant-api03-Ab1Cd2Ef3Gh4Ij5Kl6",
    "github_token": "gh" + "p_" + "a1B2" * 9,
    "aws_key": "AK" + "IA" + "IOSFODNN7QWERTYU",
    "slack_token": "xo" + "xb-" + "123456789012-abcdefGHIJ",
    "google_key": "AI" + "za" + "Sy" * 17,
    "service_token": "glp" + "at-" + "abcdefghij0123456789",
    "jwt": "ey" + "JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.s1gn-ature_",
}
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIBOgIBAAJB\nAKj34Gkx\n-----END RSA " + "PRIVATE KEY-----"

FRAGMENTS = [
    *TOKENS.values(),
    *(
        "sk-",
        "eyJ",
        "Bearer ",
        "bearer abcdefghijklmnopq",
        "basic ",
        "password",
        "token",
        "secret",
        "api_key",
    ),
    *(
        "_pwd",
        "_ref",
        "null",
        "123",
        "a",
        "Z",
        "_",
        "-",
        "--",
        "=",
        ":",
        ": ",
        "=>",
        '"',
        "'",
        "`",
        "'''",
        "\\",
        '\\"',
    ),
    *(
        "\\n",
        " ",
        "\n",
        ",",
        ";",
        "&",
        "%3D",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "<",
        ">",
        "/",
        ".",
        "://",
        "u:p",
        "@",
    ),
    *(
        "<REDACTED:token>",
        "<REDACTED:",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "-----BEGIN X-----",
    ),
]
texts = st.one_of(st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join), st.text())


@pytest.mark.parametrize("kind", TOKENS)
@pytest.mark.parametrize(
    "around", ["{}", "see {} there", '"{}"', "a\\n{}", "?q=x%3D{}&y", "({})", "x,{}.", "[{}]"]
)
def test_a_token_is_recognised_by_its_shape(kind: str, around: str) -> None:
    redacted = redact(around.format(TOKENS[kind]))
    assert TOKENS[kind] not in redacted
    assert f"<REDACTED:{kind}>" in redacted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password=hunter2", "password=<REDACTED:password>"),
        ("PASSWORD: hunter2", "PASSWORD: <REDACTED:password>"),
        ("DB_PASSWORD='hun ter'", "DB_PASSWORD='<REDACTED:password>'"),
        ('{"password": "a\\"b", "user": "u"}', '{"password": "<REDACTED:password>", "user": "u"}'),
        (r"{\"token\": \"abc\", \"n\": 1}", r"{\"token\": \"<REDACTED:token>\", \"n\": 1}"),
        ("{'api_key': b'a b', 'n': 1}", "{'api_key': b'<REDACTED:api_key>', 'n': 1}"),
        ("secret=SecretStr('a b')", "secret=SecretStr('<REDACTED:secret>')"),
        ("password='''a b'''", "password='''<REDACTED:password>'''"),
        (
            "environ['AWS_SECRET_ACCESS_KEY'] = 'a/b+c'",
            "environ['AWS_SECRET_ACCESS_KEY'] = '<REDACTED:secret>'",
        ),
        ("https://x.org/?access_token=abc&page=2", "https://x.org/?access_token=<REDACTED:token>&page=2"),
        ("Server=db;Uid=me;Pwd=abc;Port=1", "Server=db;Uid=me;Pwd=<REDACTED:password>;Port=1"),
        ('password=ab,cd"ef, next', "password=<REDACTED:password>, next"),
        ("tool --api-key abc --verbose", "tool --api-key <REDACTED:api_key> --verbose"),
        ("tool --password=abc", "tool --password=<REDACTED:password>"),
        ("Authorization: Basic dTpw", "Authorization: Basic <REDACTED:authorization>"),
        ("curl -H 'Authorization: Bearer x.y'", "curl -H 'Authorization: Bearer <REDACTED:authorization>'"),
        ("('bearer abcdefghijklmnop')", "('bearer <REDACTED:bearer>')"),
        ("postgresql://me:p@ss@db:5432/x", "postgresql://<REDACTED:credentials>@db:5432/x"),
        ("https://0123456789abcdef@host/x", "https://<REDACTED:credentials>@host/x"),
        (f"before\n{PEM}\nafter", "before\n<REDACTED:private_key>\nafter"),
        (f'private_key: "{PEM}"', 'private_key: "<REDACTED:private_key>"'),
        (PEM[:60], "<REDACTED:private_key>"),
    ],
)
def test_a_named_secret_goes_and_what_surrounds_it_stays(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens=4096, temperature=0.2",
        '{"max_tokens": 4096, "input_tokens": 12}',
        "tool --max-tokens 100",
        "token: null",
        "use_token=true",
        'password=""',
        "token_ref: env:GA_TOKEN",
        "tokenizer=bert-base",
        "the token is checked, the password too",
        "password:\n  a heading",
        "sk-learn-compatible-estimators and task-management-of-2024-and-more",
        "PWD=/home/me",
        "the bearer of bad news",
        "http://localhost:8080/x?mail=me@host",
        "https://me@host/x",
        "EdaFlow/7/profile/1",
        "eyJ.is.short",
        "-----BEGIN CERTIFICATE-----",
    ],
)
def test_a_harmless_text_is_left_alone(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        TOKENS["aws_key"] + TOKENS["api_key"],
        PEM + TOKENS["api_key"],
        "api_key" + TOKENS["github_token"] + ": Z" + PEM,
        "token" + TOKENS["slack_token"] + "=null",
        "token: null" + PEM,
        "token=a(`" + TOKENS["slack_token"],
        'if token == "abc":',
        r'{\\"password\\": \\"abc\\", \\"x\\": 1}',
        "password=b'a b'",
        "token:secret(`.",
        "--pwd ://)%3D--",
        "--tokenbasic =u:p",
        "api_key:\\\\'''sk-`",
        "Authorization: Bearer token",
        "password=x-----BEGIN CERT-token x",
    ],
)
def test_nothing_new_begins_beside_a_marker(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
    assert not any(token in once for token in TOKENS.values())


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(texts)
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(texts, st.sampled_from([TOKENS[kind] for kind in ("github_token", "aws_key", "slack_token")]), texts)
def test_no_surroundings_save_a_token(before: str, token: str, after: str) -> None:
    assert token not in redact(before + token + after)


@pytest.mark.parametrize("opening", ["", "password=", "password='", "--", "http://"])
@pytest.mark.parametrize(
    "unit",
    [
        *(
            "sk-",
            "eyJ",
            "eyJaaaaa.",
            "-----BEGIN ",
            "-----BEGIN PRIVATE KEY-----",
            "token",
            "token ",
            "token=",
            "--token ",
        ),
        *(
            "://",
            "://a:",
            "://a@",
            " ",
            "\\",
            '\\"',
            "'",
            "--a",
            "a(",
            "ghp_",
            "bearer ",
            "_pwd",
            "xoxb-",
            "=",
        ),
    ],
)
def test_a_hostile_text_takes_no_more_than_linear_time(opening: str, unit: str) -> None:
    # quadratic work on this length would take minutes
    text = opening + unit * (50_000 // len(unit))
    assert len(redact(text)) <= len(text) * 40


def test_a_secret_shows_itself_to_nobody_but_reveal() -> None:
    secret = Secret("hunter2")
    record = logging.LogRecord("x", 10, "x", 1, "%s %r", (secret, secret), None)
    shown = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret!r:>40}",
        f"{secret:>30}",
        record.getMessage(),
        repr([secret]),
    ]
    assert not any("hunter2" in text for text in shown)
    assert f"{secret}" == "<REDACTED:secret>"
    assert secret.reveal() == "hunter2"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_cannot_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError) as raised:
        pickle.dumps({"key": Secret("hunter2")}, protocol)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "leak", [vars, json.dumps, lambda secret: secret.__getstate__(), lambda secret: secret.__reduce__()]
)
def test_a_secret_has_no_state_to_read(leak: object) -> None:
    with pytest.raises(TypeError) as raised:
        leak(Secret("hunter2"))  # type: ignore[operator]
    assert "hunter2" not in str(raised.value)


def test_secrets_compare_by_value_and_copy_to_themselves() -> None:
    secret = Secret("hunter2")
    assert secret == Secret("hunter2") != Secret("other")
    assert secret != "hunter2"
    assert len({secret, Secret("hunter2")}) == 1
    assert copy.deepcopy([secret])[0] is copy.copy(secret) is secret
    assert not Secret("")
