"""Puts the card of a run where Metaflow looks for cards, without a second process to render it."""

from __future__ import annotations

import hashlib
import importlib
import sys
from pathlib import Path
from typing import Any

CARD_TYPE = "loom"
_DIGITS = 20


def store_card(flow: Any, html: str) -> Path | None:
    """Store the card of the task that runs now; where it lies, if that is a place on this machine."""
    current = sys.modules["metaflow"].current
    cards: Any = importlib.import_module("metaflow.plugins.cards.card_datastore")
    stores: Any = importlib.import_module("metaflow.datastore.flow_datastore")
    of_flow = flow._datastore.parent_datastore
    root = f"{of_flow.datastore_root.rstrip('/')}/{cards.CARD_SUFFIX}"
    storage = type(of_flow._storage_impl)
    store = cards.CardDatastore(
        stores.FlowDataStore(current.flow_name, None, storage_impl=storage, ds_root=root), current.pathspec
    )
    # a task that is carried out again replaces its card
    number = hashlib.sha256(current.pathspec.encode()).hexdigest()[:_DIGITS]
    saved = store.save_card(number, CARD_TYPE, html)
    if of_flow.TYPE != "local":
        return None
    return Path(root, store._get_card_write_path(), saved.filename)
