"""Every fault of a server on every operation that a pass makes use of."""

from __future__ import annotations

from dataclasses import dataclass, replace

from numebot.practice.faults import Fault, Kind

OPERATIONS = (
    "rounds", "apiTokenInfo", "account", "listDatasets", "dataset", "submissionUploadAuth", "createSubmission",
    "submissions",
)  # fmt: skip
"""The questions to the API. The last one is asked only after a createSubmission whose answer was lost."""

ANYWHERE = {
    "refused": Fault(Kind.REFUSED, seconds=0.2),
    "reset": Fault(Kind.RESET),
    "hang": Fault(Kind.HANG),
    "drip": Fault(Kind.DRIP, bytes_per_s=1),
    "401": Fault(Kind.STATUS, status=401, messages=("Your session is invalid or has expired.",)),
    "403": Fault(Kind.STATUS, status=403),
    "429": Fault(Kind.RETRY_AFTER, seconds=1),
    "500": Fault(Kind.STATUS, status=500),
    "504": Fault(Kind.STATUS, status=504, body="<html><h1>504 Gateway Time-out</h1></html>"),
    "html 200": Fault(Kind.HTML_200),
    "truncated": Fault(Kind.TRUNCATED),
}
API_ONLY = {
    "502 after commit": Fault(Kind.STATUS_AFTER_COMMIT, status=502),
    "reset after commit": Fault(Kind.RESET_AFTER_COMMIT),
    "data null": Fault(Kind.DATA_NULL),
    "errors empty": Fault(Kind.ERRORS_EMPTY),
    "bad json": Fault(Kind.BAD_JSON),
    "list empty": Fault(Kind.LIST_EMPTY),
}
GET_ONLY = {
    "early close": Fault(Kind.EARLY_CLOSE),
    "empty 200": Fault(Kind.EMPTY_200),
}
PUT_ONLY = {
    "502 after commit": Fault(Kind.STATUS_AFTER_COMMIT, status=502),
    "reset after commit": Fault(Kind.RESET_AFTER_COMMIT),
    "dropped": Fault(Kind.PUT_DROPPED),
    # once, as bytes that are refused twice count as a fault of ours
    "halved": Fault(Kind.PUT_HALF, times=1),
}
ANOTHER_ROUNDS_DATA = {
    "wrong round": Fault(Kind.WRONG_ROUND),
    "spliced": Fault(Kind.SPLICED),
}
"""These need a market whose live data change with the round."""
HARMLESS_TO_UPLOADS = {"drip", "truncated"}
"""They spoil the body of an answer, and that of a PUT is empty."""
NO_SUCH_NAME = "https://files.numerai.invalid/object"


@dataclass(frozen=True)
class Pair:
    """A fault and the operation that it strikes. `answers` is how many look-ups succeed before names fail, if they do.

    `helper` strikes as well, so that the operation is used at all.
    """

    fault_name: str
    operation: str
    fault: Fault | None = None
    helper: Fault | None = None
    answers: int | None = None

    def __str__(self) -> str:
        return f"{self.fault_name} × {self.operation}"

    @property
    def faults(self) -> tuple[Fault, ...]:
        return tuple(fault for fault in (self.fault, self.helper) if fault is not None)


def all_pairs() -> list[Pair]:
    """Return every pair but those of another round's data."""
    pairs = [_on(name, fault, op) for name, fault in (ANYWHERE | API_ONLY).items() for op in OPERATIONS]
    pairs += [_on(name, fault, "get") for name, fault in (ANYWHERE | GET_ONLY).items()]
    uploads = {name: fault for name, fault in ANYWHERE.items() if name not in HARMLESS_TO_UPLOADS} | PUT_ONLY
    pairs += [_on(name, fault, "put") for name, fault in uploads.items()]
    pairs += [Pair("dns", f"all after {answers} look-ups", answers=answers) for answers in (0, 2, 4, 6, 8, 10)]
    pairs += [
        Pair("dns", stored, Fault(Kind.BAD_URL, asked, location=NO_SUCH_NAME))
        for stored, asked in (("get", "dataset"), ("put", "submissionUploadAuth"))
    ]
    return pairs


def pairs_of_another_rounds_data() -> list[Pair]:
    return [_on(name, fault, "get") for name, fault in ANOTHER_ROUNDS_DATA.items()]


def _on(name: str, fault: Fault, operation: str) -> Pair:
    helper = Fault(Kind.RESET_AFTER_COMMIT, "createSubmission") if operation == "submissions" else None
    return Pair(name, operation, replace(fault, operation=operation), helper)
