from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from numebot.adapters.store import Store
from numebot.core.errors import AccessDenied, NumebotError, Rejected, Unavailable
from numebot.core.results import (
    Leaderboard,
    LeaderboardRow,
    Part,
    Payout,
    PayoutSetting,
    RoundFacts,
    Score,
    SyncReport,
)
from numebot.core.standing import ModelDay, ModelRound
from numebot.core.types import AccountModel, Event, ListedSubmission, Round, RoundAnswer, RoundState
from numebot.practice.faults import Fault, Kind
from numebot.results import ResultsTools, sync_results
from tests.fakes import FakeClock, FakeResults, ScriptedServer

NOW = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
NEWEST = 1405
Make = Callable[..., Any]


class AccountByHeart(ScriptedServer):
    """The account's part of a server: a current round and slots, set by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = RoundAnswer(RoundState.CLOSED, facts(NEWEST).round, NOW)

    def current_round(self, tournament: int) -> RoundAnswer:
        return self.answer


@dataclass
class Home:
    """A store, a Numerai that answers by heart, and a clock."""

    store: Store
    server: AccountByHeart
    results: FakeResults
    clock: FakeClock

    def sync(self, *, full: bool = False) -> SyncReport:
        return sync_results(self.tools, 8, full=full)

    @property
    def tools(self) -> ResultsTools:
        store = self.store
        results = self.results
        return ResultsTools(
            self.server, results, results, store.results, store.standing, store.record, self.clock
        )

    def kept(self) -> list[tuple[str, int, str, int, float | None]]:
        scores = self.store.answers.scores(8)
        return sorted((one.model_id, one.round_number, one.metric, one.day, one.value) for one in scores)

    def wait(self, by: timedelta) -> None:
        """Let time pass here and at Numerai."""
        self.clock.wait(by.total_seconds())
        self.server.answer = replace(self.server.answer, server_time=self.clock.now())

    def asked(self, what: str = "model_rounds") -> list[tuple[object, ...]]:
        return [ask for ask in self.results.asked if ask[0] == what]

    def told(self) -> list[str]:
        return [event.message for event in self.store.events() if event.kind == "sync-failed"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    store = Store(f"sqlite:///{tmp_path}/numebot.db")
    made = Home(store, AccountByHeart(), FakeResults(), FakeClock(NOW))
    made.server.slots = [slot("alpha"), slot("beta")]
    made.results.rounds = [facts(number) for number in range(1400, NEWEST + 1)]
    made.results.settings = [PayoutSetting(8, 1405, "corr60", "v1", multiplier=3.0)]
    made.results.all_scores = scores_of("alpha") + scores_of("beta")
    made.results.all_payouts = [Payout(8, 1403, "alpha-id", "alpha", Decimal("0.123456789012345678"), False)]
    made.results.board = [LeaderboardRow(rank, f"player{rank}", f"player{rank}-id") for rank in range(1, 60)]
    made.results.board[40] = LeaderboardRow(41, "alpha", "alpha-id", figures={"corr60Rep": 0.0123456789, "new": None})
    yield made
    store.close()


def slot(name: str) -> AccountModel:
    listed = (ListedSubmission(1405, "on-time", f"{name}-sub", f"{name}.csv", NOW), ListedSubmission(1404, "none"))
    return AccountModel(f"{name}-id", name, 8, submissions=listed)


def facts(number: int, *, is_resolved: bool = False) -> RoundFacts:
    opens_at = NOW + timedelta(days=number - NEWEST)
    round_ = Round(8, number, opens_at, opens_at + timedelta(hours=1))
    return RoundFacts(round_, resolves_at=opens_at + timedelta(days=88), is_resolved=is_resolved, payout_factor="1.0")


def scores_of(name: str, *, rounds: range = range(1400, 1405), until: int = 1406) -> list[Score]:
    """Return the scores until the day of round `until`: a round gets its first one on the day after it."""
    return [
        Score(8, number, f"{name}-id", metric, day, number / 1e6 + day, version="v1", submission_id="s")
        for number in rounds
        for day in range(1, until - number)
        for metric in ("corr60", "mmc60")
    ]


def part(report: SyncReport, name: Part) -> Any:
    return next(one for one in report.parts if one.part is name)


def test_a_sync_brings_everything_home(home: Home) -> None:
    report = home.sync()
    assert report.is_done
    assert [one.part for one in report.parts] == list(Part)
    answers = home.store.answers
    assert len(home.kept()) == len(home.results.all_scores)
    assert [one.round.number for one in answers.round_facts(8)] == list(range(1400, 1406))
    assert answers.listed_submissions(8, "alpha") == list(slot("alpha").submissions)
    assert answers.payouts(8) == home.results.all_payouts
    assert answers.payout_settings(8, 1405) == home.results.settings
    assert home.told() == []


def test_a_second_sync_changes_nothing(home: Home) -> None:
    home.sync()
    before = home.kept()
    again = home.sync()
    whole = {Part.LEADERBOARD, Part.ACCOUNTS}
    assert [one.part for one in again.parts if one.changed and one.part not in whole] == []
    assert home.kept() == before


def test_the_snapshot_holds_the_top_ours_and_its_neighbours(home: Home) -> None:
    home.sync()
    board = home.store.answers.leaderboard(8)
    assert isinstance(board, Leaderboard)
    assert board.size == 59
    assert [row.rank for row in board.rows] == [*range(1, 21), 39, 40, 41, 42, 43]
    (own,) = [row for row in board.rows if row.is_own]
    assert (own.model, own.model_id, own.figures) == ("alpha", "alpha-id", {"corr60Rep": 0.0123457, "new": None})


def test_a_later_snapshot_of_the_day_takes_the_place_of_the_first(home: Home) -> None:
    home.sync()
    home.results.board = home.results.board[:10]
    home.wait(timedelta(hours=1))
    home.sync()
    board = home.store.answers.leaderboard(8)
    assert board is not None
    assert (board.size, len(board.rows), board.taken_at) == (10, 10, NOW + timedelta(hours=1))
    home.wait(timedelta(days=1))
    home.sync()
    assert home.store.answers.leaderboard(8, NOW.date()) == board


def test_a_clock_before_the_newest_snapshot_spoils_none(home: Home) -> None:
    home.sync()
    before = home.store.answers.leaderboard(8)
    home.results.server_time = NOW - timedelta(days=2)
    report = home.sync()
    assert "check the clock" in part(report, Part.LEADERBOARD).error
    assert home.store.answers.leaderboard(8) == before
    assert home.store.answers.leaderboard(8, (NOW - timedelta(days=2)).date()) is None


def test_our_own_clock_that_went_back_reads_all_days_again(home: Home) -> None:
    home.sync()
    home.clock = FakeClock(NOW - timedelta(days=400))
    home.results.asked.clear()
    home.results.server_time = NOW
    assert home.sync().is_done
    assert {ask[4] for ask in home.asked() if ask[3]} == {False}
    assert {ask[1] for ask in home.asked() if ask[3]} == {"alpha-id", "beta-id"}


@pytest.mark.parametrize(
    ("method", "name", "error"),
    [
        ("rounds", Part.ROUNDS, Unavailable("no answer")),
        ("settings", Part.SETTINGS, Rejected("the interface has changed")),
        ("payouts", Part.PAYOUTS, AccessDenied("the key lacks read_user_info")),
        ("history", Part.HISTORY, Rejected("model not found")),
        ("price", Part.PRICE, Unavailable("no answer")),
        ("leaderboard", Part.LEADERBOARD, Unavailable("too many requests")),
    ],
)
def test_a_part_that_fails_is_told_and_the_others_land(
    home: Home, method: str, name: Part, error: NumebotError
) -> None:
    home.results.failures[method] = [error]
    report = home.sync()
    assert [one.part for one in report.parts if not one.is_done] == [name]
    assert str(error) in part(report, name).error
    (words,) = home.told()
    assert words.startswith(f"{name.value}: ")
    assert str(error) in words
    assert len(home.kept()) == len(home.results.all_scores)
    assert home.sync().is_done


def test_an_unknown_round_and_an_account_that_is_not_read_stop_no_scores(home: Home) -> None:
    home.sync()
    home.results.all_scores += scores_of("alpha", until=1407)
    home.server.answer = RoundAnswer(RoundState.UNKNOWN, None, reason="no answer")
    home.server.account_failures = [Unavailable("HTTP 502")]
    report = home.sync()
    assert [one.part for one in report.parts if not one.is_done] == [Part.ROUNDS, Part.SUBMISSIONS]
    assert max(day for _, _, _, day, _ in home.kept()) == 6


def test_without_a_current_round_the_opened_ones_are_kept(home: Home) -> None:
    home.server.answer = RoundAnswer(RoundState.CLOSED, None, NOW)
    home.results.rounds.append(facts(NEWEST + 1))
    assert home.sync().is_done
    assert home.store.newest_round(8) == facts(NEWEST).round


def test_an_announced_round_is_not_taken_for_the_newest(home: Home) -> None:
    late = facts(NEWEST + 1)
    home.results.rounds.append(replace(late, round=replace(late.round, opens_at=NOW - timedelta(minutes=5))))
    home.sync()
    assert home.store.newest_round(8) == facts(NEWEST).round


def test_one_model_that_fails_stops_no_other(home: Home) -> None:
    home.results.failures["model_rounds"] = [Unavailable("HTTP 500")]
    report = home.sync()
    assert part(report, Part.SCORES).error.startswith("alpha: HTTP 500")
    assert {model for model, *_ in home.kept()} == {"beta-id"}
    assert home.sync().is_done
    assert len(home.kept()) == len(home.results.all_scores)


def test_a_server_that_is_gone_is_not_asked_for_every_model(home: Home) -> None:
    home.server.slots = [slot(f"model{number}") for number in range(20)]
    home.results.failures["model_rounds"] = [Unavailable("no answer") for _ in range(20)]
    report = home.sync()
    assert "were not asked" in part(report, Part.SCORES).error
    assert len(home.asked()) == 3


def test_every_day_only_the_newest_is_asked_for_and_missed_days_are_filled(home: Home) -> None:
    home.sync()
    for until, pages in ((1407, []), (1411, [(1400, 1404)])):
        home.results.all_scores = scores_of("alpha", until=until) + scores_of("beta", until=until)
        home.results.asked.clear()
        home.clock.wait(3600)
        home.sync()
        assert len(home.kept()) == len(home.results.all_scores)
        assert [ask[3] for ask in home.asked() if ask[1] == "alpha-id" and ask[3]] == pages


def test_a_day_that_was_scored_anew_gets_its_new_value(home: Home) -> None:
    home.sync()
    old = home.results.all_scores[0]
    assert (old.round_number, old.day) == (1400, 1)
    home.results.all_scores[0] = replace(old, value=-0.5)
    home.clock.wait(8 * 86400)
    report = home.sync()
    assert part(report, Part.SCORES).changed == 1
    assert ("alpha-id", 1400, old.metric, 1, -0.5) in home.kept()


def test_full_asks_for_all_there_is(home: Home) -> None:
    home.sync()
    home.results.asked.clear()
    home.sync(full=True)
    assert ("rounds", None) in home.results.asked
    assert ("model_rounds", "alpha-id", None, None, True) in home.results.asked
    assert ("model_rounds", "alpha-id", None, (1400, 1404), False) in home.results.asked


def test_only_rounds_that_can_still_change_are_asked_for(home: Home) -> None:
    home.sync()
    home.results.rounds = [facts(number, is_resolved=number < 1404) for number in range(1400, NEWEST + 1)]
    home.sync()
    home.results.asked.clear()
    home.sync()
    # Rounds 1404 and 1405 are open, and a few are read for safety.
    assert ("rounds", 4) in home.results.asked
    assert [ask[2:] for ask in home.asked()] == [(4, None, True)] * 2


def test_the_last_scores_of_a_round_that_became_final_are_read(home: Home) -> None:
    home.sync()
    final = [replace(score, is_resolved=True) for score in scores_of("alpha", until=1407) if score.round_number == 1400]
    home.results.all_scores = [*final, *scores_of("alpha", rounds=range(1401, 1405), until=1407)]
    home.results.rounds = [facts(number, is_resolved=number == 1400) for number in range(1400, NEWEST + 1)]
    home.sync()
    kept = home.store.answers.scores(8, model="alpha", round_number=1400)
    assert {score.day for score in kept} == set(range(1, 7))
    assert all(score.is_resolved for score in kept)


def test_a_metric_without_rows_and_one_that_nobody_knows_are_no_trouble(home: Home) -> None:
    home.results.settings.append(PayoutSetting(8, 1405, "not_scored_yet", "v1"))
    home.results.all_scores.append(Score(8, 1404, "alpha-id", "brand_new_2027", 1, None))
    assert home.sync().is_done
    assert ("alpha-id", 1404, "brand_new_2027", 1, None) in home.kept()


class Interrupting(FakeResults):
    """Is interrupted by its owner at the question for scores of a number."""

    def __init__(self, whole: FakeResults, at: int) -> None:
        vars(self).update(vars(whole))
        self.at = at

    def _heard(self, *what: object) -> None:
        super()._heard(*what)
        if sum(ask[0] == "model_rounds" for ask in self.asked) == self.at and what[0] == "model_rounds":
            raise KeyboardInterrupt


@pytest.mark.parametrize("at", range(1, 5))
def test_an_interrupted_sync_ends_in_the_same_rows(home: Home, at: int) -> None:
    whole = home.results
    home.results = Interrupting(whole, at)
    with pytest.raises(KeyboardInterrupt):
        home.sync()
    home.results = whole
    assert home.sync().is_done
    assert len(home.kept()) == len(whole.all_scores)


def test_a_renamed_model_keeps_its_history_and_a_deleted_one_too(home: Home) -> None:
    home.sync()
    before = home.kept()
    home.server.slots = [replace(slot("alpha"), name="omega")]
    home.results.asked.clear()
    assert home.sync().is_done
    assert home.kept() == before
    assert {score.model_id for score in home.store.answers.scores(8, model="omega")} == {"alpha-id"}
    assert home.store.answers.scores(8, model="beta") != []
    assert {ask[1] for ask in home.asked()} == {"alpha-id"}


def test_a_settled_payout_stays_settled(home: Home) -> None:
    home.sync()
    pending = home.results.all_payouts[0]
    settled = replace(pending, amount=Decimal("-0.5"), is_settled=True)
    home.results.all_payouts = [settled, pending]
    home.sync()
    home.results.all_payouts = [pending]
    home.sync()
    assert home.store.answers.payouts(8, model="alpha") == [settled]


def test_secrets_in_a_servers_words_are_not_told(home: Home) -> None:
    home.results.failures["payouts"] = [Unavailable("the key CANARY is tired")]
    tools = replace(home.tools, clean=lambda text: text.replace("CANARY", "********"))
    report = sync_results(tools, 8)
    assert "CANARY" not in str(report) + str(home.told())


class ManyModels(FakeResults):
    """Models with 64 rounds in flight each, whose rounds have one score more every day; the newest three are shown."""

    def __init__(self) -> None:
        super().__init__()
        self.today = NEWEST
        self.board = [LeaderboardRow(1, "m0", "m0-id")]

    def past_rounds(self, tournament: int, *, last: int | None) -> list[RoundFacts]:
        self._heard("rounds", last)
        return [facts(number, is_resolved=number <= self.today - 64) for number in range(self.today - 100, NEWEST + 1)]

    def model_rounds(
        self,
        tournament: int,
        model_id: str,
        *,
        last: int | None = None,
        among: tuple[int, int] | None = None,
        newest_only: bool,
    ) -> list[ModelRound]:
        self._heard("model_rounds", model_id, last, among, newest_only)
        first, until = among or (self.today - (last or 500) + 1, self.today)
        found = []
        for number in range(max(first, self.today - 64), until + 1):
            age = self.today - number
            days = range(max(1, age if newest_only else age - 2), age + 1)
            scores = (Score(tournament, number, model_id, "corr60", day, day / 64, version="v1") for day in days)
            found.append(ModelRound(tournament, number, model_id, Decimal(1), tuple(scores)))
        return found


def test_fifty_models_cost_a_question_each_on_a_day_and_some_hundred_after_missed_ones(home: Home) -> None:
    home.results = ManyModels()
    home.server.slots = [slot(f"m{number}") for number in range(50)]
    counts = []
    for days in (0, 1, 3):
        home.wait(timedelta(days=days))
        home.results.today += days
        home.results.asked.clear()
        report = home.sync()
        assert report.is_done
        counts.append(len(home.results.asked))
    others = len(Part) + 50  # the history of each model is read where a day has no snapshot
    limits = (50 * 10, 50, 50 * 10)
    assert all(count <= limit + others for count, limit in zip(counts, limits, strict=True)), counts


def test_models_take_turns_in_being_read_whole(home: Home) -> None:
    home.results = ManyModels()
    home.server.slots = [slot(f"m{number}") for number in range(10)]
    home.sync()
    pages = []
    for _ in range(12):
        home.wait(timedelta(days=1))
        home.results.today += 1
        home.results.asked.clear()
        assert home.sync().is_done
        pages.append(len({ask[1] for ask in home.asked() if ask[3]}))
    assert pages == [0] * 6 + [2] * 5 + [0]


def test_a_server_that_does_not_know_whole_rounds_is_asked_metric_by_metric(home: Home) -> None:
    home.results.failures["model_rounds"] = [Rejected("the interface has changed")]
    assert home.sync().is_done
    assert len(home.kept()) == len(home.results.all_scores)
    assert len(home.asked()) == 1  # the second model is not even tried
    assert {ask[2] for ask in home.asked("scores")} == {None, "corr60", "mmc60"}


def test_a_page_that_takes_the_server_too_long_is_asked_for_in_smaller_ones(home: Home) -> None:
    class Slow(FakeResults):
        def model_rounds(self, *what: Any, among: tuple[int, int] | None = None, **how: Any) -> Any:
            if among is not None and among[1] - among[0] >= 4:
                self._heard("too long", among)
                raise Unavailable("no answer within 20 s")
            return super().model_rounds(*what, among=among, **how)

    slow = Slow()
    vars(slow).update(vars(home.results))
    home.results = slow
    assert home.sync().is_done
    assert len(home.kept()) == len(slow.all_scores)
    assert len(home.asked("too long")) == 1


def test_too_many_requests_are_no_reason_for_more_of_them(home: Home) -> None:
    home.results.failures["model_rounds"] = [Unavailable("too many requests", retry_after_s=60.0)]
    assert not home.sync().is_done
    assert len([ask for ask in home.asked() if ask[1] == "alpha-id"]) == 1


def test_how_we_stand_comes_home(home: Home) -> None:
    home.results.at_risk = {("alpha-id", 1404): Decimal("1.25")}
    home.results.account_board = [LeaderboardRow(rank, f"a{rank}", f"a{rank}-id") for rank in range(1, 60)]
    home.results.account_board[50] = LeaderboardRow(51, "owner", "owner-id", Decimal(9))
    home.results.days = [ModelDay(8, "alpha-id", NOW.date() - timedelta(days=3), figures={"corr60Rank": 41.0})]
    assert home.sync().is_done
    standing = home.store.standing
    assert standing.at_risk(8, "alpha-id") == {1404: Decimal("1.25")}
    board = standing.account_board(8)
    assert board is not None
    assert [row.rank for row in board.rows] == [*range(1, 21), 49, 50, 51, 52, 53]
    assert [row.model for row in board.rows if row.is_own] == ["owner"]
    assert standing.model_days(8, "alpha-id") == home.results.days
    assert standing.prices() == {NOW.date(): home.results.price}
    assert standing.account_figures() == home.results.figures


def test_days_without_a_snapshot_are_filled_from_the_history_and_others_are_not_asked_for(home: Home) -> None:
    for days, asks in ((0, 2), (1, 0), (1, 0), (3, 2), (1, 0)):
        home.wait(timedelta(days=days))
        home.results.asked.clear()
        home.sync()
        assert len(home.asked("history")) == asks
    home.wait(timedelta(days=2))
    home.results.failures["history"] = [Unavailable("HTTP 500")]
    assert not home.sync().is_done
    home.results.asked.clear()
    assert home.sync().is_done
    assert len(home.asked("history")) == 2  # what failed is repeated although today has its snapshot


def test_how_each_part_ended_is_remembered(home: Home) -> None:
    home.results.failures["price"] = [Unavailable("HTTP 429")]
    home.sync()
    marks = home.store.standing.part_marks(8)
    assert {part for part, mark in marks.items() if mark.landed_at == NOW} == set(Part) - {Part.PRICE}
    assert marks[Part.PRICE].error == "HTTP 429"
    home.sync()
    assert home.store.standing.part_marks(8)[Part.PRICE].error is None


def test_an_account_without_models_is_no_trouble(home: Home) -> None:
    home.server.slots = []
    home.results.all_payouts = []
    assert home.sync().is_done
    assert home.kept() == []


def test_the_same_name_in_two_tournaments_is_two_models(home: Home) -> None:
    other = AccountModel("crypto-id", "alpha", 12)
    home.server.slots.append(other)
    home.results.all_scores.append(Score(12, 1404, "crypto-id", "corr", 1, 0.5, version="v1"))
    assert home.sync().is_done
    assert sync_results(home.tools, 12).is_done
    assert [score.metric for score in home.store.answers.scores(12, model="alpha")] == ["corr"]
    assert "corr" not in {metric for _, _, metric, _, _ in home.kept()}


# Against the practice tournament


def played(numebot: Make) -> Any:
    """Return a numebot that played one round, five scoring days ago, with one of its account's two models."""
    bot = numebot(models=("alpha", "gamma"))
    bot.configs("alpha")
    bot.run()
    bot.server.world.advance(timedelta(days=5))
    return bot


