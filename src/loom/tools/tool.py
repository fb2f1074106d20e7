"""What a tool is: a name, a description, parameters and something to execute."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

from loom.tools.context import SURFACES, ToolContext
from loom.tools.paths import resolve_path, resolve_read_path
from loom.tools.results import MAX_OUTPUT, ToolResult

Effect = Literal["reads", "writes", "network", "process", "spend", "external"]
EFFECTS: frozenset[Effect] = frozenset({"reads", "writes", "network", "process", "spend", "external"})

DEFAULT_TIMEOUT = 60.0
LONGEST_TIMEOUT = 300.0


class Tool(ABC):
    """Something a phase or a model can call. Subclasses give the four abstract members, as attributes or
    properties; what they do not declare is taken to be what asks for the most care."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name it is called by, unique among all tools."""

    @property
    @abstractmethod
    def description(self) -> str:
        """What it does and when to use it, for a model."""

    @property
    @abstractmethod
    def parameters(self) -> dict[str, Any]:
        """The JSON Schema of its arguments, of type object."""

    @abstractmethod
    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """Do it. The arguments already fit the parameters."""

    @property
    def is_mutating(self) -> bool:
        """Whether it writes to the workspace."""
        return False

    @property
    def mutation_target_arg_keys(self) -> tuple[str, ...]:
        """The arguments that name what it writes; without any, `path` is looked at."""
        return ()

    @property
    def supported_execution_surfaces(self) -> tuple[str, ...]:
        """Where it may be called from."""
        return SURFACES

    @property
    def auth_requirements(self) -> list[dict[str, object]]:
        """The credentials it needs, in the shape of `auth.required`."""
        return []

    @property
    def effects(self) -> frozenset[Effect]:
        """Everything it may do. Undeclared means anything at all, so that approval is asked for."""
        return EFFECTS

    def effects_of(self, args: Mapping[str, Any]) -> frozenset[Effect]:
        """What one call may do; at most `effects`."""
        return self.effects

    def model_of(self, args: Mapping[str, Any]) -> tuple[str, str] | None:
        """The model that one call asks by itself: its role, and the provider that was named; none for most tools."""
        return None

    @property
    def timeout_seconds(self) -> float:
        """How long a call may take. More than five minutes has to be declared here."""
        return DEFAULT_TIMEOUT

    @property
    def max_output_bytes(self) -> int:
        """How much of its output is kept."""
        return MAX_OUTPUT

    _resolve_path = staticmethod(resolve_path)
    _resolve_read_path = staticmethod(resolve_read_path)
