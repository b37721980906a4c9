from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from numebot.core.account import IN_MODEL_UPLOADS
from numebot.core.ledger import Evidence, KnownRound, Listed, OwnModel, OwnRow, Roster, Standing, make_ledger, monthly
from numebot.core.results import RoundFacts
from numebot.core.types import Round, State

OPENS_AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DEADLINE = OPENS_AT + timedelta(hours=1)
LATER, DURING = DEADLINE + timedelta(days=1), OPENS_AT + timedelta(minutes=5)
ALPHA = OwnModel("id-alpha", "alpha", first_seen_at=OPENS_AT - timedelta(days=99))
SEEN = KnownRound(RoundFacts(Round(8, 1405, OPENS_AT, DEADLINE)), first_seen_at=DURING)
UNSEEN = KnownRound(SEEN.facts, first_seen_at=LATER)
BEGAN = OPENS_AT - timedelta(days=30)
ON_TIME = Listed("on-time", "alpha-x.csv")


def stands(
    row: OwnRow | None = None,
    listed: Listed | None = None,
    *,
    known: KnownRound = SEEN,
    model: OwnModel = ALPHA,
    now: datetime = LATER,
    began_at: datetime | None = BEGAN,
) -> tuple[Standing, str | None]:
    evidence = Evidence(
        8,
        (known,),
        (model,),
        {(1405, model.id): row} if row else {},
        {(1405, model.id): listed} if listed else {},
        began_at,
    )
    ((entry,),) = [one.entries for one in make_ledger(evidence, now).models]
    return entry.standing, entry.reason


def test_what_numerai_lists_as_on_time_is_on_time_whoever_uploaded_it() -> None:
    assert stands(OwnRow(State.CONFIRMED, filename="alpha-x.csv"), ON_TIME) == (Standing.ON_TIME, None)
    assert stands(None, ON_TIME) == (Standing.ON_TIME, "uploaded elsewhere (alpha-x.csv)")
    missed = OwnRow(State.MISSED, "the disk is full", "alpha-old.csv")
    assert stands(missed, ON_TIME) == (Standing.ON_TIME, "uploaded elsewhere (alpha-x.csv)")


def test_a_confirmed_row_counts_before_the_list_is_read() -> None:
    assert stands(OwnRow(State.CONFIRMED, filename="a.csv")) == (Standing.ON_TIME, None)
    assert stands(OwnRow(State.CONFIRMED, filename="a.csv"), Listed("none"), now=DURING) == (Standing.ON_TIME, None)


@pytest.mark.parametrize(
    ("row", "listed", "expected"),
    [
        (OwnRow(State.MISSED, "too slow"), Listed("late"), (Standing.LATE, "too slow")),
        (None, Listed("late"), (Standing.LATE, "Numerai lists it as late")),
        (None, Listed("queued"), (Standing.QUEUED, "Numerai lists it as queued for the next round")),
        (OwnRow(State.QUEUED, "late"), None, (Standing.QUEUED, "late")),
        (OwnRow(State.LATE, "late"), Listed("none"), (Standing.LATE, "late")),
        (OwnRow(State.REJECTED, "no ids"), Listed("none"), (Standing.MISSED, "rejected: no ids")),
        (OwnRow(State.FAILED, "HTTP 500"), None, (Standing.MISSED, "HTTP 500")),
        (OwnRow(State.CHECKED), None, (Standing.MISSED, "the deadline passed while it was checked")),
        (OwnRow(State.SUBMITTED, "pending"), None, (Standing.OPEN, "pending")),
    ],
)
def test_after_the_deadline_each_loss_has_its_reason(
    row: OwnRow | None, listed: Listed | None, expected: tuple[Standing, str]
) -> None:
    assert stands(row, listed) == expected


def test_before_the_deadline_nothing_is_lost_yet() -> None:
    for row in (None, OwnRow(State.FAILED, "HTTP 500"), OwnRow(State.REJECTED, "no"), OwnRow(State.PENDING)):
        assert stands(row, now=DURING)[0] is Standing.OPEN


