"""The verb validate as a run takes it: a model measured on a data object, then judged, in a folder of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from loom.core.contracts import validate_output
from loom.core.index import RunFacts
from loom.dataio.addresses import parse_address
from loom.dataio.catalogue import DirectoryCatalogue
from loom.dataio.derive import Making, derive
from loom.dataio.files import FileRef
from loom.dataio.frames import load
from loom.dataio.ingest import Request, ingest
from loom.dataio.kept import KeptFiles, in_folder
from loom.dataio.sealed import Sealed
from loom.dataio.unsealing import Holdouts
from loom.kernel.errors import LoomError
from loom.science.features import build
from loom.tools.context import Permissions
from loom.tools.discover import load_tools
from loom.tools.registry import ToolContext, ToolResult
from tests.tools.calls import call

VALIDATE = Path(__file__).parents[2] / "processes" / "builtin" / "validate"
SUMMARY = yaml.safe_load((VALIDATE / "process.yaml").read_text(encoding="utf-8"))["verb"]["summary"]["schema"]
BESIDE = ("verdict", "reasons", "next", "card")
INPUTS = ("target", "solution", "sensitive", "metric", "time", "group", "horizon", "embargo")


@dataclass(frozen=True)
class Answer:
    """What a validation answered, and what its measuring gave to its judging."""

    data: dict[str, Any]
    measured: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    @property
    def verdict(self) -> str:
        """The verdict."""
        return str(self.data["verdict"])

    def codes(self, *severities: str) -> set[str]:
        """The codes of the reasons, of those severities where any are named."""
        return {
            one["code"] for one in self.data["reasons"] if not severities or one["severity"] in severities
        }

    def section(self, title: str) -> dict[str, Any]:
        """One section of the page."""
        (found,) = [each for each in self.data["card"]["sections"] if each["title"] == title]
        return dict(found)

    def charts(self) -> dict[str, dict[str, Any]]:
        """The pictures of the page by name."""
        blocks = self.data["card"]["sections"]
        return {chart["name"]: chart for block in blocks for chart in block.get("charts", ())}


@dataclass(frozen=True)
class Past:
    """Runs that took place."""

    known: dict[str, RunFacts] = field(default_factory=dict)

    def runs(self, *, flow: str | None = None, **_: Any) -> list[RunFacts]:
        """The newest first."""
        return [each for name, each in reversed(self.known.items()) if name.startswith(f"{flow}/")]

    def run(self, pathspec: str) -> RunFacts:
        """One run."""
        if pathspec not in self.known:
            raise LoomError(f"no run is called {pathspec}", "there are none", "loom runs")
        return self.known[pathspec]


@dataclass(frozen=True)
class Court:
    """A home with tables, and models that are judged on them."""

    folder: Path
    past: Past = field(default_factory=Past)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def catalogue(self) -> DirectoryCatalogue:
        """Where its data objects are."""
        return DirectoryCatalogue(self.folder / "objects")

    @property
    def holdouts(self) -> Holdouts:
        """Who opens what is sealed."""
        return Holdouts(self.catalogue, self.folder / "openings")

    def bring(self, frame: pl.DataFrame, name: str = "table", **asked: Any) -> str:
        """The pathspec of a table that is brought in."""
        path = self.folder / f"{name}.csv"
        frame.write_csv(path)
        key, _ = ingest(Request(parse_address(str(path)), **asked), self.catalogue.store, self.folder)
        return self.catalogue.register("IngestDataset", key)

    def features(self, dataset: str, target: str, dropped: tuple[str, ...] = ()) -> str:
        """The pathspec of minimal features of a table."""
        parent = self.catalogue.open(dataset)
        time, group = tuple(parent.schema["time"] or ()), parent.schema["group"]
        leaks = [{"column": name, "reason": "score"} for name in dropped]
        train = load(parent.parts["train"])
        built = build(train, target, recipe="minimal", dropped=leaks, time=time, group=group)
        made = Making(
            parent,
            dataset,
            {"train": built.frame},
            built.transformer.keep,
            target,
            {"transformer": (built.transformer.to_bytes(), "loom.science.features:Transformer.from_bytes")},
            {"recipe": "minimal", "dropped": [dict(one) for one in built.dropped]},
        )
        return self.catalogue.register("FeaturesFlow", derive(made, self.catalogue.store, self.folder)[0])

    def keep(self, run: str, name: str, content: bytes) -> None:
        """A run that kept a file."""
        self.past.known[run] = RunFacts(run, pathspec=run, verb="optimize", status="ok")
        reader = "loom.science.serving.model:Served.from_bytes"
        self.files[run] = {name: FileRef.put(content, reader, self.catalogue.store).record()}

    def context(self, pathspec: str | None = "ValidateFlow/3") -> ToolContext:
        """What a run lends to the tools."""
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        kept = KeptFiles(in_folder(lambda run: self.files.get(run, {}), self.catalogue.store))
        services = {
            "catalogue": Sealed(self.catalogue),
            "holdouts": self.holdouts,
            "blobs": self.catalogue.store,
            "kept": kept,
            "runs": self.past,
            "pathspec": pathspec,
            "home": self.folder,
            "cwd": self.folder,
        }
        return ToolContext(
            workspace=self.folder,
            scratch_dir=scratch,
            permissions=Permissions(network=(), processes=True),
            services=services,
        )

    def call(self, tool: str, args: Mapping[str, Any], pathspec: str | None = "ValidateFlow/3") -> ToolResult:
        """One call of a tool of the verb."""
        (found,) = [each.tool for each in load_tools(VALIDATE) if each.tool.name == tool]
        return call(found, dict(args), self.context(pathspec))

    def measure(self, dataset: str, **asked: Any) -> dict[str, Any]:
        """The measurements of a model."""
        result = self.call("validate_model", {"dataset": dataset, **dict.fromkeys(INPUTS), **asked})
        assert result.success, result.error
        assert result.data is not None
        return result.data

    def judge(
        self, measured: Mapping[str, Any], *, strict: bool = False, accept: tuple[str, ...] = ()
    ) -> Answer:
        """The verdict over measurements, of which the summary must fit the schema that the verb declares."""
        fairness = "strict" if strict else "review"
        args = {"measurements": dict(measured), "fairness": fairness, "accept_suspect": list(accept)}
        result = self.call("validate_verdict", args)
        assert result.success, result.error
        assert result.data is not None
        summary = {key: value for key, value in result.data.items() if key not in BESIDE}
        assert validate_output(summary, SUMMARY) == []
        return Answer(result.data, dict(measured))

    def validate(
        self, dataset: str, *, strict: bool = False, accept: tuple[str, ...] = (), **asked: Any
    ) -> Answer:
        """The answer of the verb."""
        return self.judge(self.measure(dataset, **asked), strict=strict, accept=accept)

    def refusal(self, dataset: str, **asked: Any) -> dict[str, str]:
        """Why a call is refused, in three lines."""
        result = self.call("validate_model", {"dataset": dataset, **dict.fromkeys(INPUTS), **asked})
        assert not result.success
        assert result.data is not None, result.error
        return dict(result.data["error"])
