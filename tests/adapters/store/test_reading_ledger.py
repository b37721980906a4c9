from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from numebot.adapters.store.reading.ledger import Span
from numebot.core.ledger import LEFT_OUT, PASS, Ledger, Roster, Standing, make_ledger
from numebot.core.types import Event, State
from tests.ledger_rows import LedgerRows

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[LedgerRows]:
    rows = LedgerRows(tmp_path, NOW)
    yield rows
    rows.store.close()


def ledger(rows: LedgerRows, first: int = 1400, last: int = 1405) -> Ledger:
    return make_ledger(rows.store.ledger.evidence(rows.tournament, Span(first, last)), NOW)


def standings(found: Ledger) -> dict[str, list[str]]:
    return {one.model.name: [entry.standing.value for entry in one.entries] for one in found.models}


def test_rows_and_numerais_list_make_one_ledger(rows: LedgerRows) -> None:
    rows.slots(alpha={1400: "on-time", 1401: "none", 1402: "late"}, idle={1400: "none"})
    rows.configured("alpha")
    for number in (1400, 1401, 1402, 1403):
        rows.row(number, "alpha", State.MISSED, f"why {number}")
    rows.row(1404, "alpha", State.CONFIRMED)
    found = ledger(rows)
    expected = ["on-time", "missed", "late", "missed", "on-time", "missed"]
    assert standings(found) == {"alpha": expected}, "a slot without any submission and without a row is left out"
    assert [entry.reason for entry in found.lost()][1:] == ["why 1403", "why 1402", "why 1401"]
    assert [known.number for known in ledger(rows, 1402, 1403).rounds] == [1402, 1403]


def test_a_renamed_model_keeps_its_rows_and_one_that_is_gone_stays(rows: LedgerRows) -> None:
    rows.slots(alpha={1400: "on-time"}, gone={1400: "on-time"})
    rows.row(1401, "alpha", State.CONFIRMED)
    rows.store.results.remember_listed(8, [], now=NOW)
    rows.slots(alpha={})
    slots = rows.store.results.own_models(8)
    renamed = [type(slot)(slot.id, "omega", 8) for slot in slots]
    rows.store.results.remember_listed(8, renamed, now=NOW)
    found = ledger(rows)
    assert standings(found)["omega"][:2] == ["on-time", "on-time"]
    assert [(one.model.name, one.model.is_listed) for one in found.models] == [("gone", False), ("omega", True)]


def test_the_same_name_in_another_tournament_is_another_model(rows: LedgerRows) -> None:
    rows.slots(alpha={})
    rows.row(1400, "alpha", State.CONFIRMED)
    rows.tournament = 11
    for number in range(1400, 1406):
        rows.see(number)
    rows.slots(alpha={})
    rows.row(1400, "alpha", State.MISSED, "x")
    assert standings(ledger(rows))["alpha"][0] == "missed"
    rows.tournament = 8
    assert standings(ledger(rows))["alpha"][0] == "on-time"


def test_who_was_asked_to_play_comes_from_the_timeline(rows: LedgerRows) -> None:
    rows.slots(alpha={}, beta={})
    rows.configured("alpha", "beta")
    rows.note(1401, PASS, "a pass begins", models=["alpha"], enabled=["alpha"], disabled=["beta"])
    rows.row(1401, "alpha", State.CONFIRMED)
    rows.row(1402, "alpha", State.CONFIRMED)  # of a numebot that wrote down nothing else
    rows.note(1403, LEFT_OUT, "round 1403 is left out", reason='[schedule] play is "weekend"')
    found = ledger(rows)
    assert found.rounds[1].rosters == (Roster(frozenset({"alpha"}), frozenset({"alpha"}), frozenset({"beta"})),)
    (beta,) = [one for one in found.models if one.model.name == "beta"]
    reasons = {entry.round_number: (entry.standing, entry.reason) for entry in beta.entries}
    assert reasons[1401] == (Standing.SKIPPED, "disabled at the time")
    assert reasons[1402] == (Standing.SKIPPED, "not among the models that were played")
    assert reasons[1403] == (Standing.SKIPPED, 'the round was left out: [schedule] play is "weekend"')


def test_rounds_that_were_heard_of_too_late_say_what_is_known_of_them(tmp_path: Path) -> None:
    rows = LedgerRows(tmp_path, NOW, count=0)
    rows.count = 5
    rows.see(1400, after=timedelta(minutes=1))
    for number in (1401, 1402, 1403):
        rows.see(number, after=timedelta(days=1))
    rows.slots(alpha={})
    rows.configured("alpha")
    during = rows.round(1402).opens_at + timedelta(minutes=30)
    rows.store.record(Event(during, "round-unknown", "no answer", 8))
    rows.store.record(Event(rows.round(1403).opens_at, "chore-failed", "backup: not done"))
    (alpha,) = ledger(rows, 1400, 1403).models
    assert [entry.reason for entry in alpha.entries] == [
        "numebot knew of the round, but nothing was begun in it",
        "numebot was not running while the round was open",
        "Numerai could not be asked for the round while it was open",
        "numebot knew of the round, but nothing was begun in it",
    ]
    rows.store.close()


def test_rounds_from_before_numebot_count_nothing(tmp_path: Path) -> None:
    rows = LedgerRows(tmp_path, NOW, count=0)
    rows.count = 3
    for number in (1400, 1401, 1402):
        rows.see(number, after=timedelta(days=9))
    rows.configured("alpha")
    found = ledger(rows)
    assert standings(found) == {"alpha": ["before"] * 3}
    assert (found.models[0].share_on_time, found.models[0].streak) == (None, 0)
    rows.store.close()


def test_the_newest_value_of_each_metric_that_pays_is_found(rows: LedgerRows) -> None:
    rows.slots(alpha={}, beta={})
    rows.pays(1402, corr60=3.0, mmc60=15.0)
    for day, value in ((1, 0.1), (2, 0.2), (10, 0.3)):
        rows.scored(1402, "alpha", day, corr60=value, mmc60=value / 10, bmc=9.0)
    rows.scored(1402, "alpha", 11, corr60=None, bmc=9.0)
    rows.scored(1405, "beta", 1, corr60=0.5)
    reader = rows.store.ledger
    assert reader.payout_weights(8, [1401, 1402]) == {1402: {"corr60": 3.0, "mmc60": 15.0}}
    scores = reader.newest_scores(8, ["corr60", "mmc60"], Span(1400, 1404))
    assert scores == {(1402, "id-alpha"): {"corr60": 0.3, "mmc60": 0.03}}
    assert reader.newest_scores(8, [], Span(1400, 1404)) == {}


def test_spans_by_count_by_month_and_by_the_clock(rows: LedgerRows) -> None:
    reader = rows.store.ledger
    assert reader.last_rounds(8, 2) == Span(1404, 1405)
    assert reader.last_rounds(8, 99) == Span(1400, 1405)
    assert reader.last_rounds(12, 2) is None
    opened = rows.round(1402).opens_at
    assert reader.rounds_opened(8, opened, opened + timedelta(days=2)) == Span(1402, 1403)
    assert reader.rounds_opened(8, NOW, NOW + timedelta(days=2)) is None
    assert reader.last_over(8, rows.round(1403).deadline) == 1403
    assert reader.last_over(8, rows.round(1400).opens_at) is None
    assert (reader.is_known(8, 1403), reader.is_known(8, 1406)) == (True, False)
