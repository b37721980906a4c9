"""Addresses: for one object, one verb, for a while; and files that appear whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numebot.practice.storage.byte_ranges import NotSatisfiable, Part, requested_part
from numebot.practice.storage.storage import Refused, Storage

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Hand:
    time = NOW


def storage_in(folder: Path, hand: Hand, secret: bytes = b"secret") -> Storage:
    return Storage(folder, secret=secret, now=lambda: hand.time, base_url=lambda: "http://127.0.0.1:1")


def parts(url: str) -> tuple[str, str]:
    split = urlsplit(url)
    return split.path, split.query


def test_an_upload_address_names_its_key(tmp_path: Path) -> None:
    storage = storage_in(tmp_path, Hand())
    assert storage.key_for(*parts(storage.put_url("submissions/my model-ä.csv"))) == "submissions/my model-ä.csv"


def test_an_upload_address_cannot_be_used_for_another_key(tmp_path: Path) -> None:
    storage = storage_in(tmp_path, Hand())
    path, query = parts(storage.put_url("submissions/mine.csv"))
    with pytest.raises(Refused, match="does not match"):
        storage.key_for(path.replace("mine", "yours"), query)


def test_an_upload_address_cannot_be_used_to_read(tmp_path: Path) -> None:
    storage = storage_in(tmp_path, Hand())
    with pytest.raises(Refused) as refused:
        storage.path_for(*parts(storage.put_url("a.csv")))
    assert (refused.value.status, refused.value.code) == (403, "SignatureDoesNotMatch")


def test_an_address_of_another_server_is_refused(tmp_path: Path) -> None:
    ours, theirs = storage_in(tmp_path, Hand()), storage_in(tmp_path, Hand(), secret=b"other")
    with pytest.raises(Refused, match="does not match"):
        ours.key_for(*parts(theirs.put_url("a.csv")))


@pytest.mark.parametrize("query", ["", "X-Amz-Signature=", "X-Amz-Signature=%C3%A4", "X-Amz-Signature=00&X-Amz-Date=x"])
def test_a_missing_or_broken_signature_is_refused(tmp_path: Path, query: str) -> None:
    with pytest.raises(Refused) as refused:
        storage_in(tmp_path, Hand()).key_for("/storage/uploads/a.csv", query)
    assert refused.value.status == 403


def test_an_address_expires_with_the_practice_time(tmp_path: Path) -> None:
    hand = Hand()
    storage = storage_in(tmp_path, hand)
    address = parts(storage.put_url("a.csv"))
    hand.time = NOW + timedelta(minutes=59, seconds=59)
    assert storage.key_for(*address) == "a.csv"
    hand.time = NOW + timedelta(minutes=60)
    with pytest.raises(Refused, match="Request has expired"):
        storage.key_for(*address)


def test_an_extended_expiry_is_a_forgery(tmp_path: Path) -> None:
    storage = storage_in(tmp_path, Hand())
    path, query = parts(storage.put_url("a.csv"))
    with pytest.raises(Refused, match="does not match"):
        storage.key_for(path, query.replace("X-Amz-Expires=3600", "X-Amz-Expires=9999999"))


def test_a_download_address_shows_no_path_of_this_machine(tmp_path: Path) -> None:
    storage = storage_in(tmp_path, Hand())
    url = storage.get_url(tmp_path / "secret folder" / "live.parquet", "live.parquet")
    assert storage.path_for(*parts(url)) == tmp_path / "secret folder" / "live.parquet"
    assert "secret" not in url
    assert str(tmp_path) not in url


@given(key=st.text(min_size=1, max_size=300).filter(lambda key: not any(0xD800 <= ord(c) <= 0xDFFF for c in key)))
def test_no_key_leaves_the_folder(key: str) -> None:
    folder = Path("/practice/storage")
    path = storage_in(folder, Hand()).path_of(key)
    assert path.parent == folder
    assert len(path.name) <= 100
    assert path.name not in (".", "..")


def test_two_keys_never_share_a_file(tmp_path: Path) -> None:
    storage = storage_in(tmp_path, Hand())
    assert storage.path_of("submissions/a.csv") != storage.path_of("diagnostics/a.csv")
    assert storage.path_of("x/ä.csv") != storage.path_of("x/ö.csv")


def test_what_was_kept_is_read_back_and_the_received_file_is_gone(tmp_path: Path) -> None:
    storage = storage_in(tmp_path / "storage", Hand())
    received = tmp_path / "received"
    received.write_bytes(b"id,prediction\n")
    storage.keep("submissions/a.csv", received)
    assert storage.read("submissions/a.csv") == b"id,prediction\n"
    assert storage.read("submissions/b.csv") is None
    assert not received.exists()


def test_the_etag_follows_the_content(tmp_path: Path) -> None:
    storage = storage_in(tmp_path, Hand())
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"one")
    first = storage.stored(tmp_path / "a").etag
    assert first == storage.stored(tmp_path / "b").etag
    (tmp_path / "a").write_bytes(b"other")
    assert storage.stored(tmp_path / "a").etag != first


def test_a_file_that_is_gone_is_a_404(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        storage_in(tmp_path, Hand()).stored(tmp_path / "gone")
    assert (refused.value.status, refused.value.code) == (404, "NoSuchKey")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-0", Part(0, 0, 10)),
        ("bytes=4-", Part(4, 9, 10)),
        ("bytes=4-99", Part(4, 9, 10)),
        ("bytes=-3", Part(7, 9, 10)),
        ("bytes=-99", Part(0, 9, 10)),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
    ],
)
def test_ranges_are_read_as_the_standard_says(header: str | None, expected: Part | None) -> None:
    assert requested_part(header, 10) == expected


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=0-", 0), ("bytes=-0", 10), ("bytes=-1", 0)])
def test_a_range_outside_the_file_cannot_be_served(header: str, size: int) -> None:
    with pytest.raises(NotSatisfiable):
        requested_part(header, size)
