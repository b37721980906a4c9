"""Which round is on: three values, and closed only when that is certain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from numebot.adapters.numerai.client import NumeraiClient
from numebot.core.types import Round, RoundState

from .fault_server import FaultServer, close, data, errors, hang, http

NOON = "Sat, 21 Nov 2026 12:30:00 GMT"
ROUND = {
    "number": 1404,
    "openTime": "2026-11-21T12:00:07Z",
    "closeStakingTime": "2026-11-21T14:00:07Z",
    "closeTime": "2026-11-24T12:00:00Z",
    "dataDatestamp": 20261120,
}


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 21, hour, minute, tzinfo=UTC)


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
    date: str, state: RoundState, server: FaultServer, client: NumeraiClient
) -> None:
    server.on("rounds", data({"rounds": [ROUND]}, Date=date))

    answer = client.current_round(8)

    assert answer.state is state
    assert answer.round is not None


def test_a_round_to_come_is_not_open_yet(server: FaultServer, client: NumeraiClient) -> None:
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
