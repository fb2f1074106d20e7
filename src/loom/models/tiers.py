"""Which model answers for whom: roles lead to tiers, tiers to a provider and a model, and all of it is configured."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from loom.core.model import Model
from loom.kernel.diagnostics import suggest
from loom.kernel.errors import LoomError
from loom.kernel.redact import Secret, redact
from loom.settings.layers import Settings, environment_name

ROLES = ("planner", "executor", "verifier", "extractor", "writer", "proposer")
TIERS = ("tier1", "tier2", "tier3")
KEYS = {
    "anthropic": "ANTHROPIC_API_KEY",
    "openai-compatible": "OPENAI_API_KEY",
    "scripted": "",
    "cassette": "",
}
"""Providers, and the variable that holds the key of each."""

_URLS = {
    "anthropic": ("models.anthropic_url", "ANTHROPIC_BASE_URL"),
    "openai-compatible": ("models.openai_compatible_url", "OPENAI_BASE_URL"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A provider and the name of one of its models."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"


def choose_model(asked: str, settings: Settings, provider: str = "") -> Choice:
    """Who answers for a role, a tier, or `PROVIDER:MODEL`; what is not configured is an error that names the key.

    `provider` is what `--model-provider` says: a provider, or one with its model, and goes before settings.
    """
    named, model = _parts(provider)
    if provider and not named:
        raise _unknown_provider(provider, "--model-provider names none that Loom knows")
    if named and model:
        return Choice(named, model)
    key, written = _configured(asked, settings)
    found, model = _parts(written)
    chosen = named or found or str(settings.get("models.provider"))
    if written and not chosen:
        fix = f"export {environment_name('models.provider')}=anthropic"
        raise LoomError(f"the model `{written}` has no provider", "`models.provider` is empty", fix)
    if chosen and chosen not in KEYS:
        raise _unknown_provider(chosen, "`models.provider` names none that Loom knows")
    if not model or (named and found and named != found):
        why = f"`{key}` is empty"
        if written:
            why = f"`{written}` is another provider's" if model else f"`{written}` names none"
        fix = f"export {environment_name(key)}={chosen or 'PROVIDER'}:MODEL"
        raise LoomError(f"no model is configured for {asked}", why, fix)
    return Choice(chosen, model)


def check_model(asked: str, settings: Settings, environ: Mapping[str, str], *, provider: str = "") -> None:
    """Refuse what could not be opened, without opening it: no key, no model, no such provider."""
    named = _parts(provider)[0]
    if named:
        _key(named, environ)  # whoever has none learns that first
    _key(choose_model(asked, settings, provider).provider, environ)


def open_model(asked: str, settings: Settings, environ: Mapping[str, str], *, provider: str = "") -> Model:
    """The model that answers for a role, a tier, or `PROVIDER:MODEL`; without its key, an error that names it.

    What belongs to a provider is imported only here, and nothing is connected before the first request.
    """
    check_model(asked, settings, environ, provider=provider)
    choice = choose_model(asked, settings, provider)
    match choice.provider:
        case "scripted":
            scripted: Model = _room("scripted").read_script(Path(choice.model))
            return scripted
        case "cassette":
            cassette: Model = _room("cassette").CassetteModel(Path(choice.model))
            return cassette
    key = _key(choice.provider, environ)
    url = _url(choice.provider, settings, environ)
    if choice.provider == "anthropic":
        vendor: Model = _room("anthropic").AnthropicModel(choice.model, key, url or None)
        return vendor
    compatible: Model = _room("openai_compatible").OpenAiCompatibleModel(choice.model, key, url)
    return compatible


def _room(name: str) -> Any:
    # the official SDK takes two seconds to import
    return importlib.import_module(f"loom.models.{name}")


def _parts(written: str) -> tuple[str, str]:
    """Provider and model; a name that holds a colon, such as `llama3:8b`, has no provider for that."""
    before, colon, after = written.partition(":")
    if before in KEYS:
        return before, after.strip()
    return "", "" if colon and not after else written


def _configured(asked: str, settings: Settings) -> tuple[str, str]:
    """The key that decides, and what it says."""
    if _parts(asked)[0]:
        return "models.tier3", asked
    if asked in TIERS:
        return f"models.{asked}", str(settings.get(f"models.{asked}"))
    if asked not in ROLES:
        near = suggest(asked, (*ROLES, *TIERS))
        raise LoomError(
            f"no model answers for `{asked}`",
            f"roles are {', '.join(ROLES)}; tiers are {', '.join(TIERS)}; a model is PROVIDER:MODEL",
            f"did you mean `{near}`?" if near else "see the settings: loom config explain models.tier3",
        )
    key = f"models.{asked}"
    written = str(settings.get(key))
    return _configured(written, settings) if written in TIERS else (key, written)


def _unknown_provider(written: str, why: str) -> LoomError:
    near = suggest(written, KEYS)
    known = f"providers are {', '.join(KEYS)}"
    return LoomError(
        f"`{redact(written)[:80]}` is no model provider",
        f"{why}; {known}",
        f"did you mean `{near}`?" if near else "loom config explain models.provider",
    )


def _key(provider: str, environ: Mapping[str, str]) -> Secret:
    """The key of a provider, straight from the environment and never as a text."""
    variable = KEYS[provider]
    key = Secret(environ.get(variable, "").strip())
    fix = f"choose another with --model-provider, or: export {variable}=KEY"
    if not key and provider == "anthropic":
        raise LoomError("there is no key for anthropic", f"{variable} is not set", fix)
    if any(not "!" <= letter <= "~" for letter in key.reveal()):
        why = f"{variable} holds white space, or letters that no key has"
        raise LoomError(f"the key for {provider} cannot be sent", why, fix)
    return key


def _url(provider: str, settings: Settings, environ: Mapping[str, str]) -> str:
    """Where requests go. A workspace may come from anybody, so its file may not send a key away."""
    key, variable = _URLS[provider]
    layer = settings.explain(key)[-1]
    url = str(layer.value) or environ.get(variable, "").strip()
    if not url:
        if provider == "anthropic":
            return ""
        fix = f"export {environment_name(key)}=http://127.0.0.1:11434/v1"
        raise LoomError(f"there is no address for {provider}", f"`{key}` is empty, {variable} too", fix)
    shown, parts = redact(url)[:120], _split(url)
    if parts is None or parts.username or parts.password:
        why = f"{shown!r} is not http(s)://HOST[:PORT][/PATH]"
        fix = f"export {environment_name(key)}=https://HOST/v1"
        raise LoomError(f"the address for {provider} cannot be used", why, fix)
    if layer.value and layer.name == "workspace" and not _is_here(parts.hostname or ""):
        raise LoomError(
            f"{layer.where} sends requests to {shown}",
            "a workspace may name only this machine, since keys and prompts go there",
            f"if that is right: export {environment_name(key)}={shown}",
        )
    return url


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        return None
    return parts if usable and url.isprintable() and " " not in url else None


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
