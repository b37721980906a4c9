"""numerapi's classes on our wire: what is replaced, what is refused, what is inherited."""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numerapi
import pandas as pd
import pytest
from numerapi import base_api, utils

from numebot.adapters.numerai.api import ClassicApi, CryptoApi, SignalsApi, is_mutation
from numebot.adapters.numerai.client import NumeraiClient
from numebot.core.errors import Ambiguous, ConfigError, Unavailable

from .fault_server import FaultServer, data, errors, http
from .test_files import FILE, LIVE

NAME = "predictions-TqMFjDcNB8CX.csv"

READ = {
    "Api.__init__": "bf14a293f75b",
    "Api._login": "8b6f25e62aa3",
    "Api.raw_query": "ea7cb2263754",
    "Api.download_dataset": "27c0d03162fb",
    "Api.download_submission": "52f706b859b2",
    "Api.upload_predictions": "94cc544b6133",
    "Api.upload_diagnostics": "feab359f0360",
    "Api.model_upload": "965182bd44be",
    "Api.check_round_open": "f11e13fcecfb",
    "Api.check_new_round": "728bbbdbb42d",
    "Api.pipeline_status": "0b2609a0fd97",
    "Api.stake_change": "34c4480004a2",
    "Api.stake_increase": "9ac61315029f",
    "Api.stake_decrease": "6d2b0149e97c",
    "Api.stake_drain": "d6e7203f8625",
    "Api.v3_stake_auth": "ddeea77aced5",
    "NumerAPI.stake_set": "4b98f754b65e",
    "SignalsAPI.upload_predictions": "0a2ef7c1f613",
    "SignalsAPI.ticker_universe": "1a9de437787c",
    "download_file": "7b877d5c18f3",
    "post_with_err_handling": "03232f71faf1",
    "load_secrets": "c2ad25ddb222",
}
"""The first 12 digits of the sha256 of each function of numerapi that was read and replaced."""

OWNERS = {"Api": base_api.Api, "NumerAPI": numerapi.NumerAPI, "SignalsAPI": numerapi.SignalsAPI}


@pytest.fixture
def classic(client: NumeraiClient) -> ClassicApi:
    return ClassicApi(client)


def source_hash(name: str) -> str:
    owner, _, function = name.rpartition(".")
    source = inspect.getsource(getattr(OWNERS[owner] if owner else utils, function))
    return hashlib.sha256(source.encode()).hexdigest()[:12]


@pytest.mark.parametrize("name", sorted(READ))
def test_what_is_replaced_is_still_what_was_read(name: str) -> None:
    assert source_hash(name) == READ[name], f"numerapi changed {name}: read it again, then write its hash here"


def worldly_methods(owner: type) -> set[str]:
    """The methods of a class of numerapi that open a connection or a file, or read the environment."""
    worldly = {"requests", "fsspec", "os", "utils.download_file", "utils.post_with_err_handling", "utils.load_secrets",
               "pd.read_parquet"}  # fmt: skip
    return {
        function.name
        for function in ast.walk(ast.parse(inspect.getsource(owner)))
        if isinstance(function, ast.FunctionDef)
        and worldly & {ast.unparse(node) for node in ast.walk(function) if isinstance(node, ast.Attribute | ast.Name)}
    }


@pytest.mark.parametrize("api", [ClassicApi, SignalsApi, CryptoApi])
def test_everything_that_touches_the_world_is_replaced(api: type) -> None:
    found = set().union(*(worldly_methods(owner) for owner in api.__mro__ if owner.__module__.startswith("numerapi")))
    inherited = {name for name in found if getattr(api, name).__module__.startswith("numerapi")}

    assert found >= {"raw_query", "download_dataset", "upload_predictions", "upload_diagnostics", "model_upload"}
    # the log-in is called by the constructor alone, and ours does not; the others only take paths apart
    assert inherited == {"_login", "_upload_auth", "set_global_data_dir"}