def synced(bot: Any) -> SyncReport:
    with bot.app() as app:
        return sync_results(app.results_tools(), 8)


@pytest.mark.slow
def test_the_practice_tournament_is_read_as_it_is(numebot: Make) -> None:
    bot = played(numebot)
    report = synced(bot)
    assert report.is_done
    with bot.app() as app:
        answers = app.store.answers
        scores = answers.scores(8, model="alpha")
        assert {score.day for score in scores} == {1, 2, 3, 4, 5}
        assert {"corr60", "mmc60", "apcwnm", "season_score"} <= {score.metric for score in scores}
        assert all(score.submission_id for score in scores)
        assert len(answers.listed_submissions(8, "gamma")) > 60
        settings = answers.payout_settings(8, scores[0].round_number)
        assert {setting.multiplier for setting in settings} == {0.0, 3.0, 15.0}
        assert {payout.model for payout in answers.payouts(8)} == {"alpha"}
        board = answers.leaderboard(8)
        assert board is not None
        assert {row.model for row in board.rows if row.is_own} == {"alpha", "gamma"}
    assert part(synced(bot), Part.SCORES).changed == 0
    bot.server.world.advance(timedelta(days=3))
    assert part(synced(bot), Part.SCORES).changed == 10 * 3
    bot.server.world.advance(timedelta(days=70))
    synced(bot)
    with bot.app() as app:
        final = app.store.answers.scores(8, model="alpha", metric="corr60")
        assert [score.day for score in final] == [*range(1, 64)]
        assert all(score.is_resolved for score in final)
        assert all(payout.is_settled for payout in app.store.answers.payouts(8))


