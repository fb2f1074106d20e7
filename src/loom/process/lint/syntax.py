"""LM1xx — reading the file. Found by kernel/document.py; explained here."""

from __future__ import annotations

from loom.process.lint.rule import Rule, declare

_SOUND = "name: example\nschema_version: 2\nphases:\n  - {id: work, description: Work.}"


def _syntax(code: str, message: str, why: str, fix: str, failing: str, passing: str = _SOUND) -> None:
    declare(Rule(code, message, "error", why, fix, failing, passing))


_syntax(
    "LM101",
    "the file cannot be read",
    "The file is missing, is not readable, or is a directory, a pipe or a device. Loom never waits on one.",
    "name a process.yaml file or its folder",
    "(a path that is not a regular file)",
)
_syntax(
    "LM102",
    "the file is too large",
    "A declaration is read by people. One megabyte is far more than any of them needs; data belongs elsewhere.",
    "split the package, or move data out of the declaration",
    "(a file of more than one mebibyte)",
)
_syntax(
    "LM103",
    "the file is not UTF-8 text",
    "Every file is UTF-8, with or without a byte order mark, so that it reads the same on every machine.",
    "save the file as UTF-8",
    "(bytes that are not UTF-8)",
)
_syntax(
    "LM104",
    "the file holds a control character",
    "YAML allows no control characters but tab and line breaks; they are invisible and usually an accident.",
    "remove it, or write it as an escape inside double quotes",
    "name: exam\x01ple",
)
_syntax(
    "LM105",
    "the file is not valid YAML",
    "Quotes, brackets, colons and indentation must close and line up before anything else can be said.",
    "check quotes, colons, brackets and indentation just before the place",
    "name: [example",
)
_syntax(
    "LM106",
    "a tab is used for indentation",
    "YAML indents with spaces only; a tab looks the same and is not.",
    "use spaces",
    "name: example\nphases:\n\t- {id: work, description: Work.}",
)
_syntax(
    "LM107",
    "duplicate key",
    "Most readers of YAML silently keep the last of two equal keys. One of the two was not meant to be there.",
    "keep one of the two",
    _SOUND + "\nname: again",
    _SOUND + "\nauthor: Somebody",
)
_syntax(
    "LM108",
    "aliases are not allowed",
    "Anchors and aliases make a file mean something other than what stands in it, and can make a small file huge. "
    "An anchor is reported as `anchors are not allowed`.",
    "write the value out",
    _SOUND + "\ntags: &words [a]\ntool_guidance: *words",
    _SOUND + "\ntags: [a]",
)
_syntax(
    "LM109",
    "explicit tags are not allowed",
    "A tag changes what a value is, up to running code in careless readers. Values here are plain.",
    "remove the tag",
    _SOUND + "\nauthor: !!str Somebody",
    _SOUND + "\nauthor: Somebody",
)
_syntax(
    "LM110",
    "more than one document in the file",
    "One file declares one process.",
    "keep one document",
    _SOUND + "\n---\nname: second",
)
_syntax(
    "LM111",
    "the document is nested too deeply",
    "Nothing in a declaration needs more than 64 levels; a file that has them is an accident or an attack.",
    "flatten it",
    "name: " + "[" * 65 + "]" * 65,
)
_syntax(
    "LM112",
    "a key must be text",
    "Keys are names. A number, `true`, `null`, a list or a mapping in that place is a slip.",
    "quote it, or write a plain word",
    _SOUND + "\n1: one",
    _SOUND + '\n"x-1": one',
)
_syntax(
    "LM113",
    "the file is empty",
    "A process has at least a name and one phase.",
    "loom process new NAME",
    "# nothing but a comment",
)
_syntax(
    "LM114",
    "the number is not finite",
    "Infinities, not-a-number and numbers too large for the machine compare in surprising ways; no key wants one. "
    "A number that is too long is reported as `the number is too large`.",
    "write a number the machine can hold, or quote it as text",
    _SOUND + "\nvalidity_contract: {min_supported_ratio: .inf}",
    _SOUND + "\nvalidity_contract: {min_supported_ratio: 0.9}",
)
