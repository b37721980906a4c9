"""Reads how the account and its models stand, and how far the scoring of a day is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from numebot.adapters.numerai.answers import decimal_of, flag_of, number_of, rows_of, text_of, time_of
from numebot.adapters.numerai.boards import whole_board
from numebot.adapters.numerai.question import Asker
from numebot.adapters.numerai.standing_questions import ACCOUNT, ACCOUNT_BOARD, HISTORY, PRICE, SCORING, STAKES
from numebot.adapters.numerai.transport import Transport
from numebot.core.errors import Rejected, Unavailable
from numebot.core.results import LeaderboardRow
from numebot.core.scoring import ScoringStatus
from numebot.core.standing import AccountFigures, ModelDay, NmrPrice
from numebot.core.types import AccountModel, Tournament

_PIPELINES = {Tournament.CLASSIC: "classic", Tournament.SIGNALS: "signals", Tournament.CRYPTO: "crypto"}
"""What pipelineStatus calls the tournaments."""


class NumeraiStanding:
    """Numerai's figures behind the port `StandingServer`. Keeps the pace of one process, so use one of these."""

    def __init__(self, transport: Transport) -> None:
        self._asker = Asker(transport)

    def account_leaderboard(self, tournament: int) -> tuple[Sequence[LeaderboardRow], datetime | None]:
        """Return the leaderboard of accounts; a row's `model` is the account's name."""
        return whole_board(self._asker, ACCOUNT_BOARD, {"tournament": tournament})

    def account(self) -> AccountFigures:
        """Return the account's own figures. Raises: Unavailable, AccessDenied, Rejected."""
        found, _ = self._asker.ask(ACCOUNT, {})
        name = text_of(found, "username") if isinstance(found, dict) else None
        if name is None:
            raise Unavailable("account: the server answered without a name. It is asked again later.")
        amounts = {key: amount for key in found if (amount := decimal_of(found, key)) is not None and key != "username"}
        return AccountFigures(name, amounts, self._stakes())

    def _stakes(self) -> Mapping[str, Decimal]:
        """Return what is staked on each model; nothing where the server no longer knows stakes of that kind."""
        try:
            found, _ = self._asker.ask(STAKES, {})
        except Rejected:
            return {}
        stakes = {}
        for row in rows_of(found.get("models") if isinstance(found, dict) else None):
            id, stake = text_of(row, "id"), row.get("v2Stake")
            value = decimal_of(stake, "latestValue") if isinstance(stake, dict) else None
            if id is not None and value is not None:
                stakes[id] = value
        return stakes

    def history(self, tournament: int, model: AccountModel) -> Sequence[ModelDay]:
        """Return how a model stood, day by day; nothing for a name that the server does not show."""
        variables = {"modelName": model.name, "tournament": tournament}
        found, _ = self._asker.ask(HISTORY, variables, may_be_null=True)
        if not isinstance(found, dict) or text_of(found, "id") not in (None, model.id):
            return []  # the name belongs to somebody else by now
        days = (_day(row, tournament, model.id) for row in rows_of(found.get("dailyModelPerformances")))
        return [day for day in days if day is not None]

    def nmr_price(self) -> NmrPrice:
        """Return the newest price. Raises: Unavailable, Rejected."""
        found, _ = self._asker.ask(PRICE, {})
        usd = decimal_of(found, "priceUsd") if isinstance(found, dict) else None
        if usd is None:
            raise Unavailable("latestNmrPrice: the server answered without a price. It is asked again later.")
        return NmrPrice(usd, time_of(found, "lastUpdated"))

    def scoring(self, tournament: int, day: date) -> tuple[ScoringStatus, datetime | None]:
        """Return how far the scoring of a day is, and the server's time. Raises: Unavailable, Rejected."""
        variables = {"tournament": _PIPELINES[Tournament(tournament)], "date": day.isoformat()}
        found, answer = self._asker.ask(SCORING, variables)
        row = found if isinstance(found, dict) else {}
        status = ScoringStatus(
            is_scoring_day=flag_of(row, "isScoringDay"),
            scored_at=time_of(row, "scoredAt"),
            resolved_at=time_of(row, "resolvedAt"),
            score_expected_at=time_of(row, "scoreP90Eta"),
            resolve_expected_at=time_of(row, "resolveP90Eta"),
            next_start_at=time_of(row, "nextStartP90Eta"),
        )
        return status, answer.server_time


def _day(row: Mapping[str, Any], tournament: int, model_id: str) -> ModelDay | None:
    at = time_of(row, "date")
    if at is None:
        return None
    figures = {name: number_of(row, name) for name in row if name != "date"}
    known = {name: value for name, value in figures.items() if value is not None}
    return ModelDay(tournament, model_id, at.date(), figures=known)
