"""Uploads and mutations: no create before a good PUT, nothing sent twice, nothing read from the environment."""

from __future__ import annotations

import socket
import threading
import traceback
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from numebot.adapters.numerai.client import NumeraiClient
from numebot.core.errors import Ambiguous, CheckFailed, LocalTrouble, Rejected, RoundClosed, Unavailable
from numebot.core.types import UploadAuthorisation

from .fault_server import FaultServer, close, data, errors, hang, head, http, reset

Make = Callable[..., NumeraiClient]
NAME = "predictions-TqMFjDcNB8CX.csv"


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    path = tmp_path / "rpica_submission_1404.csv"
    path.write_text("id,prediction\nn1,0.1\nn2,0.2\n")
    return path


def granted(server: FaultServer, client: NumeraiClient) -> UploadAuthorisation:
    url = f"{server.url}/bucket/upload?X-Amz-Signature=CANARYSIGNATURE"
    server.on("submissionUploadAuth", data({"submissionUploadAuth": {"filename": NAME, "url": url}}))
    return client.authorise_upload(8, "m1", "predictions.csv")


def test_permission_bytes_and_creation_go_over_the_wire_as_the_server_wants_them(
    server: FaultServer, client: NumeraiClient, predictions: Path
) -> None:
    server.on("PUT /bucket/upload", http())
    server.on("createSubmission", data({"createSubmission": {"id": "s1"}}))

    authorisation = granted(server, client)
    client.put_file(authorisation, predictions)
    id = client.create_submission(8, "m1", authorisation.filename, data_datestamp=20261120)

    permission, put, create = server.requests
    assert (authorisation.filename, id) == (NAME, "s1")
    assert permission.variables == {"filename": "predictions.csv", "tournament": 8, "modelId": "m1"}
    assert put.body == predictions.read_bytes()
    assert put.headers["content-length"] == str(len(put.body))
    assert "transfer-encoding" not in put.headers
    assert "authorization" not in put.headers
    assert create.variables == {
        "filename": NAME, "tournament": 8, "modelId": "m1", "triggerId": None, "source": "numebot",
        "dataDatestamp": 20261120,
    }  # fmt: skip


@pytest.mark.parametrize("answer", [[], [{"filename": NAME}], "text", {"filename": NAME}, {"filename": [], "url": 3}])
def test_a_permission_of_another_shape_is_asked_for_again(
    answer: object, server: FaultServer, client: NumeraiClient
) -> None:
    server.on("submissionUploadAuth", data({"submissionUploadAuth": answer}))

    with pytest.raises(Unavailable, match="submissionUploadAuth"):
        client.authorise_upload(8, "m1", "a.csv")


def test_signals_and_crypto_use_their_own_operations(server: FaultServer, client: NumeraiClient) -> None:
    answer = {"filename": NAME, "url": f"{server.url}/x"}
    server.on("submissionUploadSignalsAuth", data({"submissionUploadSignalsAuth": answer}))
    server.on("submissionUploadAuth", data({"submissionUploadAuth": answer}))
    server.on("createSignalsSubmission", data({"createSignalsSubmission": {"id": "s11"}}))
    server.on("createSubmission", data({"createSubmission": {"id": "s12"}}))

    for tournament in (11, 12):
        client.authorise_upload(tournament, "m1", "a.csv")
    ids = [client.create_submission(tournament, "m1", NAME) for tournament in (11, 12)]

    assert ids == ["s11", "s12"]
    assert server.count("submissionUploadSignalsAuth") == 1
    assert [request.variables["tournament"] for request in server.requests] == [11, 12, 11, 12]


