"""Every kind of fault as a client meets it, on a real connection."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from numebot.adapters.clock import SystemClock
from numebot.practice.faults.kinds import Kind

ROUNDS = "query { rounds(number: 0) { number } }"
CREATE = "mutation { create_submission { id } }"
CONNECTION_ENDS = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
CLOCK = SystemClock()


def raw_post(rig: Any, text: str) -> bytes:
    body = json.dumps({"query": text}).encode()
    head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{rig.server.port}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def raw_get(rig: Any, url: str) -> bytes:
    path = url.removeprefix(rig.url)
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{rig.server.port}\r\n\r\n".encode()


def test_without_faults_the_api_answers(rig: Any) -> None:
    answer = rig.ask(CREATE)
    assert (answer.status_code, answer.json()) == (200, {"data": {"create_submission": {"id": "one"}}})


def test_reset_ends_the_connection_before_anything_is_done(rig: Any) -> None:
    rig.strike("reset", "createSubmission", times=1)
    with pytest.raises(ConnectionResetError):
        rig.raw(raw_post(rig, CREATE))
    assert rig.api.executed == []
    assert rig.ask(CREATE).status_code == 200


def test_reset_after_commit_leaves_the_work_done(rig: Any) -> None:
    rig.strike("reset-after-commit", "createSubmission", times=1)
    with pytest.raises(ConnectionResetError):
        rig.raw(raw_post(rig, CREATE))
    assert rig.api.executed == ["createSubmission"]


def test_refused_closes_the_door_for_a_while_and_opens_it_again(rig: Any) -> None:
    rig.strike("refused", "rounds", times=1, seconds=0.3)
    with pytest.raises(CONNECTION_ENDS):
        rig.ask(ROUNDS)
    with pytest.raises(requests.ConnectionError, match="refused"):
        rig.ask(ROUNDS)
    CLOCK.wait(0.5)
    assert rig.ask(ROUNDS).status_code == 200


@pytest.mark.parametrize(("kind", "executed"), [("hang", []), ("hang-after-commit", ["createSubmission"])])
def test_a_hang_never_answers(rig: Any, kind: str, executed: list[str]) -> None:
    rig.strike(kind, "createSubmission")
    with pytest.raises(requests.ReadTimeout):
        rig.ask(CREATE, timeout=0.3)
    assert rig.api.executed == executed


def test_a_hang_with_a_limit_ends_in_silence(rig: Any) -> None:
    rig.strike("hang", "rounds", seconds=0.1)
    assert rig.raw(raw_post(rig, ROUNDS)) == b""


def test_hung_requests_block_neither_others_nor_the_end(rig: Any) -> None:
    rig.strike("hang", "createSubmission")
    with ThreadPoolExecutor(60) as pool:
        hung = [pool.submit(rig.ask, CREATE, timeout=20) for _ in range(60)]
        while rig.faults.switched()[0].struck < 60:
            CLOCK.wait(0.01)
        assert rig.ask(ROUNDS).status_code == 200
        began = CLOCK.monotonic()
        rig.server.stop()
        assert CLOCK.monotonic() - began < 1
        assert all(isinstance(each.exception(), requests.ConnectionError) for each in hung)


def test_a_slow_api_call_does_not_hold_up_the_end(rig: Any) -> None:
    rig.api.may_answer.clear()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(rig.ask, CREATE)
        CLOCK.wait(0.2)
        began = CLOCK.monotonic()
        rig.server.stop()
        assert CLOCK.monotonic() - began < 1
        rig.api.may_answer.set()
        assert isinstance(asked.exception(), requests.ConnectionError)


def test_a_status_comes_with_an_error_in_the_words_of_the_api(rig: Any) -> None:
    rig.strike("status", "createSubmission", status=401, messages=("Your session is invalid",))
    answer = rig.ask(CREATE)
    assert (answer.status_code, answer.json()) == (401, {"errors": [{"message": "Your session is invalid"}]})
    assert rig.api.executed == []


def test_a_status_can_carry_any_body(rig: Any) -> None:
    rig.strike("status", "rounds", status=503, body="<h1>down</h1>")
    answer = rig.ask(ROUNDS)
    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (
        503,
        "<h1>down</h1>",
        "text/html; charset=utf-8",
    )


def test_a_status_after_the_commit_hides_that_it_was_done(rig: Any) -> None:
    rig.strike("status-after-commit", "createSubmission", times=1)
    assert rig.ask(CREATE).status_code == 502
    assert rig.api.executed == ["createSubmission"]


def test_too_many_requests_say_when_to_come_back(rig: Any) -> None:
    rig.strike("retry-after", "createSubmission", seconds=7)
    answer = rig.ask(CREATE)
    assert (answer.status_code, answer.headers["Retry-After"], rig.api.executed) == (429, "7", [])


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_leads_to_another_host_name(rig: Any, status: int) -> None:
    rig.strike("redirect", "createSubmission", status=status)
    answer = rig.ask(CREATE)
    assert (answer.status_code, answer.headers["Location"]) == (status, f"http://localhost:{rig.server.port}/")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("html-200", None),
        ("empty-200", ""),
        ("bad-json", None),
        ("data-null", '{"data": null}'),
        ("list-empty", '{"data": {"create_submission": []}}'),
    ],
)
def test_answers_without_data_come_with_200_and_nothing_is_done(rig: Any, kind: str, text: str | None) -> None:
    rig.strike(kind, "createSubmission")
    answer = rig.ask(CREATE)
    assert answer.status_code == 200
    assert text is None or answer.text == text
    assert rig.api.executed == []


def test_the_maintenance_page_is_html_and_the_bad_json_is_none(rig: Any) -> None:
    rig.strike("html-200", times=1)
    assert "<html>" in rig.ask(ROUNDS).text
    rig.strike("bad-json", times=1)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        rig.ask(ROUNDS).json()


def test_several_errors_come_in_their_order(rig: Any) -> None:
    rig.strike("several-errors", "createSubmission", messages=("first", "second"), status=400)
    answer = rig.ask(CREATE)
    assert (answer.status_code, [error["message"] for error in answer.json()["errors"]]) == (400, ["first", "second"])


def test_an_unknown_field_fails_the_whole_document(rig: Any) -> None:
    rig.strike("unknown-field", "rounds", field="dataDatestamp")
    assert rig.ask("query { rounds(number: 0) { number dataDatestamp } }").json() == {
        "errors": [{"message": 'Cannot query field "dataDatestamp" on type "Round".'}],
    }
    assert "data" in rig.ask(ROUNDS).json(), "who does not ask for the field does not miss it"


def test_an_empty_list_of_errors_stands_beside_good_data(rig: Any) -> None:
    rig.strike("errors-empty", "createSubmission")
    assert rig.ask(CREATE).json() == {"data": {"create_submission": {"id": "one"}}, "errors": []}


def test_a_field_can_become_null(rig: Any) -> None:
    rig.strike("null-field", "rounds")
    assert rig.ask(ROUNDS).json() == {"data": {"rounds": [{"number": 1404, "closeStakingTime": None}]}}


def test_names_from_the_server_can_be_paths(rig: Any) -> None:
    rig.strike("bad-name", name="/etc/passwd")
    assert rig.ask("{ submissionUploadAuth { filename } }").json()["data"]["submissionUploadAuth"]["filename"] == (
        "/etc/passwd"
    )
    assert rig.ask("{ listDatasets }").json()["data"] == {"listDatasets": ["v5.3/live.parquet", "/etc/passwd"]}


def test_addresses_from_the_server_can_be_dangerous(rig: Any) -> None:
    rig.strike("bad-url")
    assert rig.ask("{ submission_upload_auth { url } }").json()["data"]["submission_upload_auth"]["url"] == (
        "file:///etc/passwd"
    )
    assert rig.ask('{ file: dataset(filename: "a") }').json() == {"data": {"file": "file:///etc/passwd"}}


def test_a_slow_answer_is_right_but_late(rig: Any) -> None:
    rig.strike("slow", "createSubmission", seconds=0.3)
    began = CLOCK.monotonic()
    assert rig.ask(CREATE).json()["data"] == {"create_submission": {"id": "one"}}
    assert CLOCK.monotonic() - began > 0.29


def test_the_date_is_the_practice_time_and_can_be_wrong(rig: Any) -> None:
    assert parsedate_to_datetime(rig.ask(ROUNDS).headers["Date"]) == rig.now.time
    rig.strike("clock-skew", seconds=-7200)
    assert (rig.now.time - parsedate_to_datetime(rig.ask(ROUNDS).headers["Date"])).total_seconds() == 7200
    rig.strike("truncated")
    assert b"date: Sat, 21 Nov 2026 10:00:07 GMT\r\n" in rig.raw(raw_post(rig, ROUNDS))


def test_a_drip_feeds_a_few_bytes_at_a_time(rig: Any) -> None:
    url = rig.storage.get_url(rig.file("a", b"0123456789"), "a")
    rig.strike("drip", "get", bytes_per_s=20)
    began = CLOCK.monotonic()
    received = rig.raw(raw_get(rig, url), until=lambda so_far: so_far.endswith(b"0123"))
    assert 0.05 < CLOCK.monotonic() - began < 2
    assert b"content-length: 10\r\n" in received
    assert requests.get(url, timeout=5).content == b"0123456789"


def test_a_drip_can_be_slow_beyond_patience(rig: Any) -> None:
    url = rig.storage.get_url(rig.file("a", b"0123456789"), "a")
    rig.strike("drip", "get")
    with pytest.raises(requests.ConnectionError, match="Read timed out"):
        requests.get(url, timeout=0.2)


def test_truncated_announces_more_than_it_sends(rig: Any) -> None:
    url = rig.storage.get_url(rig.file("a", b"0123456789"), "a")
    rig.strike("truncated", "get")
    head, _, body = rig.raw(raw_get(rig, url)).partition(b"\r\n\r\n")
    assert b"content-length: 10" in head
    assert body == b"01234"
    with pytest.raises(CONNECTION_ENDS):
        requests.get(url, timeout=5)


def test_truncated_chunks_have_no_end(rig: Any) -> None:
    url = rig.storage.get_url(rig.file("a", b"0123456789"), "a")
    rig.strike("truncated-chunked", "get")
    assert rig.raw(raw_get(rig, url)).endswith(b"5\r\n01234\r\n")
    with pytest.raises(CONNECTION_ENDS):
        requests.get(url, timeout=5)


def test_an_early_close_looks_complete(rig: Any) -> None:
    url = rig.storage.get_url(rig.file("a", b"0123456789"), "a")
    rig.strike("early-close", "get")
    answer = requests.get(url, timeout=5)
    assert (answer.status_code, answer.content) == (200, b"01234")
    assert "Content-Length" not in answer.headers


def test_an_early_close_of_a_large_file_sends_half(rig: Any) -> None:
    content = bytes(range(256)) * 20_000
    url = rig.storage.get_url(rig.file("big", content), "big")
    rig.strike("early-close", "get")
    assert requests.get(url, timeout=5).content == content[: len(content) // 2]


@pytest.mark.parametrize("kind", ["status", "html-200", "empty-200", "reset", "retry-after"])
def test_the_storage_can_fail_before_anything_is_kept(rig: Any, kind: str) -> None:
    rig.strike(kind, "put", times=1)
    url = rig.storage.put_url("a.csv")
    content = b"x" * 3_000_000
    if kind == "reset":
        with pytest.raises(CONNECTION_ENDS):
            requests.put(url, data=content, timeout=5)
    else:
        answer = requests.put(url, data=content, timeout=5)
        assert answer.status_code == {"status": 500, "retry-after": 429}.get(kind, 200)
    assert rig.storage.read("a.csv") is None
    assert requests.put(url, data=content, timeout=5).status_code == 200
    assert rig.storage.read("a.csv") == content


def test_a_refused_upload_says_so_in_xml(rig: Any) -> None:
    rig.strike("status", "put", status=403, messages=("Request has expired",))
    answer = requests.put(rig.storage.put_url("a.csv"), data=b"1", timeout=5)
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/xml")
    assert b"<Code>AccessDenied</Code><Message>Request has expired</Message>" in answer.content


def test_an_upload_can_be_accepted_and_dropped(rig: Any) -> None:
    rig.strike("put-dropped", "put", times=1)
    assert requests.put(rig.storage.put_url("a.csv"), data=b"1234", timeout=5).status_code == 200
    assert rig.storage.read("a.csv") is None


def test_an_upload_can_be_accepted_and_halved(rig: Any) -> None:
    rig.strike("put-half", "put", times=1)
    assert requests.put(rig.storage.put_url("a.csv"), data=b"1234", timeout=5).status_code == 200
    assert rig.storage.read("a.csv") == b"12"


def test_an_upload_can_be_kept_although_the_answer_fails(rig: Any) -> None:
    rig.strike("status-after-commit", "put", status=504, times=1)
    assert requests.put(rig.storage.put_url("a.csv"), data=b"1234", timeout=5).status_code == 504
    assert rig.storage.read("a.csv") == b"1234"


def test_an_upload_can_hang(rig: Any) -> None:
    rig.strike("hang", "put")
    with pytest.raises((requests.Timeout, requests.ConnectionError)):
        requests.put(rig.storage.put_url("a.csv"), data=b"x" * 20_000_000, timeout=0.3)
    assert rig.storage.read("a.csv") is None


def test_the_file_of_the_round_before_comes_under_this_rounds_address(rig: Any) -> None:
    old, new = rig.file("1403/live", b"old, and of another length"), rig.file("1404/live", b"new")
    rig.earlier[new] = old
    rig.strike("wrong-round", "get", times=1)
    url = rig.storage.get_url(new, "live")
    assert [requests.get(url, timeout=5).content for _ in range(2)] == [b"old, and of another length", b"new"]


def test_a_spliced_file_has_the_right_length(rig: Any) -> None:
    old, new = rig.file("1403/live", b"aaaaaaaa"), rig.file("1404/live", b"bbbbbb")
    rig.earlier[new] = old
    rig.strike("spliced", "get")
    assert requests.get(rig.storage.get_url(new, "live"), timeout=5).content == b"aaabbb"


def test_a_range_can_be_ignored(rig: Any) -> None:
    url = rig.storage.get_url(rig.file("a", b"0123456789"), "a")
    rig.strike("ignore-range", times=1)
    assert requests.get(url, timeout=5).content == b"0123456789"
    answer = requests.get(url, headers={"Range": "bytes=5-"}, timeout=5)
    assert (answer.status_code, answer.content) == (200, b"0123456789")


@pytest.mark.parametrize("status", [403, 416, 500, 503])
def test_a_range_can_be_refused_with_an_error_in_xml(rig: Any, status: int) -> None:
    url = rig.storage.get_url(rig.file("a", b"0123456789"), "a")
    rig.strike("range-refused", "get", status=status, times=1)
    assert requests.get(url, timeout=5).content == b"0123456789"
    answer = requests.get(url, headers={"Range": "bytes=5-"}, timeout=5)
    assert (answer.status_code, answer.content[:5]) == (status, b"<?xml")


def test_an_unreadable_request_can_only_meet_faults_of_everything(rig: Any) -> None:
    rig.strike("status", "rounds")
    assert rig.ask("this is no query").json() == {"data": {}}
    rig.strike("data-null", "*")
    assert rig.ask("this is no query").json() == {"data": None}


def test_each_kind_has_a_test_here() -> None:
    with open(__file__, encoding="utf-8") as own:
        text = own.read()
    assert [kind.value for kind in Kind if f'"{kind.value}"' not in text] == []
