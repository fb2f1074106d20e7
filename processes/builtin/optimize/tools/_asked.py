"""What a search is asked for: its arguments, and the problem they pose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loom.core.commands import command
from loom.core.durations import seconds_of
from loom.dataio.addresses import parse_address
from loom.dataio.blobs import DirectoryStore
from loom.dataio.frames import load
from loom.dataio.ingest import Request, ingest
from loom.kernel.errors import LoomError
from loom.science.metrics import wanted_for
from loom.science.search.order import Order
from loom.tools.registry import ToolContext
from loom.tools.subject import Subject, subject_in, subject_of

MODELS = ("anthropic", "openai-compatible")
WITH_A_MODEL = 10
"""Candidates at most where a model proposes them, unless somebody says otherwise."""

SHORTEST = 2.0


def order_of(args: Mapping[str, Any], ctx: ToolContext) -> Order:
    """What is to be searched, read whole; a LoomError where it cannot be."""
    # what is refused for its own sake is refused before anything is read
    seconds, steps, workers = _seconds(args["budget"]), _steps(args), args.get("workers")
    if workers is not None and workers < 1:
        raise LoomError("nobody is to try anything", f"--workers is {workers}", "--workers 2")
    subject = _subject(args, ctx)
    problem, parts = subject.problem, subject.source.parts
    wanted = wanted_for(args.get("metric"), problem.task)
    return Order(
        named=subject.pathspec,
        digest=subject.digest,
        problem=problem,
        metric=wanted.metric,
        seconds=seconds,
        experiment_id=args["experiment_id"],
        test=load(parts["test"]) if "test" in parts else None,
        sample=load(parts["sample_submission"]) if "sample_submission" in parts else None,
        goal=args.get("goal") or "",
        steps=steps,
        workers=workers,
        proposer=args["proposer"],
        model=args.get("model_provider"),
        seed=args["seed"],
        resume=bool(args.get("resume")),
    )


def _subject(args: Mapping[str, Any], ctx: ToolContext) -> Subject:
    dataset, folder = args.get("dataset"), args.get("data")
    if (dataset is None) == (folder is None):
        what = "no data was named" if dataset is None else "two things to search on were named"
        raise LoomError(what, "it is --dataset or --data", "loom run --dataset IngestDataset/1")
    if dataset is not None:
        return subject_of(args, ctx, raw=True)
    if args["mlops"] != "local":
        why = "runs that Metaflow keeps refer to data objects, so that others find them"
        raise LoomError("--data needs --mlops local", why, command("ingest", source=folder))
    return _in_folder(Path(folder), args, ctx)


def _in_folder(folder: Path, args: Mapping[str, Any], ctx: ToolContext) -> Subject:
    """The tables of a folder; nothing of them is sealed or registered."""
    scratch = ctx.scratch_dir or ctx.resolve(".")
    asked = Request(
        source=parse_address(str(folder)),
        target=args.get("target"),
        time=tuple(args.get("time") or ()),
        group=args.get("group"),
        share=0.0,
    )
    _, found = ingest(asked, DirectoryStore(scratch / "data"), scratch)
    return subject_in(folder.name, found, folder.name, found, args, raw=True)


def _steps(args: Mapping[str, Any]) -> int | None:
    """How many candidates there may be; none where only time bounds them."""
    steps: int | None = args.get("steps")
    if steps is None:
        return WITH_A_MODEL if args["proposer"] in MODELS else None
    if steps < 1:
        raise LoomError("nothing is to be tried", f"--steps is {steps}", "--steps 10")
    return steps


def _seconds(text: str) -> float:
    """A time such as `90s` or `1h30m` in seconds."""
    found = seconds_of(text)
    if found is None or found < SHORTEST:
        what = f"--budget {text} is {'no length of time' if found is None else 'too short'}"
        raise LoomError(what, f"a search takes {SHORTEST:g} s at least", "--budget 60s")
    return found


def _text(description: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "minLength": 1, "description": description}


def _count(description: str) -> dict[str, Any]:
    return {"type": ["integer", "null"], "description": description}


PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "dataset": _text("Data object, such as FeaturesFlow/9."),
        "data": _text("Folder with train.csv, and perhaps test.csv and sample_submission.csv."),
        "target": _text("Column to predict; as ingested when null."),
        "time": {
            "type": ["array", "null"],
            "items": {"type": "string", "minLength": 1},
            "description": "Column of the time, or its parts.",
        },
        "group": _text("Column of the entity."),
        "goal": _text("What the solution is for, in words."),
        "metric": _text("Metric to search by; the usual one of the task when null."),
        "steps": _count("Candidates at most."),
        "budget": {"type": "string", "description": "Wall clock for everything, such as 90s."},
        "workers": _count("Candidates at once; as the machine has cores when null."),
        "proposer": {"enum": ["builtin", "anthropic", "openai-compatible", "replay"]},
        "model_provider": _text("The model that proposes, as provider:model."),
        "mlops": {"enum": ["metaflow", "local"]},
        "seed": {"type": "integer", "description": "Seed of everything random."},
        "experiment_id": {"type": "string", "description": "The experiment that the search belongs to."},
        "resume": {"type": ["boolean", "null"], "description": "Whether to go on with an earlier search."},
        "allow_unsandboxed": {
            "type": ["boolean", "null"],
            "description": "Whether candidates may run where nothing holds them.",
        },
    },
    "required": ["budget", "proposer", "mlops", "seed", "experiment_id"],
    "additionalProperties": False,
}
