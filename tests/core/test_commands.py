"""Commands that are printed can be typed."""

from __future__ import annotations

from loom.core.commands import command


def test_a_command_is_quoted_for_a_shell_and_says_only_what_has_a_value() -> None:
    told = command("features", dataset="IngestDataset/1", target="is gone?", from_="EdaFlow/2", group=None)
    assert told == "loom features --dataset IngestDataset/1 --target 'is gone?' --from EdaFlow/2"
    assert (
        command("validate", accept_suspect=["a", "b c"], time=[]) == "loom validate --accept-suspect 'a,b c'"
    )
    assert command("deploy", "apply", target="out") == "loom deploy --target out --apply"
