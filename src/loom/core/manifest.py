"""The manifest of an app: what a bundle is called, what it needs, and which files of it are what."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    field_validator,
    model_validator,
)

from loom.core.messages import ModelTier
from loom.core.plain import shown
from loom.core.portable import why_not_portable
from loom.kernel.diagnostics import Diagnostic, Source, dotted
from loom.kernel.document import Document, parse_document, read_document
from loom.kernel.errors import LoomError

DISTRIBUTION = "loom"
REQUIRED = ("name", "version", "description")
MAX_NAME = 64

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(?:[.+-]?[0-9A-Za-z][0-9A-Za-z.+-]*)?")
_PROJECT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


class ManifestError(LoomError, ValueError):
    """A manifest that cannot be used."""


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def _project(value: str) -> str:
    if not _PROJECT.fullmatch(value):
        raise ValueError(f"{shown(value)} is not the name of a Python distribution")
    return value


def _portable(value: str) -> str:
    wrong = why_not_portable(value)
    if wrong:
        raise ValueError(f"{shown(value)} is not a path inside the bundle: it {wrong}")
    return value


def _folder(value: str) -> str:
    return _portable(value.removesuffix("/"))


def _config(value: str) -> str:
    if not _portable(value).endswith((".yaml", ".yml")):
        raise ValueError(f"{shown(value)} must end in .yaml or .yml")
    return value


Text = Annotated[str, AfterValidator(_text)]
ProjectName = Annotated[str, AfterValidator(_project)]


class ManifestPart(BaseModel):
    """A part of a manifest: frozen, strict, known keys only."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class PythonPackage(ManifestPart):
    """The Python code that comes with an app: its name, and the folder to install it from."""

    name: ProjectName
    install_path: Annotated[str, AfterValidator(_folder)] = "src"


class EntryConfigRef(ManifestPart):
    """A configuration file of the bundle; for a worker, also the tier it runs on."""

    config: Annotated[str, AfterValidator(_config)]
    tier: Annotated[ModelTier, Strict(False)] | None = None


Refs = Annotated[tuple[EntryConfigRef, ...], Strict(False)]


class EntryConfigs(ManifestPart):
    """What an app starts: its workers, pipelines, schedulers and MCP gateways."""

    workers: Refs = ()
    pipelines: Refs = ()
    schedulers: Refs = ()
    mcp: Refs = ()

    @field_validator("pipelines", "schedulers", "mcp")
    @classmethod
    def _has_no_tier(cls, value: tuple[EntryConfigRef, ...]) -> tuple[EntryConfigRef, ...]:
        if any(ref.tier for ref in value):
            raise ValueError("only a worker has a tier")
        return value

    def all(self) -> Iterator[EntryConfigRef]:
        """Every entry, whatever it starts."""
        yield from (*self.workers, *self.pipelines, *self.schedulers, *self.mcp)


class ScriptRef(ManifestPart):
    """A script of the bundle, and what it is for."""

    path: Annotated[str, AfterValidator(_portable)]
    description: str = ""


