from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from numebot.core.ledger import Entry, KnownRound, Ledger, ModelLedger, OwnModel, Standing
from numebot.core.results import RoundFacts
from numebot.core.round_lines import round_lines, state_of
from numebot.core.types import Round

OPENS_AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
FACTS = RoundFacts(
    Round(8, 1405, OPENS_AT, OPENS_AT + timedelta(hours=1), OPENS_AT + timedelta(days=1)),
    scores_at=OPENS_AT + timedelta(days=4),
    resolves_at=OPENS_AT + timedelta(days=88),
)


@pytest.mark.parametrize(
    ("days", "resolved", "expected"),
    [(0, False, "open"), (1, False, "closed"), (4, False, "scoring"), (88, False, "resolving"), (88, True, "resolved")],
)
def test_the_state_follows_the_announced_times(days: int, resolved: bool, expected: str) -> None:
    assert state_of(replace(FACTS, is_resolved=resolved), OPENS_AT + timedelta(days=days)) == expected


def test_lateness_is_measured_from_what_the_round_before_announced() -> None:
    late = OPENS_AT + timedelta(days=1, minutes=32)
    next_round = Round(8, 1406, late, late + timedelta(hours=1))
    after_a_gap = Round(8, 1409, late, late + timedelta(hours=1))
    rounds = tuple(KnownRound(facts) for facts in (FACTS, RoundFacts(next_round), RoundFacts(after_a_gap)))
    lines = round_lines(Ledger(8, rounds, ()), OPENS_AT)
    assert [line.opened_late for line in lines] == [None, timedelta(minutes=32), None]


def test_skipped_models_are_not_wanted() -> None:
    models = []
    standings = (Standing.ON_TIME, Standing.MISSED, Standing.SKIPPED, Standing.OPEN)
    for name, standing in zip("abcd", standings, strict=True):
        model = OwnModel(name, name)
        models.append(ModelLedger(model, (Entry(1405, model, standing),)))
    (line,) = round_lines(Ledger(8, (KnownRound(FACTS),), tuple(models)), OPENS_AT)
    assert (line.on_time, line.wanted) == (1, 3)
