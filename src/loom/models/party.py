"""Who is being asked, and what to tell a person when it goes wrong. No key ever appears in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from loom.core.model import PASSES, FailureKind, ModelError
from loom.kernel.diagnostic_formats import clean
from loom.kernel.redact import Secret, redact

MAX_SAID = 240
LONGEST_WAIT = 3600.0

_ANOTHER = "choose another with --model-provider, or see what is set: loom config explain models.provider"
_SHORTER = "ask for less, or see which model answers: loom config explain models.provider"

# what providers call a failure says more than its number, and is all there is once a stream has begun
_KINDS_BY_NAME: dict[str, FailureKind] = {
    "authentication_error": "auth",
    "permission_error": "auth",
    "billing_error": "auth",
    "invalid_api_key": "auth",
    "insufficient_quota": "auth",
    "rate_limit_error": "rate_limit",
    "rate_limit_exceeded": "rate_limit",
    "overloaded_error": "overloaded",
    "api_error": "overloaded",
    "server_error": "overloaded",
    "timeout_error": "timeout",
    "content_filter": "refused",
    "content_policy_violation": "refused",
}
_KINDS_BY_STATUS: dict[int, FailureKind] = {
    401: "auth",
    402: "auth",
    403: "auth",
    408: "timeout",
    429: "rate_limit",
    504: "timeout",
}
_WHAT: dict[FailureKind, str] = {
    "auth": "lets nobody in with this key",
    "rate_limit": "wants fewer requests",
    "overloaded": "cannot answer now",
    "timeout": "took too long",
    "refused": "does not answer this",
    "invalid": "did not understand the request",
}


@dataclass(frozen=True, slots=True)
class Party:
    """A provider and its model, and the key it wants."""

    provider: str
    model: str
    variable: str
    """The environment variable that holds the key."""

    key: Secret

    def failure(
        self,
        kind: FailureKind,
        what: str,
        why: str,
        fix: str = _ANOTHER,
        *,
        retryable: bool | None = None,
        retry_after: float | None = None,
    ) -> ModelError:
        """A failure of this provider; what a server said is made short, harmless and free of secrets."""
        return ModelError(
            f"{self.provider} {what}",
            self._said(why),
            fix,
            kind=kind,
            retryable=retryable,
            retry_after=retry_after,
        )

    def answered(
        self, status: int, names: tuple[object, ...], said: str, retry_after: str | None = None
    ) -> ModelError:
        """The server said no: by the name it gave the failure, otherwise by its number."""
        named = [_KINDS_BY_NAME[name] for name in names if isinstance(name, str) and name in _KINDS_BY_NAME]
        # one without a number of its own came after the request had been accepted
        other: FailureKind = "invalid" if 300 <= status < 500 else "overloaded"
        kind = named[0] if named else _KINDS_BY_STATUS.get(status, other)
        fix = _ANOTHER if kind not in PASSES else f"try again later, or {_ANOTHER}"
        if kind == "auth":
            fix = f"give it one that it accepts: export {self.variable}=KEY"
        elif status == 404:
            fix = "name a model that it has: loom config explain models.tier3"
        number = f"status {status}" if status >= 300 else "in the middle of its answer"
        return self.failure(
            kind,
            _WHAT[kind],
            f"{number}: {said}" if said.strip() else number,
            fix,
            retry_after=_seconds(retry_after),
        )

    def too_slow(self, seconds: float) -> ModelError:
        """The time for the whole answer is over."""
        return self.failure("timeout", _WHAT["timeout"], f"no whole answer within {seconds:g} s", _SHORTER)

    def cut_off(self, why: str = "its stream ended before its answer did") -> ModelError:
        """The answer stopped in the middle."""
        return self.failure("truncated", "broke off", why)

    def full(self, max_tokens: int) -> ModelError:
        """The answer needs more tokens than it was given, and is of no use in part."""
        why = f"its answer does not fit in {max_tokens:,} tokens"
        return self.failure("truncated", "had to stop", why, _SHORTER, retryable=False)

    def refuses(self, why: str = "") -> ModelError:
        """The model will not answer this."""
        return self.failure("refused", _WHAT["refused"], why or "it gives no reason")

    def unreadable(self, why: str) -> ModelError:
        """The answer is not what was agreed; the next one may be."""
        return self.failure("invalid", "gave an answer that cannot be used", why, retryable=True)

    def _said(self, text: str) -> str:
        if self.key:
            text = text.replace(self.key.reveal(), str(self.key))
        line = redact(" ".join(text[: 50 * MAX_SAID].split()))
        return clean(line if len(line) <= MAX_SAID else line[: MAX_SAID - 1] + "…")


def _seconds(retry_after: str | None) -> float | None:
    """The wait that a server asks for, as seconds or as a date; an absurd one is cut to an hour."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            date = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        seconds = (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT) if seconds == seconds else None
