"""Downloads: each fault of a file transfer, and that nothing but a whole file is ever kept."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import json
import os
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from numebot.adapters.numerai.client import NumeraiClient
from numebot.adapters.numerai.sink import FileSink
from numebot.core.errors import LocalTrouble, Rejected, Unavailable
from numebot.core.types import Download

from .conftest import HurriedClock
from .fault_server import (
    FaultServer,
    chunked,
    close,
    cut_off,
    data,
    drip,
    errors,
    hang,
    head,
    http,
    raw,
    reset,
    unframed,
)

Make = Callable[..., NumeraiClient]
LIVE = "v5.3/live.parquet"


def parquet(seed: int = 0, rows: int = 3000) -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame({"id": [f"n{seed:03d}{row:012d}" for row in range(rows)]}).to_parquet(buffer, compression=None)
    return buffer.getvalue()


FILE = parquet()


@pytest.fixture
def offer(server: FaultServer) -> FaultServer:
    """A server whose datasets all lie at /bucket/file."""
    server.on("dataset", data({"dataset": f"{server.url}/bucket/file?X-Amz-Signature=CANARYSIGNATURE"}))
    server.on("GET /bucket/file", http(FILE))
    return server


class SlowDigest:
    """Remembers what it was shown, and takes its time to look."""

    def __init__(self) -> None:
        self.heard = b""

    def update(self, chunk: memoryview) -> None:
        threading.Event().wait(0.002)
        self.heard += bytes(chunk)

    def hexdigest(self) -> str:
        return ""


def is_clean(folder: Path) -> bool:
    return not any(folder.rglob("*.part")) and not any(folder.rglob("*.temp"))


def test_a_file_arrives_whole_with_its_hash_and_etag(offer: FaultServer, client: NumeraiClient, tmp_path: Path) -> None:
    offer.on("GET /bucket/file", http(FILE, ETag='"abc"'))
    target = tmp_path / "rounds" / "1404" / "live.parquet"

    download = client.download(LIVE, target, tournament=8, round_number=1404)

    assert download == Download(target, hashlib.sha256(FILE).hexdigest(), len(FILE), "abc", is_new=True)
    assert target.read_bytes() == FILE
    assert offer.requests[0].variables == {"filename": LIVE, "round": 1404, "tournament": 8}
    assert is_clean(tmp_path)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(http("<Error>AccessDenied</Error>", 403), id="403, the address has run out"),
        pytest.param(http("<Error/>", 404), id="404"),
        pytest.param(http("<Error/>", 416), id="416"),
        pytest.param(http("<Error/>", 500), id="500"),
        pytest.param(http("<Error/>", 503), id="503"),
        pytest.param(http(FILE, 206, Content_Range="bytes 0-9/10"), id="206 without having asked for a range"),
        pytest.param(http(FILE, 304), id="304 without having asked"),
        pytest.param(http("<html>maintenance</html>"), id="HTML with 200"),
        pytest.param(http(""), id="empty with 200"),
        pytest.param(unframed(b""), id="empty without length"),
        pytest.param(unframed(FILE[:-10]), id="closed early without length"),
        pytest.param(cut_off(FILE[:500], len(FILE)), id="closed early with length"),
        pytest.param(chunked(FILE[:500], is_whole=False), id="closed early, chunked"),
        pytest.param(http(FILE[:-4]), id="tail missing"),
        pytest.param(http(FILE[4:]), id="head missing"),
        pytest.param(http(b"PAR1" + FILE[-8:]), id="both ends without a middle"),
        pytest.param(close, id="no answer"),
        pytest.param(reset, id="reset"),
        pytest.param(hang, id="silence"),
    ],
)
def test_a_bad_transfer_is_repeated_with_a_fresh_address_and_never_kept(
    fault: object, offer: FaultServer, client: NumeraiClient, tmp_path: Path
) -> None:
    offer.on("GET /bucket/file", fault, http(FILE))  # type: ignore[arg-type]
    target = tmp_path / "live.parquet"

    client.download(LIVE, target)

    assert target.read_bytes() == FILE
    assert offer.count("dataset") == 2
    assert "range" not in offer.requests[-1].headers
    assert is_clean(tmp_path)


@pytest.mark.parametrize("fault", [http("<html>x</html>"), http("", 403), cut_off(FILE[:500], len(FILE)), hang])
def test_when_no_attempt_succeeds_the_old_file_stays_untouched(
    fault: object, offer: FaultServer, client: NumeraiClient, tmp_path: Path
) -> None:
    offer.on("GET /bucket/file", fault)  # type: ignore[arg-type]
    target = tmp_path / "live.parquet"
    target.write_bytes(b"old")

    with pytest.raises(Unavailable) as failure:
        client.download(LIVE, target)

    assert target.read_bytes() == b"old"
    assert offer.count("GET /bucket/file") == 3
    assert "CANARYSIGNATURE" not in str(failure.value)
    assert is_clean(tmp_path)


def test_a_file_of_another_round_with_the_same_size_is_never_taken_for_this_one(
    offer: FaultServer, client: NumeraiClient, tmp_path: Path
) -> None:
    target = tmp_path / "live.parquet"
    older = parquet(seed=7)
    target.write_bytes(older)

    download = client.download(LIVE, target)

    assert len(older) == len(FILE)
    assert download.is_new
    assert target.read_bytes() == FILE


def test_left_overs_of_another_attempt_are_never_continued(
    offer: FaultServer, client: NumeraiClient, tmp_path: Path
) -> None:
    target = tmp_path / "live.parquet"
    for left_over in (tmp_path / "live.parquet.temp", tmp_path / ".live.parquet.0123456789ab.part"):
        left_over.write_bytes(parquet(seed=7)[:40000])

    client.download(LIVE, target)

    assert target.read_bytes() == FILE
    assert all("range" not in request.headers for request in offer.requests)


def test_two_downloads_of_one_name_do_not_mix(offer: FaultServer, client: NumeraiClient, tmp_path: Path) -> None:
    target = tmp_path / "live.parquet"
    threads = [threading.Thread(target=client.download, args=(LIVE, target)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert target.read_bytes() == FILE
    assert is_clean(tmp_path)


def test_an_unchanged_file_is_not_sent_again_when_the_etag_is_known(
    offer: FaultServer, client: NumeraiClient, tmp_path: Path
) -> None:
    target = tmp_path / "live.parquet"
    target.write_bytes(FILE)
    offer.on("GET /bucket/file", raw(head(304, {"ETag": '"abc"'})))

    download = client.download(LIVE, target, etag="abc")

    assert download == Download(target, hashlib.sha256(FILE).hexdigest(), len(FILE), "abc", is_new=False)
    assert offer.requests[-1].headers["if-none-match"] == '"abc"'


def test_an_etag_without_a_file_fetches_the_file(offer: FaultServer, client: NumeraiClient, tmp_path: Path) -> None:
    download = client.download(LIVE, tmp_path / "live.parquet", etag="abc")

    assert download.is_new
    assert "if-none-match" not in offer.requests[-1].headers


def test_a_drip_is_ended_by_the_minimum_rate(offer: FaultServer, make_client: Make, tmp_path: Path) -> None:
    start = head(200, {"Content-Length": str(len(FILE))})
    offer.on("GET /bucket/file", lambda link, stop: (link.sendall(start), drip(FILE)(link, stop)), http(FILE))

    make_client(minimum_rate_bytes_s=10_000, rate_window_s=0.2).download(LIVE, tmp_path / "live.parquet")

    assert offer.count("GET /bucket/file") == 2


def test_a_drip_cannot_beat_the_total_deadline(offer: FaultServer, make_client: Make, tmp_path: Path) -> None:
    start = head(200, {"Content-Length": str(len(FILE))})
    offer.on("GET /bucket/file", lambda link, stop: (link.sendall(start), drip(FILE)(link, stop)))

    with pytest.raises(Unavailable, match="not finished within"):
        make_client(download_timeout_s=0.5).download(LIVE, tmp_path / "live.parquet")
    assert offer.count("GET /bucket/file") == 1


@pytest.mark.parametrize("content", ["<html>x</html>", '{"feature_sets": {', '{"error": "busy"}', '{"errors": []}', ""])
def test_features_json_must_be_whole_json(
    content: str, offer: FaultServer, client: NumeraiClient, tmp_path: Path
) -> None:
    good = json.dumps({"feature_sets": {}})
    offer.on("GET /bucket/file", http(content), http(good))

    client.download("v5.3/features.json", tmp_path / "features.json")

    assert (tmp_path / "features.json").read_text() == good


@pytest.mark.parametrize(
    "fault",
    [
        http("<html>a, b</html>"),
        http("no header here\n"),
        unframed(b"id,prediction\nn1,0.5\n"),
        raw(head(200, {"Transfer-Encoding": "gzip, chunked"}) + b"3;a,b\r\nx,y\r\n0\r\n\r\n"),
        cut_off(b"id,prediction\nn1", 22),
        chunked(b"id,prediction\nn1", is_whole=False),
        http(""),
    ],
)
def test_a_csv_must_look_like_one_and_have_a_known_length(
    fault: object, offer: FaultServer, client: NumeraiClient, tmp_path: Path
) -> None:
    good = b"id,prediction\nn1,0.5\n"
    offer.on("GET /bucket/file", fault, chunked(good))  # type: ignore[arg-type]

    client.download("v5.3/live_example_preds.csv", tmp_path / "preds.csv")

    assert (tmp_path / "preds.csv").read_bytes() == good


def test_a_file_that_the_store_keeps_compressed_is_unpacked(
    offer: FaultServer, client: NumeraiClient, tmp_path: Path
) -> None:
    packed = gzip.compress(FILE)
    cut = raw(head(200, {"Content-Length": str(len(packed)), "Content-Encoding": "gzip"}) + packed[:-100])
    offer.on("GET /bucket/file", cut, http(packed, Content_Encoding="gzip"))

    download = client.download(LIVE, tmp_path / "live.parquet")

    assert offer.count("GET /bucket/file") == 2
    assert (tmp_path / "live.parquet").read_bytes() == FILE
    assert (download.sha256, download.size_bytes) == (hashlib.sha256(FILE).hexdigest(), len(FILE))


def test_bytes_are_capped_whatever_the_server_declares(
    offer: FaultServer, make_client: Make, tmp_path: Path
) -> None:
    client = make_client(max_download_bytes=1000)
    for fault in (http(FILE), chunked(FILE)):
        offer.on("GET /bucket/file", fault)
        with pytest.raises(Unavailable, match="max_download_bytes"):
            client.download(LIVE, tmp_path / "live.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_file_larger_than_the_free_space_is_not_begun(offer: FaultServer, make_client: Make, tmp_path: Path) -> None:
    offer.on("GET /bucket/file", cut_off(b"PAR1", 10**17))

    with pytest.raises(LocalTrouble, match="are free"):
        make_client(max_download_bytes=10**18).download(LIVE, tmp_path / "live.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_local_trouble(
    offer: FaultServer, client: NumeraiClient, tmp_path: Path
) -> None:
    (tmp_path / "rounds").write_text("a file stands where the folder should be")

    with pytest.raises(LocalTrouble):
        client.download(LIVE, tmp_path / "rounds" / "live.parquet")


def test_a_file_is_fetched_and_found_unchanged_without_a_hash(
    offer: FaultServer, client: NumeraiClient, tmp_path: Path
) -> None:
    offer.on("GET /bucket/file", http(FILE, ETag='"one"'), http(b"", 304))

    first = client.download(LIVE, tmp_path / "live.parquet", hashes=False)
    again = client.download(LIVE, tmp_path / "live.parquet", etag="one", hashes=False)

    assert (first.sha256, first.is_new, first.etag) == (None, True, "one")
    assert (again.sha256, again.is_new) == (None, False)
    assert (tmp_path / "live.parquet").read_bytes() == FILE


def fill(sink: FileSink, chunks: list[bytes]) -> None:
    for chunk in chunks:
        sink.room()[: len(chunk)] = chunk
        sink.keep(len(chunk))


def test_a_sink_hashes_and_counts_what_it_writes(tmp_path: Path) -> None:
    chunks = [bytes([number]) * (number * 1000) for number in range(20)]
    with FileSink(tmp_path / "file", hashlib.sha256()) as sink:
        fill(sink, chunks)
    content = b"".join(chunks)
    assert (tmp_path / "file").read_bytes() == content
    assert (sink.size_bytes, sink.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_a_buffer_is_not_filled_again_before_it_is_hashed(tmp_path: Path) -> None:
    digest = SlowDigest()
    chunks = [bytes([number]) * 1000 for number in range(50)]
    with FileSink(tmp_path / "file", digest) as sink:
        fill(sink, chunks)
    assert digest.heard == b"".join(chunks)


def test_a_sync_that_fails_on_the_way_is_told(tmp_path: Path) -> None:
    # A pipe cannot be synced. The sync at the end would not notice: the kernel tells of a lost write only once.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(OSError, match="Invalid") as failure, FileSink(pipe, sync_every_bytes=10) as sink:
            fill(sink, [b"x" * 20])
    finally:
        os.close(reader)
    assert failure.value.errno == errno.EINVAL


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "ftp://example.com/x", "http://example.com/x", "https://10.0.0.1/x", "https://192.168.1.1/x",
     "https://169.254.169.254/latest/meta-data", "https://[::1]/x", "https://[fe80::1]/x", "https://224.0.0.1/x",
     "https://0.0.0.0/x", "https://[::ffff:10.0.0.1]/x", "https://[64:ff9b::a00:1]/x", "https://me:pw@example.com/x",
     "//example.com", "nonsense", "https://"],
)  # fmt: skip
def test_addresses_that_must_not_be_contacted_are_refused(
    address: str, offer: FaultServer, client: NumeraiClient, tmp_path: Path
) -> None:
    offer.on("dataset", data({"dataset": address}))

    with pytest.raises(Unavailable):
        client.download(LIVE, tmp_path / "live.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "target", ["http://example.com/x", "https://10.0.0.1/x", "file:///etc/passwd", "https://evil.invalid/x"]
)
def test_redirects_pass_the_same_checks(target: str, offer: FaultServer, make_client: Make, tmp_path: Path) -> None:
    offer.on("GET /bucket/file", http("", 302, Location=target))

    with pytest.raises(Unavailable):
        make_client(allowed_hosts=("numer.ai",)).download(LIVE, tmp_path / "live.parquet")


def test_a_redirect_on_the_same_host_is_followed_but_not_for_ever(
    offer: FaultServer, client: NumeraiClient, tmp_path: Path
) -> None:
    offer.on("GET /bucket/file", http("", 307, Location="/bucket/other"))
    offer.on("GET /bucket/other", http(FILE))
    client.download(LIVE, tmp_path / "live.parquet")
    assert (tmp_path / "live.parquet").read_bytes() == FILE

    offer.on("GET /bucket/other", http("", 302, Location="/bucket/file"))
    with pytest.raises(Unavailable, match="redirects"):
        client.download(LIVE, tmp_path / "live.parquet")


def test_a_refusal_of_the_name_is_not_repeated(server: FaultServer, client: NumeraiClient, tmp_path: Path) -> None:
    server.on("dataset", errors("File not found"))

    with pytest.raises(Rejected, match="File not found"):
        client.download("v1/none.parquet", tmp_path / "none.parquet")
    assert server.count("dataset") == 1


def test_progress_hears_of_all_bytes(
    offer: FaultServer, make_client: Make, clock: HurriedClock, tmp_path: Path
) -> None:
    heard: list[tuple[str, int, int | None]] = []
    settings = make_client().settings
    client = NumeraiClient(settings, clock, progress=lambda *report: heard.append(report))

    client.download(LIVE, tmp_path / "live.parquet")

    assert heard[-1] == (LIVE, len(FILE), len(FILE))


def test_memory_stays_flat_for_a_large_file(offer: FaultServer, client: NumeraiClient, tmp_path: Path) -> None:
    blocks, block = 100, b"\x01" * 1_000_000
    total = len(FILE) + blocks * len(block)

    def reply(connection: object, stop: object) -> None:
        connection.sendall(head(200, {"Content-Length": str(total)}) + b"PAR1")  # type: ignore[attr-defined]
        for _ in range(blocks):
            connection.sendall(block)  # type: ignore[attr-defined]
        connection.sendall(FILE[4:])  # type: ignore[attr-defined]

    offer.on("GET /bucket/file", reply)
    tracemalloc.start()
    try:
        download = client.download(LIVE, tmp_path / "live.parquet")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert download.size_bytes == total
    assert peak_bytes < 25_000_000


def test_names_on_offer_are_listed(server: FaultServer, client: NumeraiClient) -> None:
    server.on("listDatasets", data({"listDatasets": ["v5.3/train.parquet", None, LIVE]}))

    assert client.list_datasets(8) == ["v5.3/train.parquet", LIVE]


@pytest.mark.parametrize("value", [None, "x", {}])
def test_a_missing_list_of_names_is_not_an_empty_one(value: object, server: FaultServer, client: NumeraiClient) -> None:
    server.on("listDatasets", data({"listDatasets": value}))

    with pytest.raises(Unavailable):
        client.list_datasets(8)


def test_the_bytes_of_a_submission_can_be_fetched(server: FaultServer, client: NumeraiClient, tmp_path: Path) -> None:
    granted = {"filename": "../../etc/evil", "url": f"{server.url}/bucket/own"}
    server.on("submissionDownloadAuth", data({"submissionDownloadAuth": granted}))
    server.on("GET /bucket/own", http("id,prediction\nn1,0.5\n"))

    download = client.download_submission("s1", tmp_path / "own.csv")

    assert download.path == tmp_path / "own.csv"
    assert [path.name for path in tmp_path.iterdir()] == ["own.csv"]
