"""Submissions in the practice world: on-time, late, queued, refused, and what survives a restart."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from pathlib import Path

import pytest
from world_fakes import START, HandClock, Tournament, tournament

from numebot.core.errors import ConfigError
from numebot.core.types import Tournament as Number
from numebot.practice.clock import PracticeClock
from numebot.practice.world.world import WorldOptions

MINUTE = timedelta(minutes=1)


@pytest.fixture
def practice(tmp_path: Path) -> Tournament:
    return tournament(tmp_path)


def test_a_round_opens_with_the_first_start(practice: Tournament) -> None:
    current = practice.world.calendar.current(practice.clock.now())
    assert (current.number, current.opens_at, current.deadline) == (1404, START, START + 60 * MINUTE)


def test_an_upload_is_pending_and_a_moment_later_on_time(practice: Tournament) -> None:
    practice.upload(practice.csv())
    assert practice.statuses() == [(1404, "pending"), (1403, "none"), (1402, "none")]
    practice.after(seconds=1)
    assert practice.statuses()[0] == (1404, "on-time")


def test_the_listed_row_carries_the_granted_filename_and_dates(practice: Tournament) -> None:
    name = practice.authorise(practice.csv(), filename="my predictions.csv")
    submission_id = practice.create(name)
    practice.after(seconds=1)
    assert re.fullmatch(r"my_predictions-[A-Za-z0-9]{12}\.csv", name)
    assert practice.listed(rounds=1) == [
        {
            "id": submission_id,
            "filename": name,
            "roundNumber": 1404,
            "roundOpen": "2026-11-21",
            "roundCloseStaking": "2026-11-21",
            "roundClose": "2026-11-22",
            "status": "on-time",
            "timestamp": "2026-11-21T12:00:07Z",
        }
    ]


def test_two_grants_of_one_name_differ(practice: Tournament) -> None:
    assert practice.authorise(b"") != practice.authorise(b"")


def test_the_latest_valid_upload_counts(practice: Tournament) -> None:
    practice.upload(practice.csv(mean=0.4))
    practice.after(seconds=5)
    second = practice.upload(practice.csv(mean=0.6))
    practice.after(seconds=5)
    assert practice.listed()[0]["id"] == second
    assert [one.counts for one in practice.world.submissions_of("alpha_model", 1404)] == [False, True]


def test_an_invalid_upload_never_hides_an_older_valid_one(practice: Tournament) -> None:
    first = practice.upload(practice.csv())
    practice.after(seconds=5)
    second = practice.upload(b"id,prediction\nn1,0.5\n")
    assert practice.listed()[0]["id"] == second
    practice.after(seconds=5)
    assert (practice.listed()[0]["id"], practice.listed()[0]["status"]) == (first, "on-time")


def test_an_invalid_upload_alone_is_listed_as_none_and_its_reason_is_kept(practice: Tournament) -> None:
    practice.upload(b"id,prediction_rank\nn1,0.5\n")
    practice.after(seconds=5)
    assert practice.statuses()[0] == (1404, "none")
    refused = practice.world.submissions_of("alpha_model", 1404)[0]
    assert refused.status == "invalid"
    assert refused.error is not None
    assert refused.error.startswith("invalid_submission_headers")
    query = "query($m: ID!) {submissions(modelId: $m) {status errorInfo selected filename}}"
    record = practice.data(query, {"m": practice.model_id("alpha_model")})["submissions"][0]
    assert (record["status"], record["errorInfo"], record["selected"]) == ("invalid", refused.error, False)


def test_a_late_upload_is_late_for_its_round_and_queued_for_the_next_under_one_id(practice: Tournament) -> None:
    practice.after(hours=2)
    late = practice.upload(practice.csv())
    practice.after(seconds=1)
    rows = practice.listed(rounds=2)
    assert [(row["roundNumber"], row["status"], row["id"]) for row in rows] == [
        (1405, "queued", late),
        (1404, "late", late),
        (1403, "none", None),
    ]


def test_a_queued_upload_becomes_on_time_when_the_next_round_opens(practice: Tournament) -> None:
    practice.after(hours=2)
    late = practice.upload(practice.csv())
    practice.after(hours=22)
    assert practice.listed()[0]["id"] == late
    assert practice.statuses() == [(1405, "on-time"), (1404, "late"), (1403, "none")]


def test_only_the_latest_late_upload_queues(practice: Tournament) -> None:
    practice.after(hours=2)
    practice.upload(practice.csv(mean=0.4))
    practice.after(hours=1)
    newest = practice.upload(practice.csv(mean=0.6))
    practice.after(seconds=1)
    assert practice.listed()[0]["id"] == newest


def test_an_on_time_upload_keeps_its_round_when_a_late_one_follows(practice: Tournament) -> None:
    first = practice.upload(practice.csv())
    practice.after(hours=2)
    second = practice.upload(practice.csv())
    practice.after(seconds=1)
    rows = practice.listed(rounds=1)
    assert [(row["status"], row["id"]) for row in rows] == [("queued", second), ("on-time", first)]


def test_a_fresh_upload_replaces_a_promoted_one(practice: Tournament) -> None:
    practice.after(hours=2)
    practice.upload(practice.csv())
    practice.after(hours=22)
    fresh = practice.upload(practice.csv())
    practice.after(seconds=1)
    assert (practice.listed()[0]["id"], practice.statuses()[0]) == (fresh, (1405, "on-time"))


def test_an_invalid_late_upload_is_not_queued(practice: Tournament) -> None:
    practice.after(hours=2)
    practice.upload(practice.csv(number=1400))
    practice.after(seconds=1)
    assert practice.statuses() == [(1404, "none"), (1403, "none"), (1402, "none")]


def test_a_file_that_was_never_put_cannot_become_a_submission(practice: Tournament) -> None:
    query = "query($f: String! $m: ID) {submissionUploadAuth(filename: $f tournament: 8 modelId: $m) {filename}}"
    model_id = practice.model_id("alpha_model")
    name = practice.data(query, {"f": "a.csv", "m": model_id})["submissionUploadAuth"]["filename"]
    create = "mutation($f: String! $m: ID) {createSubmission(filename: $f tournament: 8 modelId: $m) {id}}"
    assert "never uploaded" in practice.errors(create, {"f": name, "m": model_id})[0]
    assert "No upload authorization" in practice.errors(create, {"f": "other.csv", "m": model_id})[0]
    assert practice.world.submissions_of("alpha_model") == []


def test_a_repeated_create_makes_a_second_submission(practice: Tournament) -> None:
    name = practice.authorise(practice.csv())
    assert practice.create(name) != practice.create(name)
    assert [one.filename for one in practice.world.submissions_of("alpha_model", 1404)] == [name, name]


def test_the_bytes_of_a_submission_are_those_at_its_creation(practice: Tournament) -> None:
    content = practice.csv()
    name = practice.authorise(content)
    practice.create(name)
    practice.storage.objects[f"submissions/{name}"] = b"changed afterwards"
    practice.after(seconds=1)
    kept = practice.world.submissions_of("alpha_model", 1404)[0]
    assert (kept.status, kept.sha256) == ("on-time", hashlib.sha256(content).hexdigest())


def test_a_model_with_an_assigned_pickle_takes_no_uploads(practice: Tournament) -> None:
    name = practice.authorise(practice.csv())
    practice.world.assign_pickle("alpha_model")
    variables = {"f": name, "m": practice.model_id("alpha_model")}
    for query in (
        "query($f: String! $m: ID) {submissionUploadAuth(filename: $f tournament: 8 modelId: $m) {url}}",
        "mutation($f: String! $m: ID) {createSubmission(filename: $f tournament: 8 modelId: $m) {id}}",
    ):
        assert "model upload assigned" in practice.errors(query, variables)[0]
    models = practice.data("{account {models {name computePickleUpload {id}}}}")["account"]["models"]
    assert [one["name"] for one in models if one["computePickleUpload"]] == ["alpha_model"]


def test_signals_and_crypto_play_the_same_rounds(practice: Tournament) -> None:
    for model, number in (("practice_signals", 11), ("practice_crypto", 12)):
        practice.upload(practice.csv(number), model)
        practice.after(seconds=1)
        assert practice.statuses(model)[0] == (1404, "on-time")


def test_scores_belong_to_the_file_that_counts_and_grow_with_the_days(practice: Tournament) -> None:
    practice.upload(practice.csv(mean=0.4))
    practice.after(hours=23)
    assert _scores(practice) == []
    practice.after(hours=1)
    assert {(row["day"], round(row["value"], 6)) for row in _scores(practice)} == {(1, 0.004)}
    practice.after(days=1)
    assert {row["day"] for row in _scores(practice)} == {1, 2}


def test_a_promoted_upload_is_scored_in_both_rounds(practice: Tournament) -> None:
    practice.after(hours=2)
    practice.upload(practice.csv(mean=0.6))
    practice.after(days=6)
    rows = _scores(practice)
    assert {row["roundNumber"] for row in rows} == {1404, 1405}
    assert {round(row["value"], 6) for row in rows} == {0.006}


def test_a_late_upload_risks_nothing_and_an_on_time_one_a_64th(practice: Tournament) -> None:
    practice.upload(practice.csv(), "beta_model")
    practice.after(hours=2)
    practice.upload(practice.csv())
    practice.after(days=5)
    query = "query($m: ID!) {v2RoundModelPerformances(modelId: $m lastNRounds: 6) {roundNumber atRisk}}"
    for name, at_risk in (("alpha_model", "0.000000000000000000"), ("beta_model", "1.000000000000000000")):
        rows = practice.data(query, {"m": practice.model_id(name)})["v2RoundModelPerformances"]
        assert {"roundNumber": 1404, "atRisk": at_risk} in rows


def test_payouts_follow_the_published_formula_and_settle_with_the_round(practice: Tournament) -> None:
    practice.upload(practice.csv(mean=0.4))
    practice.after(days=10)
    pending = _payouts(practice)
    assert pending["actual"] == []
    assert [(row["roundNumber"], row["payoutNmr"]) for row in pending["pending"]] == [(1404, "0.072000000000000000")]
    practice.after(days=60)
    settled = _payouts(practice)
    assert [(row["roundNumber"], row["payoutNmr"]) for row in settled["actual"]] == [(1404, "0.072000000000000000")]
    assert settled["pending"] == []


def test_a_restart_continues_where_the_tournament_was(tmp_path: Path) -> None:
    first = tournament(tmp_path)
    name = first.authorise(first.csv())
    first.after(minutes=20)
    again = tournament(tmp_path, clock=PracticeClock(HandClock()))
    again.storage.objects = first.storage.objects
    assert again.clock.now() == START + 20 * MINUTE
    assert again.number() == 1404
    again.create(name)
    again.after(seconds=1)
    assert again.statuses()[0] == (1404, "on-time")
    third = tournament(tmp_path, clock=PracticeClock(HandClock()))
    assert third.statuses()[0] == (1404, "on-time")
    assert third.world.state == again.world.state


def test_an_upload_that_was_pending_at_a_restart_is_still_judged(tmp_path: Path) -> None:
    first = tournament(tmp_path)
    first.upload(first.csv())
    assert first.statuses()[0] == (1404, "pending")
    again = tournament(tmp_path)
    again.after(seconds=2)
    assert again.statuses()[0] == (1404, "on-time")


def test_a_kept_file_that_was_removed_fails_its_own_submission_only(practice: Tournament, tmp_path: Path) -> None:
    practice.upload(practice.csv(mean=0.4))
    practice.upload(practice.csv(mean=0.6), "beta_model")
    lost = practice.world.submissions_of("alpha_model")[0]
    (tmp_path / "kept" / lost.sha256).unlink()
    practice.after(seconds=1)
    assert practice.world.submissions_of("alpha_model")[0].status == "invalid"
    assert practice.statuses("beta_model")[0] == (1404, "on-time")


def test_another_rhythm_opens_the_next_number_at_once(tmp_path: Path) -> None:
    tournament(tmp_path)
    again = tournament(tmp_path, window_minutes=5, period_minutes=10)
    current = again.world.calendar.current(again.clock.now())
    assert (current.number, current.opens_at) == (1405, START)


def test_a_start_that_opens_now_always_has_a_round_with_time_left(tmp_path: Path) -> None:
    first = tournament(tmp_path, opens_now=True)
    number = first.world.calendar.current(first.clock.now()).number
    for minutes, opened in ((54, 0), (3, 1), (90, 2)):
        first.clock.advance(timedelta(minutes=minutes))
        first.world.save()
        again = tournament(tmp_path, opens_now=True)
        current = again.world.calendar.current(again.clock.now())
        assert current.number == number + opened
        assert current.deadline - again.clock.now() >= timedelta(minutes=5)
        first = again


def test_an_unreadable_state_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"saved_at": 3}')
    with pytest.raises(ConfigError, match=r"state\.json: not a state .* Move the file away"):
        tournament(tmp_path)


def test_settings_that_do_not_fit_are_all_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        WorldOptions(tmp_path, window_minutes=-1, open_late_minutes=-1, validation_delay_s=-1)
    assert len(caught.value.problems) == 3
    with pytest.raises(ConfigError, match="make the period longer"):
        WorldOptions(tmp_path, window_minutes=60, period_minutes=30)


def test_jumping_to_the_next_opening_opens_it_also_when_it_is_late(tmp_path: Path) -> None:
    practice = tournament(tmp_path, open_late_minutes=30)
    assert practice.number() == 1403
    practice.world.advance_to_next_opening()
    current = practice.world.calendar.current(practice.clock.now())
    assert (current.number, current.opens_at) == (1404, START + 30 * MINUTE)
    assert practice.clock.now() == current.opens_at


def test_models_can_be_added_but_not_twice_in_one_tournament(practice: Tournament) -> None:
    practice.world.add_model("gamma", Number.CLASSIC)
    practice.world.add_model("gamma", Number.CRYPTO)
    with pytest.raises(Exception, match="already taken"):
        practice.world.add_model("gamma", Number.CLASSIC)
    with pytest.raises(KeyError, match="there are"):
        practice.world.submissions_of("delta")


def _scores(practice: Tournament) -> list[dict[str, object]]:
    query = """query($m: ID!) {submissionScores(modelId: $m displayName: "corr60" tournament: 8)
               {roundNumber day value displayName}}"""
    rows: list[dict[str, object]] = practice.data(query, {"m": practice.model_id("alpha_model")})["submissionScores"]
    return rows


def _payouts(practice: Tournament) -> dict[str, list[dict[str, object]]]:
    query = "{pendingModelPayouts(tournament: 8) {actual {roundNumber payoutNmr} pending {roundNumber payoutNmr}}}"
    found: dict[str, list[dict[str, object]]] = practice.data(query)["pendingModelPayouts"]
    return found