class AppManifest(ManifestPart):
    """What an app is: `manifest.yaml` at the root of its bundle."""

    name: str
    version: str
    description: Text
    loom_version: str | None = None
    required_extras: Annotated[tuple[ProjectName, ...], Strict(False)] = ()
    python_package: PythonPackage | None = None
    entry_configs: EntryConfigs = Field(default_factory=EntryConfigs)
    scripts: Annotated[tuple[ScriptRef, ...], Strict(False)] = ()

    @field_validator("name")
    @classmethod
    def validate_name(cls, v: str) -> str:
        """The name can be a folder and a word of a command."""
        if not _NAME.fullmatch(v) or len(v) > MAX_NAME or why_not_portable(v):
            rule = f"a lowercase letter, then lowercase letters, digits, '_' and '-', at most {MAX_NAME}"
            raise ValueError(f"{shown(v)} is not an app's name: {rule}")
        return v

    @field_validator("version")
    @classmethod
    def validate_version(cls, v: str) -> str:
        """The version is major.minor.patch with an optional suffix, and can be compared."""
        if not _VERSION.fullmatch(v):
            raise ValueError(f"{shown(v)} is not a version, such as 1.0.0 or 1.0.0-rc.1")
        try:
            release = Version(v).release
        except InvalidVersion:
            raise ValueError(
                f"{shown(v)} has a suffix that cannot be compared, such as 1.0.0-rc.1 can"
            ) from None
        if len(release) != 3:
            raise ValueError(f"{shown(v)} has more parts than major.minor.patch")
        return v

    @field_validator("loom_version")
    @classmethod
    def validate_loom_version(cls, v: str | None) -> str | None:
        """The versions of Loom are a specifier that excludes something."""
        try:
            named = v is None or len(SpecifierSet(v)) > 0
        except InvalidSpecifier:
            named = False
        if not named:
            raise ValueError(f"{shown(v)} is not a set of versions, such as >=0.4.0")
        return v

    @model_validator(mode="after")
    def _names_each_file_once(self) -> Self:
        files = [*(ref.config for ref in self.entry_configs.all()), *(script.path for script in self.scripts)]
        twice = next((file for file in files if files.count(file) > 1), None)
        if twice:
            raise ValueError(f"{shown(twice)} is named twice")
        return self

    def runs_on(self, version: str) -> bool:
        """Whether an app says it runs on a version of Loom; pre-releases count."""
        return self.loom_version is None or SpecifierSet(self.loom_version).contains(
            version, prereleases=True
        )


def validate_app_manifest(data: Any) -> list[str]:
    """What is wrong with a manifest; empty when nothing is. Extras that Loom lacks are no mistake here."""
    if not isinstance(data, dict):
        return [f"Manifest must be a YAML mapping, got {type(data).__name__}"]
    said = [f"Missing required field: {field}" for field in REQUIRED if field not in data]
    try:
        AppManifest.model_validate(data)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        rest = [problem for problem in problems if problem["type"] != "missing" or len(problem["loc"]) > 1]
        said += [f"Manifest validation error: {_say(problem)}" for problem in rest]
    return said


def load_manifest(path: Path) -> AppManifest:
    """Read a manifest; a missing file is a FileNotFoundError, a bad one a ManifestError, which is a ValueError."""
    if not path.exists():
        raise FileNotFoundError(f"Manifest not found: {path}")
    return _manifest_of(read_document(path))


def parse_manifest(raw: bytes, name: str) -> AppManifest:
    """Read a manifest from its bytes; a bad one is a ManifestError."""
    return _manifest_of(parse_document(raw, name))


def _manifest_of(read: tuple[Document | None, list[Diagnostic], Source]) -> AppManifest:
    document, found, source = read
    errors = [f"line {d.span.line}: {d.message}: {d.detail}" for d in found]
    errors = errors or validate_app_manifest(document.data if document else None)
    if errors or document is None:
        raise ManifestError(f"{source.name} is not a manifest", "; ".join(errors), f"correct {source.name}")
    return AppManifest.model_validate(document.data)


def known_extras() -> frozenset[str]:
    """The extras that Loom's own package metadata names; none where it runs without being installed."""
    try:
        metadata = importlib.metadata.metadata(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return frozenset()
    return frozenset(canonicalize_name(extra) for extra in metadata.get_all("Provides-Extra") or ())


def running_version() -> str | None:
    """The version of this Loom; None where it runs without being installed."""
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return None


def unknown_extras(manifest: AppManifest) -> tuple[str, ...]:
    """The extras an app requires that this Loom does not have: worth a warning, not a refusal."""
    known = known_extras()
    return tuple(extra for extra in manifest.required_extras if canonicalize_name(extra) not in known)


def _say(problem: Any) -> str:
    said = problem["msg"].removeprefix("Value error, ")
    place = dotted(tuple(part for part in problem["loc"] if isinstance(part, str | int)))
    if problem["type"] == "extra_forbidden":
        return f"{shown(place)[1:-1]}: unknown key"
    return f"{place}: {said}" if place else said
