"""Leaderboards and public pages: the account's models among the other players."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from world_fakes import Tournament, tournament

from numebot.practice.scores.players import Players
from numebot.practice.world.account import USERNAME

OTHERS = 40


@pytest.fixture
def practice(tmp_path: Path) -> Tournament:
    made = tournament(tmp_path, players=Players(1, count=OTHERS))
    made.upload(made.csv())
    made.after(days=10)
    return made


def rows(practice: Tournament, page: str = "") -> list[dict[str, Any]]:
    call = f"v2Leaderboard({page})" if page else "v2Leaderboard"
    answer = practice.data(f"{{{call} {{username rank corr60Rep nmrStaked}}}}")
    found: list[dict[str, Any]] = answer["v2Leaderboard"]
    return found


def test_the_board_holds_everybody_best_first_and_the_unscored_last(practice: Tournament) -> None:
    board = rows(practice)
    assert len(board) == OTHERS + 2
    assert [row["rank"] for row in board] == list(range(1, OTHERS + 3))
    assert (board[-1]["username"], board[-1]["corr60Rep"]) == ("beta_model", None)
    own = next(row for row in board if row["username"] == "alpha_model")
    assert own["corr60Rep"] == pytest.approx(0.005)


def test_the_board_comes_in_pages_and_in_a_wanted_order(practice: Tournament) -> None:
    whole = rows(practice)
    assert rows(practice, "limit: 3 offset: 5") == whole[5:8]
    by_stake = [float(row["nmrStaked"]) for row in rows(practice, 'orderBy: "nmrStaked" direction: "asc"')]
    assert by_stake == sorted(by_stake)


def test_signals_and_crypto_have_boards_of_their_own(practice: Tournament) -> None:
    for root, model, field in (
        ("signalsLeaderboard", "practice_signals", "alphaRep"),
        ("cryptosignalsLeaderboard", "practice_crypto", "corrRep"),
    ):
        board = practice.data(f"{{{root} {{username {field}}}}}")[root]
        assert len(board) == OTHERS + 1
        assert model in {row["username"] for row in board}
        assert sum(row[field] is not None for row in board) == OTHERS


def test_accounts_are_ranked_by_their_best_model(practice: Tournament) -> None:
    best = practice.data("{v2Leaderboard(limit: 1) {username}}")["v2Leaderboard"][0]["username"]
    query = "query($n: String!) {v3UserProfile(modelName: $n) {accountName latestReps {corr60} latestRanks {corr60}}}"
    profile = practice.data(query, {"n": best})["v3UserProfile"]
    accounts = practice.data("{accountLeaderboard {username rank}}")["accountLeaderboard"]
    assert accounts[0] == {"username": profile["accountName"], "rank": 1}
    assert USERNAME in {row["username"] for row in accounts}
    assert profile["latestRanks"]["corr60"] >= 1


def test_the_pages_of_strangers_are_null_and_those_of_players_are_not(practice: Tournament) -> None:
    assert practice.data('{v3UserProfile(modelName: "nobody") {id} accountProfile(username: "nobody") {id}}') == {
        "v3UserProfile": None,
        "accountProfile": None,
    }
    account = practice.data("{accountLeaderboard(limit: 1) {username}}")["accountLeaderboard"][0]["username"]
    query = "query($n: String!) {accountProfile(username: $n) {username models {displayName stake}}}"
    assert practice.data(query, {"n": account})["accountProfile"]["models"]


def test_the_overview_counts_all_tournaments(practice: Tournament) -> None:
    overview = practice.data("{tournamentOverview {totalStakes totalAccounts}}")["tournamentOverview"]
    assert overview["totalStakes"] > 3 * OTHERS / 2
    assert overview["totalAccounts"] > 1
