"""Protocols for the adapters, small enough to fake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from numebot.core.types import (
    AccountModel,
    Download,
    Event,
    KeyInfo,
    RoundAnswer,
    Submission,
    SubmissionRecord,
    UploadAuthorisation,
)


class Clock(Protocol):
    """The only reader of the time."""

    def now(self) -> datetime:
        """Return the aware UTC time."""

    def monotonic(self) -> float:
        """Return seconds that only grow, whatever happens to the wall clock."""

    def wait(self, seconds: float) -> None:
        """Let `seconds` pass."""


class TournamentServer(Protocol):
    """Numerai as the pipeline needs it: rounds, the account, uploads, read-back.

    Raises: Unavailable, Ambiguous (mutations only), AccessDenied, Rejected, RoundClosed.
    """

    def current_round(self, tournament: int) -> RoundAnswer:
        """Return the current round, three-valued. Never raises for an unreachable server: that is UNKNOWN."""

    def key_info(self) -> KeyInfo:
        """Return the account and the scopes of the key in use."""

    def account_models(self, *, last_rounds: int = 5) -> Sequence[AccountModel]:
        """Return every model slot of the account with its latest submissions, newest round first."""

    def stakes(self) -> Mapping[str, float]:
        """Return what is at stake on each slot, by its id, in NMR; nothing when the server does not tell."""

    def submission_records(self, model_id: str) -> Sequence[SubmissionRecord]:
        """Return every upload of a model that the server knows, also the ones that never became valid."""

    def authorise_upload(self, tournament: int, model_id: str, filename: str) -> UploadAuthorisation:
        """Return a fresh permission to PUT one file; the server makes the filename unique."""

    def put_file(self, authorisation: UploadAuthorisation, path: Path) -> None:
        """Send the bytes of `path`, streamed. Returns only after the storage answered 200."""

    def create_submission(
        self, tournament: int, model_id: str, filename: str, *, data_datestamp: int | None = None
    ) -> str:
        """Turn uploaded bytes into a submission and return its id. Sent once: never repeated on an ambiguous answer."""


class DataSource(Protocol):
    """Numerai's files as the datasets adapter needs them. Raises: Unavailable, Rejected, LocalTrouble."""

    def list_datasets(self, tournament: int, round_number: int | None = None) -> Sequence[str]:
        """Return the names on offer, e.g. "v5.3/train.parquet"."""

    def download(
        self,
        name: str,
        destination: Path,
        *,
        tournament: int,
        round_number: int | None = None,
        etag: str | None = None,
    ) -> Download:
        """Fetch `name` into `destination`, whole or not at all.

        With `etag` (of the file that stands at `destination`) an unchanged file is not sent again.
        """


class SubmissionStore(Protocol):
    """The part of the store that the step machine writes to."""

    def change(self, before: Submission, after: Submission, event: Event | None) -> Submission:
        """Move a row by compare-and-set, with its line in the timeline if there is one, in one transaction.

        Raises: LocalTrouble when the row is not as `before` says, or the database cannot be written.
        """
