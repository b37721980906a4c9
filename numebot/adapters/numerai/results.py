"""Reads scores, payouts, leaderboards and past rounds. What the server leaves out is left out here; nothing is made up.

A row without what identifies it (a round, a metric, a model) cannot be kept and is counted in a warning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from numebot.adapters.numerai.answers import (
    decimal_of,
    flag_of,
    number_of,
    rows_of,
    text_of,
    time_of,
    whole_number_of,
)
from numebot.adapters.numerai.boards import whole_board
from numebot.adapters.numerai.model_rounds import read_model_rounds, read_score
from numebot.adapters.numerai.question import Asker, read_rows
from numebot.adapters.numerai.result_questions import BOARDS, PAYOUTS, ROUNDS, SCORES, SETTINGS
from numebot.adapters.numerai.transport import Transport
from numebot.core.errors import Unavailable
from numebot.core.results import LeaderboardRow, Payout, PayoutSetting, RoundFacts, Score
from numebot.core.standing import ModelRound
from numebot.core.types import Round, Tournament


class NumeraiResults:
    """Numerai's results behind the port `ResultsServer`. Keeps the pace of one process, so use one of these."""

    def __init__(self, transport: Transport) -> None:
        self._asker = Asker(transport)

    def past_rounds(self, tournament: int, *, last: int | None) -> Sequence[RoundFacts]:
        """Return the newest `last` rounds (None: all) that have a deadline."""
        found, _ = self._asker.ask(ROUNDS, {"tournament": tournament, "limit": last})
        return read_rows(ROUNDS, found, lambda row: _round(row, tournament))

    def payout_settings(self, tournament: int, *, last: int | None) -> Sequence[PayoutSetting]:
        """Return how the newest `last` rounds (None: all) count their metrics."""
        found, _ = self._asker.ask(SETTINGS, {"tournament": tournament, "limit": last})
        settings = []
        for row in rows_of(found):
            number = whole_number_of(row, "number")
            for config in rows_of(row.get("roundScoreConfigs")) if number is not None else ():
                setting = _setting(config, tournament, number or 0)
                settings += [setting] if setting else []
        return settings

    def scores(
        self, tournament: int, model_id: str, *, metric: str | None, last: int | None, newest_only: bool
    ) -> Sequence[Score]:
        """Return the scores of a model in its `last` rounds: one metric or all, each day or the newest of a round."""
        variables = {
            "modelId": model_id,
            "tournament": tournament,
            "displayName": metric,
            "lastNRounds": last,
            "distinctOnRound": newest_only or None,
        }
        found, _ = self._asker.ask(SCORES, variables)
        return read_rows(SCORES, found, lambda row: read_score(row, tournament, model_id))

    def payouts(self, tournament: int) -> Sequence[Payout]:
        """Return the settled and the pending payouts of the account's models."""
        found, _ = self._asker.ask(PAYOUTS, {"tournament": tournament})
        if not isinstance(found, dict):
            raise Unavailable(f"{PAYOUTS.root}: the server answered without lists of payouts. It is asked again later.")
        return [
            *_payouts(found.get("pending"), tournament, is_settled=False),
            *_payouts(found.get("actual"), tournament, is_settled=True),
        ]

    def model_rounds(
        self,
        tournament: int,
        model_id: str,
        *,
        last: int | None = None,
        among: tuple[int, int] | None = None,
        newest_only: bool,
    ) -> Sequence[ModelRound]:
        """Return a model's `last` rounds, or those `among` a first and a last one, with the scores of all metrics."""
        return read_model_rounds(self._asker, tournament, model_id, last=last, among=among, newest_only=newest_only)

    def leaderboard(self, tournament: int) -> tuple[Sequence[LeaderboardRow], datetime | None]:
        """Return the whole leaderboard, and the server's time when it told it."""
        return whole_board(self._asker, BOARDS[Tournament(tournament)], {})


def _round(row: Mapping[str, Any], tournament: int) -> RoundFacts | None:
    number, opens_at = whole_number_of(row, "number"), time_of(row, "openTime")
    deadline = time_of(row, "closeStakingTime")
    if number is None or opens_at is None or deadline is None:
        return None
    datestamp = whole_number_of(row, "dataDatestamp")
    return RoundFacts(
        round=Round(tournament, number, opens_at, deadline, time_of(row, "closeTime"), datestamp),
        scores_at=time_of(row, "scoreTime"),
        resolves_at=time_of(row, "resolveTime"),
        is_resolved=bool(flag_of(row, "resolvedGeneral") or flag_of(row, "resolvedStaking")),
        payout_factor=_number_text(row, "payoutFactor"),
    )


def _number_text(row: Mapping[str, Any], name: str) -> str | None:
    amount = decimal_of(row, name)
    return None if amount is None else str(amount)


def _setting(row: Mapping[str, Any], tournament: int, number: int) -> PayoutSetting | None:
    metric = text_of(row, "displayName")
    if metric is None:
        return None
    return PayoutSetting(
        tournament,
        number,
        metric,
        version=text_of(row, "version") or "",
        is_payout=flag_of(row, "isPayout"),
        multiplier=number_of(row, "defaultMultiplier"),
        minimum=number_of(row, "minMultiplier"),
        maximum=number_of(row, "maxMultiplier"),
        clip=number_of(row, "clipThreshold"),
        stake_threshold=number_of(row, "stakeThreshold"),
        payout_factor=number_of(row, "payoutFactor"),
        score_days=whole_number_of(row, "totalScoreDays"),
        scoring_begins_at=time_of(row, "scoringStart"),
        scoring_ends_at=time_of(row, "scoringEnd"),
    )


def _payouts(found: object, tournament: int, *, is_settled: bool) -> list[Payout]:
    # Most rounds have no amount yet; that is an answer as well.
    rows = [row for row in rows_of(found) if row.get("payoutNmr") is not None]
    return read_rows(PAYOUTS, rows, lambda row: _payout(row, tournament, is_settled=is_settled))


def _payout(row: Mapping[str, Any], tournament: int, *, is_settled: bool) -> Payout | None:
    number, model_id = whole_number_of(row, "roundNumber"), text_of(row, "modelId")
    amount = decimal_of(row, "payoutNmr")
    if number is None or model_id is None or amount is None:
        return None
    resolves_at = time_of(row, "roundResolveTime")
    return Payout(
        tournament,
        number,
        model_id,
        text_of(row, "modelName") or model_id,
        amount,
        is_settled,
        value=decimal_of(row, "payoutValue"),
        currency=text_of(row, "currencySymbol"),
        resolves_on=resolves_at.date() if resolves_at else None,
    )
