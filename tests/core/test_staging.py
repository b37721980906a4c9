from __future__ import annotations

import pytest

from numebot.core.errors import PluginError
from numebot.core.staging import EraChoice

ERAS = ["0010", "0001", "0002", "0003", "X", "eraX"]


@pytest.mark.parametrize(
    ("text", "every", "chosen"),
    [
        ("", 1, ["0001", "0002", "0003", "0010"]),
        ("0002:", 1, ["0002", "0003", "0010"]),
        (":2", 1, ["0001", "0002"]),
        ("0002:0004", 1, ["0002", "0003"]),
        ("", 3, ["0001", "0010"]),
        ("0002:0002", 4, ["0002"]),
    ],
)
def test_eras_are_chosen_by_span_and_step_and_never_that_of_a_round(text: str, every: int, chosen: list[str]) -> None:
    assert EraChoice.parse(text, every).chosen(ERAS) == chosen


def test_dates_are_eras_too() -> None:
    assert EraChoice.parse("2024-01-05:").chosen(["2023-12-29", "2024-01-12", "2024-01-05"]) == [
        "2024-01-05",
        "2024-01-12",
    ]


@pytest.mark.parametrize("text", ["0002", "0003:0001"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no span of eras|ends before it begins"):
        EraChoice.parse(text)


def test_an_empty_choice_says_what_there_is() -> None:
    with pytest.raises(PluginError, match=r"no era from 0020 to the last\. There are 0001 to 0010"):
        EraChoice.parse("0020:").chosen(ERAS)
    with pytest.raises(PluginError, match="There is none"):
        EraChoice().chosen(["X"])
