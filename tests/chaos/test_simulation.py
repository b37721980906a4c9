"""Every round that could be submitted is submitted: the real calendar, with everything that can happen to a machine."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.chaos.conftest import IS_FULL, SEED
from tests.chaos.simulation import MODELS, SimMachine, SimRound, Span, Trouble, seconds_of

SHARED_DATA = Path(os.environ.get("NUMEBOT_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
HISTORY = SHARED_DATA / "api-jos1977" / "rounds.parquet"
AROUND_S = 2 * 3600.0


def real_calendar() -> list[SimRound]:
    """The rounds of the real history, late openings included."""
    frame = pd.read_parquet(HISTORY).sort_values("number")
    form = "%m/%d/%Y %H:%M:%S"
    times = {name: pd.to_datetime(frame[name], format=form, utc=True) for name in TIMES}
    rows = zip(frame["number"], *(times[name] for name in TIMES), strict=True)
    rounds = [SimRound(int(number), *(seconds_of(moment) for moment in moments)) for number, *moments in rows]
    return [one for one in rounds if one.opens_s < one.deadline_s]


TIMES = ("openTime", "closeStakingTime", "closeTime")


def made_up_calendar() -> list[SimRound]:
    """Half a year as it is today: five rounds a week, openings late as they were on record."""
    chance = random.Random(7)
    day, rounds = datetime(2026, 4, 14, 12, tzinfo=UTC), []
    while len(rounds) < 120:
        if day.weekday() in (1, 2, 3, 4, 5):
            late_min = chance.choice([0, 0, 0, 4, 12, 32, 46, 64, 279])
            opens = day + timedelta(minutes=late_min)
            length = timedelta(hours=26) if day.weekday() == 5 else timedelta(hours=1)
            nominal = day + timedelta(days=3 if day.weekday() == 5 else 1)
            rounds.append(SimRound(1320 + len(rounds), *map(seconds_of, (opens, opens + length, nominal))))
        day += timedelta(days=1)
    return rounds


CALENDARS = {"made up": made_up_calendar(), **({"real": real_calendar()} if HISTORY.exists() else {})}


def play(rounds: Sequence[SimRound], trouble: Trouble) -> tuple[SimMachine, list[int], int]:
    """Live through some rounds; return the machine, the numbers that were missed though possible, and all possible."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        start_s, end_s = rounds[0].opens_s - AROUND_S, rounds[-1].deadline_s + AROUND_S
        machine = SimMachine(Path(folder), rounds, trouble, start_s, end_s)
        machine.live()
    possible = [one.number for one in rounds if machine.was_possible(one)]
    missed = [
        number
        for number in possible
        if any(not machine.server.on_time(number, model) for model in MODELS)
    ]
    twice = [one.number for one in rounds for model in MODELS if len(machine.server.on_time(one.number, model)) > 1]
    assert twice == [], f"submitted more than once: {twice}"
    return machine, missed, len(possible)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[SimRound], Trouble]:
    """Some rounds in a row, and trouble around their windows."""
    calendar = CALENDARS[draw(st.sampled_from(sorted(CALENDARS)))]
    count = 12 if IS_FULL else 6
    first = draw(st.integers(0, len(calendar) - count))
    rounds = calendar[first : first + count]

    def span(longest_min: int) -> Span:
        one = draw(st.sampled_from(rounds))
        length_s = one.deadline_s - one.opens_s
        # Near the edges of the window most often: that is where rounds are lost.
        place = draw(st.sampled_from(["before", "in", "end"]))
        base_s = {"before": one.opens_s - 900, "in": one.opens_s, "end": one.deadline_s - 3600}[place]
        start_s = base_s + draw(st.integers(0, int(min(length_s, 7200) // 60))) * 60
        return Span(start_s, start_s + 60 * draw(st.integers(1, longest_min)))

    def spans(most: int, longest_min: int) -> tuple[Span, ...]:
        return tuple(span(longest_min) for _ in range(draw(st.integers(0, most))))

    steps = []
    for _ in range(draw(st.integers(0, 3))):
        steps.append((span(1).start_s, float(draw(st.sampled_from([-7200, -3600, -61, 0, 45, 3600, 7200])))))
    hangs = draw(st.sets(st.sampled_from([one.number for one in rounds]), max_size=2))
    return rounds, Trouble(
        off=spans(4, 45),
        asleep=spans(2, 45),
        dead=spans(3, 50),
        deaf=spans(3, 50),
        mute=spans(3, 120),
        steps=tuple(steps),
        hangs=frozenset(hangs),
    )


def test_no_round_that_could_be_submitted_is_missed_in_random_months(figures: Callable[..., None]) -> None:
    totals = {"missed": 0, "possible": 0, "lives": 0}

    @seed(SEED)
    @settings(
        max_examples=200 if IS_FULL else 8,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=False,
    )
    @given(worlds())
    def months(world: tuple[list[SimRound], Trouble]) -> None:
        rounds, trouble = world
        machine, missed, possible = play(rounds, trouble)
        totals["missed"] += len(missed)
        totals["possible"] += possible
        totals["lives"] += machine.lives
        assert missed == [], f"missed {missed} of {[one.number for one in rounds]}: {trouble}"

    try:
        months()
    finally:
        figures("simulated months", **totals)
    assert totals["possible"] > 20


@pytest.mark.parametrize("name", sorted(CALENDARS))
def test_the_whole_calendar_without_trouble(name: str, figures: Callable[..., None]) -> None:
    rounds = CALENDARS[name] if IS_FULL else CALENDARS[name][-15:]
    _, missed, possible = play(rounds, Trouble())
    figures(f"calendar, {name}", missed=len(missed), possible=possible, rounds=len(rounds))
    assert missed == []
    assert possible == len(rounds)


def test_a_machine_that_was_off_owes_nothing_and_the_next_round_is_played() -> None:
    rounds = made_up_calendar()[:3]
    first = rounds[0]
    machine, missed, possible = play(rounds, Trouble(off=(Span(first.opens_s - 60, first.deadline_s + 60),)))
    assert not machine.server.on_time(first.number, "alpha")
    assert (missed, possible) == ([], 2)
