"""Reads scores, payouts, leaderboards and past rounds. What the server leaves out is left out here; nothing is made up.

A row without what identifies it (a round, a metric, a model) cannot be kept and is counted in a warning.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from numebot.adapters.numerai.answers import (
    decimal_of,
    flag_of,
    number_of,
    rows_of,
    text_of,
    time_of,
    whole_number_of,
)
from numebot.adapters.numerai.question import Asker, Question
from numebot.adapters.numerai.result_questions import BOARDS, PAYOUTS, ROUNDS, SCORES, SETTINGS
from numebot.adapters.numerai.transport import Transport
from numebot.core.errors import Unavailable
from numebot.core.results import LeaderboardRow, Payout, PayoutSetting, RoundFacts, Score
from numebot.core.types import Round, Tournament

logger = logging.getLogger(__name__)

Value = TypeVar("Value")

PAGE_ROWS = 1000
MOST_PAGES = 50
"""A leaderboard that never ends is not read for ever."""


_NO_FIGURES = frozenset({"id", "username", "rank", "nmrStaked"})


class NumeraiResults:
    """Numerai's results behind the port `ResultsServer`. Keeps the pace of one process, so use one of these."""

    def __init__(self, transport: Transport) -> None:
        self._asker = Asker(transport)

    def past_rounds(self, tournament: int, *, last: int | None) -> Sequence[RoundFacts]:
        """Return the newest `last` rounds (None: all) that have a deadline."""
        found, _ = self._asker.ask(ROUNDS, {"tournament": tournament, "limit": last})
        return _read(ROUNDS, found, lambda row: _round(row, tournament))

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
        return _read(SCORES, found, lambda row: _score(row, tournament, model_id))

    def payouts(self, tournament: int) -> Sequence[Payout]:
        """Return the settled and the pending payouts of the account's models."""
        found, _ = self._asker.ask(PAYOUTS, {"tournament": tournament})
        if not isinstance(found, dict):
            raise Unavailable(f"{PAYOUTS.root}: the server answered without lists of payouts. It is asked again later.")
        return [
            *_payouts(found.get("pending"), tournament, is_settled=False),
            *_payouts(found.get("actual"), tournament, is_settled=True),
        ]

    def leaderboard(self, tournament: int) -> tuple[Sequence[LeaderboardRow], datetime | None]:
        """Return the whole leaderboard, page by page, and the server's time when it told it.

        The board may move between two pages: a model that is met twice counts where it was met first.
        """
        question = BOARDS[Tournament(tournament)]
        known: dict[str, LeaderboardRow] = {}
        server_time = None
        for page in range(MOST_PAGES):
            found, answer = self._asker.ask(question, {"limit": PAGE_ROWS, "offset": page * PAGE_ROWS})
            server_time = server_time or answer.server_time
            rows = _read(question, found, _line)
            before = len(known)
            for row in rows:
                known.setdefault(row.model, row)
            # Also the end for a server that knows no pages and sends the whole board each time.
            if len(rows_of(found)) != PAGE_ROWS or len(known) == before:
                break
        return list(known.values()), server_time


def _read(question: Question, found: object, read: Callable[[Mapping[str, Any]], Value | None]) -> list[Value]:
    """Read the rows of a list. Raises: Unavailable when it is none, or when there are rows and none can be read."""
    if not isinstance(found, list):
        raise Unavailable(f"{question.root}: the server answered without a list. It is asked again later.")
    read_rows = [value for row in rows_of(found) if (value := read(row)) is not None]
    unread = len(found) - len(read_rows)
    if unread and not read_rows:
        raise Unavailable(f"{question.root}: none of {unread} rows could be read. It is asked again later.")
    if unread:
        logger.warning("%s: %s of %s rows came without what identifies them.", question.root, unread, len(found))
    return read_rows


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


def _score(row: Mapping[str, Any], tournament: int, model_id: str) -> Score | None:
    number, metric = whole_number_of(row, "roundNumber"), text_of(row, "displayName")
    if number is None or metric is None:
        return None
    return Score(
        tournament,
        number,
        model_id,
        metric,
        day=whole_number_of(row, "day") or 0,
        value=number_of(row, "value"),
        percentile=number_of(row, "percentile"),
        version=text_of(row, "version") or "",
        scored_at=time_of(row, "date"),
        is_resolved=flag_of(row, "resolved") or False,
        submission_id=text_of(row, "submissionId"),
        resolves_at=time_of(row, "roundResolveTime") or time_of(row, "resolveDate"),
    )


def _payouts(found: object, tournament: int, *, is_settled: bool) -> list[Payout]:
    # Most rounds have no amount yet; that is an answer as well.
    rows = [row for row in rows_of(found) if row.get("payoutNmr") is not None]
    return _read(PAYOUTS, rows, lambda row: _payout(row, tournament, is_settled=is_settled))


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


def _line(row: Mapping[str, Any]) -> LeaderboardRow | None:
    rank, model = whole_number_of(row, "rank"), text_of(row, "username")
    if rank is None or model is None:
        return None
    return LeaderboardRow(
        rank,
        model,
        text_of(row, "id"),
        staked=decimal_of(row, "nmrStaked"),
        figures={name: number_of(row, name) for name in row if name not in _NO_FIGURES},
    )