ROOTS = ("pendingModelPayouts", "v2RoundModelPerformances", "v2Leaderboard", "account")


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Kind.RETRY_AFTER, Kind.LIST_EMPTY])
def test_faults_cost_their_parts_and_the_next_sync_repeats_them(numebot: Make, kind: Kind) -> None:
    bot = played(numebot)
    synced(bot)
    bot.server.world.advance(timedelta(days=1))
    bot.server.faults.switch_on(*(Fault(kind, operation=root, seconds=60) for root in ROOTS))
    report = synced(bot)
    assert {Part.ROUNDS, Part.SETTINGS} <= {one.part for one in report.parts if one.is_done}
    assert {Part.SUBMISSIONS, Part.PAYOUTS} <= {one.part for one in report.parts if not one.is_done}
    bot.server.faults.clear()
    assert synced(bot).is_done
    with bot.app() as app:
        assert len(app.store.answers.scores(8)) == 10 * 6


@pytest.mark.slow
def test_a_silent_server_is_given_up_in_time(numebot: Make) -> None:
    bot = played(numebot)
    bot.server.faults.switch_on(Fault(Kind.HANG, operation="v2RoundModelPerformances"))
    report = synced(bot)
    assert [one.part for one in report.parts if not one.is_done] == [Part.SCORES]


