"""What must be refused: one row per mistake, with its code, its place and what is said.

A row is a sentence, a text, a code, a line, a column, the message and the beginning of the particulars. A
text that is not bytes is completed at its end with the keys it does not mention, so that lines and columns
are those of the fragment and every row holds exactly one mistake.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Refusal(NamedTuple):
    """One mistake and what must be said about it."""

    sentence: str
    text: str | bytes
    code: str
    line: int
    column: int
    message: str
    detail: str


BASE = {
    "name": "name: example",
    "version": 'version: "1.0"',
    "schema_version": "schema_version: 2",
    "description": "description: Compares.",
    "risk_level": "risk_level: medium",
    "phases": "phases: [{id: work, description: Work.}]",
}
HIGH = "risk_level: high\n"
TODO = "{id: todo, type: artifact_regex, pattern: TODO, expect_match: false}"
LOOP = """\
phases:
  - id: work
    description: Work.
    iteration:
      enabled: true
      max_attempts: 3
      max_total_runner_invocations: 4
      stop_on_no_improvement_attempts: 2
      iteration_budget: {max_wall_clock_seconds: 60, max_tokens: 1000, max_tool_calls: 5}
      gates:
"""
_KEY = re.compile(r"^\ufeff?([A-Za-z][\w-]*)\s*:", re.MULTILINE)


def whole(text: str | bytes) -> bytes:
    """A fragment followed by what a sound declaration has and the fragment does not mention."""
    if isinstance(text, bytes):
        return text
    written = set(_KEY.findall(text))
    return (text + "".join(f"{line}\n" for key, line in BASE.items() if key not in written)).encode()


def only_gate(gate: str) -> str:
    return f"{LOOP}        - {gate}\n"


def gate(gate: str) -> str:
    return f"{only_gate(TODO)}        - {gate}\n"


def loop(**changes: str | None) -> str:
    text = only_gate(TODO)
    for key, value in changes.items():
        text = re.sub(rf"      {key}: .*\n", "" if value is None else f"      {key}: {value}\n", text)
    return text


def phase(keys: str) -> str:
    return f"phases:\n  - {{id: work, description: Work., {keys}}}\n"


def phases(first: str, second: str = "") -> str:
    return f"phases:\n  - {{id: plan, description: Plan.{first}}}\n  - {{id: work, description: Work.{second}}}\n"


def verb(keys: str) -> str:
    return f"verb: {{command: compare, tier: read-only, {keys}}}\n"


def inputs(text: str) -> str:
    return f"verb:\n  command: compare\n  tier: read-only\n  inputs:\n    {text}\n"


def rule(keys: str) -> str:
    return f"verification:\n  rules:\n    - {{{keys}}}\n"


def semantic_check(keys: str) -> str:
    return f"verification:\n  policy:\n    semantic_checks:\n      - {{{keys}}}\n"


def case(keys: str, before: str = "") -> str:
    return f"{before}tests:\n  - id: smoke\n    mode: deterministic\n    goal: Compare.\n    {keys}\n"


# fmt: off
_ROWS: list[tuple[str, str | bytes, str, int, int, str, str]] = [
    # LM1xx — reading
    ("a bracket is not closed", b"name: example\ntags: [a, b\n", "LM105", 2, 12, "the file is not valid YAML", "did not find expected ',' or ']' while parsing a flow sequence"),
    ("a quote is not closed", b"name: example\ndescription: 'one\n", "LM105", 2, 18, "the file is not valid YAML", "found unexpected end of stream while scanning a quoted scalar"),
    ("a colon follows a colon", "description: one: two\n", "LM105", 1, 17, "the file is not valid YAML", "mapping values are not allowed in this context"),
    ("a key is indented one space too far", "author: Us\n tags: [a]\n", "LM105", 2, 6, "the file is not valid YAML", "mapping values are not allowed in this context"),
    ("an at sign begins a value", "author: @us\n", "LM105", 1, 9, "the file is not valid YAML", "found character that cannot start any token while scanning for"),
    ("a tab indents a line", "phases:\n\t- {id: work, description: Work.}\n", "LM106", 2, 1, "a tab is used for indentation", "YAML indents with spaces"),
    ("a tab follows a dash that opens a block", "phases:\n  -\tid: work\n    description: Work.\n", "LM106", 2, 4, "a tab is used for indentation", "YAML indents with spaces"),
    ("a control character hides behind letters with accents", "author: Zoë \x07 Brûlé\n", "LM104", 1, 13, "the file holds a control character", "U+0007 is not allowed"),
    ("a line separator hides in a quoted text", "description: \"één\u2028twee\"\n", "LM104", 1, 18, "the file holds a control character", "U+2028 is not allowed"),
    ("a byte is not utf-8 after characters of several bytes", whole("author: Zoë !\n").replace(b"!", b"\xe9"), "LM103", 1, 13, "the file is not UTF-8 text", "byte 0xe9 at offset 13"),
    ("a key is written twice", "author: Us\nauthor: Them\n", "LM107", 2, 1, "duplicate key", "`author` is already written in this mapping"),
    ("a nested key is written twice, once in quotes", "permissions: {env: [], 'env': []}\n", "LM107", 1, 24, "duplicate key", "`env` is already written in this mapping"),
    ("a key is written twice in a phase", "phases:\n  - id: work\n    description: Work.\n    id: again\n", "LM107", 4, 5, "duplicate key", "`id` is already written in this mapping"),
    ("an anchor names a value", "tags: &words [a]\n", "LM108", 1, 7, "anchors are not allowed", "`&words` names this node"),
    ("an alias repeats a value", "tags: [a, *words]\n", "LM108", 1, 11, "aliases are not allowed", "`*words` repeats another node"),
    ("an alias is merged into a phase", "phases:\n  - id: work\n    description: Work.\n    <<: *defaults\n", "LM108", 4, 9, "aliases are not allowed", "`*defaults` repeats another node"),
    ("a tag forces a type", "author: !!str us\n", "LM109", 1, 9, "explicit tags are not allowed", "`!!str` sets a type"),
    ("a tag asks for code", "x-cleanup: !!python/object/apply:os.system [ls]\n", "LM109", 1, 12, "explicit tags are not allowed", "`!!python/object/apply:os.system` sets a type"),
    ("a second document follows", "author: Us\n---\nname: second\n", "LM110", 2, 1, "more than one document in the file", "a second `---`"),
    ("lists are nested too deeply", "x-deep: " + "[" * 64 + "]" * 64 + "\n", "LM111", 1, 72, "the document is nested too deeply", "more than 64 levels"),
    ("a list is used as a key", "? [a, b]\n: c\n", "LM112", 1, 3, "a key must be text", "a list or mapping cannot be a key"),
    ("a number is used as a key", "1: one\n", "LM112", 1, 1, "a key must be text", "`1` is not text"),
    ("a truth value is used as a key of a nested mapping", "permissions: {true: yes}\n", "LM112", 1, 15, "a key must be text", "`true` is not text"),
    ("the file is empty", b"", "LM113", 1, 1, "the file is empty", "nothing is declared"),
    ("the file holds nothing but a comment", b"# later\n", "LM113", 1, 1, "the file is empty", "nothing is declared"),
    ("a ratio is not a number", "validity_contract: {min_supported_ratio: .nan}\n", "LM114", 1, 42, "the number is not finite", "`.nan`"),
    ("a limit is infinite", "phases:\n  - {id: work, description: Work., resources: {cpu: .inf}}\n", "LM114", 2, 53, "the number is not finite", "`.inf`"),
    ("a number has too many digits", "x-big: " + "7" * 301 + "\n", "LM114", 1, 8, "the number is too large", "301 digits"),
    ("a number overflows", "x-big: 1e400\n", "LM114", 1, 8, "the number is too large", "`1e400` overflows"),
    # LM2xx — structure
    ("columns count characters, not bytes", "tags: ['é€😀', 1]\n", "LM203", 1, 15, "wrong type", "expected text, found the number 1"),
    ("columns count characters after a wide word", "author: 漢字 # ü\ntags: [漢, 字, {}]\n", "LM203", 2, 14, "wrong type", "expected text, found a mapping"),
    ("a byte order mark takes no column", "\ufefftag: [a]\n", "LM201", 1, 1, "unknown key", "`tag` is not a key of a process"),
    ("lines end as on windows", whole("author: Us\ntags:\n  - a\n  - 1\n").replace(b"\n", b"\r\n"), "LM203", 4, 5, "wrong type", "expected text, found the number 1"),
    ("lines end as on old machines", whole("author: Us\ntags: [1]\n").replace(b"\n", b"\r"), "LM203", 2, 8, "wrong type", "expected text, found the number 1"),
    ("a root key is misspelt", "desription: Compares.\n", "LM201", 1, 1, "unknown key", "`desription` is not a key of a process"),
    ("a root key is written with a hyphen", "risk-level: low\n", "LM201", 1, 1, "unknown key", "`risk-level` is not a key of a process"),
    ("a root key has a capital", "Tags: [a]\n", "LM201", 1, 1, "unknown key", "`Tags` is not a key of a process"),
    ("a root key is unknown", "zzz: 1\n", "LM201", 1, 1, "unknown key", "`zzz` is not a key of a process"),
    ("a merge key is not part of yaml 1.2", "<<: {author: Us}\n", "LM201", 1, 1, "unknown key", "`<<` is not a key of a process"),
    ("a key of a phase is misspelt", "phases:\n  - {id: work, description: Work., depend_on: []}\n", "LM201", 2, 36, "unknown key", "`depend_on` is not a key of `phases[0]`"),
    ("a key stands one level too high", "min_supported_ratio: 0.9\n", "LM201", 1, 1, "unknown key", "`min_supported_ratio` is not a key of a process"),
    ("a key stands one level too deep", "validity_contract: {risk_level: low}\n", "LM201", 1, 21, "unknown key", "`risk_level` is not a key of `validity_contract`"),
    ("a key of a nested contract is misspelt", "validity_contract: {final_gate: {critical_claim_suport_ratio: 1}}\n", "LM201", 1, 34, "unknown key", "`critical_claim_suport_ratio` is not a key of"),
    ("a key of a gate is misspelt", only_gate("{id: todo, type: artifact_regex, pattern: TODO, expect_mach: false}"), "LM201", 11, 59, "unknown key", "`expect_mach` is not a key of `phases[0].iteration.gates[0]`"),
    ("a key belongs to another kind of gate", gate("{id: total, type: tool_metric, tool: calculator, metric_path: total, operator: eq, value: 1, pattern: TODO}"), "LM201", 12, 104, "unknown key", "`pattern` is not a key of `phases[0].iteration.gates[1]`"),
    ("a key of an input is misspelt", inputs("price: {type: text, requird: true}"), "LM201", 5, 25, "unknown key", "`requird` is not a key of `verb.inputs.price`"),
    ("a key of a rule is misspelt", rule("name: a, check: b, sevrity: error"), "LM201", 3, 27, "unknown key", "`sevrity` is not a key of `verification.rules[0]`"),
    ("a key of a scripted attempt is misspelt", case("script: {work: [{outptu: Done.}]}"), "LM201", 5, 22, "unknown key", "`outptu` is not a key of `tests[0].script.work[0]`"),
    ("a deliverable has a key of its own", phase("deliverables: [{name: a.md, format: md}]"), "LM201", 2, 64, "unknown key", "`format` is not a key of `phases[0].deliverables[0]`"),
    ("a misspelt required key is reported once", "phases:\n  - {id: work, descripton: Work.}\n", "LM201", 2, 16, "unknown key", "`descripton` is not a key of `phases[0]`"),
    ("the name is missing", b"schema_version: 2\nphases: [{id: work, description: Work.}]\n", "LM202", 1, 1, "missing key", "`name` is required here"),
    ("the phases are missing", b"name: example\nschema_version: 2\n", "LM202", 1, 1, "missing key", "`phases` is required here"),
    ("a phase has no description", "phases:\n  - {id: work}\n", "LM202", 2, 5, "missing key", "`description` is required here"),
    ("a phase has no id", "phases:\n  - {description: Work.}\n", "LM202", 2, 5, "missing key", "`id` is required here"),
    ("a gate has no type", only_gate("{id: todo, pattern: TODO}"), "LM202", 11, 11, "missing key", "`type` is required here"),
    ("a metric gate has no path", gate("{id: total, type: tool_metric, tool: calculator, operator: eq, value: 1}"), "LM202", 12, 11, "missing key", "`metric_path` is required here"),
    ("a rule has no check", rule("name: a"), "LM202", 3, 7, "missing key", "`check` is required here"),
    ("a verb has no tier", "verb: {command: compare}\n", "LM202", 1, 1, "missing key", "`tier` is required here"),
    ("an input has no type", inputs("price: {help: The price}"), "LM202", 5, 5, "missing key", "`type` is required here"),
    ("a verdict has no source", verb("verdict: {values: [A], ok: [A]}"), "LM202", 1, 43, "missing key", "`from` is required here"),
    ("a test has no mode", "tests:\n  - {id: smoke, goal: Compare.}\n", "LM202", 2, 5, "missing key", "`mode` is required here"),
    ("a scripted claim has no text", case("claims: [{id: c1, type: numeric}]"), "LM202", 5, 14, "missing key", "`text` is required here"),
    ("an entry gate has no operator", phases("",", depends_on: [plan], require: [{phase: plan, field: verdict, value: OK}]"), "LM202", 3, 66, "missing key", "`operator` is required here"),
    ("a version is a number", "version: 1.10\n", "LM203", 1, 10, "wrong type", "expected text, found the number 1.1"),
    ("a truth value is quoted", "validity_contract: {enabled: 'false'}\n", "LM203", 1, 30, "wrong type", "expected true or false, found the text `false`"),
    ("a truth value is a word of yaml 1.1", "validity_contract: {enabled: yes}\n", "LM203", 1, 30, "wrong type", "expected true or false, found the text `yes`"),
    ("a truth value is a number", "permissions: {processes: 1}\n", "LM203", 1, 26, "wrong type", "expected true or false, found the number 1"),
    ("a contract is a number", "validity_contract: 3\n", "LM203", 1, 20, "wrong type", "expected a mapping of keys, found the number 3"),
    ("a contract is a list", "validity_contract: [enabled]\n", "LM203", 1, 20, "wrong type", "expected a mapping of keys, found a list"),
    ("a list of words is one word", "tags: research\n", "LM203", 1, 7, "wrong type", "expected a list, found the text `research`"),
    ("a list of words holds a number", "tags: [a, 2]\n", "LM203", 1, 11, "wrong type", "expected text, found the number 2"),
    ("a list of words holds a list", "tags: [a, [b]]\n", "LM203", 1, 11, "wrong type", "expected text, found a list"),
    ("a text is a list", "description: [a]\n", "LM203", 1, 14, "wrong type", "expected text, found a list"),
    ("a text is a mapping", "description: {a: b}\n", "LM203", 1, 14, "wrong type", "expected text, found a mapping"),
    ("phases are a mapping by name", "phases:\n  work: {description: Work.}\n", "LM203", 2, 3, "wrong type", "expected a list, found a mapping"),
    ("a phase is a text", "phases: [work]\n", "LM203", 1, 10, "wrong type", "expected a mapping of keys, found the text `work`"),
    ("dependencies of a phase are one word", phases("",", depends_on: plan"), "LM203", 3, 48, "wrong type", "expected a list, found the text `plan`"),
    ("a number is quoted", "validity_contract: {min_supported_ratio: '0.9'}\n", "LM203", 1, 42, "wrong type", "expected a number, found the text `0.9`"),
    ("a count is a fraction", "validity_contract: {max_contradicted_count: 0.5}\n", "LM203", 1, 45, "wrong type", "expected a whole number, found the number 0.5"),
    ("a tier is quoted", phase("model_tier: '2'"), "LM203", 2, 48, "wrong type", "expected a whole number, found the text `2`"),
    ("a tier is a fraction", phase("verification_tier: 2.0"), "LM203", 2, 55, "wrong type", "expected a whole number, found the number 2.0"),
    ("the version of the contract is quoted", "schema_version: '2'\n", "LM203", 1, 17, "wrong type", "expected the number 2, found the text `2`"),
    ("the version of the contract is a fraction", "schema_version: 2.0\n", "LM203", 1, 17, "wrong type", "expected a whole number, found the number 2.0"),
    ("gates are a mapping", "phases:\n  - id: work\n    description: Work.\n    iteration: {gates: {id: todo}}\n", "LM203", 4, 24, "wrong type", "expected a list, found a mapping"),
    ("arguments are a list", phase("run: {tool: calculator, args: [1]}"), "LM203", 2, 66, "wrong type", "expected a mapping of keys, found a list"),
    ("a value to compare with is a mapping", gate("{id: total, type: tool_metric, tool: calculator, metric_path: total, operator: eq, value: {a: 1}}"), "LM203", 12, 101, "wrong type", "expected a number, text, true/false or a list of those"),
    ("a file a script writes is a number", case("script: {work: [{write: {a.md: 1}}]}"), "LM203", 5, 36, "wrong type", "expected text, found the number 1"),
    ("an instruction by reason is a list", "prompt_contracts: {remediation_instructions: {default: [a]}}\n", "LM203", 1, 56, "wrong type", "expected text, found a list"),
    ("a strategy by name is a text", "verification: {remediation: {strategies: {repair: Mend it.}}}\n", "LM203", 1, 51, "wrong type", "expected a mapping of keys, found the text `Mend it.`"),
    ("evidence is a text", "evidence: many\n", "LM203", 1, 11, "wrong type", "expected a mapping of keys, found the text `many`"),
    ("the name is empty", b"name:\nschema_version: 2\nphases: [{id: work, description: Work.}]\n", "LM204", 1, 6, "the value is missing", "expected text, found nothing"),
    ("tags are empty", "tags:\n", "LM204", 1, 6, "the value is missing", "expected a list, found nothing"),
    ("phases are empty", "phases:\n", "LM204", 1, 8, "the value is missing", "expected a list, found nothing"),
    ("a contract is empty", "validity_contract:\n", "LM204", 1, 19, "the value is missing", "nothing is written here"),
    ("a description is a tilde", "phases:\n  - {id: work, description: ~}\n", "LM204", 2, 29, "the value is missing", "expected text, found nothing"),
    ("a tag is null", "tags: [a, null]\n", "LM204", 1, 11, "the value is missing", "expected text, found nothing"),
    ("a required key of a loop is empty", loop(max_attempts=""), "LM204", 6, 20, "the value is missing", "nothing is written here"),
    ("a gate is null", gate("null"), "LM204", 12, 11, "the value is missing", "expected a mapping of keys, found nothing"),
    ("a kind of gate is null", gate("{id: a, type: }"), "LM204", 12, 25, "the value is missing", "expected one of tool_metric, artifact_regex, command_exit,"),
    ("an input is null", inputs("price:"), "LM204", 5, 11, "the value is missing", "expected a mapping of keys, found nothing"),
    ("a tier that an input raises is null", inputs("price: {type: flag, raises_tier: ~}"), "LM204", 5, 38, "the value is missing", "nothing is written here"),
    ("the version of the contract is empty", "schema_version:\n", "LM204", 1, 16, "the value is missing", "expected 2, found nothing"),
    ("a mode is null", "phase_mode: null\n", "LM204", 1, 13, "the value is missing", "expected one of strict, guided, suggestive, found nothing"),
    ("a mode is none of the three", "phase_mode: loose\n", "LM205", 1, 13, "the value is not one of the choices", "`loose` is not one of strict, guided, suggestive"),
    ("a mode is almost one of the three", "phase_mode: strct\n", "LM205", 1, 13, "the value is not one of the choices", "`strct` is not one of strict, guided, suggestive"),
    ("a risk level is unknown", "risk_level: extreme\n", "LM205", 1, 13, "the value is not one of the choices", "`extreme` is not one of low, medium, high, critical"),
    ("a risk level has a capital", "risk_level: High\n", "LM205", 1, 13, "the value is not one of the choices", "`High` is not one of low, medium, high, critical"),
    ("a gate is of an unknown kind", gate("{id: a, type: shell_exit}"), "LM205", 12, 25, "the value is not one of the choices", "`shell_exit` is not one of tool_metric, artifact_regex,"),
    ("a gate is almost of a known kind", gate("{id: a, type: command_exits, command: [pytest]}"), "LM205", 12, 25, "the value is not one of the choices", "`command_exits` is not one of tool_metric, artifact_regex,"),
    ("a gate's kind is a number", gate("{id: a, type: 7}"), 'LM205', 12, 25, 'the value is not one of the choices', '`7` is not one of tool_metric, artifact_regex, command_exit,'),
    ("an operator is misspelt", gate("{id: total, type: tool_metric, tool: calculator, metric_path: total, operator: gteq, value: 1}"), "LM205", 12, 90, "the value is not one of the choices", "`gteq` is not one of gte, lte, gt, lt, eq, ne, contains,"),
    ("an operator is a sign", gate("{id: total, type: tool_metric, tool: calculator, metric_path: total, operator: '>=', value: 1}"), "LM205", 12, 90, "the value is not one of the choices", "`>=` is not one of gte, lte, gt, lt, eq, ne, contains,"),
    ("a severity is unknown", rule("name: a, check: b, severity: fatal"), "LM205", 3, 37, "the value is not one of the choices", "`fatal` is not one of error, warning"),
    ("a capability is unknown", semantic_check("name: a, capability: browser"), "LM205", 4, 31, "the value is not one of the choices", "`browser` is not one of artifact_static, command_execution,"),
    ("a policy for tools is unknown", "verification: {policy: {static_checks: {tool_success_policy: strict}}}\n", "LM205", 1, 62, "the value is not one of the choices", "`strict` is not one of method_resilient, development_balanced,"),
    ("a mode of pruning is unknown", "validity_contract: {prune_mode: delete}\n", "LM205", 1, 33, "the value is not one of the choices", "`delete` is not one of drop, rewrite_uncertainty"),
    ("a target of a gate is unknown", only_gate("{id: a, type: artifact_regex, pattern: a, target: files}"), "LM205", 11, 61, "the value is not one of the choices", "`files` is not one of auto, deliverables, changed_files,"),
    ("a mode of credentials is unknown", "auth: {required: [{provider: acme, modes: [password]}]}\n", "LM205", 1, 44, "the value is not one of the choices", "`password` is not one of api_key, oauth2_pkce, oauth2_device,"),
    ("an isolation is unknown", "permissions: {sandbox: strict}\n", "LM205", 1, 24, "the value is not one of the choices", "`strict` is not one of none, restricted, isolated"),
    ("a type of an input is misspelt", inputs("price: {type: nubmer}"), "LM205", 5, 19, "the value is not one of the choices", "`nubmer` is not one of text, integer, number, flag, choice,"),
    ("a tier of a verb is a number", "verb: {command: compare, tier: 1}\n", "LM205", 1, 32, "the value is not one of the choices", "`1` is not one of read-only, workspace-write, expensive,"),
    ("a mode of a test is a truth value", "tests:\n  - {id: smoke, mode: true, goal: Compare.}\n", "LM205", 2, 23, "the value is not one of the choices", "`true` is not one of deterministic, live"),
    ("a fault is of an unknown kind", case("faults: [{tool: calculator, error: crash}]"), "LM205", 5, 40, "the value is not one of the choices", "`crash` is not one of timeout, error, unavailable, permission,"),
    ("a ratio is a percentage", "validity_contract: {min_supported_ratio: 75}\n", "LM206", 1, 42, "the value is out of range", "`75` is not at most 1"),
    ("a ratio is negative", "validity_contract: {max_unverified_ratio: -0.1}\n", "LM206", 1, 43, "the value is out of range", "`-0.1` is not at least 0"),
    ("a count is negative", "validity_contract: {max_contradicted_count: -1}\n", "LM206", 1, 45, "the value is out of range", "`-1` is not at least 0"),
    ("a tier is too high", phase("model_tier: 4"), "LM206", 2, 48, "the value is out of range", "`4` is not at most 3"),
    ("a tier is zero", phase("verification_tier: 0"), "LM206", 2, 55, "the value is out of range", "`0` is not at least 1"),
    ("there are too many retries", phase("retries: 11"), "LM206", 2, 45, "the value is out of range", "`11` is not at most 10"),
    ("a timeout is zero", phase("resources: {timeout_seconds: 0}"), "LM206", 2, 65, "the value is out of range", "`0` is not greater than 0"),
    ("memory is negative", phase("resources: {memory_mb: -1}"), "LM206", 2, 59, "the value is out of range", "`-1` is not greater than 0"),
    ("a test has no time", case("timeout_seconds: 0"), "LM206", 5, 22, "the value is out of range", "`0` is not greater than 0"),
    ("a synthesis asks for a fourth tier", "validity_contract: {final_gate: {synthesis_min_verification_tier: 4}}\n", "LM206", 1, 67, "the value is out of range", "`4` is not at most 3"),
    ("the name has capitals", "name: My_Process\n", "LM207", 1, 7, "name must match ^[a-z0-9][a-z0-9-]*$", "`My_Process`"),
    ("the name begins with a hyphen", "name: -example\n", "LM207", 1, 7, "name must match ^[a-z0-9][a-z0-9-]*$", "`-example`"),
    ("the name is empty text", "name: ''\n", "LM207", 1, 7, "name must match ^[a-z0-9][a-z0-9-]*$", "``"),
    ("the name has an accent", "name: café\n", "LM207", 1, 7, "name must match ^[a-z0-9][a-z0-9-]*$", "`café`"),
    ("a phase id has an underscore", "phases:\n  - {id: draft_report, description: Work.}\n", "LM208", 2, 10, "the id is not kebab-case", "`draft_report`"),
    ("a phase id is empty text", "phases:\n  - {id: '', description: Work.}\n", "LM208", 2, 10, "the id is not kebab-case", "``"),
    ("a command has a space", "verb: {command: compare all, tier: read-only}\n", "LM208", 1, 17, "the id is not kebab-case", "`compare all`"),
    ("a flow begins with a small letter", verb("flow: compareFlow"), "LM208", 1, 49, "the name has the wrong form", "`compareFlow` does not match ^[A-Z][A-Za-z0-9]*$"),
    ("a test id has a dot", "tests:\n  - {id: smoke.1, mode: live, goal: Compare.}\n", "LM208", 2, 10, "the id is not kebab-case", "`smoke.1`"),
    ("a nested process has a capital", phase("run: {process: Eda}"), "LM208", 2, 51, "the id is not kebab-case", "`Eda`"),
    ("a description is white space", "phases:\n  - {id: work, description: ' '}\n", "LM209", 2, 29, "the text is empty", "only white space is written here"),
    ("a tag is empty", "tags: [a, '']\n", "LM209", 1, 11, "the text is empty", "only white space is written here"),
    ("there are no phases", "phases: []\n", "LM209", 1, 9, "the list is empty", "at least one entry is needed"),
    ("a verdict has no values", verb("verdict: {from: phases.work.data, values: [], ok: []}"), "LM209", 1, 85, "the list is empty", "at least one entry is needed"),
    ("a pattern is empty", only_gate("{id: a, type: artifact_regex, pattern: ''}"), "LM209", 11, 50, "the text is empty", "only white space is written here"),
    ("a deliverable is absolute", phase("deliverables: [/etc/passwd]"), "LM210", 2, 51, "the deliverable is not a path inside the workspace", "`/etc/passwd` is absolute"),
    ("a deliverable climbs out", phase("deliverables: [notes.md, 'a/../../b.md — text']"), "LM210", 2, 61, "the deliverable is not a path inside the workspace", "`a/../../b.md` is not a file below the workspace"),
    ("a deliverable lies in a home directory", phase("deliverables: [~/notes.md]"), "LM210", 2, 51, "the deliverable is not a path inside the workspace", "`~/notes.md` is absolute"),
    ("a deliverable is a folder", phase("deliverables: [notes/]"), "LM210", 2, 51, "the deliverable is not a path inside the workspace", "`notes/` is not a file below the workspace"),
    ("a deliverable has backslashes", phase("deliverables: ['notes\\\\all.md']"), "LM210", 2, 51, "the deliverable is not a path inside the workspace", '`notes\\\\all.md` is not a file below the workspace'),
    ("a deliverable on a drive is absolute", phase("deliverables: ['C:/notes.md']"), "LM210", 2, 51, "the deliverable is not a path inside the workspace", "`C:/notes.md` is absolute"),
    ("a deliverable has no name", phase("deliverables: [{name: '', description: a}]"), "LM210", 2, 51, "the deliverable is not a path inside the workspace", "the name is empty"),
    ("a later version of the contract is asked for", "schema_version: 3\n", "LM211", 1, 17, "unsupported schema_version", "version 3 is not known to this release, which reads version 2"),
    ("a version of the contract is negative", "schema_version: -1\n", "LM211", 1, 17, "unsupported schema_version", "version -1 is not known to this release, which reads version 2"),
    # LM3xx — phases, arrows and references
    ("two phases wait for each other", phases(", depends_on: [work]",", depends_on: [plan]"), "LM301", 2, 49, "dependency cycle detected", "plan → work → plan"),
    ("a phase waits for itself", "phases:\n  - {id: work, description: Work., depends_on: [work]}\n", "LM301", 2, 49, "dependency cycle detected", "work → work"),
    ("a dependency is misspelt", phases("",", depends_on: [plam]"), "LM302", 3, 49, "unknown dependency", "no phase is called `plam`"),
    ("a dependency is nobody", phases("",", depends_on: [plan, zebra]"), "LM302", 3, 55, "unknown dependency", "no phase is called `zebra`"),
    ("two phases have one id", "phases:\n  - {id: work, description: Work.}\n  - {id: work, description: More.}\n", "LM303", 3, 10, "duplicate phase id", "`work` is first used on line 2"),
    ("two phases deliver one file", phases(", deliverables: [a.md]",", deliverables: [b.md, ./a.md — text]"), "LM304", 3, 57, "duplicate deliverable", "`a.md` is already delivered on line 2"),
    ("one phase delivers a file twice", phase("deliverables: [a.md, a.md]"), "LM304", 2, 57, "duplicate deliverable", "`a.md` is already delivered on line 2"),
    ("a phase has the name of a finalizer", "phases:\n  - {id: draft, description: Draft., deliverables: [a.md], output_strategy: fan_in}\n  - {id: draft-finalize-output, description: More.}\n", "LM305", 3, 10, "the phase id is reserved", "`draft-finalize-output` is the finalizer of `draft`"),
    ("two phases become one step", "phases:\n  - {id: next, description: Work.}\n  - {id: next-phase, description: More.}\n", "LM306", 3, 10, "two phases get the same step name", "`next-phase` and `next` both become the step `next_phase`"),
    ("an example depends on a task it does not have", "planner_examples:\n  - goal: Compare.\n    subtasks:\n      - {id: work, depends_on: [plan]}\n", "LM308", 4, 33, "a planner example does not form a DAG", "no phase is called `plan`"),
    ("an example runs in circles", "planner_examples:\n  - goal: Compare.\n    subtasks:\n      - {id: work, depends_on: [work]}\n", "LM308", 4, 7, "a planner example does not form a DAG", "it has a cycle: work → work"),
    ("intermediate files go elsewhere", "output_coordination: {strategy: fan_in, intermediate_root: ../out}\n", "LM309", 1, 60, "intermediate_root is not a path inside the workspace", "`../out` is absolute or not normalised"),
    ("intermediate files go to a path with a double slash", "output_coordination: {strategy: fan_in, intermediate_root: a//b}\n", "LM309", 1, 60, "intermediate_root is not a path inside the workspace", "`a//b` is absolute or not normalised"),
    ("a run has neither tool nor process", phase("run: {args: {a: 1}}"), "LM310", 2, 36, "run needs exactly one of tool and process", "neither is written"),
    ("a run has both tool and process", phase("run: {tool: calculator, process: eda}"), "LM310", 2, 36, "run needs exactly one of tool and process", "both are written"),
    ("a reference begins with an unknown word", phase('run: {tool: calculator, args: {a: "${input.a}"}}'), "LM320", 2, 70, "the reference is not understood", "it starts with `input`; a reference starts with inputs, phases,"),
    ("a reference is not closed", phase('run: {tool: calculator, args: {a: "${inputs.a"}}'), "LM320", 2, 70, "the reference is not understood", "a `${` is not closed by `}`"),
    ("a reference is code", phase('run: {tool: calculator, args: {a: "${1 + 1}"}}'), "LM320", 2, 70, "the reference is not understood", "a reference is words joined by dots, with list indexes in"),
    ("a reference into a phase stops too early", phases("",', depends_on: [plan], run: {tool: calculator, args: {a: "${phases.plan}"}}'), "LM320", 3, 90, "the reference is not understood", "a phase is followed by one of data, pathspec, deliverables,"),
    ("a reference reads an unknown field of a phase", phases("",', depends_on: [plan], run: {tool: calculator, args: {a: "${phases.plan.result}"}}'), "LM320", 3, 90, "the reference is not understood", "`result` is not one of data, pathspec, deliverables, verdict,"),
    ("a reference names an unknown input", inputs("price: {type: text}") + phase('run: {tool: calculator, args: {a: ["${inputs.prise}"]}}'), "LM321", 7, 71, "reference to an unknown input", "no input is called `prise`"),
    ("a reference names an unknown phase", phases("",', depends_on: [plan], run: {tool: calculator, args: {a: {b: "${phases.plann.data}"}}}'), "LM322", 3, 94, "reference to an unknown phase", "no phase is called `plann`"),
    ("a reference reads a phase that may be later", phases("",', run: {tool: calculator, args: {a: "see ${phases.plan.data}"}}'), "LM323", 3, 70, "reference to a phase that may not have finished", "`work` does not depend on `plan`"),
    ("an item is used where nothing loops", phase('run: {tool: calculator, args: {a: "${item.b}"}}'), "LM324", 2, 70, "`${item}` is used outside for_each", "this phase runs once"),
    ("a loop runs over a plain text", phase('for_each: "a, b", run: {tool: calculator}'), "LM325", 2, 46, "for_each must be one reference", "`a, b` is not a reference"),
    ("a loop runs over a text with a reference in it", phases("",', depends_on: [plan], for_each: "all of ${phases.plan.data}", run: {tool: calculator}'), "LM325", 3, 66, "for_each must be one reference", "`all of ${phases.plan.data}` is not a reference"),
    ("an entry gate reads an unknown phase", phases("",", depends_on: [plan], require: [{phase: plam, field: verdict, operator: eq, value: OK}]"), "LM326", 3, 74, "an entry gate reads a phase that may not have finished", "no phase is called `plam`"),
    ("an entry gate reads a phase that may be later", phases("",", require: [{phase: plan, field: verdict, operator: eq, value: OK}]"), "LM326", 3, 54, "an entry gate reads a phase that may not have finished", "`work` does not depend on `plan`"),
    # LM4xx — policy
    ("a high risk process loosens a floor", HIGH + "validity_contract: {min_supported_ratio: 0.79}\n", "LM411", 2, 42, "the value loosens a floor of a high-risk process", "0.79 is looser than the floor 0.8"),
    ("a critical process allows contradictions", "risk_level: critical\nvalidity_contract: {max_contradicted_count: 1}\n", "LM411", 2, 45, "the value loosens a floor of a high-risk process", "1 is looser than the floor 0"),
    ("a high risk process switches claims off", HIGH + "validity_contract: {claim_extraction: {enabled: false}}\n", "LM411", 2, 49, "the value loosens a floor of a high-risk process", "false is looser than the floor true"),
    ("a phase of a high risk process loosens a floor", HIGH + phase("validity_contract: {max_unverified_ratio: 0.3}"), "LM411", 3, 78, "the value loosens a floor of a high-risk process", "0.3 is looser than the floor 0.2"),
    ("a phase of a high risk process switches itself off", HIGH + phase("validity_contract: false"), "LM411", 3, 55, "the value loosens a floor of a high-risk process", "false is looser than the floor true"),
    ("a high risk by its name loosens a floor", "name: medical-review\nrisk_level: high\nvalidity_contract: {final_gate: {critical_claim_support_ratio: 0.95}}\n", "LM411", 3, 64, "the value loosens a floor of a high-risk process", "0.95 is looser than the floor 1.0"),
    ("sources of a critical process may be too old", "risk_level: critical\nvalidity_contract: {final_gate: {temporal_consistency: {max_source_age_days: 366}}}\n", "LM411", 2, 78, "the value loosens a floor of a high-risk process", "366 is looser than the floor 365"),
    ("a phase loosens its high risk process", HIGH + "validity_contract: {min_supported_ratio: 0.95}\n" + phase("validity_contract: {min_supported_ratio: 0.9}"), "LM413", 4, 77, "the phase loosens its high-risk process", "0.9 is looser than the process's 0.95"),
    ("a synthesis of high risk is verified too lightly", HIGH + phase("is_synthesis: true, verification_tier: 1"), "LM416", 3, 75, "a synthesis phase is verified too lightly", "tier 1, and the contract asks for 2"),
    ("a synthesis of high risk says nothing about its tier", HIGH + phase("is_synthesis: true"), "LM416", 3, 10, "a synthesis phase is verified too lightly", "tier 1, and the contract asks for 2"),
    ("a reporting date is a word", "validity_contract: {final_gate: {temporal_consistency: {as_of: January}}}\n", "LM417", 1, 64, "as_of is not a date", "`January`"),
    ("a reporting date does not exist", phase("validity_contract: {final_gate: {temporal_consistency: {as_of: 2026-02-30}}}"), "LM417", 2, 99, "as_of is not a date", "`2026-02-30`"),
    # LM5xx — iteration
    ("a loop runs too often", loop(max_attempts="7",max_total_runner_invocations="9"), "LM501", 6, 21, "iteration.max_attempts must be between 1 and 6", "it is 7"),
    ("a loop never runs", loop(max_attempts="0"), "LM501", 6, 21, "iteration.max_attempts must be between 1 and 6", "it is 0"),
    ("a loop runs a negative number of times", loop(max_attempts="-1"), "LM501", 6, 21, "iteration.max_attempts must be between 1 and 6", "it is -1"),
    ("a loop has no cap", loop(max_total_runner_invocations=None), "LM502", 4, 5, "an enabled iteration lacks a required key", "`max_total_runner_invocations` is missing"),
    ("a loop has no budget", loop(iteration_budget=None), "LM502", 4, 5, "an enabled iteration lacks a required key", "`iteration_budget` is missing"),
    ("a budget lacks one of its caps", loop(iteration_budget="{max_wall_clock_seconds: 60, max_tokens: 1000}"), "LM502", 9, 7, "an enabled iteration lacks a required key", "`iteration_budget.max_tool_calls` is missing"),
    ("a loop has no gates", loop().split("      gates:")[0], "LM503", 4, 5, "iteration requires at least one deterministic blocking gate", "it has no gates"),
    ("a loop has an advisory gate only", only_gate("{id: a, type: verifier_field, field: confidence, operator: eq, value: 1}"), "LM503", 10, 7, "iteration requires at least one deterministic blocking gate", "none of its gates is both deterministic and blocking"),
    ("a loop has gates that do not block", only_gate("{id: a, type: artifact_regex, pattern: a, blocking: false}"), "LM503", 10, 7, "iteration requires at least one deterministic blocking gate", "none of its gates is both deterministic and blocking"),
    ("a verifier blocks", gate("{id: a, type: verifier_field, field: confidence, operator: gte, value: 1, blocking: true}"), "LM504", 12, 95, "verifier_field gates cannot be blocking", "gate `a`"),
    ("a score may stand still forever", loop(stop_on_no_improvement_attempts="0").rstrip() + "\n        - {id: a, type: tool_metric, tool: calculator, metric_path: total, operator: lt, value: 1}\n", "LM505", 8, 40, "score-like gates require stop_on_no_improvement_attempts > 0", "gate `a` compares a score"),
    ("a gate runs a command that is not allowed", gate("{id: a, type: command_exit, command: [rm, -rf, build]}"), "LM506", 12, 48, "command is not allowlisted for MVP command_exit gates", "`rm -rf build`"),
    ("a gate runs python itself", gate("{id: a, type: command_exit, command: python -c pass}"), "LM506", 12, 48, "command is not allowlisted for MVP command_exit gates", "`python -c pass`"),
    ("a gate pipes a command", gate("{id: a, type: command_exit, command: 'pytest -q | tee log'}"), "LM507", 12, 48, "the command holds shell syntax", "`|` needs a shell"),
    ("a gate substitutes a command", gate("{id: a, type: command_exit, command: [pytest, $(whoami)]}"), "LM507", 12, 48, "the command holds shell syntax", "`$(whoami)` needs a shell"),
    ("a cap is below the attempts", loop(max_total_runner_invocations="2"), "LM508", 7, 37, "max_total_runner_invocations must be at least max_attempts", "2 is less than max_attempts, 3"),
    ("a budget is zero", loop(iteration_budget="{max_wall_clock_seconds: 0, max_tokens: 1000, max_tool_calls: 5}"), "LM509", 9, 50, "an iteration budget must be greater than zero", "it is 0"),
    ("a budget is negative", loop(iteration_budget="{max_wall_clock_seconds: 1, max_tokens: -1000, max_tool_calls: 5}"), "LM509", 9, 65, "an iteration budget must be greater than zero", "it is -1000"),
    ("two gates have one id", gate("{id: todo, type: artifact_regex, pattern: b}"), "LM510", 12, 16, "duplicate gate id", "`todo` is already used in this phase"),
    ("a gate's pattern is broken", gate("{id: a, type: artifact_regex, pattern: '[TODO'}"), 'LM511', 12, 50, 'invalid regex in an iteration gate', 'unterminated character set'),
    ("a gate matches a broken pattern", gate("{id: a, type: tool_metric, tool: calculator, metric_path: total, operator: matches, value: 'a**'}"), "LM511", 12, 102, "invalid regex in an iteration gate", "multiple repeat"),
    ("a path to a metric has a hole", gate("{id: a, type: tool_metric, tool: calculator, metric_path: report..total, operator: eq, value: 1}"), "LM512", 12, 69, "metric_path is not a path", "`report..total`"),
    ("a path to a metric has a word as an index", gate("{id: a, type: tool_metric, tool: calculator, metric_path: 'report[first]', operator: eq, value: 1}"), "LM512", 12, 69, "metric_path is not a path", "`report[first]`"),
    ("a text is ordered like a number", gate("{id: a, type: tool_metric, tool: calculator, metric_path: total, operator: gte, value: high}"), "LM513", 12, 98, "the operator does not fit the value", "`gte` orders numbers"),
    ("a truth value is ordered like a number", phases("",", depends_on: [plan], require: [{phase: plan, field: data.n, operator: lt, value: true}]"), "LM513", 3, 116, "the operator does not fit the value", "`lt` orders numbers"),
    ("a number is matched like a text", gate("{id: a, type: tool_metric, tool: calculator, metric_path: total, operator: matches, value: 5}"), "LM513", 12, 102, "the operator does not fit the value", "`matches` takes a pattern"),
    # LM6xx — verification
    ("a rule's pattern is broken", rule("name: a, type: regex, check: '[TBD'"), 'LM601', 3, 37, 'invalid regex in verification rule', 'unterminated character set at character 1'),
    ("a rule's pattern repeats nothing", rule("name: a, type: regex, check: 'a(*b)'"), 'LM601', 3, 37, 'invalid regex in verification rule', 'nothing to repeat at character 3'),
    ("a rule's pattern repeats without end", rule("name: a, type: regex, check: '(?:(?:a{1000}){1000}){1000}'"), 'LM601', 3, 37, 'invalid regex in verification rule', 'the pattern repeats too often'),
    ("two rules have one name", "verification:\n  rules:\n    - {name: a, check: b}\n    - {name: a, check: c}\n", "LM603", 4, 14, "duplicate rule name", "`a` is already used"),
    ("two semantic checks have one id", "verification:\n  policy:\n    semantic_checks:\n      - {id: a, check: b}\n      - {id: a, check: c}\n", "LM603", 5, 14, "duplicate rule name", "`a` is already used"),
    ("a rule applies to an unknown phase", rule("name: a, check: b, applies_to_phases: [work, wrok]"), "LM604", 3, 53, "applies_to_phases names an unknown phase", "no phase is called `wrok`"),
    ("a rule applies to one unknown phase", rule("name: a, check: b, applies_to_phases: wrok"), "LM604", 3, 46, "applies_to_phases names an unknown phase", "no phase is called `wrok`"),
    ("evidence is asked of an unknown phase", "prompt_contracts: {evidence_contract: {enabled: true, applies_to_phases: [zebra]}}\n", "LM604", 1, 75, "applies_to_phases names an unknown phase", "no phase is called `zebra`"),
    ("a helper is misspelt", semantic_check("name: a, capability: command_execution, helper: run_test_suit"), "LM605", 4, 58, "the helper is not registered", "`run_test_suit`"),
    ("a helper is unknown", semantic_check("name: a, helper: ask_a_friend"), "LM605", 4, 27, "the helper is not registered", "`ask_a_friend`"),
    ("a helper does not fit its capability", semantic_check("name: a, capability: browser_runtime, helper: http_assert"), "LM606", 4, 31, "the helper does not fit the capability", "`http_assert` provides service_runtime"),
    ("a helper needs a capability that is not written", semantic_check("name: a, helper: serve_static"), "LM606", 4, 9, "the helper does not fit the capability", "`serve_static` provides service_runtime"),
    ("a semantic check has no name", semantic_check("check: b"), "LM607", 4, 9, "a semantic check needs a name", "neither `name` nor `id` is written"),
    ("a default strategy is not declared", "verification: {remediation: {default_strategy: prune, strategies: [{name: repair}]}}\n", "LM608", 1, 48, "default_strategy is not one of the strategies", "declared are repair"),
    ("a verdict is not part of the answer", "verification: {policy: {output_contract: {required_fields: [outcome]}}}\n", "LM609", 1, 60, "the output contract lacks `passed`", "a verdict needs it"),
    ("a state is passed and failed", "verification: {policy: {pass_states: [ok], outcome_policy: {fail_states: [bad, ok]}}}\n", "LM611", 1, 80, "a state counts as both passed and failed", "`ok`"),
    # LM7xx — tools, credentials and the verb
    ("a tool is required and excluded", "tools: {required: [calculator], excluded: [web_search, calculator]}\n", "LM701", 1, 56, "required and excluded tools overlap", "`calculator` is in both lists"),
    ("a selector has no colon", "auth: {required: [{provider: notion, resource_ref: notion}]}\n", "LM702", 1, 52, "resource_ref is not a known kind of selector", "`notion` has no colon"),
    ("a selector is of an unknown kind", "auth: {required: [{provider: notion, resource_ref: 'http:notion'}]}\n", "LM702", 1, 52, "resource_ref is not a known kind of selector", "`http:` is not a kind"),
    ("a selector names nothing", "auth: {required: [{provider: notion, resource_ref: 'mcp: '}]}\n", "LM702", 1, 52, "resource_ref is not a known kind of selector", "`mcp: ` names nothing"),
    ("a variable has a hyphen", "permissions: {env: [HOME, NOTION-TOKEN]}\n", "LM703", 1, 27, "not the name of an environment variable", "`NOTION-TOKEN` is not letters, digits and underscores"),
    ("a variable of a credential begins with a digit", "auth: {required: [{provider: notion, required_env_keys: [1TOKEN]}]}\n", "LM703", 1, 58, "not the name of an environment variable", "`1TOKEN` is not letters, digits and underscores"),
    ("a server is named for an api", "auth: {required: [{provider: notion, mcp_server: notion}]}\n", "LM704", 1, 38, "mcp_server is only valid with `source: mcp`", "the source is `api`"),
    ("a credential is for nothing", "auth: {required: [{modes: [api_key]}]}\n", "LM705", 1, 19, "the auth entry names no resource", "provider, resource_ref and resource_id are absent"),
    ("an excluded tool is run", "tools: {excluded: [web_search]}\n" + phase("run: {tool: web_search}"), "LM706", 3, 48, "an excluded tool is used", "`web_search` is excluded"),
    ("a gate reads an excluded tool", "tools: {excluded: [calculator]}\n" + gate("{id: a, type: tool_metric, tool: calculator, metric_path: total, operator: eq, value: 1}"), "LM706", 13, 44, "an excluded tool is used", "`calculator` is excluded"),
    ("a dependency has a space", "dependencies: [requests 2.32]\n", "LM711", 1, 16, "the dependency is not a requirement", "`requests 2.32` is not a name with versions"),
    ("a dependency is an address", "dependencies: [pandas==2.2.3, 'https://example.org/x.whl']\n", "LM711", 1, 31, "the dependency is not a requirement", "`https://example.org/x.whl` is an address"),
    ("a dependency is an option", "dependencies: [--upgrade]\n", "LM711", 1, 16, "the dependency is not a requirement", "`--upgrade` is an option of an installer"),
    ("a command takes a name of loom", "verb: {command: show, tier: read-only}\n", "LM720", 1, 17, "the command's name is reserved", "`loom show` is a command of Loom"),
    ("choices are missing", inputs("kind: {type: choice}"), "LM721", 5, 5, "choices and the type `choice` belong together", "`kind` lists none"),
    ("choices belong to a text", inputs("kind: {type: text, choices: [a]}"), "LM721", 5, 24, "choices and the type `choice` belong together", "`kind` is of the type `text`"),
    ("a default is none of the choices", inputs("kind: {type: choice, choices: [a, b], default: c}"), "LM722", 5, 52, "the default does not fit the input's type", "`kind` takes one of a, b, not `c`"),
    ("a default is not a whole number", inputs("steps: {type: integer, default: ten}"), "LM722", 5, 37, "the default does not fit the input's type", "`steps` takes a whole number, not `ten`"),
    ("a default of a flag is a text", inputs("dry: {type: flag, default: 'false'}"), "LM722", 5, 32, "the default does not fit the input's type", "`dry` takes true or false, not `false`"),
    ("an input lowers the tier", inputs("dry: {type: flag, raises_tier: read-only}"), "LM723", 5, 36, "raises_tier does not raise the tier", "`dry` asks for read-only, and the verb is read-only already"),
    ("a verdict to accept is unknown", verb("verdict: {from: phases.work.data.verdict, values: [PASS, FAIL], ok: [PASSED]}"), "LM724", 1, 112, "an acceptable verdict is not among the values", "`PASSED` is not in PASS, FAIL"),
    ("a verdict comes from an unknown phase", verb("verdict: {from: phases.wrok.data.verdict, values: [PASS], ok: [PASS]}"), "LM725", 1, 59, "the source is not a result of a phase", "no phase is called `wrok`"),
    ("a summary comes from an input", verb("summary: {from: inputs.price}"), "LM725", 1, 59, "the source is not a result of a phase", "`inputs.price` is not the result of a phase"),
    ("a source is written like a reference", verb("verdict: {from: '${phases.work.data.verdict}', values: [PASS], ok: [PASS]}"), "LM725", 1, 59, "the source is not a result of a phase", "it is read as a reference already"),
    ("a schema of the summary is none", verb("summary: {from: phases.work.data, schema: {properties: {a: {type: table}}}}"), "LM726", 1, 109, "summary.schema is not a valid JSON Schema", "'table' is not valid under any of the given schemas"),
    ("an input has the name of an option", inputs("json: {type: text}"), "LM727", 5, 5, "the input's name cannot be an option", "every verb has `--json` already"),
    ("an input has a capital", inputs("Target: {type: text}"), "LM727", 5, 5, "the input's name cannot be an option", "`Target` is not a lowercase word"),
    ("two inputs are one option", inputs("as_of: {type: text}\n    as-of: {type: text}"), "LM727", 6, 5, "the input's name cannot be an option", "`as-of` and `as_of` are the same option"),
    ("a required argument follows an optional one", inputs("left: {type: path, positional: true}\n    right: {type: path, positional: true, required: true}"), "LM729", 6, 5, "the positional inputs cannot be told apart", "`right` is required and follows `left`, which is not"),
    ("a flag stands without its name", inputs("dry: {type: flag, positional: true}"), "LM729", 5, 35, "the positional inputs cannot be told apart", "`dry` is a flag"),
    ("an alias is the command itself", verb("aliases: [compare]"), "LM730", 1, 53, "the alias cannot be used", "`compare` is the command itself"),
    ("an alias is reserved", verb("aliases: [diff, config]"), "LM730", 1, 59, "the alias cannot be used", "`loom config` is a command of Loom"),
    ("an alias is listed twice", verb("aliases: [diff, diff]"), "LM730", 1, 59, "the alias cannot be used", "`diff` is already listed"),
    ("a process runs itself", "name: compare\n" + phase("run: {process: compare}"), "LM731", 3, 51, "the process runs itself", "`compare` is this process"),
    # LM8xx — tests
    ("two tests have one id", "tests:\n  - {id: smoke, mode: live, goal: Compare.}\n  - {id: smoke, mode: live, goal: Again.}\n", "LM801", 3, 10, "duplicate test id", "`smoke` is first used on line 2"),
    ("a test waits for an unknown phase", case("acceptance: {phases: {must_include: [work, wrok]}}"), "LM802", 5, 48, "a test names an unknown phase", "no phase is called `wrok`"),
    ("a script is for an unknown phase", case("script: {wrok: [{output: Done.}]}"), "LM802", 5, 14, "a test names an unknown phase", "no phase is called `wrok`"),
    ("a fault is for an unknown phase", case("faults: [{tool: calculator, phase: zebra}]"), "LM802", 5, 40, "a test names an unknown phase", "no phase is called `zebra`"),
    ("a test expects the failure of an unknown phase", case("expect: {status: failed, phase: wrok}"), "LM802", 5, 37, "a test names an unknown phase", "no phase is called `wrok`"),
    ("a test waits for an unknown file", case("acceptance: {deliverables: {must_exist: [note.md]}}",phase("deliverables: [notes.md]")), "LM803", 7, 46, "a test names an unknown deliverable", "no phase delivers `note.md`"),
    ("a forbidden pattern is broken", case("acceptance: {verification: {forbidden_patterns: [ok, '(not found']}}"), "LM804", 5, 58, "invalid forbidden pattern", "missing ), unterminated subpattern at character 1"),
    ("a test gives an unknown input", inputs("target: {type: text}") + case("inputs: {traget: price}"), "LM806", 10, 14, "the test gives an input that the verb does not have", "`loom compare` has no input `traget`"),
]
# fmt: on

REFUSALS = tuple(Refusal(*row) for row in _ROWS)
