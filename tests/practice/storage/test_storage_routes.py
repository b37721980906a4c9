"""The storage over HTTP, asked as a client would."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from numebot.adapters.clock import SystemClock

LIMIT_S = 5


def test_a_file_comes_with_length_etag_and_time(rig: Any) -> None:
    url = rig.storage.get_url(rig.file("1404/live.parquet", b"PAR1 data PAR1"), "live.parquet")
    answer = requests.get(url, timeout=LIMIT_S)
    assert (answer.status_code, answer.content) == (200, b"PAR1 data PAR1")
    assert answer.headers["Content-Length"] == "14"
    assert len(answer.headers["ETag"]) == 34
    assert answer.headers["Last-Modified"].endswith("GMT")
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_an_unchanged_file_is_not_sent_again(rig: Any) -> None:
    path = rig.file("features.json", b"{}")
    url = rig.storage.get_url(path, "features.json")
    etag = requests.get(url, timeout=LIMIT_S).headers["ETag"]
    answer = requests.get(url, headers={"If-None-Match": etag}, timeout=LIMIT_S)
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
    path.write_bytes(b"[]")
    assert requests.get(url, headers={"If-None-Match": etag}, timeout=LIMIT_S).content == b"[]"


def test_a_range_is_served_and_named(rig: Any) -> None:
    url = rig.storage.get_url(rig.file("a", b"0123456789"), "a")
    answer = requests.get(url, headers={"Range": "bytes=4-6"}, timeout=LIMIT_S)
    assert (answer.status_code, answer.content) == (206, b"456")
    assert answer.headers["Content-Range"] == "bytes 4-6/10"


def test_a_range_of_another_version_gets_the_whole_file(rig: Any) -> None:
    url = rig.storage.get_url(rig.file("a", b"0123456789"), "a")
    answer = requests.get(url, headers={"Range": "bytes=4-6", "If-Range": '"old"'}, timeout=LIMIT_S)
    assert (answer.status_code, answer.content) == (200, b"0123456789")


def test_a_range_behind_the_end_is_refused_with_the_size(rig: Any) -> None:
    url = rig.storage.get_url(rig.file("a", b"0123456789"), "a")
    answer = requests.get(url, headers={"Range": "bytes=10-"}, timeout=LIMIT_S)
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */10")
    assert b"<Code>InvalidRange</Code>" in answer.content


def test_a_large_file_arrives_whole(rig: Any) -> None:
    content = bytes(range(256)) * 20_000
    url = rig.storage.get_url(rig.file("big", content), "big")
    assert requests.get(url, timeout=LIMIT_S).content == content
    assert requests.get(url, headers={"Range": "bytes=3000000-"}, timeout=LIMIT_S).content == content[3_000_000:]


def test_an_upload_is_kept_and_its_etag_told(rig: Any) -> None:
    content = b"id,prediction\n" + b"n0,0.5\n" * 300_000
    answer = requests.put(rig.storage.put_url("submissions/a.csv"), data=content, timeout=LIMIT_S)
    assert (answer.status_code, answer.content) == (200, b"")
    assert rig.storage.read("submissions/a.csv") == content
    assert answer.headers["ETag"] == rig.storage.stored(rig.storage.path_of("submissions/a.csv")).etag


def test_a_second_upload_takes_the_place_of_the_first(rig: Any) -> None:
    for content in (b"one", b"two"):
        requests.put(rig.storage.put_url("a.csv"), data=content, timeout=LIMIT_S)
    assert rig.storage.read("a.csv") == b"two"


@pytest.mark.parametrize("verb", ["PUT", "GET", "HEAD"])
def test_a_forged_address_gets_an_error_in_xml_and_changes_nothing(rig: Any, verb: str) -> None:
    file = rig.storage.get_url(rig.file("a", b"x"), "a")
    url = (rig.storage.put_url("a.csv") if verb == "PUT" else file).replace("X-Amz-Signature=", "X-Amz-Signature=0")
    answer = requests.request(verb, url, data=b"1" if verb == "PUT" else None, timeout=LIMIT_S)
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/xml"
    assert verb == "HEAD" or b"<Code>SignatureDoesNotMatch</Code>" in answer.content
    assert rig.storage.read("a.csv") is None


def test_an_expired_upload_address_is_refused(rig: Any) -> None:
    url = rig.storage.put_url("a.csv")
    rig.now.advance(3600)
    answer = requests.put(url, data=b"1", timeout=LIMIT_S)
    assert answer.status_code == 403
    assert b"<Message>Request has expired</Message>" in answer.content
    assert rig.storage.read("a.csv") is None


def test_an_upload_without_a_length_is_refused_as_s3_does(rig: Any) -> None:
    answer = requests.put(rig.storage.put_url("a.csv"), data=iter([b"1", b"2"]), timeout=LIMIT_S)
    assert (answer.status_code, rig.storage.read("a.csv")) == (501, None)


def test_half_an_upload_leaves_nothing(rig: Any) -> None:
    requests.put(rig.storage.put_url("a.csv"), data=b"whole", timeout=LIMIT_S)
    split = urlsplit(rig.storage.put_url("a.csv"))
    head = f"PUT {split.path}?{split.query} HTTP/1.1\r\nHost: {split.netloc}\r\nContent-Length: 1000\r\n\r\n"
    with socket.create_connection((split.hostname, split.port), timeout=LIMIT_S) as client:
        client.sendall(head.encode() + b"x" * 500)
    for _ in range(100):
        if not list(rig.storage.folder.glob(".*")):
            break
        SystemClock().wait(0.05)
    assert list(rig.storage.folder.glob(".*")) == []
    assert rig.storage.read("a.csv") == b"whole"


def test_a_folder_that_cannot_be_written_is_an_internal_error_and_not_an_upload(rig: Any) -> None:
    rig.storage.folder.write_bytes(b"a file where the folder should be")
    answer = requests.put(rig.storage.put_url("a.csv"), data=b"1", timeout=LIMIT_S)
    assert answer.status_code == 500
    assert b"<Code>InternalError</Code>" in answer.content
