from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from numebot.core.errors import Ambiguous, Rejected, RoundClosed, Unavailable
from numebot.core.rounds import ServerClock
from numebot.core.types import AccountModel, ListedSubmission, Round, State, Submission, SubmissionRecord
from numebot.steps.journal import Journal
from numebot.steps.open_round import OpenRound
from numebot.steps.submitting import Patience, Submitter
from tests.fakes import FakeClock, MemoryStore, ScriptedServer

CHECKED = Submission(8, 1405, "alpha", State.CHECKED, State.CHECKED, model_id="slot-alpha", sha256="a" * 64)
FILENAME = "alpha_submission_1405-Upload000001.csv"


class Desk:
    """A submitter with everything it touches."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.server = ScriptedServer()
        self.store = MemoryStore()
        self.file = folder / "alpha.csv"
        self.file.write_text("id,prediction\n")
        now = self.clock.now()
        round_ = Round(8, 1405, now, now + timedelta(minutes=30))
        self.open_round = OpenRound(round_, ServerClock(now, 0.0), self.clock, timedelta(minutes=2))
        journal = Journal(self.store, self.clock)
        self.submitter = Submitter(self.server, journal, self.clock, Patience(attempts=3, retry_s=5, settle_s=15))

    def submit(self, row: Submission = CHECKED) -> Submission:
        return self.submitter.submit(row, self.file, self.open_round)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_filename_is_durable_before_create_is_sent(desk: Desk) -> None:
    desk.server.creations = [Unavailable("refused")] * 3
    with pytest.raises(Unavailable):
        desk.submit()
    stored = desk.store.rows["alpha"]
    assert (stored.state, stored.filename) == (State.UPLOADED, FILENAME)


def test_an_ambiguous_answer_is_settled_by_asking_and_not_by_sending(desk: Desk) -> None:
    desk.server.creations = [Ambiguous("502")]
    desk.server.records = {"slot-alpha": [SubmissionRecord("id-7", FILENAME)]}
    row = desk.submit()
    assert (row.state, row.submission_id) == (State.SUBMITTED, "id-7")
    assert desk.clock.waited_s == 15


def test_it_is_sent_again_only_when_numerai_does_not_know_the_file(desk: Desk) -> None:
    desk.server.creations = [Ambiguous("reset"), "id-8"]
    assert desk.submit().submission_id == "id-8"


def test_a_file_that_only_the_account_lists_is_not_sent_again(desk: Desk) -> None:
    desk.server.creations = [Ambiguous("reset"), "id-9"]
    listed = ListedSubmission(1405, "pending", "id-8", FILENAME)
    desk.server.slots = [AccountModel("slot-alpha", "alpha", 8, submissions=(listed,))]
    assert desk.submit().submission_id == "id-8"
    assert desk.server.creations == ["id-9"]


def test_when_nobody_can_say_whether_it_was_committed_nothing_is_sent(desk: Desk) -> None:
    desk.server.creations = [Ambiguous("reset"), "id-8"]
    desk.server.records = {"slot-alpha": Unavailable("submissions: HTTP 503")}
    with pytest.raises(Unavailable, match="503"):
        desk.submit()
    assert desk.server.creations == ["id-8"]


def test_a_resumed_row_is_looked_for_before_it_is_sent(desk: Desk) -> None:
    uploaded = Submission(8, 1405, "alpha", State.UPLOADED, State.UPLOADED, model_id="slot-alpha", filename=FILENAME)
    desk.server.records = {"slot-alpha": [SubmissionRecord("id-9", FILENAME)]}
    row = desk.submit(uploaded)
    assert (row.submission_id, desk.server.puts) == ("id-9", [])


def test_a_lost_upload_is_made_once_more(desk: Desk) -> None:
    desk.server.creations = [Rejected("File not found: never uploaded"), "id-10"]
    assert desk.submit().submission_id == "id-10"
    assert len(desk.server.puts) == 2


def test_an_upload_that_is_lost_again_waits_for_another_attempt(desk: Desk) -> None:
    desk.server.creations = [Rejected("File not found: never uploaded")] * 2 + ["id-11"]
    with pytest.raises(Unavailable, match="never uploaded"):
        desk.submit()
    stored = desk.store.rows["alpha"]
    assert (stored.step, stored.filename) == (State.CHECKED, None)
    assert desk.submit(stored).submission_id == "id-11"


def test_a_refusal_of_what_stands_in_the_file_is_final_at_once(desk: Desk) -> None:
    desk.server.creations = [Rejected("invalid_submission_ids: not enough stocks")]
    with pytest.raises(Rejected, match="not enough stocks"):
        desk.submit()
    assert len(desk.server.puts) == 1


def test_nothing_is_begun_when_it_could_arrive_late(desk: Desk) -> None:
    desk.clock.wait(28 * 60)
    with pytest.raises(RoundClosed, match="Nothing was sent"):
        desk.submit()
    assert desk.server.puts == []
