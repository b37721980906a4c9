"""Whole rounds, the account, histories and the scoring on the wire, and figures that nobody has heard of."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from numebot.adapters.numerai.client import NumeraiClient
from numebot.adapters.numerai.envelope import SchemaMismatch
from numebot.adapters.numerai.results import NumeraiResults
from numebot.adapters.numerai.standing import NumeraiStanding
from numebot.core.errors import Unavailable
from numebot.core.results import LeaderboardRow, Score
from numebot.core.scoring import ScoringStatus
from numebot.core.standing import AccountFigures, ModelDay, ModelRound, NmrPrice
from numebot.core.types import AccountModel

from .fault_server import FaultServer, data, errors

TEXT = "2026-11-20T14:35:36Z"
AT = datetime(2026, 11, 20, 14, 35, 36, tzinfo=UTC)
ALPHA = AccountModel("m1", "alpha", 8)
SCORE = {"displayName": "corr60", "version": "v1", "day": 3, "date": TEXT, "value": 0.01, "percentile": None}
ROUND = {
    "roundNumber": 1404, "roundResolved": False, "roundResolveTime": TEXT, "atRisk": "1.000000000000000001",
    "submissionId": "s",
}  # fmt: skip


@pytest.fixture
def results(client: NumeraiClient) -> NumeraiResults:
    return NumeraiResults(client.transport)


@pytest.fixture
def standing(client: NumeraiClient) -> NumeraiStanding:
    return NumeraiStanding(client.transport)


def offered(*names: str, kind: str = "Float") -> object:
    fields = [*({"name": name, "type": {"name": kind}} for name in names), {"name": "bio", "type": {"name": "String"}}]
    return data({"__type": {"fields": [*fields, None, {"name": None, "type": None}]}})


def test_rounds_come_with_all_their_scores(server: FaultServer, results: NumeraiResults) -> None:
    rows = [{**ROUND, "submissionScores": [SCORE, None, {"value": 1}]}, {"roundNumber": 1405}, None]
    server.on("v2RoundModelPerformances", data({"v2RoundModelPerformances": rows}))
    score = Score(8, 1404, "m1", "corr60", 3, 0.01, None, "v1", AT, False, "s", AT)
    assert results.model_rounds(8, "m1", last=5, newest_only=True) == [
        ModelRound(8, 1404, "m1", Decimal("1.000000000000000001"), (score,)),
        ModelRound(8, 1405, "m1"),
    ]
    assert server.requests[0].variables == {"modelId": "m1", "tournament": 8, "lastNRounds": 5}
    assert b"intraRound" not in server.requests[0].body


def test_days_are_asked_for_among_rounds(server: FaultServer, results: NumeraiResults) -> None:
    rows = [{**ROUND, "intraRoundSubmissionScores": [SCORE, {**SCORE, "day": 4, "resolved": True}]}]
    server.on("v2RoundModelPerformances", data({"v2RoundModelPerformances": rows}))
    (found,) = results.model_rounds(8, "m1", among=(1400, 1404), newest_only=False)
    assert [(score.day, score.is_resolved) for score in found.scores] == [(3, False), (4, True)]
    assert server.requests[0].variables["roundNumberLte"] == 1404


@pytest.mark.parametrize(
    "words",
    [
        'Cannot query field "submissionScores" on type "V2RoundModelPerformance".',
        'Unknown argument "lastNRounds" on field "v2RoundModelPerformances" of type "RootQueryType".',
        'Cannot query field "v2RoundModelPerformances" on type "RootQueryType".',
    ],
)
def test_a_server_without_whole_rounds_says_so(server: FaultServer, results: NumeraiResults, words: str) -> None:
    server.on("v2RoundModelPerformances", errors(words))
    with pytest.raises(SchemaMismatch):
        results.model_rounds(8, "m1", last=5, newest_only=True)


def test_figures_that_are_new_are_asked_for_as_well(server: FaultServer, results: NumeraiResults) -> None:
    line = {"id": "i", "username": "n", "rank": 1, "nmrStaked": "2", "corr120Rep": 0.5}
    server.on("__type", offered("corr120Rep", "rank"))  # type: ignore[arg-type]
    server.on("v2Leaderboard", data({"v2Leaderboard": [line]}))
    for _ in range(2):
        assert results.leaderboard(8)[0][0].figures == {"corr120Rep": 0.5}
    assert server.count("__type") == 1
    body = server.seen("v2Leaderboard")[0].body
    assert b"corr120Rep" in body
    assert b"bio" not in body


def test_a_new_figure_that_is_refused_takes_the_known_ones_not_with_it(
    server: FaultServer, standing: NumeraiStanding
) -> None:
    server.on("__type", offered("secretNmr", kind="Nmr"))  # type: ignore[arg-type]
    account = data({"account": {"username": "owner", "availableNmr": "1.5", "models": []}})
    server.on("account", errors("your key lacks the scope for secretNmr"), account)
    for _ in range(2):
        assert standing.account() == AccountFigures("owner", {"availableNmr": Decimal("1.5")})
    assert [b"secretNmr" in request.body for request in server.seen("account")] == [True] + [False] * 4


def test_the_stakes_of_the_models_come_with_the_account(server: FaultServer, standing: NumeraiStanding) -> None:
    models = [
        {"id": "m1", "v2Stake": {"latestValue": "64.5"}}, {"id": "m2", "v2Stake": None}, None,
        {"id": "m3", "v2Stake": {"latestValue": None}},
    ]  # fmt: skip
    server.on("account", data({"account": {"username": "owner", "availableNmr": None, "models": models}}))
    assert standing.account() == AccountFigures("owner", {}, {"m1": Decimal("64.5")})


def test_a_history_is_read_day_by_day_and_never_that_of_another_model(
    server: FaultServer, standing: NumeraiStanding
) -> None:
    days = [{"date": TEXT, "corr60Rank": 7, "mmcRank": None}, {"date": None}, None]
    for id, found in (
        ("m1", [ModelDay(8, "m1", date(2026, 11, 20), figures={"corr60Rank": 7.0})]),
        ("other", []),
    ):
        server.on("v3UserProfile", data({"v3UserProfile": {"id": id, "dailyModelPerformances": days}}))
        assert standing.history(8, ALPHA) == found
    for answer in ({"v3UserProfile": None}, {"v3UserProfile": {"id": "m1", "dailyModelPerformances": None}}):
        server.on("v3UserProfile", data(answer))
        assert standing.history(8, ALPHA) == []


def test_a_price_is_a_price_or_none(server: FaultServer, standing: NumeraiStanding) -> None:
    server.on("latestNmrPrice", data({"latestNmrPrice": {"priceUsd": "12.5", "lastUpdated": TEXT}}))
    assert standing.nmr_price() == NmrPrice(Decimal("12.5"), AT)
    for broken in (None, {"priceUsd": None}, {"priceUsd": "much"}, []):
        server.on("latestNmrPrice", data({"latestNmrPrice": broken}))
        with pytest.raises(Unavailable):
            standing.nmr_price()


def test_the_scoring_of_a_day_is_asked_for_by_the_tournaments_name(
    server: FaultServer, standing: NumeraiStanding
) -> None:
    row = {"isScoringDay": True, "scoredAt": TEXT, "resolvedAt": None, "scoreP90Eta": "soon"}
    server.on("pipelineStatus", data({"pipelineStatus": row}, Date="Fri, 20 Nov 2026 14:35:36 GMT"))
    assert standing.scoring(11, AT.date()) == (ScoringStatus(True, AT), AT)
    assert server.requests[0].variables == {"tournament": "signals", "date": "2026-11-20"}


def test_accounts_have_a_board_of_their_own(server: FaultServer, standing: NumeraiStanding) -> None:
    line = {"id": "i", "username": "owner", "rank": 3, "nmrStaked": "2.5", "mmc": 0.1, "return1yNmr": "7"}
    server.on("accountLeaderboard", data({"accountLeaderboard": [line]}))
    ((row,), _) = standing.account_leaderboard(12)
    assert row == LeaderboardRow(3, "owner", "i", Decimal("2.5"), figures={"mmc": 0.1, "return1yNmr": 7.0})
    assert server.seen("accountLeaderboard")[0].variables["tournament"] == 12
