"""Checks of what is Loom's own: settings, home folder, journal, model provider, addons."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from ._finding import Facts, Finding, size

_LARGE_LOG = 64_000_000
_CHOOSE_HOME = "export LOOM_HOME=DIR"
_MEND = "loom doctor --fix"


def settings(found: Facts) -> Iterator[Finding]:
    """Every setting that is written somewhere can be read."""
    if found["problem"]:
        yield Finding("settings", "FAIL", f"{found['problem']}: {found['why']}", found["fix"])
    else:
        yield Finding("settings", "PASS", "every setting can be read")


def home(found: Facts) -> Iterator[Finding]:
    """The home folder can be written to, and is one's own."""
    path = found["path"]
    if path is None:
        yield Finding("home", "FAIL", found["problem"], _CHOOSE_HOME)
    elif not found["writable"]:
        yield Finding("home", "FAIL", f"{path}: {found['problem']}", _home_fix(found))
    elif not found["exists"]:
        yield Finding("home", "PASS", f"{path} is made by the first command that needs it")
    elif not found["owned"]:
        what = f"{path} belongs to somebody else, who cannot change what is written there now"
        yield Finding("home", "WARN", what, _CHOOSE_HOME)
    else:
        yield Finding("home", "PASS", f"{path} can be written to")


def _home_fix(found: Facts) -> str:
    if "space" in found["problem"]:
        return "loom gc"
    if found.get("owned") and "permission" in found["problem"]:
        return f"chmod u+rwx {shlex.quote(found['path'])}"
    return _CHOOSE_HOME


def journal(found: Facts) -> Iterator[Finding]:
    """The journal can be read by this release."""
    path, written = found["path"], found.get("format")
    if found["problem"]:
        shown = f"{path}: {found['problem']}" if path else found["problem"]
        yield Finding("journal", "FAIL", shown, _journal_fix(found))
    elif not written:
        yield Finding("journal", "PASS", "no run has been written down yet")
    elif written != found["reads"]:
        what = f"{path} has format {written}, and this release reads {found['reads']}"
        fix = "pip install --upgrade loom" if written > found["reads"] else _CHOOSE_HOME
        yield Finding("journal", "FAIL", what, fix)
    elif found["log_bytes"] > _LARGE_LOG:
        what = f"{path} can be read, but {size(found['log_bytes'])} of it are still in its log"
        yield Finding("journal", "WARN", what, _MEND)
    else:
        yield Finding("journal", "PASS", f"{path}: {found['runs']:,} runs, format {written}")


def _journal_fix(found: Facts) -> str:
    if not found["path"]:
        return _CHOOSE_HOME
    path = shlex.quote(found["path"])
    if "permission" in found["problem"]:
        return f"chmod u+rw {path}"
    return "loom doctor" if "locked" in found["problem"] else f"mv {path} {path}.broken"


def runs(found: Facts) -> Iterator[Finding]:
    """No run is taken to be going on whose process is gone."""
    stale = found["stale"]
    if not stale:
        yield Finding("runs", "PASS", "none was cut off")
        return
    shown = ", ".join(f"{each['run']} ({each['process']}, {each['hours']:g} h ago)" for each in stale[:3])
    more = f" and {len(stale) - 3} more" if len(stale) > 3 else ""
    fix = f"loom resume {shlex.quote(stale[0]['run'])}"
    yield Finding("runs", "WARN", f"cut off: {shown}{more}", fix)


def model(found: Facts) -> Iterator[Finding]:
    """A provider that is chosen is known, and its key is set."""
    provider, variable = found["provider"], found["variable"]
    if not provider:
        keys = f"; set: {', '.join(found['others'])}" if found["others"] else ""
        yield Finding("model", "PASS", f"no provider is chosen; most verbs need none{keys}")
    elif provider not in found["known"]:
        what = f"models.provider is none of {', '.join(found['known'])}"
        yield Finding("model", "WARN", what, "loom config explain models.provider")
    elif variable and not found["is_set"]:
        yield Finding("model", "WARN", f"{provider}: {variable} is not set", f"export {variable}=KEY")
    elif variable and found["has_spaces"]:
        what = f"{provider}: {variable} is set, with white space in it"
        yield Finding("model", "WARN", what, f"export {variable}=KEY")
    else:
        yield Finding("model", "PASS", provider + (f": {variable} is set" if variable else ""))


def addons(found: Facts) -> Iterator[Finding]:
    """What the configuration asks for is there; and what else there is."""
    there = [f"{name} {each['version'] or ''}".strip() for name, each in found.items() if each["installed"]]
    absent = [f"{name} ({each['gives']})" for name, each in found.items() if not each["installed"]]
    what = f"there: {', '.join(there) or 'none'}" + (f"; not there: {', '.join(absent)}" if absent else "")
    yield Finding("addons", "PASS", what)
    for name, each in found.items():
        if each["asked_by"] and not each["installed"]:
            what = f"{each['lacks']}, and {each['asked_by']} needs it"
            yield Finding(f"addon-{name}", "WARN", what, each["install"])


def required_addon(found: Facts) -> Iterator[Finding]:
    """The addon that was asked for is there."""
    if "lacks" not in found:
        what = f"Loom knows no addon `{found['name'][:80]}`; it knows {', '.join(found['known'])}"
        near = found["near"] or found["known"][0]
        yield Finding("addon", "FAIL", what, f"loom doctor --require-addon {near}")
    elif found["lacks"]:
        what = f"{found['lacks']} ({found['gives']})"
        yield Finding(f"addon-{found['name']}", "FAIL", what, found["install"])
    else:
        what = f"{found['version'] or 'installed'} ({found['gives']})"
        yield Finding(f"addon-{found['name']}", "PASS", what)


def secrets(found: Facts) -> Iterator[Finding]:
    """Nobody else can read Loom's secrets, or change what Loom relies on."""
    for each in found["too_open"]:
        path, ought = each["path"], each["ought"]
        private = not ought & 0o077
        what = f"{path} has mode {each['mode']:o}: others can {'read' if private else 'change'} it"
        fix = _MEND if each["owned"] else f"sudo chmod {ought:o} {shlex.quote(path)}"
        yield Finding("modes", "FAIL" if private else "WARN", what, fix)
    if not found["too_open"]:
        yield Finding("modes", "PASS", "Loom's own files are closed to others")


def leftovers(found: Facts) -> Iterator[Finding]:
    """Nothing was left behind by writes that were killed."""
    files = found["files"]
    if files:
        oldest = max(each["hours"] for each in files)
        what = f"{len(files)} temporary files, the oldest {oldest:g} h old, such as {files[0]['path']}"
        yield Finding("leftovers", "WARN", what, _MEND)
    else:
        yield Finding("leftovers", "PASS", "none")
