"""Which round is on: three values, and closed only when that is certain, also when a clock is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numebot.adapters.clock import SystemClock
from numebot.adapters.numerai.api_settings import ApiSettings
from numebot.adapters.numerai.client import NumeraiClient
from numebot.adapters.numerai.rounds import NOT_OPEN, judge
from numebot.core.types import Round, RoundState
from numebot.practice.faults import Fault, Kind

from .conftest import HurriedClock
from .fault_server import FaultServer, close, data, errors, hang, http

NOON = "Sat, 21 Nov 2026 12:30:00 GMT"
ROUND = {
    "number": 1404,
    "openTime": "2026-11-21T12:00:07Z",
    "closeStakingTime": "2026-11-21T14:00:07Z",
    "closeTime": "2026-11-24T12:00:00Z",
    "dataDatestamp": 20261120,
}


OPENS, DEADLINE = datetime(2026, 11, 21, 12, 0, 7, tzinfo=UTC), datetime(2026, 11, 21, 14, 0, 7, tzinfo=UTC)
LONG_AGO = datetime(2015, 1, 1, tzinfo=UTC)
"""What a machine without a battery for its clock may take for today."""


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 21, hour, minute, tzinfo=UTC)


@pytest.fixture(autouse=True)
def it_is_half_past_noon(clock: HurriedClock) -> None:
    clock.today = at(12, 30)


def test_between_opening_and_deadline_the_round_is_open(server: FaultServer, client: NumeraiClient) -> None:
    server.on("rounds", data({"rounds": [ROUND]}, Date=NOON))

    answer = client.current_round(8)

    assert answer.state is RoundState.OPEN
    assert answer.server_time == at(12, 30)
    assert answer.round == Round(
        8,
        1404,
        datetime(2026, 11, 21, 12, 0, 7, tzinfo=UTC),
        datetime(2026, 11, 21, 14, 0, 7, tzinfo=UTC),
        datetime(2026, 11, 24, 12, tzinfo=UTC),
        20261120,
    )


@pytest.mark.parametrize(
    ("date", "state"),
    [
        ("Sat, 21 Nov 2026 12:00:07 GMT", RoundState.OPEN),
        ("Sat, 21 Nov 2026 14:00:06 GMT", RoundState.OPEN),
        ("Sat, 21 Nov 2026 14:00:07 GMT", RoundState.CLOSED),
        ("Sun, 22 Nov 2026 09:00:00 GMT", RoundState.CLOSED),
    ],
)
def test_the_servers_clock_decides_and_the_deadline_is_close_staking_time(
    date: str, state: RoundState, server: FaultServer, client: NumeraiClient, clock: HurriedClock
) -> None:
    clock.today = LONG_AGO
    server.on("rounds", data({"rounds": [ROUND]}, Date=date))

    answer = client.current_round(8)

    assert answer.state is state
    assert answer.round is not None
    assert server.count("roundDetails") == 0


AFTERWARDS = "Sat, 21 Nov 2026 14:30:00 GMT"
BEFORE = "Sat, 21 Nov 2026 10:30:00 GMT"


@pytest.mark.parametrize("date", [BEFORE, AFTERWARDS])
@pytest.mark.parametrize(
    "word",
    [
        data({"roundDetails": {"status": "open"}}),
        data({"roundDetails": {"status": "a new word"}}),
        data({"roundDetails": {"status": None}}),
        data({"roundDetails": None}),
        data({"roundDetails": []}),
        errors('Cannot query field "roundDetails" on type "RootQueryType".'),
        errors("Round not open"),
        http("", 500),
        close,
    ],
)
def test_one_wrong_date_header_does_not_close_the_round(
    date: str, word: object, server: FaultServer, client: NumeraiClient, caplog: pytest.LogCaptureFixture
) -> None:
    server.on("roundDetails", word)  # type: ignore[arg-type]
    server.on("rounds", data({"rounds": [ROUND]}, Date=date))

    answer = client.current_round(8)

    assert (answer.state, answer.server_time) == (RoundState.OPEN, at(12, 30))
    assert answer.round is not None
    assert (answer.round.number, answer.round.deadline) == (1404, DEADLINE)
    assert f"Date header says 2026-11-21 {date[17:25]} UTC (closed)" in answer.reason
    assert "this machine 2026-11-21 12:30:00 UTC (open)" in answer.reason
    assert answer.reason in caplog.text
    assert server.count("roundDetails") == 1


@pytest.mark.parametrize("word", sorted(NOT_OPEN))
def test_the_server_has_the_last_word_when_our_clock_alone_says_open(
    word: str, server: FaultServer, client: NumeraiClient
) -> None:
    server.on("roundDetails", data({"roundDetails": {"status": word.upper()}}))
    server.on("rounds", data({"rounds": [ROUND]}, Date=AFTERWARDS))

    answer = client.current_round(8)

    assert (answer.state, answer.server_time) == (RoundState.CLOSED, at(14, 30))
    assert f"the server calls round 1404 {word}" in answer.reason
    assert server.requests[-1].variables == {"number": 1404, "tournament": 8}


def test_a_wrong_clock_of_ours_does_not_close_the_round(
    server: FaultServer, client: NumeraiClient, clock: HurriedClock
) -> None:
    server.on("rounds", data({"rounds": [ROUND]}, Date=NOON))
    for own in (LONG_AGO, at(11), at(14, 30), at(12) + timedelta(days=400)):
        clock.today = own

        answer = client.current_round(8)

        assert (answer.state, answer.server_time) == (RoundState.OPEN, at(12, 30))
        assert f"this machine {own:%Y-%m-%d %H:%M:%S} UTC (closed)" in answer.reason
    assert server.count("roundDetails") == 0


def test_our_clock_decides_without_a_header_only_when_it_can_be_right(
    server: FaultServer, client: NumeraiClient, clock: HurriedClock
) -> None:
    server.on("rounds", data({"rounds": [ROUND]}))
    states = {}
    for days in (-4000, -2, -0.5, 0, 1, 9, 11):  # the round ends with closeTime, three days after it opened
        clock.today = at(12, 30) + timedelta(days=days)
        answer = client.current_round(8)
        states[days] = answer.state
        assert answer.server_time is None
        if answer.state is RoundState.UNKNOWN:
            assert "no Date header" in answer.reason
    unknown, closed = RoundState.UNKNOWN, RoundState.CLOSED
    assert states == {-4000: unknown, -2: unknown, -0.5: closed, 0: RoundState.OPEN, 1: closed, 9: closed, 11: unknown}


YEAR_1, YEAR_9999 = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
CLOCKS = st.integers(0, int((YEAR_9999 - YEAR_1).total_seconds())).map(
    lambda seconds: YEAR_1 + timedelta(seconds=seconds)
) | st.integers(-3600, 3 * 3600).map(lambda seconds: OPENS + timedelta(seconds=seconds))
WORDS = st.sampled_from(["open", "closed", "resolved", "new word", None])


@given(header=CLOCKS, own=CLOCKS, word=WORDS)
def test_a_round_is_closed_only_by_both_clocks_or_by_the_servers_word(
    header: datetime, own: datetime, word: str | None
) -> None:
    asked: list[int] = []

    def status_of(number: int) -> str | None:
        asked.append(number)
        return word

    answer = judge([ROUND], 8, header=header, own=own, status_of=status_of)

    by_header, by_own = (OPENS <= moment < DEADLINE for moment in (header, own))
    is_open = by_header or (by_own and word not in NOT_OPEN)
    assert (answer.state is RoundState.OPEN) == is_open
    assert answer.state is not RoundState.UNKNOWN
    assert asked == ([1404] if by_own and not by_header else [])
    assert answer.server_time == (own if is_open and not by_header else header)
    if is_open:
        assert answer.round is not None
        assert answer.server_time < answer.round.deadline == DEADLINE
    if by_header is not by_own:
        assert f"{header:%H:%M:%S} UTC" in answer.reason
        assert f"{own:%H:%M:%S} UTC" in answer.reason


@given(right=CLOCKS, wrong=CLOCKS, is_header_right=st.booleans())
def test_an_open_round_is_never_closed_by_one_wrong_clock(
    right: datetime, wrong: datetime, is_header_right: bool
) -> None:
    header, own = (right, wrong) if is_header_right else (wrong, right)
    answer = judge([ROUND], 8, header=header, own=own, status_of=lambda number: "open")
    if OPENS <= right < DEADLINE:
        assert answer.state is RoundState.OPEN


@given(header=st.none() | CLOCKS, own=CLOCKS, opens=CLOCKS, deadline=st.none() | CLOCKS)
def test_no_times_however_odd_stop_the_judgement(
    header: datetime | None, own: datetime, opens: datetime, deadline: datetime | None
) -> None:
    row = {
        "number": 1404,
        "openTime": opens.isoformat(),
        "closeStakingTime": deadline and deadline.isoformat(),
        "closeTime": "0001-01-01T00:00:00+05:00",
    }
    answer = judge([row], 8, header=header, own=own)
    if answer.state is RoundState.OPEN:
        assert deadline is not None
        assert opens <= (answer.server_time or own) < deadline


@pytest.mark.parametrize("seconds", [-7200, 7200])
def test_a_skewed_practice_tournament_stays_open_until_it_closes(practice: Callable[..., Any], seconds: int) -> None:
    tournament = practice(window_minutes=60)
    client = NumeraiClient(ApiSettings(url=tournament.url, read_timeout_s=60), SystemClock())
    tournament.faults.switch_on(Fault(Kind.CLOCK_SKEW, seconds=seconds))

    answer = client.current_round(8)
    assert answer.state is RoundState.OPEN
    assert answer.server_time is not None
    assert abs(answer.server_time - SystemClock().now()) < timedelta(minutes=1)

    tournament.clock.advance(timedelta(minutes=90))
    tournament.faults.clear()
    assert client.current_round(8).state is RoundState.CLOSED


def test_a_round_to_come_is_not_open_yet(server: FaultServer, client: NumeraiClient, clock: HurriedClock) -> None:
    clock.today = at(11, 59)
    server.on("rounds", data({"rounds": [ROUND]}, Date="Sat, 21 Nov 2026 11:59:00 GMT"))

    answer = client.current_round(8)

    assert answer.state is RoundState.CLOSED
    assert answer.round is None
    assert "1404 opens at 2026-11-21 12:00:07" in answer.reason


def test_a_newer_round_to_come_does_not_hide_the_open_one(server: FaultServer, client: NumeraiClient) -> None:
    coming = {"number": 1405, "openTime": "2026-11-24T12:00:00Z", "closeStakingTime": None}
    server.on("rounds", data({"rounds": [coming, None, ROUND]}, Date=NOON))

    answer = client.current_round(8)

    assert answer.state is RoundState.OPEN
    assert answer.round is not None
    assert answer.round.number == 1404


def test_the_servers_words_about_a_closed_round_mean_closed(server: FaultServer, client: NumeraiClient) -> None:
    server.on("rounds", errors("Current round not open for submissions"))

    answer = client.current_round(8)

    assert answer.state is RoundState.CLOSED
    assert "Current round not open for submissions" in answer.reason


@pytest.mark.parametrize(
    "fault",
    [
        data({"rounds": []}),
        data({"rounds": None}),
        data({"rounds": [None]}),
        data({}),
        data({"rounds": [{**ROUND, "closeStakingTime": None}]}, Date=NOON),
        data({"rounds": [{**ROUND, "openTime": None}]}),
        data({"rounds": [{**ROUND, "openTime": "soon"}]}),
        data({"rounds": [{**ROUND, "number": "x"}]}),
        data({"rounds": "x"}),
        close,
        hang,
        http("<html>maintenance</html>"),
        http("", 500),
        http("", 429, Retry_After="100"),
        http('{"data": null}'),
        errors("Something odd"),
        errors("Your session is invalid or has expired.", status=401),
        http("", 302, Location="https://example.com"),
    ],
)
def test_everything_else_is_unknown_with_a_reason_and_never_closed(
    fault: object, server: FaultServer, make_client: Callable[..., NumeraiClient]
) -> None:
    server.on("rounds", fault)  # type: ignore[arg-type]

    answer = make_client(read_timeout_s=0.1).current_round(8)

    assert answer.state is RoundState.UNKNOWN
    assert answer.round is None
    assert answer.reason


def test_an_optional_field_that_is_gone_does_not_cost_the_round(server: FaultServer, client: NumeraiClient) -> None:
    gone = errors('Cannot query field "dataDatestamp" on type "Round".')
    server.on("rounds", gone, data({"rounds": [ROUND]}, Date=NOON))

    answer = client.current_round(8)

    assert answer.state is RoundState.OPEN
    assert b"dataDatestamp" not in server.requests[-1].body


def test_each_tournament_is_asked_for_by_its_number(server: FaultServer, client: NumeraiClient) -> None:
    server.on("rounds", data({"rounds": [ROUND]}, Date=NOON))

    answer = client.current_round(12)

    assert server.requests[0].variables == {"tournament": 12}
    assert answer.round is not None
    assert answer.round.tournament == 12
