"""Protocols for the adapters, small enough to fake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

from numebot.core.diagnostics import DiagnosticsResult
from numebot.core.results import (
    Leaderboard,
    LeaderboardRow,
    Part,
    Payout,
    PayoutSetting,
    RoundFacts,
    Score,
    ScoreMark,
)
from numebot.core.scoring import ScoringStatus
from numebot.core.standing import AccountFigures, ModelDay, ModelRound, NmrPrice, PartMark
from numebot.core.syncing import SeriesKey
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
        hashes: bool = True,
    ) -> Download:
        """Fetch `name` into `destination`, whole or not at all.

        With `etag` (of the file that stands at `destination`) an unchanged file is not sent again. Without `hashes` the
        answer has no sha256.
        """


class DiagnosticsServer(Protocol):
    """Numerai's diagnostics. Raises: AccessDenied, Unavailable, Rejected, Ambiguous."""

    def upload(self, tournament: int, model_id: str, path: Path) -> str:
        """Send a CSV of validation ids and predictions and return the id of the run. It is no submission."""

    def result(self, model_id: str, id: str) -> DiagnosticsResult:
        """Return what is known of a run so far."""


class SubmissionStore(Protocol):
    """The part of the store that the step machine writes to."""

    def change(self, before: Submission, after: Submission, event: Event | None) -> Submission:
        """Move a row by compare-and-set, with its line in the timeline if there is one, in one transaction.

        Raises: LocalTrouble when the row is not as `before` says, or the database cannot be written.
        """


class ResultsServer(Protocol):
    """Numerai as the results need it. Raises: Unavailable, AccessDenied, Rejected, RoundClosed."""

    def past_rounds(self, tournament: int, *, last: int | None) -> Sequence[RoundFacts]:
        """Return the newest `last` rounds (None: all) that have a deadline, in any order."""

    def payout_settings(self, tournament: int, *, last: int | None) -> Sequence[PayoutSetting]:
        """Return how the newest `last` rounds (None: all) count their metrics."""

    def scores(
        self, tournament: int, model_id: str, *, metric: str | None, last: int | None, newest_only: bool
    ) -> Sequence[Score]:
        """Return the scores of a model in its `last` rounds: one metric or all, each day or the newest of a round."""

    def model_rounds(
        self,
        tournament: int,
        model_id: str,
        *,
        last: int | None = None,
        among: tuple[int, int] | None = None,
        newest_only: bool,
    ) -> Sequence[ModelRound]:
        """Return a model's `last` rounds, or those `among` a first and a last one, with the scores of all metrics.

        With each day's scores, or with the newest ones alone. Raises: Rejected also when the server lacks this view.
        """

    def payouts(self, tournament: int) -> Sequence[Payout]:
        """Return the settled and the pending payouts of the account's models."""

    def leaderboard(self, tournament: int) -> tuple[Sequence[LeaderboardRow], datetime | None]:
        """Return the whole leaderboard, and the server's time when it told it."""


class StandingServer(Protocol):
    """Numerai as the standing needs it. Raises: Unavailable, AccessDenied, Rejected, RoundClosed."""

    def account_leaderboard(self, tournament: int) -> tuple[Sequence[LeaderboardRow], datetime | None]:
        """Return the leaderboard of accounts; a row's `model` is the account's name, `model_id` its id."""

    def account(self) -> AccountFigures:
        """Return the account's own figures."""

    def history(self, tournament: int, model: AccountModel) -> Sequence[ModelDay]:
        """Return how a model stood, day by day, as far back as the server tells; nothing for an unknown name."""

    def nmr_price(self) -> NmrPrice:
        """Return the newest price."""

    def scoring(self, tournament: int, day: date) -> tuple[ScoringStatus, datetime | None]:
        """Return how far the scoring of a day is, and the server's time when it told it."""


class ResultsStore(Protocol):
    """The part of the store that a sync reads and writes. Each call is one transaction; repeating it changes nothing.

    What writes returns how many rows are new or have changed. Raises: LocalTrouble.
    """

    def remember_rounds(self, rounds: Sequence[RoundFacts], *, now: datetime) -> int:
        """Insert or update rounds."""

    def remember_listed(self, tournament: int, slots: Sequence[AccountModel], *, now: datetime) -> int:
        """Write down the account's models and what Numerai lists of their submissions."""

    def remember_settings(self, settings: Sequence[PayoutSetting]) -> int:
        """Write down how rounds count their metrics."""

    def remember_scores(self, scores: Sequence[Score]) -> int:
        """Write down scores; a day that was scored anew gets its new value."""

    def remember_payouts(self, payouts: Sequence[Payout]) -> int:
        """Write down payouts; a settled one is never made pending again."""

    def remember_leaderboard(self, board: Leaderboard) -> int:
        """Write a snapshot down in place of an earlier one of the same day."""

    def mark_scores(self, tournament: int, model_id: str, mark: ScoreMark) -> None:
        """Remember how far the scores of a model were read."""

    def score_mark(self, tournament: int, model_id: str) -> ScoreMark | None:
        """Return how far the scores of a model were read; None when they never were."""

    def newest_days(self, tournament: int, model_id: str, *, since_round: int) -> Mapping[SeriesKey, int]:
        """Return the newest day that is known, for each round from `since_round` on and each metric of a model."""

    def metric_names(self, tournament: int) -> Sequence[str]:
        """Return every metric that scores or payout settings of a tournament have named."""

    def own_models(self, tournament: int) -> Sequence[AccountModel]:
        """Return the models that the account listed when it was read last, with their submissions left out."""

    def oldest_open_round(self, tournament: int) -> int | None:
        """Return the oldest known round that is not resolved; None before the rounds were read for the first time."""

    def newest_leaderboard_day(self, tournament: int) -> date | None:
        """Return the day of the newest snapshot."""


class StandingStore(Protocol):
    """The part of the store that holds the standing. Each call is one transaction; repeating it changes nothing.

    What writes returns how many rows are new or have changed. Raises: LocalTrouble.
    """

    def remember_at_risk(self, rounds: Sequence[ModelRound]) -> int:
        """Write down what is at risk; what the server has stopped telling stays."""

    def remember_account(self, tournament: int, figures: AccountFigures, *, day: date) -> int:
        """Write down the account's figures of a day, and the stakes of its models of this tournament."""

    def remember_account_board(self, board: Leaderboard) -> int:
        """Write a snapshot of the accounts' leaderboard down in place of an earlier one of the same day."""

    def newest_account_board_day(self, tournament: int) -> date | None:
        """Return the day of the newest snapshot of the accounts' leaderboard."""

    def remember_model_days(self, days: Sequence[ModelDay]) -> int:
        """Write down how models stood."""

    def remember_price(self, price: NmrPrice, *, day: date) -> int:
        """Write down the price of a day."""

    def leaderboard_days(self, tournament: int, *, since: date) -> Sequence[date]:
        """Return the days from `since` on that have a snapshot of the models' leaderboard."""

    def mark_part(self, tournament: int, part: Part, *, at: datetime, error: str | None) -> None:
        """Remember that a part landed at `at`, or that it did not."""

    def part_marks(self, tournament: int) -> Mapping[Part, PartMark]:
        """Return how each part ended last."""
