"""Takes secrets out of text: API keys, signed addresses, webhook paths. Pure text, no settings, no input or output.

Every text that leaves the process (log line, exception, database row, notification) may have an exception of a library
inside, and those like to quote whole addresses. A signed address is a key: whoever reads it can use it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote

MASK = "********"
"""What stands in the place of a secret."""

SHORTEST_SECRET = 4
"""Exact secrets shorter than this are not searched for: they would mask ordinary words."""

_SECRET_PARAMETERS = (
    r"X-(?:Amz|Goog|Ms)-[A-Za-z0-9-]+|Signature|sig|AWSAccessKeyId|GoogleAccessId|Key-Pair-Id|Policy"
    r"|(?:access_|api_|refresh_)?token|api_?key|secret(?:_key)?|password|passwd"
)
_Replacement = str | Callable[[re.Match[str]], str]
_RULES: tuple[tuple[re.Pattern[str], _Replacement], ...] = (
    # user:password@ in front of a host
    (re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^\s/@\"'<>]+@", re.IGNORECASE), rf"\g<scheme>{MASK}@"),
    # Authorization headers, as text or as a printed dict
    (
        re.compile(r"(?P<name>\bauthorization['\"]?\s*[:=]\s*['\"]?)[^'\"\r\n,}]+", re.IGNORECASE),
        rf"\g<name>{MASK}",
    ),
    # Numerai's own form, wherever it stands: Token PUBLIC$SECRET
    (re.compile(r"\bToken\s+[^\s$'\"]+\$[^\s'\",;)}\]]+", re.IGNORECASE), f"Token {MASK}"),
    (re.compile(r"\bBearer\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE), f"Bearer {MASK}"),
    # webhooks of chat services: the path is the key
    (re.compile(r"(?P<path>/api/webhooks/|hooks\.slack\.com/services/)[^\s\"'<>)?]+"), rf"\g<path>{MASK}"),
    (re.compile(r"/bot\d{6,}:[A-Za-z0-9_-]{20,}"), f"/bot{MASK}"),
    # whole queries of absolute addresses, and of the bare paths that urllib3 prints
    (
        re.compile(r"(?P<address>\b[a-z][a-z0-9+.-]*://[^\s?#\"'<>]*)\?[^\s\"'<>)\]}]+", re.IGNORECASE),
        rf"\g<address>?{MASK}",
    ),
    (re.compile(r"(?P<path>/[^\s?\"'<>]*)\?[^\s=&\"'<>]+=[^\s\"'<>)\]}]*"), rf"\g<path>?{MASK}"),
    # single parameters that lost their address, plain or percent-encoded
    (
        re.compile(rf"(?P<name>\b(?:{_SECRET_PARAMETERS})(?:=|%3D))[^&\s\"'<>)\]}}]+", re.IGNORECASE),
        rf"\g<name>{MASK}",
    ),
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` without `secrets` (also percent-encoded), tokens, signed parameters and queries of addresses."""
    exact = [secret for secret in secrets if len(secret) >= SHORTEST_SECRET]
    spellings = {*exact, *(quote(secret, safe="") for secret in exact)}
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, MASK)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


class RedactingFilter(logging.Filter):
    """Cleans message, exception and stack of every record; add it to each handler, not to a logger.

    A logger's filter does not see the records of its children; a handler's filter sees everything it writes.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = frozenset(secrets)
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite `record` in place and let it pass."""
        record.msg = redact(self._message(record), self._secrets)
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        # Formatters print exc_text when there is no exc_info, and would format the raw exception when there is.
        record.exc_info = None
        if record.exc_text:
            record.exc_text = redact(record.exc_text, self._secrets)
        if record.stack_info:
            record.stack_info = redact(record.stack_info, self._secrets)
        return True

    @staticmethod
    def _message(record: logging.LogRecord) -> str:
        try:
            return record.getMessage()
        except (TypeError, ValueError):
            # A wrong placeholder must not bring the raw arguments onto stderr through logging's own error report.
            return f"{record.msg} {record.args!r}"


class RedactingFormatter(logging.Formatter):
    """Wraps another formatter and cleans its finished text, for handlers that build more than message and exception."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._inner = inner
        self._secrets = frozenset(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Return the inner formatter's text without secrets."""
        return redact(self._inner.format(record), self._secrets)
