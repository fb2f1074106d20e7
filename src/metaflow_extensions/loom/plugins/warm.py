"""Lets the tasks of a flow start in a server that has Metaflow loaded already."""

from __future__ import annotations

import sys
from typing import Any

from metaflow.decorators import StepDecorator

# what changes neither where a task runs nor with which interpreter
_BESIDE = frozenset(
    {"card", "catch", "environment", "loom_warm", "project", "resources", "retry", "secrets", "timeout"}
)


class WarmDecorator(StepDecorator):
    """Sends a task to the warm server of its run, if the run has one."""

    name = "loom_warm"

    def step_init(
        self,
        flow: Any,
        graph: Any,
        step_name: str,
        decorators: Any,
        environment: Any,
        flow_datastore: Any,
        logger: Any,
    ) -> None:
        """Remember what else the step has, and keep out of the commands that others are given."""
        self._decorators = decorators
        self._is_local = environment.TYPE == "local"
        # whatever was attached by the command line is repeated to every task and every scheduler
        self.statically_defined = True

    def runtime_step_cli(
        self, cli_args: Any, retry_count: int, max_user_code_retries: int, ubf_context: Any
    ) -> None:
        """Put the client of the server in the place of the interpreter."""
        # only the process that has started a server has this module loaded
        warm = sys.modules.get("loom.flows.warm")
        entrypoint = warm.warm_entrypoint() if warm is not None else None
        is_plain = (
            self._is_local
            and ubf_context is None
            and cli_args.commands == ["step"]
            and cli_args.entrypoint[:1] == [sys.executable]
            and all(decorator.name in _BESIDE for decorator in self._decorators)
        )
        if entrypoint is not None and is_plain:
            cli_args.entrypoint[:1] = entrypoint