def test_a_stale_trigger_id_in_the_environment_tags_nothing(
    server: FaultServer, client: NumeraiClient, predictions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIGGER_ID", "stale-trigger")
    monkeypatch.setenv("NUMERAI_COMPUTE_ID", "stale-compute")
    server.on("PUT /bucket/upload", http())
    server.on("createSubmission", data({"createSubmission": {"id": "s1"}}))

    client.put_file(granted(server, client), predictions)
    client.create_submission(8, "m1", NAME)
    client.create_submission(8, "m1", NAME, trigger_id="wanted")

    assert not any("stale" in f"{request.headers}{request.body!r}" for request in server.requests)
    assert server.requests[-1].variables["triggerId"] == "wanted"


@pytest.mark.parametrize(
    "fault",
    [http("", 500), http("", 503), http("<Error>Request has expired</Error>", 403), http("", 400), http("", 204),
     http("", 307, Location="https://example.com/"), close, reset, hang],
)  # fmt: skip
def test_a_put_that_was_not_answered_with_200_is_a_failure_and_nothing_is_created(
    fault: object, server: FaultServer, client: NumeraiClient, predictions: Path
) -> None:
    server.on("PUT /bucket/upload", fault)  # type: ignore[arg-type]
    authorisation = granted(server, client)

    with pytest.raises(Unavailable) as failure:
        client.put_file(authorisation, predictions)

    assert not isinstance(failure.value, Ambiguous)
    assert server.count("PUT /bucket/upload") == 1
    assert "CANARYSIGNATURE" not in "".join(traceback.format_exception(failure.value))
    assert "CANARYSIGNATURE" not in repr(authorisation)


def test_a_storage_that_takes_the_bytes_too_slowly_is_given_up(
    server: FaultServer, make_client: Make, tmp_path: Path
) -> None:
    large = tmp_path / "large.csv"
    large.write_bytes(b"x" * 30_000_000)
    client = make_client(read_timeout_s=5.0, upload_timeout_s=0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def sip() -> None:
            connection, _ = listener.accept()
            with connection:
                while not stop.wait(0.02):
                    connection.recv(1000)

        thread = threading.Thread(target=sip, daemon=True)
        thread.start()
        try:
            with pytest.raises(Unavailable, match="not finished within"):
                client.put_file(UploadAuthorisation(NAME, f"http://127.0.0.1:{listener.getsockname()[1]}/x"), large)
        finally:
            stop.set()
            thread.join()


def test_the_file_is_streamed(server: FaultServer, make_client: Make, tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(80_000_000)
    received: list[int] = []

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def swallow() -> None:
            connection, _ = listener.accept()
            buffer, total = bytearray(1_000_000), 0
            with connection:
                while total < 80_000_000 and (size := connection.recv_into(buffer)):
                    total += size
                received.append(total)
                connection.sendall(head(200, {"Content-Length": "0"}))

        thread = threading.Thread(target=swallow, daemon=True)
        thread.start()
        tracemalloc.start()
        try:
            client = make_client(read_timeout_s=10.0)
            client.put_file(UploadAuthorisation(NAME, f"http://127.0.0.1:{listener.getsockname()[1]}/x"), large)
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            thread.join()

    assert received[0] >= 80_000_000
    assert peak_bytes < 10_000_000


def test_an_empty_or_missing_file_is_not_uploaded(server: FaultServer, client: NumeraiClient, tmp_path: Path) -> None:
    authorisation = granted(server, client)
    empty = tmp_path / "empty.csv"
    empty.touch()

    with pytest.raises(CheckFailed, match="empty"):
        client.put_file(authorisation, empty)
    with pytest.raises(LocalTrouble, match=r"missing\.csv"):
        client.put_file(authorisation, tmp_path / "missing.csv")
    assert server.count("PUT /bucket/upload") == 0


@pytest.mark.parametrize("name", ["../x.csv", "/etc/x", ".hidden", "a b.csv", "", "x" * 101, "é.csv", "a\n.csv"])
def test_upload_names_are_checked_before_anything_is_sent(
    name: str, server: FaultServer, client: NumeraiClient
) -> None:
    with pytest.raises(CheckFailed, match="Nothing was uploaded"):
        client.authorise_upload(8, "m1", name)
    assert server.requests == []


@pytest.mark.parametrize(
    "answer",
    [None, {}, {"filename": None, "url": "https://example.com"}, {"filename": NAME, "url": None},
     {"filename": "x" * 300, "url": "https://example.com"}, {"filename": NAME, "url": "http://example.com/x"},
     {"filename": NAME, "url": "https://192.168.0.1/x"}, {"filename": NAME, "url": "file:///tmp/x"}],
)  # fmt: skip
def test_a_permission_that_cannot_be_used_is_unavailable(
    answer: object, server: FaultServer, client: NumeraiClient
) -> None:
    server.on("submissionUploadAuth", data({"submissionUploadAuth": answer}))

    with pytest.raises(Unavailable):
        client.authorise_upload(8, "m1", "a.csv")


@pytest.mark.parametrize("fault", [reset, close, hang, http("", 502), http("", 504), http("<html>x</html>")])
def test_a_commit_whose_answer_is_lost_is_ambiguous_and_there_is_one_submission(
    fault: object, server: FaultServer, client: NumeraiClient
) -> None:
    server.on("createSubmission", fault)  # type: ignore[arg-type]

    with pytest.raises(Ambiguous, match="read back"):
        client.create_submission(8, "m1", NAME)
    assert server.count("createSubmission") == 1


@pytest.mark.parametrize("value", [None, {}, {"id": None}, "s1", []])
def test_an_answer_without_an_id_is_ambiguous(value: object, server: FaultServer, client: NumeraiClient) -> None:
    server.on("createSubmission", data({"createSubmission": value}))

    with pytest.raises(Ambiguous):
        client.create_submission(8, "m1", NAME)
    assert server.count("createSubmission") == 1


def test_the_servers_no_is_kept_word_for_word(server: FaultServer, client: NumeraiClient) -> None:
    words = "invalid_submission_ids: must provide predictions for the current live IDs"
    server.on("createSubmission", errors(words))

    with pytest.raises(Rejected) as failure:
        client.create_submission(8, "m1", NAME)
    assert failure.value.reasons == (words,)


def test_a_closed_round_is_told_apart_from_a_refusal(server: FaultServer, client: NumeraiClient) -> None:
    server.on("createSubmission", errors("Current round not open for submissions"))

    with pytest.raises(RoundClosed):
        client.create_submission(8, "m1", NAME)
