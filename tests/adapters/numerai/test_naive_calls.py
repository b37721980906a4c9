"""What numerapi 3.1.1 itself does on the worst of these faults. When one of these fails, a reason of ours has gone."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import numerapi
import pandas as pd
import pytest
from numerapi import base_api, utils

from .fault_server import FaultServer, close, data, errors, hang, http, unframed
from .test_files import FILE, LIVE, parquet

NAME = "predictions-TqMFjDcNB8CX.csv"


@pytest.fixture
def naive(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> numerapi.NumerAPI:
    monkeypatch.setattr(base_api, "API_TOURNAMENT_URL", server.url)
    monkeypatch.setattr(utils, "time", SimpleNamespace(sleep=lambda seconds: None))
    server.on("submission_upload_auth", data({"submission_upload_auth": {"filename": NAME, "url": f"{server.url}/up"}}))
    server.on("PUT /up", http())
    server.on("create_submission", data({"create_submission": {"id": "s1"}}))
    server.on("dataset", data({"dataset": f"{server.url}/file"}))
    return numerapi.NumerAPI("public", "secret", show_progress_bars=False)


@pytest.fixture
def predictions(tmp_path: Path) -> str:
    path = tmp_path / "predictions.csv"
    path.write_text("id,prediction\nn1,0.1\n")
    return str(path)


def test_a_refused_put_still_becomes_a_submission(
    naive: numerapi.NumerAPI, server: FaultServer, predictions: str
) -> None:
    server.on("PUT /up", http("", 403))

    assert naive.upload_predictions(predictions, model_id="m1") == "s1"


def test_a_lost_answer_becomes_three_submissions(
    naive: numerapi.NumerAPI, server: FaultServer, predictions: str
) -> None:
    server.on("create_submission", http("", 502))

    with pytest.raises(KeyError, match="data"):
        naive.upload_predictions(predictions, model_id="m1")
    assert server.count("create_submission") == 3


def test_ids_in_the_index_are_dropped(naive: numerapi.NumerAPI, server: FaultServer) -> None:
    frame = pd.DataFrame({"prediction": [0.1, 0.2]}, index=pd.Index(["n1", "n2"], name="id"))

    naive.upload_predictions(df=frame, model_id="m1")

    assert server.seen("PUT /up")[0].body == b"prediction\n0.1\n0.2\n"


def test_a_stale_trigger_id_is_sent(
    naive: numerapi.NumerAPI, server: FaultServer, predictions: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIGGER_ID", "stale")

    naive.upload_predictions(predictions, model_id="m1")

    assert server.requests[-1].variables["triggerId"] == "stale"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (close, KeyError),
        (http("<html>maintenance</html>"), KeyError),
        (http("", 429, Retry_After="1"), KeyError),
        (errors("You must be authenticated", status=401), KeyError),
        (http('{"data": null}'), TypeError),
        (http('{"data": {"account": {"models": []}}, "errors": []}'), ValueError),
    ],
)
def test_the_reason_of_a_failure_is_lost(
    fault: object, error: type[Exception], naive: numerapi.NumerAPI, server: FaultServer
) -> None:
    server.on("account", fault)  # type: ignore[arg-type]

    with pytest.raises(error) as failure:
        naive.get_models()
    assert "authenticated" not in str(failure.value)
    assert server.count("account") == 1


def test_a_broken_api_reads_as_a_closed_round(naive: numerapi.NumerAPI, server: FaultServer) -> None:
    server.on("rounds", errors("database on fire"))

    assert naive.check_round_open() is False


def test_silence_hangs_without_end(naive: numerapi.NumerAPI, server: FaultServer) -> None:
    server.on("rounds", hang)
    outcome: list[str] = []

    def ask() -> None:
        try:
            naive.check_round_open()
        except KeyError:
            outcome.append("ended when the server went away")

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(1.0)

    assert thread.is_alive()
    server.__exit__()
    thread.join(5)
    assert outcome == ["ended when the server went away"]


def test_a_file_of_equal_size_is_taken_for_the_new_one(
    naive: numerapi.NumerAPI, server: FaultServer, tmp_path: Path
) -> None:
    server.on("GET /file", http(FILE))
    target = tmp_path / "live.parquet"
    target.write_bytes(parquet(seed=7))

    naive.download_dataset(LIVE, str(target))

    assert target.read_bytes() == parquet(seed=7)


def test_a_left_over_of_another_round_is_spliced_with_the_new_file(
    naive: numerapi.NumerAPI, server: FaultServer, tmp_path: Path
) -> None:
    half = len(FILE) // 2
    server.on("GET /file", http(FILE), http(FILE[half:], 206))
    target = tmp_path / "live.parquet"
    (tmp_path / "live.parquet.temp").write_bytes(parquet(seed=7)[:half])

    naive.download_dataset(LIVE, str(target))

    assert target.stat().st_size == len(FILE)
    assert target.read_bytes() != FILE


@pytest.mark.parametrize("fault", [http("<html>maintenance</html>"), http(""), unframed(FILE[:-10])])
def test_anything_with_status_200_is_kept_as_the_file(
    fault: object, naive: numerapi.NumerAPI, server: FaultServer, tmp_path: Path
) -> None:
    server.on("GET /file", fault)  # type: ignore[arg-type]

    naive.download_dataset(LIVE, str(tmp_path / "live.parquet"))

    assert (tmp_path / "live.parquet").exists()
    assert (tmp_path / "live.parquet").read_bytes() != FILE


def test_a_servers_file_name_becomes_a_path(
    naive: numerapi.NumerAPI, server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    answer = {"filename": "../outside.csv", "url": f"{server.url}/file"}
    server.on("submissionDownloadAuth", data({"submissionDownloadAuth": answer}))
    server.on("GET /file", http("x"))

    naive.download_submission(submission_id="s1")

    assert (tmp_path / "outside.csv").exists()


