"""The verb eda as a run takes it: both looks at a data object, then the conclusion, in a folder of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from loom.core.contracts import validate_output
from loom.dataio.addresses import parse_address
from loom.dataio.catalogue import DirectoryCatalogue
from loom.dataio.ingest import Request, ingest
from loom.dataio.sealed import Sealed
from loom.tools.discover import load_tools
from loom.tools.registry import ToolContext, ToolResult
from tests.tools.calls import call

EDA = Path(__file__).parents[2] / "processes" / "builtin" / "eda"
DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
SUMMARY = yaml.safe_load((EDA / "process.yaml").read_text(encoding="utf-8"))["verb"]["summary"]["schema"]
BESIDE = ("verdict", "reasons", "next", "card")


def real(name: str) -> Path:
    """A file of real data; skips where there is none."""
    path = (DATA / name).resolve()
    if not path.is_file():
        pytest.skip(f"REAL DATA IS NOT TESTED: {name} is not at hand")
    return path


@dataclass(frozen=True)
class Answer:
    """What a look at a data object answered."""

    data: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def column(self, name: str) -> dict[str, Any]:
        """One column of the profile."""
        (found,) = [each for each in self.data["columns"] if each["name"] == name]
        return dict(found)

    def reasons(self, code: str) -> list[dict[str, Any]]:
        """The reasons of a code."""
        return [reason for reason in self.data["reasons"] if reason["code"] == code]

    def codes(self) -> set[str]:
        """The codes of all reasons."""
        return {reason["code"] for reason in self.data["reasons"]}

    def section(self, title: str) -> dict[str, Any]:
        """One section of the page."""
        (found,) = [each for each in self.data["card"]["sections"] if each["title"] == title]
        return dict(found)


@dataclass(frozen=True)
class Site:
    """A catalogue to bring tables into and to look at."""

    folder: Path

    @property
    def catalogue(self) -> DirectoryCatalogue:
        """Where its data objects are."""
        return DirectoryCatalogue(self.folder / "objects")

    def bring(self, source: str | Path, **asked: Any) -> str:
        """The pathspec of a table that is brought in; a text is the content of a CSV file."""
        if isinstance(source, str):
            path = self.folder / "table.csv"
            path.write_text(source, encoding="utf-8")
            source = path
        request = Request(parse_address(str(source)), **asked)
        key, _ = ingest(request, self.catalogue.store, self.folder)
        return self.catalogue.register("IngestDataset", key)

    def context(self, pathspec: str | None = "EdaFlow/3") -> ToolContext:
        """What a run lends to the tools."""
        services = {"catalogue": Sealed(self.catalogue), "pathspec": pathspec, "home": self.folder}
        return ToolContext(workspace=self.folder, services=services)

    def call(self, tool: str, args: Mapping[str, Any], pathspec: str | None = "EdaFlow/3") -> ToolResult:
        """One call of a tool of the verb."""
        (found,) = [each.tool for each in load_tools(EDA) if each.tool.name == tool]
        return call(found, dict(args), self.context(pathspec))

    def look(self, dataset: str, *, pathspec: str | None = "EdaFlow/3", **asked: Any) -> Answer:
        """The answer of the verb, which must fit the schema it declares."""
        args = {"dataset": dataset, "target": None, "time": None, "group": None, **asked}
        profile, leakage = (self.call(tool, args) for tool in ("eda_profile", "eda_leakage"))
        assert profile.success, profile.error
        assert leakage.success, leakage.error
        result = self.call("eda_summary", {"profile": profile.data, "leakage": leakage.data}, pathspec)
        assert result.success, result.error
        assert result.data is not None
        summary = {key: value for key, value in result.data.items() if key not in BESIDE}
        assert validate_output(summary, SUMMARY) == []
        flagged = bool(result.data["leakage_flags"])
        assert result.data["verdict"] == ("FLAGGED" if flagged else "OK")
        return Answer(result.data)

    def refusal(self, dataset: str, **asked: Any) -> dict[str, str]:
        """Why a call is refused, by both looks alike."""
        args = {"dataset": dataset, "target": None, "time": None, "group": None, **asked}
        told = []
        for tool in ("eda_profile", "eda_leakage"):
            result = self.call(tool, args)
            assert not result.success
            assert result.data is not None, result.error
            told.append(result.data["error"])
        assert told[0] == told[1]
        return dict(told[0])


def csv_of(columns: Mapping[str, Sequence[object]]) -> str:
    """Columns as CSV, every name and cell in quotes."""
    rows = [list(columns), *([str(cell) for cell in row] for row in zip(*columns.values(), strict=True))]
    return (
        "\n".join(",".join(f'"{str(cell).replace(chr(34), 2 * chr(34))}"' for cell in row) for row in rows)
        + "\n"
    )
