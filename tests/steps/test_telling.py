"""When the owner is told of a change: good news when it is durable, bad news before anything else can go wrong."""

from __future__ import annotations

import logging

import pytest

from numebot.core.errors import LocalTrouble
from numebot.core.submissions import failed, moved_on
from numebot.core.types import Event, State, Submission
from numebot.steps.journal import Journal
from tests.fakes import FakeClock, MemoryStore

ROW = Submission(8, 1405, "alpha", State.SUBMITTED, State.SUBMITTED)


class HeldStore(MemoryStore):
    """A database that another process holds."""

    def change(self, before: Submission, after: Submission, event: Event) -> Submission:
        raise LocalTrouble("another process holds the database")


def test_good_news_is_told_only_when_it_is_durable(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(LocalTrouble):
        Journal(HeldStore(), FakeClock()).change(ROW, moved_on(ROW, State.CONFIRMED), "confirmed (x.csv)")
    assert caplog.messages == []


def test_bad_news_is_told_even_when_it_cannot_be_written_down(caplog: pytest.LogCaptureFixture) -> None:
    after = failed(ROW, "no answer", next_attempt_at=None)
    with pytest.raises(LocalTrouble):
        Journal(HeldStore(), FakeClock()).change(ROW, after, "failed: no answer")
    assert caplog.messages == ["round 1405: alpha failed: no answer"]
