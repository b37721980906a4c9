"""Reads a GraphQL answer, whatever the HTTP status, and says what an unusable one means for us.

Numerai answers errors with status 200 and puts words beside 401 and 400; its gateway answers HTML with any status. The
words are kept verbatim: they are what a person needs. Which class they fall into decides what the daemon does next.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from numebot.core.errors import AccessDenied, Ambiguous, NumebotError, Rejected, RoundClosed, Unavailable

LONGEST_RETRY_AFTER_S = 900.0
"""A server that asks for more is not obeyed further: a round lasts an hour."""

_SCHEMA = re.compile(
    r"cannot query field|^unknown (argument|field|type)|is never used|^variable |^argument \"|^in argument|^in field"
    r"|has no field|must have a (sub)?selection",
    re.IGNORECASE,
)
_CLOSED = re.compile(
    r"\bround\b.*\b(not|no longer|isn't) open|not open for submission|\bround\b.*\b(is|has) (already )?closed"
    r"|submissions? (is|are) closed|\bno (open|current|active) round|deadline (has )?(already )?passed",
    re.IGNORECASE,
)
_TOO_MANY = re.compile(r"rate.?limit|too many requests|throttl|slow down", re.IGNORECASE)
_DENIED = re.compile(
    r"authenticat|unauthori[sz]ed|not authori[sz]ed|not logged in|must log in|permission|\bscopes?\b|forbidden"
    r"|access denied|api[ _-]?(key|token)|(invalid|unknown|wrong|expired|revoked) (token|key|credentials|session)"
    r"|\b(token|key|session) (is |was |has )?(invalid|unknown|wrong|expired|revoked)",
    re.IGNORECASE,
)
_TRANSIENT = re.compile(
    r"time(d)?[ -]?out|temporar|try again|internal (server )?error|service unavailable|maintenance|overload"
    r"|something went wrong|bad gateway|deadlock|connection (refused|reset|closed)",
    re.IGNORECASE,
)


class SchemaMismatch(Rejected):
    """The server does not know a field or argument that we named; without it the rest may still work."""


@dataclass(frozen=True)
class Envelope:
    """An answer as it came. `errors` are all messages, verbatim; an empty list means that there was none.

    `has_verdict` says that `errors` came in GraphQL's own form, so the server read the request and spoke about it.
    """

    status: int
    data: Mapping[str, Any] | None = None
    errors: tuple[str, ...] = ()
    has_verdict: bool = False
    excerpt: str = ""
    retry_after_s: float | None = None
    server_time: datetime | None = None

    @property
    def is_good(self) -> bool:
        """There is data, no error, and the status agrees."""
        return 200 <= self.status < 300 and self.data is not None and not self.errors


def read_envelope(status: int, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Envelope:
    """Take an HTTP answer apart. Never raises: what is no GraphQL answer has neither data nor a verdict."""
    server_time = _http_date(headers.get("Date"))
    retry_after_s = _retry_after(headers.get("Retry-After"), server_time or now)
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        return Envelope(status, excerpt=_excerpt(body), retry_after_s=retry_after_s, server_time=server_time)
    data, errors = content.get("data"), content.get("errors") or None
    return Envelope(
        status,
        data=data if isinstance(data, dict) else None,
        errors=_messages(errors),
        has_verdict=isinstance(errors, list),
        excerpt="" if "data" in content or errors else _excerpt(body),
        retry_after_s=retry_after_s,
        server_time=server_time,
    )


def refusal(envelope: Envelope, root: str, *, is_mutation: bool) -> NumebotError | None:
    """Return the error that an answer to the operation `root` means, or None when it can be used.

    A mutation is taken for executed when its root came back filled, and for refused only when the server said so in
    GraphQL's own form with a status below 500. Everything else is ambiguous.
    """
    if envelope.is_good or (is_mutation and envelope.data is not None and envelope.data.get(root) is not None):
        return None
    said = _said(envelope)
    if envelope.status == 429 or any(_TOO_MANY.search(message) for message in envelope.errors):
        return Unavailable(f"{root}: too many requests ({said}).", retry_after_s=envelope.retry_after_s)
    if envelope.has_verdict and envelope.status < 500:
        verdict = _verdict(envelope, root, said)
        if verdict is not None:
            return verdict
    if is_mutation:
        return Ambiguous(
            f"{root}: no usable answer ({said}). It may have been executed; it is read back before anything is sent.",
            retry_after_s=envelope.retry_after_s,
        )
    if envelope.status == 401:
        return AccessDenied(f"{root}: the server refused the API key ({said}).")
    return Unavailable(f"{root}: no usable answer ({said}).", retry_after_s=envelope.retry_after_s)


def _verdict(envelope: Envelope, root: str, said: str) -> NumebotError | None:
    """Classify the server's words; None for those that promise a better answer later."""
    messages = envelope.errors
    if any(_SCHEMA.search(message) for message in messages):
        return SchemaMismatch(f"{root}: the server's interface has changed ({said}).", messages)
    if any(_CLOSED.search(message) for message in messages):
        return RoundClosed(f"{root}: {said}")
    if envelope.status in (401, 403) or any(_DENIED.search(message) for message in messages):
        return AccessDenied(f"{root}: the API key may not do this ({said}). Check the key and its scopes at numer.ai.")
    if any(_TRANSIENT.search(message) for message in messages):
        return None
    return Rejected(f"{root}: Numerai refused: {said}", messages)


def _said(envelope: Envelope) -> str:
    """Return what the server said, for the message: its words, or how its answer looked."""
    if envelope.errors:
        words = " | ".join(envelope.errors)
        return words if envelope.status == 200 else f"HTTP {envelope.status}: {words}"
    if 300 <= envelope.status < 400:
        return f"HTTP {envelope.status}, a redirect; they are not followed"
    if envelope.excerpt:
        return f"HTTP {envelope.status}, not a GraphQL answer: {envelope.excerpt!r}"
    return f"HTTP {envelope.status} without data"


def _messages(errors: object) -> tuple[str, ...]:
    """Return every message of the `errors` member in all the forms that were seen."""
    if isinstance(errors, list):
        return tuple(message for error in errors for message in _messages_of(error))
    return tuple(_messages_of(errors))


def _messages_of(error: object) -> list[str]:
    if isinstance(error, str):
        return [error]
    if isinstance(error, dict):
        text = error.get("message", error.get("detail"))
        return [text if isinstance(text, str) else json.dumps(error)]
    return [] if error is None else [json.dumps(error)]


def _excerpt(body: bytes) -> str:
    """Return the first words of a body that is no GraphQL answer, tags left out."""
    text = re.sub(r"<[^>]*>", " ", body[:2000].decode("utf-8", "replace"))
    return " ".join(text.split())[:120] or ("an empty body" if not body else "no text")


def _http_date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _retry_after(text: str | None, now: datetime) -> float | None:
    """Return the seconds of a Retry-After header (a number or a date), never negative, capped."""
    if not text:
        return None
    if text.strip().isdigit():
        seconds = float(text)
    elif (moment := _http_date(text)) is not None:
        seconds = (moment - now).total_seconds()
    else:
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)