def test_making_one_leaves_logging_and_environment_alone(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NUMERAI_PUBLIC_ID=CANARY\nNUMERAI_SECRET_KEY=CANARY\nOTHER=CANARY\n")
    program = """
import json, logging, os
from numebot.adapters.clock import SystemClock
from numebot.adapters.numerai.api import ClassicApi, CryptoApi, SignalsApi
from numebot.adapters.numerai.api_settings import ApiSettings
from numebot.adapters.numerai.client import NumeraiClient
before = dict(os.environ)
client = NumeraiClient(ApiSettings(), SystemClock())
apis = [kind(client) for kind in (ClassicApi, SignalsApi, CryptoApi)]
root = logging.getLogger()
print(json.dumps([root.handlers == [], root.level, before == dict(os.environ), client.settings.has_key,
                  [api.tournament_id for api in apis], [api.show_progress_bars for api in apis]]))
"""
    environment = {**os.environ, "NUMERAI_PUBLIC_ID": "CANARY", "NUMERAI_SECRET_KEY": "CANARY"}
    output = subprocess.check_output([sys.executable, "-c", program], cwd=tmp_path, env=environment)

    assert json.loads(output) == [True, 30, True, False, [8, 11, 12], [False, False, False]]


def test_the_client_is_light() -> None:
    program = """
import sys, numebot.adapters.numerai.client
print([name for name in ("numerapi", "pandas", "numpy") if name in sys.modules])
"""

    assert subprocess.check_output([sys.executable, "-c", program]).strip() == b"[]"


def test_inherited_queries_run_on_our_wire(classic: ClassicApi, server: FaultServer) -> None:
    server.on("account", http("", 503), data({"account": {"models": [{"id": "m1", "name": "rpica", "tournament": 8}]}}))

    assert classic.get_models() == {"rpica": "m1"}
    assert server.requests[-1].headers["authorization"].startswith("Token ")


def test_inherited_mutations_are_sent_once(classic: ClassicApi, server: FaultServer) -> None:
    server.on("setSubmissionWebhook", http("", 502))

    with pytest.raises(Ambiguous):
        classic.set_submission_webhook("m1", "https://example.com/hook")
    assert server.count("setSubmissionWebhook") == 1


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("query { rounds { number } }", False),
        ("{ rounds { number } }", False),
        ('query { user(name: "mutation { x }") { id } }', False),
        ("# mutation\nquery { mutation }", False),
        ("mutation { x }", True),
        ("\n  # comment\n mutation($a: Int) { x(a: $a) { id } }", True),
        ("fragment F on Y { id } mutation M { x { ...F } }", True),
        ("subscription { x }", True),
    ],
)
def test_mutations_are_recognised(document: str, expected: bool) -> None:
    assert is_mutation(document) is expected


@pytest.mark.parametrize(
    "root", ["v2ChangeStake", "releaseStake", "increaseStake", "v3ChangePayoutSelection", "x: releaseStake"]
)
def test_no_document_moves_money(root: str, classic: ClassicApi, server: FaultServer) -> None:
    with pytest.raises(ConfigError, match="never moves money"):
        classic.raw_query(f"mutation {{ {root}(amount: 1) {{ id }} }}", authorization=True)
    assert server.requests == []


@pytest.mark.parametrize(
    "action",
    [
        lambda api: api.stake_increase(1, "m1"),
        lambda api: api.stake_decrease(1, "m1"),
        lambda api: api.stake_change(1, "increase", "m1"),
        lambda api: api.stake_drain("m1"),
        lambda api: api.stake_set(1, "m1"),
        lambda api: api.v3_stake_auth("s1", "0x0", amount=1),
        lambda api: api.model_upload("model.pkl", model_id="m1"),
        lambda api: api.check_new_round(),
        lambda api: api.upload_predictions(df=pd.DataFrame(), model_id="m1"),
        lambda api: api.upload_diagnostics(df=pd.DataFrame(), model_id="m1"),
        lambda api: api.upload_predictions("x.csv"),
        lambda api: api.download_dataset(LIVE),
        lambda api: api.download_dataset(LIVE, "x", filters=[]),
        lambda api: api.download_submission("s1"),
        lambda api: api.download_submission(None, dest_path="x"),
    ],
)
def test_what_is_not_safe_is_refused_before_anything_is_sent(
    action: Callable[[ClassicApi], object], classic: ClassicApi, server: FaultServer
) -> None:
    with pytest.raises(ConfigError):
        action(classic)
    assert server.requests == []