def test_a_model_that_numerai_runs_itself_is_no_loss() -> None:
    row = OwnRow(State.MISSED, f"alpha: {IN_MODEL_UPLOADS}, and …")
    words = "in Model Uploads: Numerai runs this model itself"
    assert stands(row) == (Standing.SKIPPED, words)
    assert stands(row, ON_TIME) == (Standing.ON_TIME, words)


def roster(models: str = "", enabled: str = "", disabled: str = "") -> KnownRound:
    parts = [frozenset(names.split()) for names in (models, enabled, disabled)]
    return KnownRound(SEEN.facts, DURING, (Roster(*parts),))


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (roster("beta", "beta", "alpha"), (Standing.SKIPPED, "disabled at the time")),
        (roster("beta", "beta"), (Standing.SKIPPED, "had no row in model_configs.csv at the time")),
        (roster("beta"), (Standing.SKIPPED, "not among the models that were played")),
        (roster("beta", "alpha beta"), (Standing.MISSED, "enabled, but only other models were asked to play")),
        (
            KnownRound(SEEN.facts, DURING, left_out='[schedule] play is "weekend"'),
            (Standing.SKIPPED, 'the round was left out: [schedule] play is "weekend"'),
        ),
        (SEEN, (Standing.MISSED, "numebot knew of the round, but nothing was begun in it")),
        (UNSEEN, (Standing.MISSED, "numebot was not running while the round was open")),
        (
            KnownRound(SEEN.facts, LATER, was_watched=True),
            (Standing.MISSED, "numebot knew of the round, but nothing was begun in it"),
        ),
        (
            KnownRound(SEEN.facts, LATER, was_unasked=True, was_watched=True),
            (Standing.MISSED, "Numerai could not be asked for the round while it was open"),
        ),
    ],
)
def test_without_a_row_the_reason_is_what_was_written_down_then(
    known: KnownRound, expected: tuple[Standing, str]
) -> None:
    assert stands(known=known) == expected


def test_what_nobody_can_know_is_no_miss() -> None:
    assert stands(known=UNSEEN, began_at=LATER) == (Standing.BEFORE, "before numebot's time")
    assert stands(known=UNSEEN, began_at=None)[0] is Standing.BEFORE
    new = OwnModel("id-new", "new", first_seen_at=LATER)
    assert stands(known=UNSEEN, model=new) == (Standing.BEFORE, "before the model was there")


def test_a_slot_that_numebot_never_played_is_skipped() -> None:
    other = OwnModel("id-other", "other", is_configured=False)
    assert stands(model=other) == (Standing.SKIPPED, "not in model_configs.csv")


def test_streaks_and_shares_leave_out_what_does_not_count() -> None:
    states = ["on-time", "missed", "on-time", "skipped", "on-time", "open"]
    rounds, rows, listed = [], {}, {}
    for number, state in enumerate(states, 1400):
        opens_at = datetime(2026, 10, 30, 12, tzinfo=UTC) + timedelta(days=number - 1400)
        left_out = "weekend" if state == "skipped" else None
        round_ = Round(8, number, opens_at, opens_at + timedelta(hours=1))
        rounds.append(KnownRound(RoundFacts(round_), opens_at, left_out=left_out))
        if state == "missed":
            rows[number, ALPHA.id] = OwnRow(State.MISSED, "x")
        if state == "on-time":
            listed[number, ALPHA.id] = ON_TIME
    ledger = make_ledger(Evidence(8, tuple(rounds), (ALPHA,), rows, listed, BEGAN), rounds[-1].facts.round.opens_at)
    (alpha,) = ledger.models
    assert [entry.standing.value for entry in alpha.entries] == states
    assert (alpha.streak, alpha.share_on_time) == (2, 0.75)
    assert monthly(ledger, alpha.entries) == {"2026-10": 0.5, "2026-11": 1.0}
    assert [(entry.round_number, entry.reason) for entry in ledger.lost()] == [(1401, "x")]
