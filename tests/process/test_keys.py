"""What a key means is read from the models, along any path that a declaration can have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from loom.kernel.document import parse_document, walk
from loom.process.jsonschema import models_of
from loom.process.keys import doc_of, docs_of, help_of
from loom.process.spec.evidence import Summarization
from loom.process.spec.iteration import Iteration, ToolMetricGate
from loom.process.spec.phases import Phase
from loom.process.spec.process import ProcessSpec
from loom.process.spec.verb import VerdictSource

MODELS = (ProcessSpec, *models_of(ProcessSpec))
MAXIMAL = Path(__file__).parent / "maximal.yaml"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_model_and_each_of_its_keys_is_described_in_sentences(model: type[BaseModel]) -> None:
    assert doc_of(model).endswith(".")
    for key, doc in docs_of(model).items():
        assert doc.endswith("."), key
        assert "\n" not in doc and "  " not in doc, key
        assert doc[0] in "`$" or doc[0].isupper(), key


def test_docs_are_listed_by_the_key_that_is_written() -> None:
    assert list(docs_of(VerdictSource)) == ["from", "values", "ok"]


def test_a_docstring_over_several_lines_becomes_one_paragraph() -> None:
    assert docs_of(Phase)["depends_on"].endswith("do not depend on each other run at the same time.")


def test_keys_of_a_model_that_allows_others_are_described_too() -> None:
    assert docs_of(Summarization)["max_chars"].startswith("Characters at most")


def test_a_model_without_source_has_no_docs_and_no_error() -> None:
    scope: dict[str, object] = {"BaseModel": BaseModel}
    exec("class Ghost(BaseModel):\n    key: str\n    'A text.'\n", scope)
    ghost = scope["Ghost"]
    assert isinstance(ghost, type) and issubclass(ghost, BaseModel)
    assert docs_of(ghost) == {"key": ""}


HELP = [
    ((), doc_of(ProcessSpec)),
    (("name",), docs_of(ProcessSpec)["name"]),
    (("tags", 3), docs_of(ProcessSpec)["tags"]),
    (("validity_contract", "final_gate", "temporal_consistency", "as_of"), "The reporting date as"),
    (("phases",), "The steps of the process."),
    (("phases", 0), doc_of(Phase)),
    (("phases", "profile", "retries"), docs_of(Phase)["retries"]),
    (("phases", 0, "iteration", "gates"), docs_of(Iteration)["gates"]),
    (("phases", 0, "iteration", "gates", 1), docs_of(Iteration)["gates"]),
    (("phases", 0, "iteration", "gates", 1, "blocking"), docs_of(ToolMetricGate)["blocking"]),
    (("phases", 0, "iteration", "gates", 1, "command"), "The command as a list of words"),
    (("phases", 0, "deliverables", 0, "name"), "The file's path inside the workspace."),
    (("phases", 0, "run", "args", "rows", 2), "Arguments."),
    (("phases", 0, "require", 0, "value"), "What it is compared with."),
    (("verb", "verdict", "from"), docs_of(VerdictSource)["from"]),
    (("verb", "inputs", "from"), "One input of the verb"),
    (("verb", "inputs", "dataset", "raises_tier"), "The tier of the call"),
    (("verb", "summary", "schema", "type"), "A JSON Schema"),
    (("verification", "remediation", "strategies", "retry", "description"), "What the strategy does."),
    (("tests", 0, "script", "work", 0, "claims", 0, "status"), "What evidence says of it."),
    (("nothing",), ""),
    (("x-team",), ""),
    (("name", "deeper"), ""),
    (("phases", 0, "desription"), ""),
    (("phases", 0, "iteration", "gates", 0, "nothing"), ""),
    (("evidence", "summarization", "my_own"), ""),
    ((0,), ""),
]


@pytest.mark.parametrize(("path", "start"), HELP, ids=[".".join(map(str, path)) for path, _ in HELP])
def test_help_follows_the_path(path: tuple[str | int, ...], start: str) -> None:
    found = help_of(path)
    assert found.startswith(start)
    assert bool(found) == bool(start)


def test_every_key_of_a_declaration_with_all_keys_has_help() -> None:
    document, _, _ = parse_document(MAXIMAL.read_bytes(), MAXIMAL.name)
    assert document is not None
    own = [path for path, _ in walk(document.data) if not help_of(path)]
    # what is left are keys of the author's own, and file names in `notes.md: what is in it`
    extra = {"outcome_policy", "retry_budget", "transient_retry_policy", "strategies", "summarization"}
    undocumented = [path for path in own if not extra.intersection(path)]
    assert [path for path in undocumented if not re.search(r"^x-|\.", str(path[-1]))] == []
