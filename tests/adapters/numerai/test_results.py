"""Scores, payouts, leaderboards on the wire, and what happens when the interface changes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from numebot.adapters.numerai.boards import PAGE_ROWS
from numebot.adapters.numerai.client import NumeraiClient
from numebot.adapters.numerai.envelope import SchemaMismatch
from numebot.adapters.numerai.results import NumeraiResults
from numebot.core.errors import AccessDenied, Unavailable
from numebot.core.results import LeaderboardRow, Payout, PayoutSetting, RoundFacts, Score
from numebot.core.types import Round

from .conftest import HurriedClock
from .fault_server import FaultServer, data, errors, hang, http

AT = datetime(2026, 11, 20, 14, 35, 36, tzinfo=UTC)
TEXT = "2026-11-20T14:35:36Z"
SCORE_ROW = {
    "roundNumber": 1404, "displayName": "corr60", "version": "v1", "day": 3, "date": TEXT, "value": 0.01,
    "percentile": 0.5, "resolved": False, "resolveDate": None, "roundResolveTime": TEXT, "submissionId": "s",
}  # fmt: skip


@pytest.fixture
def results(client: NumeraiClient) -> NumeraiResults:
    return NumeraiResults(client.transport)


def scores(results: NumeraiResults) -> list[Score]:
    return list(results.scores(8, "m1", metric="corr60", last=5, newest_only=True))


def test_scores_are_read_and_the_question_says_what_is_wanted(server: FaultServer, results: NumeraiResults) -> None:
    bare = {"roundNumber": 1404, "displayName": "brand_new", "value": None}
    server.on("submissionScores", data({"submissionScores": [SCORE_ROW, bare, None, {"value": 1}]}))
    assert scores(results) == [
        Score(8, 1404, "m1", "corr60", 3, 0.01, 0.5, "v1", AT, False, "s", AT),
        Score(8, 1404, "m1", "brand_new", 0, None),
    ]
    assert server.requests[0].variables == {
        "modelId": "m1",
        "tournament": 8,
        "displayName": "corr60",
        "lastNRounds": 5,
        "distinctOnRound": True,
    }
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("value", ["NaN", float("inf"), "1e999", True, {}, [], "text"])
def test_a_value_that_is_no_number_is_unknown(value: object, server: FaultServer, results: NumeraiResults) -> None:
    server.on("submissionScores", data({"submissionScores": [{**SCORE_ROW, "value": value}]}))
    assert scores(results)[0].value is None


def test_no_scores_are_an_answer_and_no_list_is_none(server: FaultServer, results: NumeraiResults) -> None:
    server.on("submissionScores", data({"submissionScores": []}))
    assert scores(results) == []
    for broken in (None, {}, "text", [{"value": 1}, None]):
        server.on("submissionScores", data({"submissionScores": broken}))
        with pytest.raises(Unavailable, match="submissionScores"):
            scores(results)


def test_names_that_are_gone_are_left_out_from_then_on(server: FaultServer, results: NumeraiResults) -> None:
    server.on(
        "submissionScores",
        errors('Cannot query field "percentile" on type "SubmissionScore".'),
        errors('Unknown argument "distinctOnRound" on field "submissionScores" of type "RootQueryType".'),
        data({"submissionScores": [SCORE_ROW]}),
    )
    for _ in range(2):
        assert scores(results)[0].value == 0.01
    assert len(server.requests) == 4
    last = server.requests[-1]
    assert b"percentile" not in last.body
    assert "distinctOnRound" not in last.variables


def test_without_a_needed_field_it_is_a_refusal(server: FaultServer, results: NumeraiResults) -> None:
    server.on("submissionScores", errors('Cannot query field "roundNumber" on type "SubmissionScore".'))
    with pytest.raises(SchemaMismatch, match="interface has changed"):
        scores(results)
    assert len(server.requests) == 1


def test_a_changed_schema_never_ends_in_endless_questions(server: FaultServer, results: NumeraiResults) -> None:
    server.on("submissionScores", errors('Cannot query field "elsewhere" on type "SubmissionScore".'))
    with pytest.raises(SchemaMismatch):
        scores(results)
    assert len(server.requests) == 1


@pytest.mark.parametrize("reply", [http("", 500), http("", 429, Retry_After="1"), hang, errors("timeout")])
def test_a_server_that_is_not_usable_is_asked_three_times(
    reply: object, server: FaultServer, results: NumeraiResults
) -> None:
    server.on("submissionScores", reply)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        scores(results)
    assert len(server.requests) == 3


def test_questions_keep_below_the_limit_of_a_minute(
    server: FaultServer, results: NumeraiResults, clock: HurriedClock
) -> None:
    server.on("pendingModelPayouts", data({"pendingModelPayouts": {"actual": [], "pending": []}}))
    for _ in range(80):
        results.payouts(8)
    assert clock.waits == []
    results.payouts(8)
    assert len(clock.waits) == 1
    assert 30 < clock.waits[0] <= 60


def test_rounds_without_a_deadline_are_left_out(server: FaultServer, results: NumeraiResults) -> None:
    row = {"number": 1404, "openTime": TEXT, "closeStakingTime": TEXT, "payoutFactor": "1.0", "resolvedStaking": True}
    coming = {"number": 1405, "openTime": TEXT, "closeStakingTime": None}
    server.on("rounds", data({"rounds": [coming, row]}))
    assert results.past_rounds(8, last=2) == [
        RoundFacts(Round(8, 1404, AT, AT), is_resolved=True, payout_factor="1.0"),
    ]
    assert server.requests[0].variables == {"tournament": 8, "limit": 2}


def test_payout_settings_of_rounds_without_any_are_none(server: FaultServer, results: NumeraiResults) -> None:
    config = {"displayName": "mmc60", "version": "v1", "isPayout": True, "defaultMultiplier": "15"}
    rows = [{"number": 1404, "roundScoreConfigs": [config, None, {}]}, {"number": 1300, "roundScoreConfigs": None}]
    server.on("rounds", data({"rounds": rows}))
    assert results.payout_settings(8, last=None) == [
        PayoutSetting(8, 1404, "mmc60", "v1", is_payout=True, multiplier=15.0)
    ]


def test_payouts_are_exact_and_those_without_an_amount_are_left_out(
    server: FaultServer, results: NumeraiResults
) -> None:
    row = {"roundNumber": 1342, "modelId": "m1", "modelName": "alpha", "payoutNmr": "-0.123456789012345678"}
    settled = {**row, "payoutValue": "1.5", "currencySymbol": "USD", "roundResolveTime": "2026-11-25"}
    waiting = {**row, "roundNumber": 1343, "payoutNmr": None}
    server.on("pendingModelPayouts", data({"pendingModelPayouts": {"actual": [settled], "pending": [waiting]}}))
    amount = Decimal("-0.123456789012345678")
    assert results.payouts(8) == [
        Payout(8, 1342, "m1", "alpha", amount, True, Decimal("1.5"), "USD", date(2026, 11, 25))
    ]
    assert "authorization" in server.requests[0].headers
    server.on("pendingModelPayouts", data({"pendingModelPayouts": {"actual": None}}))
    assert results.payouts(8) == []
    server.on("pendingModelPayouts", data({"pendingModelPayouts": []}))
    with pytest.raises(Unavailable, match="without lists"):
        results.payouts(8)


def test_a_key_that_may_not_see_payouts_is_told(server: FaultServer, results: NumeraiResults) -> None:
    server.on("pendingModelPayouts", errors("missing scope read_user_info"))
    with pytest.raises(AccessDenied, match="read_user_info"):
        results.payouts(8)


def line(rank: int, **more: object) -> dict[str, object]:
    return {"id": f"i{rank}", "username": f"n{rank}", "rank": rank, "nmrStaked": "1.50", **more}


def test_the_leaderboard_is_read_to_its_end(server: FaultServer, results: NumeraiResults) -> None:
    first = [line(rank) for rank in range(1, PAGE_ROWS + 1)]
    # The board moved between the pages: the last of the first page comes again.
    second = [line(PAGE_ROWS), line(PAGE_ROWS + 1, corr60Rep=0.01, bmcRep=None), {**line(0), "rank": None}]
    server.on("v2Leaderboard", data({"v2Leaderboard": first}, Date="Fri, 20 Nov 2026 14:35:36 GMT"),
              data({"v2Leaderboard": second}))  # fmt: skip
    board, server_time = results.leaderboard(8)
    assert [row.rank for row in board] == list(range(1, PAGE_ROWS + 2))
    assert board[-1] == LeaderboardRow(
        1001, "n1001", "i1001", Decimal("1.50"), figures={"corr60Rep": 0.01, "bmcRep": None}
    )
    assert server_time == AT
    assert [request.variables["offset"] for request in server.seen("v2Leaderboard")] == [0, PAGE_ROWS]


def test_a_board_that_knows_no_pages_is_read_once_more_at_most(server: FaultServer, results: NumeraiResults) -> None:
    server.on("signalsLeaderboard", data({"signalsLeaderboard": [line(rank) for rank in range(1, PAGE_ROWS + 1)]}))
    board, _ = results.leaderboard(11)
    assert len(board) == PAGE_ROWS
    assert server.count("signalsLeaderboard") == 2


def test_crypto_has_a_board_of_its_own(server: FaultServer, results: NumeraiResults) -> None:
    server.on("cryptosignalsLeaderboard", data({"cryptosignalsLeaderboard": [line(1)]}))
    assert [row.model for row in results.leaderboard(12)[0]] == ["n1"]