OPTIONAL = (
    ("v2RoundModelPerformances", "percentile"),
    ("v2RoundModelPerformances", "atRisk"),
    ("v2Leaderboard", "bmcRep"),
    ("rounds", "payoutFactor"),
    ("rounds", "clipThreshold"),
    ("pendingModelPayouts", "payoutValue"),
)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Kind.UNKNOWN_FIELD, Kind.NULL_FIELD])
def test_fields_that_are_gone_or_null_take_nothing_else_with_them(numebot: Make, kind: Kind) -> None:
    bot = played(numebot)
    bot.server.faults.switch_on(*(Fault(kind, operation=root, field=field) for root, field in OPTIONAL))
    assert synced(bot).is_done
    with bot.app() as app:
        answers = app.store.answers
        scores = answers.scores(8)
        assert {"corr60", "apcwnm"} <= {score.metric for score in scores}
        assert all(score.submission_id for score in scores)
        assert answers.payouts(8)[0].resolves_on is not None
        assert all(setting.score_days for setting in answers.payout_settings(8, scores[0].round_number))


def test_an_empty_list_of_errors_is_no_error(numebot: Make) -> None:
    bot = played(numebot)
    bot.server.faults.switch_on(Fault(Kind.ERRORS_EMPTY))
    assert synced(bot).is_done


def test_events_of_failures_name_the_tournament(home: Home) -> None:
    home.results.failures["payouts"] = [Unavailable("no answer")]
    home.sync()
    (event,) = [event for event in home.store.events() if event.kind == "sync-failed"]
    assert isinstance(event, Event)
    assert event.tournament == 8
