"""The faults there are: what goes wrong, where it can happen, and how one is described."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ANY = "*"
"""The operation that stands for every GraphQL root and both storage verbs."""
PUT = "put"
"""The operation of the file storage that takes uploads."""
GET = "get"
"""The operation of the file storage that serves files."""
GET_RANGE = "get-range"
"""A GET of a part of a file (with a Range header); it is a GET as well."""


class Kind(StrEnum):
    """The faults. "Before" means that nothing was executed, "after" that it was and only the answer goes wrong."""

    REFUSED = "refused"
    """Before: the connection is reset, and for `seconds` (5) no new connection is accepted at all."""
    RESET = "reset"
    """Before: the connection is reset (RST)."""
    HANG = "hang"
    """Before: no answer for `seconds`, without them never; then the connection closes."""
    STATUS = "status"
    """Before: `status` (500) with `body`; for the API a GraphQL error of `messages` when there is no body."""
    RETRY_AFTER = "retry-after"
    """Before: 429 with `Retry-After: seconds` (1)."""
    REDIRECT = "redirect"
    """Before: `status` (302) to `location`, by default the same address under the name localhost."""
    HTML_200 = "html-200"
    """Before: 200 with the HTML of a maintenance page."""
    EMPTY_200 = "empty-200"
    """Before: 200 with nothing."""
    BAD_JSON = "bad-json"
    """Before: 200 with JSON that stops in the middle."""
    DATA_NULL = "data-null"
    """Before: `{"data": null}`."""
    LIST_EMPTY = "list-empty"
    """Before: every root of the query is `[]`."""
    SEVERAL_ERRORS = "several-errors"
    """Before: 200 (or `status`) with the GraphQL errors `messages`, two by default."""
    UNKNOWN_FIELD = "unknown-field"
    """Before: the server's schema lacks `field` (the root itself by default), so each document with it fails."""
    STATUS_AFTER_COMMIT = "status-after-commit"
    """After: `status` (502) with `body`."""
    RESET_AFTER_COMMIT = "reset-after-commit"
    """After: the connection is reset."""
    HANG_AFTER_COMMIT = "hang-after-commit"
    """After: no answer for `seconds`, without them never."""
    ERRORS_EMPTY = "errors-empty"
    """After: the good data with `"errors": []` beside it."""
    NULL_FIELD = "null-field"
    """After: every `field` in the answer is null (closeStakingTime by default)."""
    BAD_NAME = "bad-name"
    """After: every filename in the answer becomes `name` ("../../outside.csv"), and listDatasets lists it too."""
    BAD_URL = "bad-url"
    """After: every storage address in the answer becomes `location` ("file:///etc/passwd")."""
    SLOW = "slow"
    """After: the answer leaves `seconds` (1) late. Goes together with one other fault."""
    DRIP = "drip"
    """After: the body leaves at `bytes_per_s` (2)."""
    TRUNCATED = "truncated"
    """After: Content-Length of the whole, half of the bytes, end of the connection."""
    TRUNCATED_CHUNKED = "truncated-chunked"
    """After: chunks with half of the bytes, no last chunk, end of the connection."""
    EARLY_CLOSE = "early-close"
    """After: no length at all, half of the bytes, end of the connection: it looks complete."""
    CLOCK_SKEW = "clock-skew"
    """After: the Date header is `seconds` off (3600). Goes together with one other fault."""
    WRONG_ROUND = "wrong-round"
    """Storage, get: the file of the round before, under this round's address."""
    SPLICED = "spliced"
    """Storage, get: the right length; the first half of the bytes is the round before's, the rest this round's."""
    IGNORE_RANGE = "ignore-range"
    """Storage, get-range: answered with 200 and the whole file."""
    RANGE_REFUSED = "range-refused"
    """Storage, get-range: answered with `status` (416) and an error in XML."""
    PUT_DROPPED = "put-dropped"
    """Storage, put: answered 200, and nothing is kept."""
    PUT_HALF = "put-half"
    """Storage, put: answered 200, and half of the bytes are kept."""


COMPANIONS = frozenset({Kind.SLOW, Kind.CLOCK_SKEW})
"""Faults that go together with one other."""
STORAGE_KINDS = {
    Kind.WRONG_ROUND: GET,
    Kind.SPLICED: GET,
    Kind.IGNORE_RANGE: GET_RANGE,
    Kind.RANGE_REFUSED: GET_RANGE,
    Kind.PUT_DROPPED: PUT,
    Kind.PUT_HALF: PUT,
}
"""Kinds that only one operation of the storage can have."""
API_KINDS = frozenset(
    {
        Kind.BAD_JSON,
        Kind.DATA_NULL,
        Kind.LIST_EMPTY,
        Kind.SEVERAL_ERRORS,
        Kind.UNKNOWN_FIELD,
        Kind.ERRORS_EMPTY,
        Kind.NULL_FIELD,
        Kind.BAD_NAME,
        Kind.BAD_URL,
    }
)
"""Kinds that only an answer of the API can have."""


@dataclass(frozen=True)
class Fault:
    """One fault: what, where, how often, and the details that its kind speaks of.

    `skip` requests pass unharmed first, then it strikes `times` times (None: always), each with `probability`.
    `from_s` and `until_s` count seconds of practice time since it was switched on.
    """

    kind: Kind
    operation: str = ANY
    times: int | None = None
    skip: int = 0
    probability: float = 1.0
    from_s: float = 0.0
    until_s: float | None = None
    status: int | None = None
    body: str | None = None
    messages: tuple[str, ...] = ()
    seconds: float | None = None
    bytes_per_s: float = 2.0
    location: str | None = None
    name: str | None = None
    field: str | None = None
