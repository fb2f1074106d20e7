"""Which commands make sense after a look at the data, the most sensible first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loom.core.commands import command
from loom.dataio.carving import ingest_again

_FEATURES = ("boolean", "categorical", "numeric")


def following(profile: Mapping[str, Any], leakage: Mapping[str, Any], pathspec: str | None) -> list[str]:
    """Ingest again where the sealed rows are the wrong ones, then features, then plots."""
    about, target = profile["about"], profile["target"]
    dataset = about["dataset_ref"]
    if target is None:
        guess = _last_feature(profile)
        return [command("eda", dataset=dataset, target=guess)] if guess else []
    carve, offer = _again(profile, leakage)
    found = [*carve]
    if target["task"] is not None and not leakage["leakage_blocking"]:
        found += _onwards(about, target["name"], leakage, pathspec)
    return [*found, *offer, command("viz", dataset=dataset, target=target["name"])]


def _onwards(
    about: Mapping[str, Any], target: str, leakage: Mapping[str, Any], pathspec: str | None
) -> list[str]:
    """Features without what was flagged; of features, what they were made of: there a leak has its own name."""
    if about["made_of"] is None:
        return [command("features", dataset=about["dataset_ref"], target=target, from_=pathspec)]
    return [command("eda", dataset=about["made_of"], target=target)] if leakage["leakage_flags"] else []


def _last_feature(profile: Mapping[str, Any]) -> str | None:
    """What is most often the target where nobody says: the last column that could be one."""
    names = [column["name"] for column in profile["columns"] if column["role"] in _FEATURES]
    return names[-1] if names else None


def _again(profile: Mapping[str, Any], leakage: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Commands that carve another holdout: those that should come first, and those that are worth a thought."""
    about = profile["about"]
    tripped = {finding["reason"] for finding in leakage["leakage_suspects"]}
    first, later = [], []
    for time, group, urgent in _carvings(profile, tripped):
        if (
            again := ingest_again(about, target=profile["target"]["name"], time=time, group=group)
        ) is not None:
            (first if urgent else later).append(again)
    return first, later


def _carvings(
    profile: Mapping[str, Any], tripped: set[str]
) -> Iterator[tuple[Sequence[str], str | None, bool]]:
    time = profile["time_col"]
    parts = [time] if isinstance(time, str) else time or []
    if parts and not profile["time_declared"] and profile["target"]["name"] not in parts:
        # year, month, day and hour make a series; a single date may be a fact about the row
        yield parts, profile["group_col"], len(parts) > 1 or "row_order" in tripped
    declared = parts if profile["time_declared"] else []
    for group in profile["possible_groups"][:1]:
        yield declared, group["column"], "entity_on_both_sides" in tripped
