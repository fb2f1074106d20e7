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
# the start of a word, also right behind an escape in quoted text or in a URL
_START = r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"
_PEM = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_PEM_END = r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"

_NAME = (
    r"(?P<name>(?i:token(?!iz)|secret|passw(?:or)?d|passphrase|(?<=[_;-])pwd|credential|authorization"
    r"|(?:api|access|account|private)[_-]?key))"
)
# what stands between a name and its value: `=`, `: `, `":"`, `\": \"`, `=>`
_BETWEEN = r"(?:\\{0,8}[\"'`])?+\]?+[ \t]*+(?:={1,3}>?|:=?)[ \t]*+"
# a value never opens with a marker: what is redacted stays as it is
_VALUE = (
    r"(?:(?i:basic|bearer|token)[ \t]++)?+"
    rf"(?:(?P<quote>\\{{0,8}}[\"'`])(?!<REDACTED:)(?P<quoted>(?:(?!(?P=quote)|{_PEM})(?:\\{{1,8}}[\"'`]|[^\n]))++)"
    rf"|(?!<REDACTED:)(?P<bare>(?:(?!{_PEM})(?:,(?!\s)|[^\s,;&\"'`]))++))"
)
_NAMED = rf"{_NAME}[A-Za-z0-9_.-]{{0,40}}+(?<![_-]ref){_BETWEEN}{_VALUE}"

# a group's name is the kind that its marker shows
_SHAPES = (
    rf"(?P<private_key>{_PEM}(?s:.*?)(?:{_PEM_END}|\Z){_REST})",
    rf"{_START}(?P<jwt>eyJ[A-Za-z0-9_-]{{5,}}+\.[A-Za-z0-9_-]{{5,}}+\.{_REST})",
    rf"(?<![A-Za-z0-9])(?i:bearer)[ \t]++(?P<bearer>[A-Za-z0-9._~+/=-]{{16,}}+)",
    # a name with hyphens (sk-learn-like-names) has neither a digit nor a long first part
    rf"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{{2}}))"
    rf"(?P<api_key>sk-(?=[A-Za-z_-]{{0,100}}[0-9]|[A-Za-z0-9]{{16}})[A-Za-z0-9_-]{{16,}}+)",
    rf"(?P<github_token>(?:gh[opsru]_[A-Za-z0-9]{{16}}|github_pat_[A-Za-z0-9_]{{16}}){_REST})",
    rf"(?P<aws_key>A[KS]IA[A-Z0-9]{{16}}{_REST})",
    rf"(?P<slack_token>(?:xox[a-z]|xapp)-[A-Za-z0-9-]{{10}}{_REST})",
    rf"(?P<google_key>AIza[A-Za-z0-9_-]{{30}}{_REST})",
    rf"(?P<service_token>(?:glpat-[A-Za-z0-9_-]{{16}}|hf_[A-Za-z0-9]{{20}}|npm_[A-Za-z0-9]{{30}}|[rs]k_(?:live|test)_[A-Za-z0-9]{{16}}){_REST})",
    # the part before @; a colon that a port follows is part of an address
    r"://(?P<credentials>(?:[^\s/?#@:<]{0,256}+:(?![0-9]{1,5}(?:[/?#\s]|\Z))[^\s@<]{1,256}+|[^\s/?#@:<]{16,256}+)(?=@))",
)
