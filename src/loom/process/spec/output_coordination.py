"""`output_coordination:` — who may write a deliverable, and when it becomes visible."""

from __future__ import annotations

from typing import Literal

from loom.process.spec.model import SpecModel
from loom.process.spec.types import Text

OutputStrategy = Literal["direct", "fan_in"]
FinalizerInputPolicy = Literal["require_all_workers", "allow_partial"]


class OutputCoordination(SpecModel):
    """Ownership of deliverables when several workers produce them."""

    strategy: OutputStrategy = "direct"
    """`direct`: the phase writes its deliverables itself. `fan_in`: workers write intermediate
    artifacts and one finalizer, `<phase_id>__finalize_output`, publishes them."""

    intermediate_root: Text = ".loom/phase-artifacts"
    """Where intermediate artifacts go: a normalised path inside the workspace."""

    enforce_single_writer: bool = True
    """Refuse a second writer of the same deliverable."""

    publish_mode: Literal["transactional", "best_effort"] = "transactional"
    """`transactional` stages all files and swaps them in together, or not at all."""

    conflict_policy: Literal["defer_fifo", "fail_fast"] = "defer_fifo"
    """What a second writer meets: a queue, or a failure."""

    finalizer_input_policy: FinalizerInputPolicy = "require_all_workers"
    """Whether a finalizer needs the artifacts of every worker or goes on with what is there."""
