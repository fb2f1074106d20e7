"""The type of card that shows a run of Loom: `@card(type="loom")`, or `card view` of a finished task."""

from __future__ import annotations

import importlib
from typing import Any

from metaflow.plugins.cards.card_modules import MetaflowCard


class LoomCard(MetaflowCard):
    """Shows the answer that the task holds in its artifact `loom_card`."""

    type = "loom"
    RUNTIME_UPDATABLE = False

    def render(self, task: Any) -> str:
        """The page, made of what the task left."""
        left = task.data.loom_card
        # Metaflow imports every type of card each time it starts; what draws this one can wait
        page: str = importlib.import_module("loom.render.html.page").card_html(
            left["envelope"], left["phases"], left.get("card")
        )
        return page


CARDS = [LoomCard]
