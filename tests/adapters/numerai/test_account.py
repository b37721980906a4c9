"""The account: key, slots, read-back, and what happens when optional fields are gone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from numebot.adapters.numerai.client import NumeraiClient
from numebot.core.errors import AccessDenied, Unavailable
from numebot.core.types import AccountModel, KeyInfo, ListedSubmission, SubmissionRecord

from .fault_server import FaultServer, data, errors, hang, http

FILENAME = "predictions-TqMFjDcNB8CX.csv"
ROWS = [
    {"id": None, "filename": None, "roundNumber": 1402, "status": "none", "timestamp": None},
    {"id": "99d0", "filename": FILENAME, "roundNumber": 1403, "status": "late", "timestamp": "2026-11-20T14:35:36Z"},
    {"id": "99d0", "filename": FILENAME, "roundNumber": 1404, "status": "queued", "timestamp": "2026-11-20T14:35:36Z"},
]
MODELS = [
    {"id": "m1", "name": "rpica", "tournament": 8, "latestSubmissions": ROWS},
    {"id": "m2", "name": "rpica", "tournament": 12, "latestSubmissions": None},
    {"id": None, "name": "broken", "tournament": 8},
]


def test_the_slots_are_read_with_their_submissions_newest_round_first(
    server: FaultServer, client: NumeraiClient
) -> None:
    pickles = {"models": [{"id": "m1", "computePickleUpload": None}, {"id": "m2", "computePickleUpload": {"id": "p"}}]}
    server.on("computePickleUpload", data({"account": pickles}))
    server.on("account", data({"account": {"models": MODELS}}))

    at = datetime(2026, 11, 20, 14, 35, 36, tzinfo=UTC)
    assert list(client.account_models(last_rounds=3)) == [
        AccountModel(
            "m1",
            "rpica",
            8,
            submissions=(
                ListedSubmission(1404, "queued", "99d0", FILENAME, at),
                ListedSubmission(1403, "late", "99d0", FILENAME, at),
                ListedSubmission(1402, "none"),
            ),
        ),
        AccountModel("m2", "rpica", 12, has_pickle=True),
    ]
    assert server.requests[0].variables == {"rounds": 3}


@pytest.mark.parametrize(
    "fault",
    [
        errors('Cannot query field "computePickleUpload" on type "Model".'),
        errors("missing permission"),
        errors("what is that"),
        http("", 500),
        hang,
    ],
)
def test_the_read_back_works_when_the_optional_part_does_not(
    fault: object, server: FaultServer, client: NumeraiClient
) -> None:
    server.on("computePickleUpload", fault)  # type: ignore[arg-type]
    server.on("account", data({"account": {"models": MODELS}}))

    models = client.account_models()

    assert [model.has_pickle for model in models] == [False, False]
    assert server.count("computePickleUpload") == 1


@pytest.mark.parametrize("field", ["timestamp", "id"])
def test_the_read_back_works_without_the_fields_that_are_gone(
    field: str, server: FaultServer, client: NumeraiClient
) -> None:
    gone = errors(f'Cannot query field "{field}" on type "LatestSubmission".')
    core = {"filename": FILENAME, "roundNumber": 1404, "status": "on-time"}
    slots = [{"id": "m1", "name": "rpica", "tournament": 8, "latestSubmissions": [core]}]
    server.on("computePickleUpload", data({"account": {"models": []}}))
    server.on("account", gone, data({"account": {"models": slots}}))

    models = client.account_models(last_rounds=3)

    assert list(models) == [
        AccountModel("m1", "rpica", 8, submissions=(ListedSubmission(1404, "on-time", filename=FILENAME),))
    ]
    assert b"timestamp" not in server.requests[1].body
    assert server.requests[1].variables == {"rounds": 3}


def test_models_that_cannot_be_read_are_left_out_and_counted(
    server: FaultServer, client: NumeraiClient, caplog: pytest.LogCaptureFixture
) -> None:
    nameless = {"id": "m3", "name": None, "tournament": 8}
    server.on("computePickleUpload", data({"account": {"models": []}}))
    server.on("account", data({"account": {"models": [MODELS[0], nameless, None]}}))

    assert [model.name for model in client.account_models()] == ["rpica"]
    assert "2 of 3 models came without an id, a name or a tournament and are left out" in caplog.text


def test_an_account_of_models_without_names_is_not_an_empty_one(server: FaultServer, client: NumeraiClient) -> None:
    server.on("computePickleUpload", data({"account": []}))
    server.on("account", data({"account": {"models": [{**model, "name": None} for model in MODELS]}}))

    with pytest.raises(Unavailable, match=r"3 of 3 models came without an id, a name or a tournament"):
        client.account_models()


@pytest.mark.parametrize("account", [None, {}, [], "x", {"models": None}, {"models": "x"}])
def test_a_missing_list_of_models_is_not_an_empty_one(
    account: object, server: FaultServer, client: NumeraiClient
) -> None:
    server.on("account", data({"account": account}))

    with pytest.raises(Unavailable):
        client.account_models()


def test_the_key_tells_its_account_and_scopes(server: FaultServer, client: NumeraiClient) -> None:
    info = {"accountUsername": "rpica", "name": "daemon", "scopes": ["upload_submission", "read_user_info"]}
    server.on("apiTokenInfo", data({"apiTokenInfo": info}))

    assert client.key_info() == KeyInfo("rpica", "daemon", frozenset({"upload_submission", "read_user_info"}))


@pytest.mark.parametrize(
    ("scopes", "known"),
    [
        ([{"name": "upload_submission"}, {"name": "read_user_info"}], {"upload_submission", "read_user_info"}),
        (["upload_submission", "upload_submission"], {"upload_submission"}),
        ([], set()),
        (None, None),
        ("upload_submission", None),
        (["upload_submission", None], None),
        ([{"title": "upload_submission"}], None),
        ({"upload_submission": True}, None),
    ],
)
def test_scopes_are_read_in_full_or_unknown(
    scopes: object, known: set[str] | None, server: FaultServer, client: NumeraiClient
) -> None:
    server.on("apiTokenInfo", data({"apiTokenInfo": {"accountUsername": "rpica", "name": "daemon", "scopes": scopes}}))

    assert client.key_info() == KeyInfo("rpica", "daemon", None if known is None else frozenset(known))


def test_the_scopes_are_read_without_the_names_that_are_gone(server: FaultServer, client: NumeraiClient) -> None:
    gone = errors('Cannot query field "name" on type "ApiToken".')
    server.on("apiTokenInfo", gone, data({"apiTokenInfo": {"scopes": ["upload_submission"]}}))

    assert client.key_info() == KeyInfo("", "", frozenset({"upload_submission"}))


@pytest.mark.parametrize(
    "fault",
    [
        errors('Cannot query field "apiTokenInfo" on type "RootQueryType".'),
        errors('Cannot query field "scopes" on type "ApiToken".'),
        data({"apiTokenInfo": []}),
        data({"apiTokenInfo": {}}),
    ],
)
def test_a_server_that_tells_nothing_of_the_key_leaves_it_unknown(
    fault: object, server: FaultServer, client: NumeraiClient
) -> None:
    server.on("apiTokenInfo", fault)  # type: ignore[arg-type]

    assert client.key_info() == KeyInfo("", "", None)


def test_a_wrong_key_is_denied_with_the_servers_words(server: FaultServer, client: NumeraiClient) -> None:
    server.on("apiTokenInfo", errors("Your session is invalid or has expired."))

    with pytest.raises(AccessDenied, match="Your session is invalid"):
        client.key_info()


def test_uploads_are_read_with_the_reason_of_a_refusal(server: FaultServer, client: NumeraiClient) -> None:
    row = {
        "id": "s1", "filename": FILENAME, "insertedAt": "2026-11-21T12:10:00Z", "selected": False, "status": "error",
        "errorInfo": "invalid_submission_ids", "round": {"number": 1404},
    }  # fmt: skip
    bare = {"id": "s2", "filename": "x.csv", "insertedAt": None, "selected": None, "round": None}
    server.on("submissions", data({"submissions": [row, None, bare]}))

    at = datetime(2026, 11, 21, 12, 10, tzinfo=UTC)
    assert list(client.submission_records("m1")) == [
        SubmissionRecord("s1", FILENAME, 1404, False, "error", "invalid_submission_ids", at),
        SubmissionRecord("s2", "x.csv"),
    ]


def test_uploads_are_read_without_the_fields_that_are_gone(server: FaultServer, client: NumeraiClient) -> None:
    gone = errors('Cannot query field "errorInfo" on type "V2Submission".')
    core = {"id": "s1", "filename": FILENAME, "insertedAt": "2026-11-21T12:10:00Z"}
    server.on("submissions", gone, data({"submissions": [core]}))

    records = client.submission_records("m1")

    assert [record.id for record in records] == ["s1"]
    assert b"errorInfo" not in server.requests[-1].body
