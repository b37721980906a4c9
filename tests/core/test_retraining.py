from __future__ import annotations

from datetime import UTC, datetime

import pytest

from numebot.core.retraining import Retraining, Trained, parse_retraining, reason_to_train

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)  # a Tuesday


def newest(text: str) -> datetime | None:
    rule = parse_retraining(text)
    assert rule.cron is not None
    return rule.cron.newest(NOW)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0 3 * * sun", (11, 22, 3, 0)),
        ("0 3 * * 7", (11, 22, 3, 0)),
        ("30 12 * * *", (11, 24, 12, 30)),
        ("31 12 * * *", (11, 23, 12, 31)),
        ("*/20 8-10 * * mon-fri", (11, 24, 10, 40)),
        ("0 0 1 * *", (11, 1, 0, 0)),
        ("0 0 1 * fri", (11, 20, 0, 0)),
        ("5 4 31 1,5 *", (5, 31, 4, 5)),
    ],
)
def test_the_newest_moment_of_a_calendar(text: str, moment: tuple[int, int, int, int]) -> None:
    month, day, hour, minute = moment
    assert newest(text) == datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_a_day_that_never_comes_is_never() -> None:
    assert newest("0 0 30 2 *") is None


@pytest.mark.parametrize("text", ["soon", "after 0 rounds", "60 3 * * *", "0 3 * *", "0 3 * * sunday", "0 9-3 * * *"])
def test_what_is_not_understood_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="Allowed: never, new-version"):
        parse_retraining(text)


def reason(text: str, last: Trained | None, round_number: int | None = 1404) -> str | None:
    return reason_to_train(parse_retraining(text), last, now=NOW, round_number=round_number, data_version="v5.4")


def trained(day: int, round_number: int | None = 1390, version: str = "v5.3") -> Trained:
    return Trained(datetime(2026, 11, day, tzinfo=UTC), round_number, version)


def test_why_a_model_is_due() -> None:
    assert reason("never", None) is None
    assert reason("after 5 rounds", None) == "it was never trained"
    assert reason("new-version", trained(1)) == "there is a new data version, v5.4"
    assert reason("new-version", trained(1, version="v5.4")) is None
    assert reason("after 14 rounds", trained(1)) == "14 rounds have passed"
    assert reason("after 15 rounds", trained(1)) is None
    assert reason("after 1 round", trained(1, None)) is None
    assert reason("0 3 * * sun", trained(21)) == "its time was Sun 2026-11-22 03:00 UTC"
    assert reason("0 3 * * sun", trained(23)) is None
    assert parse_retraining(" Never ") == parse_retraining("") == Retraining()
