"""GraphQL over HTTP: queries may be repeated, mutations are sent once.

A query that fails is asked again a few times, with jittered pauses, inside one time budget. A mutation is never sent
twice from here: after an answer that cannot be used, only reading back tells whether it was executed.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import requests

from numebot.adapters.numerai.api_settings import ApiSettings
from numebot.adapters.numerai.envelope import Envelope, read_envelope, refusal
from numebot.adapters.numerai.exchange import WIRE_ERRORS, exchange, no_answer
from numebot.adapters.numerai.network import AddressPolicy
from numebot.adapters.numerai.wire import Limits, Wire
from numebot.core.errors import AccessDenied, Ambiguous, Unavailable
from numebot.core.ports import Clock
from numebot.redaction import redact

logger = logging.getLogger(__name__)

QUERY_TRIES = 3
MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""The largest known answer (a round with all its models) has 1.5 MB."""

_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Operation:
    """A GraphQL document with one root field; `root` is its name as written, which the server echoes."""

    root: str
    text: str
    needs_key: bool = False


@dataclass(frozen=True)
class Answer:
    """Usable data, and the server's clock (Date header, resolution one second) when it sent one."""

    data: Mapping[str, Any] = field(repr=False)
    server_time: datetime | None = None


class Transport:
    """Sends operations to one server."""

    def __init__(self, settings: ApiSettings, clock: Clock, policy: AddressPolicy | None = None) -> None:
        """`policy` is made from the settings unless a test brings its own resolver."""
        self.settings = settings
        self.clock = clock
        self.policy = policy or AddressPolicy(api_host=settings.host, allowed_hosts=settings.allowed_hosts)
        self.on_repeat: Callable[[str], None] = lambda words: None
        """Hears of each question that is asked again: what came of it, and what is done."""

    def query(
        self,
        operation: Operation,
        variables: Mapping[str, object],
        *,
        tries: int = QUERY_TRIES,
        total_timeout_s: float | None = None,
    ) -> Answer:
        """Ask, and ask again when the server is not usable; return within the time budget.

        Raises: Unavailable, AccessDenied, RoundClosed, Rejected (SchemaMismatch for unknown fields).
        """
        end = self.clock.monotonic() + (total_timeout_s or self.settings.total_timeout_s)
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._ask(operation, variables, budget_s=self._attempt_budget(end))
            except Unavailable as failure:
                pause = pause_before_retry(attempt, failure.retry_after_s)
                if attempt >= tries or self.clock.monotonic() + pause >= end:
                    raise
                logger.info("%s Asking again in %.1f s.", failure, pause)
                self.on_repeat(f"{failure} Asked again in {pause:.1f} s.")
                self.clock.wait(pause)

    def mutate(self, operation: Operation, variables: Mapping[str, object]) -> Answer:
        """Send once. Raises: Ambiguous when it may have been executed; Unavailable when it certainly was not sent."""
        wire = self._wire(self.settings.total_timeout_s)
        try:
            envelope = self._post(wire, operation, variables)
        except Unavailable as failure:
            if not wire.has_sent:
                raise
            text = f"{operation.root}: {failure} It may have been executed; it is read back before anything is sent."
            raise Ambiguous(text) from None
        return self._usable(envelope, operation, is_mutation=True)

    def _ask(self, operation: Operation, variables: Mapping[str, object], *, budget_s: float) -> Answer:
        envelope = self._post(self._wire(budget_s), operation, variables)
        return self._usable(envelope, operation, is_mutation=False)

    def _attempt_budget(self, end: float) -> float:
        """Return the seconds of one attempt: half of what remains, so that a drip leaves room for another."""
        remaining = end - self.clock.monotonic()
        return min(remaining, max(remaining / 2, self.settings.connect_timeout_s + self.settings.read_timeout_s))

    def _wire(self, budget_s: float) -> Wire:
        limits = Limits(self.settings.connect_timeout_s, self.settings.read_timeout_s, budget_s)
        return Wire(self.clock, limits, self.policy)

    def _post(self, wire: Wire, operation: Operation, variables: Mapping[str, object]) -> Envelope:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "gzip"}
        if operation.needs_key:
            if not self.settings.has_key:
                raise AccessDenied(
                    f"{operation.root}: this needs an API key and none is set. "
                    "Put PUBLIC_ID and SECRET_KEY into .secret (numer.ai, account settings)."
                )
            headers["Authorization"] = self.settings.authorization
        body = json.dumps({"query": operation.text, "variables": dict(variables)}).encode()
        request = ("POST", self.settings.url)
        with exchange(self.settings, wire, request=request, headers=headers, body=body) as response:
            content = self._read(response, wire)
            envelope = read_envelope(response.status_code, response.headers, content, now=self.clock.now())
            return self._without_secrets(envelope)

    def _read(self, response: requests.Response, wire: Wire) -> bytes:
        parts: list[bytes] = []
        size_bytes = 0
        try:
            for chunk in response.iter_content(_CHUNK_BYTES):
                parts.append(chunk)
                size_bytes += len(chunk)
                if size_bytes > MAX_ANSWER_BYTES:
                    raise Unavailable(f"{self.settings.host}: answers above {MAX_ANSWER_BYTES} bytes are not read.")
        except WIRE_ERRORS as error:
            raise no_answer(error, self.settings.host, wire, self.settings) from None
        return b"".join(parts)

    def _usable(self, envelope: Envelope, operation: Operation, *, is_mutation: bool) -> Answer:
        error = refusal(envelope, operation.root, is_mutation=is_mutation)
        if error is not None:
            raise error
        if envelope.errors:
            logger.warning("%s: done, with words beside it: %s", operation.root, " | ".join(envelope.errors))
        return Answer(envelope.data or {}, envelope.server_time)

    def _without_secrets(self, envelope: Envelope) -> Envelope:
        """Strike out what a server may have echoed, before its words go anywhere; the other words stay as they are."""
        secrets = self.settings.secrets
        errors = tuple(redact(message, secrets) for message in envelope.errors)
        return replace(envelope, errors=errors, excerpt=redact(envelope.excerpt, secrets))


def pause_before_retry(attempt: int, retry_after_s: float | None) -> float:
    """Return the seconds to wait after the `attempt`-th failure: what the server asked for, or 0.5-1, 1-2, 2-4 …."""
    if retry_after_s is not None:
        return retry_after_s + random.uniform(0.0, 0.5)
    return float(random.uniform(0.5, 1.0) * 2 ** (attempt - 1))