def test_the_ticker_universe_is_refused(client: NumeraiClient) -> None:
    with pytest.raises(ConfigError, match="ticker_universe"):
        SignalsApi(client).ticker_universe()


def test_uploads_check_the_put_and_ignore_the_environment(
    classic: ClassicApi, server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIGGER_ID", "stale")
    path = tmp_path / "predictions.csv"
    path.write_text("id,prediction\nn1,0.1\n")
    granted = {"filename": NAME, "url": f"{server.url}/up"}
    for root in ("submissionUploadAuth", "diagnosticsUploadAuth"):
        server.on(root, data({root: granted}))
    for root in ("createSubmission", "createDiagnostics"):
        server.on(root, data({root: {"id": root}}))
    server.on("PUT /up", http("", 403), http())

    with pytest.raises(Unavailable, match="403"):
        classic.upload_predictions(str(path), model_id="m1")
    assert server.count("createSubmission") == 0
    assert classic.upload_predictions(str(path), model_id="m1") == "createSubmission"
    assert classic.upload_diagnostics(str(path), model_id="m1") == "createDiagnostics"
    assert not any(b"stale" in request.body for request in server.requests)


def test_a_dataset_is_fetched_by_our_download(classic: ClassicApi, server: FaultServer, tmp_path: Path) -> None:
    server.on("dataset", data({"dataset": f"{server.url}/file"}))
    server.on("GET /file", http("<html>x</html>"), http(FILE))
    classic.set_global_data_dir(str(tmp_path))

    path = classic.download_dataset(LIVE, "live.parquet", round_num=1404)

    assert Path(path).read_bytes() == FILE


def test_the_newest_submission_is_fetched_when_only_the_model_is_named(
    classic: ClassicApi, server: FaultServer, tmp_path: Path
) -> None:
    rows = [
        {"id": "old", "filename": "a", "insertedAt": "2026-11-20T12:00:00Z"},
        {"id": "new", "filename": "b", "insertedAt": "2026-11-21T12:00:00Z"},
        {"id": "odd", "filename": "c", "insertedAt": None},
    ]
    server.on("submissions", data({"submissions": rows}))
    granted = {"filename": "b", "url": f"{server.url}/file"}
    server.on("submissionDownloadAuth", data({"submissionDownloadAuth": granted}))
    server.on("GET /file", http("id,prediction\n"))

    classic.download_submission(model_id="m1", dest_path=str(tmp_path / "own.csv"))

    assert server.seen("submissionDownloadAuth")[0].variables == {"id": "new"}


def test_an_unknown_round_is_not_a_closed_one(classic: ClassicApi, server: FaultServer) -> None:
    server.on("rounds", errors("database on fire"))
    with pytest.raises(Unavailable, match="database on fire"):
        classic.check_round_open()

    server.on("rounds", errors("Current round not open for submissions"))
    assert classic.check_round_open() is False


def test_the_state_of_the_scoring_is_asked_for_the_utc_day_and_the_right_tournament(
    client: NumeraiClient, server: FaultServer
) -> None:
    server.on("pipelineStatus", data({"pipelineStatus": {"isScoringDay": True}}))

    for api in (ClassicApi(client), SignalsApi(client), CryptoApi(client)):
        assert api.pipeline_status() == {"isScoringDay": True}

    today = client.clock.now().date().isoformat()
    assert [request.variables for request in server.requests] == [
        {"date": today, "tournament": name} for name in ("classic", "signals", "crypto")
    ]
