"""App bundles: read, verified as a whole, and deployed in one step."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loom.core.archive import Archive, ArchiveError, open_archive, sync_folder
from loom.core.config import (
    validate_orchestrator_config,
    validate_pipeline_config,
    validate_worker_config,
)
from loom.core.manifest import (
    DISTRIBUTION,
    AppManifest,
    ManifestError,
    parse_manifest,
    running_version,
    unknown_extras,
)
from loom.core.plain import shown
from loom.kernel.document import parse_document
from loom.kernel.errors import LoomError

MANIFEST = "manifest.yaml"
APPS = "apps"

_STAGING = ".staging-"
_LOCK = ".lock"
_HERE = -100
_EXCHANGE = 2
_PACK_AGAIN = "correct the app, and pack it again"


class BundleError(LoomError):
    """A bundle that cannot be used."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was verified: whose it is, what is in it, and the digest of its bytes."""

    manifest: AppManifest
    digest: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deployment:
    """An app in its folder: what was deployed, whether it took the place of another, what it will miss."""

    folder: Path
    bundle: Bundle
    replaced: bool
    unknown_extras: tuple[str, ...]


def verify_bundle(path: Path) -> list[str]:
    """What is wrong with a bundle; empty when nothing is. Everything in it is read once."""
    try:
        with open_archive(path) as archive:
            archive.check()
            return list(_complaints(archive))
    except OSError as error:
        return [f"it cannot be read: {_why(error)}"]
    except ArchiveError as error:
        return [str(error)]


def read_bundle(path: Path) -> Bundle:
    """A verified bundle; anything wrong with it is a BundleError."""
    with _opened(path) as archive:
        archive.check()
        return _bundle(archive, path)


def deploy_bundle(path: Path, home: Path, *, replace: bool = False) -> Deployment:
    """Put a verified bundle into `apps/<name>` of Loom's home: all of it, or nothing.

    An app that is there already is only replaced when asked for; whoever looks meanwhile sees the old one
    or the new one.
    """
    with _opened(path) as archive:
        bundle = _bundle(archive, path)
        _check_version(bundle.manifest, path)
        apps = home / APPS
        folder = apps / bundle.manifest.name
        try:
            apps.mkdir(parents=True, exist_ok=True)
            with _locked(apps):
                replaced = _may_take(folder, replace=replace)
                _clear(apps)
                with tempfile.TemporaryDirectory(
                    prefix=_STAGING, dir=apps, ignore_cleanup_errors=True
                ) as staging:
                    unpacked = Path(staging, "app")
                    archive.unpack(unpacked)
                    _put(unpacked, folder, replaced=replaced)
                sync_folder(apps)
        except OSError as error:
            raise BundleError(
                f"{bundle.manifest.name} cannot be deployed", _why(error), f"ls -ld {apps}"
            ) from None
    return Deployment(folder, bundle, replaced, unknown_extras(bundle.manifest))


@contextmanager
def _opened(path: Path) -> Iterator[Archive]:
    try:
        with open_archive(path) as archive:
            yield archive
    except OSError as error:
        raise BundleError(f"{path} cannot be read", _why(error), f"ls -l {path}") from None
    except ArchiveError as error:
        raise BundleError(f"{path} is not a safe bundle", str(error), _PACK_AGAIN) from None


def _bundle(archive: Archive, path: Path) -> Bundle:
    complaints = list(_complaints(archive))
    if complaints:
        raise BundleError(f"{path} is not a bundle", "\n       ".join(complaints), _PACK_AGAIN)
    return Bundle(parse_manifest(archive.read(MANIFEST), MANIFEST), archive.digest, archive.files)


def _complaints(archive: Archive) -> Iterator[str]:
    """What is wrong with the content: the manifest, the files it names, and what they say."""
    files = set(archive.files)
    if MANIFEST not in files:
        yield f"there is no {MANIFEST} at its root"
        return
    try:
        manifest = parse_manifest(archive.read(MANIFEST), MANIFEST)
    except ManifestError as error:
        yield f"{error.what}: {error.why}"
        return
    named = [
        *(ref.config for ref in manifest.entry_configs.all()),
        *(script.path for script in manifest.scripts),
    ]
    yield from (f"{MANIFEST} names {shown(file)}, which is not there" for file in named if file not in files)
    package = manifest.python_package
    if package and not any(file.startswith(f"{package.install_path}/") for file in files):
        yield f"{MANIFEST} installs {shown(package.install_path)}, which is not there"
    for ref in manifest.entry_configs.workers:
        yield from _config_complaints(archive, ref.config, "worker")
    for ref in manifest.entry_configs.pipelines:
        yield from _config_complaints(archive, ref.config, "pipeline")


def _config_complaints(archive: Archive, name: str, family: str) -> Iterator[str]:
    if name not in archive.files:
        return
    document, found, _ = parse_document(archive.read(name), name)
    yield from (f"{name}: line {d.span.line}: {d.message}: {d.detail}" for d in found)
    if document is None or found:
        return
    data = document.data
    if family == "worker":
        yield from validate_worker_config(data, name)
    elif isinstance(data, dict) and "pipeline_stages" not in data and "system_prompt" in data:
        yield from validate_orchestrator_config(data, name)
    else:
        yield from validate_pipeline_config(data, name)


def _check_version(manifest: AppManifest, path: Path) -> None:
    version = running_version()
    if version is not None and not manifest.runs_on(version):
        why = f"{manifest.name} {manifest.version} asks for Loom {manifest.loom_version}; this is {version}"
        raise BundleError(
            f"{path} does not run here", why, f"pip install '{DISTRIBUTION}{manifest.loom_version}'"
        )


@contextmanager
def _locked(apps: Path) -> Iterator[None]:
    """One deployment at a time below a home."""
    handle = os.open(apps / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _may_take(folder: Path, *, replace: bool) -> bool:
    """Whether an app is replaced; a BundleError when one may not be."""
    if not os.path.lexists(folder):
        return False
    if folder.is_symlink() or not folder.is_dir():
        raise BundleError(
            f"{folder} is taken", "it is not a folder that Loom made", f"move it away: ls -l {folder}"
        )
    if not replace:
        raise BundleError(
            f"{folder.name} is deployed already", f"{folder} exists", "deploy it with replace=True"
        )
    return True


def _clear(apps: Path) -> None:
    # nobody else deploys while the lock is held, so what is left here belongs to nobody
    for leftover in apps.glob(f"{_STAGING}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _put(new: Path, folder: Path, *, replaced: bool) -> None:
    """Let the new folder take its place in one step; the old one ends where the new one was."""
    if not replaced:
        new.rename(folder)
    elif not _exchange(new, folder):
        # where two folders cannot change places at once, the old one is put back if the second step fails
        old = new.with_name("old")
        folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            old.rename(folder)
            raise


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places at once; False where the system cannot."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    return bool(call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0)


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
