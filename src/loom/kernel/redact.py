"""Secrets never reach a log, a prompt or a screen.

Every repetition is bounded or possessive, so the time grows with the text and with nothing else. Where
a secret and a harmless word look alike, the word goes too.
"""

from __future__ import annotations

import hmac
import re
from typing import NoReturn, SupportsIndex

# a found token takes the rest of its word along, so that nothing new can begin right behind a marker
_REST = r"[A-Za-z0-9_-]*+"
# a word may also start right behind an escape in quoted text or in a URL
_ESCAPED = r"(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2})"
_PEM = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_PEM_END = r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"

# the name of a group is the kind that its marker shows
_SHAPES = (
    # without an end, everything that follows may belong to the key
    rf"(?P<private_key>{_PEM}(?s:.*?)(?:{_PEM_END}|\Z){_REST})",
    rf"(?:(?<![A-Za-z0-9_-])|{_ESCAPED})(?P<jwt>eyJ[A-Za-z0-9_-]{{5,}}+\.[A-Za-z0-9_-]{{5,}}+\.{_REST})",
    r"(?<![A-Za-z0-9])(?i:bearer)[ \t]++(?P<bearer>[A-Za-z0-9._~+/=-]{16,}+)",
    # a digit or a long first part tells a key from a hyphenated word
    rf"(?:(?<![A-Za-z0-9])|{_ESCAPED})"
    r"(?P<api_key>sk-(?=[A-Za-z_-]{0,100}[0-9]|[A-Za-z0-9]{16})[A-Za-z0-9_-]{16,}+)",
    rf"(?P<github_token>(?:gh[opsru]_[A-Za-z0-9]{{16}}|github_pat_[A-Za-z0-9_]{{16}}){_REST})",
    rf"(?P<aws_key>A[KS]IA[A-Z0-9]{{16}}{_REST})",
    rf"(?P<slack_token>(?:xox[a-z]|xapp)-[A-Za-z0-9-]{{10}}{_REST})",
    rf"(?P<google_key>AIza[A-Za-z0-9_-]{{30}}{_REST})",
    r"(?P<service_token>(?:glpat-[A-Za-z0-9_-]{16}|hf_[A-Za-z0-9]{20}|npm_[A-Za-z0-9]{30}"
    rf"|[rs]k_(?:live|test)_[A-Za-z0-9]{{16}}){_REST})",
    # what stands before the @ of a URL; a colon followed by a port belongs to an address
    r"://(?P<credentials>(?:[^\s/?#@:<]{0,256}+:(?![0-9]{1,5}(?:[/?#\s]|\Z))[^\s@<\"']{1,256}+"
    r"(?:@[^\s/?#@<\"']{1,256}+(?=@))*+|[^\s/?#@:<\"']{16,256}+)(?=@))",
)

# a password option may also stand before its value without a sign between them
_OPTION = r"(?P<option>(?<![A-Za-z0-9-])--[A-Za-z-]{0,30}?)?"
_NAME = (
    r"(?P<name>(?i:token(?!iz)|secret|passw(?:or)?d|passphrase|(?<=[_;-])pwd|credential|authorization"
    r"|(?:api|access|account|private)[_-]?key))[A-Za-z0-9_.-]{0,40}+(?<![_-]ref)"
)
# `=`, `: `, `":"`, `\": \"`, `=>`, and a scheme such as `Bearer`
_BETWEEN = (
    r"(?>(?:\\{0,8}[\"'`])?+\]?+[ \t]*+(?:={1,3}+>?+|:=?+)[ \t]*+|(?(option)[ \t]++(?!-)|(?!)))"
    r"(?:(?i:basic|bearer|token)[ \t]++)?+"
)
_QUOTE = r"\\{0,8}(?:\"{3}|'{3}|[\"'`])"
# `b"`, `SecretStr("`; shorter than any token
_OPENING = rf"(?:[A-Za-z_]{{1,19}}\(|[BFRUbfru]{{1,2}})?+{_QUOTE}"
# a quote that ends a text around the value, rather than being part of the value
_CLOSING = rf"{_QUOTE}(?:[\s,;:&)\]}}<>]|\Z)"
# a value never opens with a marker: what is redacted stays as it is
_VALUE = (
    rf"(?!(?:{_OPENING})?<REDACTED:)(?:(?={_OPENING})[A-Za-z_(]*+(?P<quote>{_QUOTE})"
    rf"(?P<quoted>(?:(?!(?P=quote)|{_PEM})(?:\\{{1,8}}[\"'`]|[^\n]))++)"
    rf"|(?!{_QUOTE})(?P<bare>(?:(?!{_PEM}|{_CLOSING}|<REDACTED:|,(?:\s|\Z))[^\s;&])++))"
)
_TOKEN = re.compile("|".join(_SHAPES))
_SECRET = re.compile("|".join((*_SHAPES, _OPTION + _NAME + _BETWEEN + _VALUE)))
_NOTHING = re.compile(r"(?i:none|null|true|false)[)\]}]*\Z")
_COUNT = re.compile(r"[0-9][0-9_]{0,8}[)\]}]*\Z")


def redact(text: str) -> str:
    """The text with every secret replaced by `<REDACTED:kind>`; redacting twice changes nothing more."""
    return _SECRET.sub(_marked, text)


def _marked(found: re.Match[str]) -> str:
    group = kind = found.lastgroup or ""
    if group in ("quoted", "bare"):
        kind = _kind(found["name"])
        if group == "bare" and (
            _NOTHING.match(found["bare"]) or (kind == "token" and _COUNT.match(found["bare"]))
        ):
            return _TOKEN.sub(_marked, found[0])  # a switch, or a number of tokens
    # a name can itself end in a token: `api_keyghp_...=x`
    before = _TOKEN.sub(_marked, found.string[found.start() : found.start(group)])
    return f"{before}<REDACTED:{kind}>"


def _kind(name: str) -> str:
    plain = name.lower()
    if plain.endswith("key"):
        return "api_key"
    return "password" if plain.startswith(("pass", "pwd")) else plain


class Secret:
    """A text that no print, log, format or pickle can show; only `reveal` does."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The text itself: call it at the edge where it is used, and keep it in no variable."""
        return self.__value

    def __str__(self) -> str:
        return "<REDACTED:secret>"

    def __repr__(self) -> str:
        return "Secret(<REDACTED:secret>)"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = (secret.reveal().encode("utf-8", "surrogatepass") for secret in (self, other))
        return hmac.compare_digest(mine, theirs)

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a secret cannot be pickled; pass a reference to it")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret has no state to show")
