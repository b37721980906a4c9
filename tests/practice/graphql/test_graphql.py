"""The GraphQL API's manners: spelling, variables, errors, keys and scopes."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, get_introspection_query
from world_fakes import Tournament, tournament

from numebot.practice.world.account import SCOPES


@pytest.fixture
def practice(tmp_path: Path) -> Tournament:
    return tournament(tmp_path)


def test_snake_case_is_understood_and_echoed_as_it_was_written(practice: Tournament) -> None:
    query = """query($model_name: String!) {
        v3UserProfile(model_name: $model_name) {start_date username}
        v2_leaderboard(limit: 1 offset: 0) {return_13_weeks return_1_day other: nmr_staked}
        api_token_info {public_id}
    }"""
    data = practice.data(query, {"model_name": "alpha_model"})
    assert data == {
        "v3UserProfile": {"start_date": "2026-11-21T12:00:07Z", "username": "alpha_model"},
        "v2_leaderboard": [{"return_13_weeks": None, "return_1_day": None, "other": "64.000000000000000000"}],
        "api_token_info": {"public_id": practice.world.options.public_id},
    }


def test_introspection_lists_camel_case_only(practice: Tournament) -> None:
    schema = practice.data(get_introspection_query())["__schema"]
    types = [one for one in schema["types"] if not one["name"].startswith("__")]
    names = [field["name"] for one in types for field in one["fields"] or ()]
    assert "v2Leaderboard" in names
    assert not [name for name in names if "_" in name]


def test_a_string_variable_is_taken_for_an_id(practice: Tournament) -> None:
    query = "query($m: String) {model(modelId: $m) {name}}"
    assert practice.data(query, {"m": practice.model_id("alpha_model")}) == {"model": {"name": "alpha_model"}}


def test_a_nullable_string_is_taken_for_a_required_id_and_its_absence_is_an_error(practice: Tournament) -> None:
    query = "query($id: String) {submissionDownloadAuth(id: $id) {url}}"
    assert practice.errors(query, {"id": "unknown"}) == ["Submission not found"]
    assert len(practice.errors(query)) == 1


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("query($x: Int) {rounds(number: 0) {number}}", 'Variable "x" is never used.'),
        ("{rounds(number: 0) {number deadline}}", 'Cannot query field "deadline" on type "Round".'),
        ("{rounds(number: 0) {number dead_line}}", 'Cannot query field "dead_line" on type "Round".'),
        ("mutation($d: bool!) {releaseStake(drain: $d) {id}}", 'Unknown type "bool".'),
        ("query($n: Boolean) {rounds(number: $n) {number}}", 'Variable "n" of type "Boolean" used'),
        ("{rounds(round: 1) {number}}", 'Unknown argument "round" on field "Query.rounds".'),
        ("{rounds(number: 0) {number}", "Syntax Error"),
    ],
)
def test_a_faulty_document_is_refused_as_a_whole_with_status_200(
    practice: Tournament, query: str, message: str
) -> None:
    envelope = practice.ask(query, {"x": 1, "d": True, "n": True})
    assert "data" not in envelope
    assert any(error["message"].startswith(message) for error in envelope["errors"])
    assert all(error["locations"] for error in envelope["errors"])


def test_what_is_no_graphql_request_is_a_bad_request(practice: Tournament) -> None:
    for body in (b"", b"[]", b'{"variables": {}}', b'{"query": "{rounds {number}}", "variables": 3}', b"\xff"):
        status, envelope = practice.api.answer(body, None)
        assert status == 400
        assert envelope["errors"]


def test_errors_may_stand_beside_partial_data(practice: Tournament) -> None:
    envelope = practice.ask("{rounds(number: 0) {number} account {id}}", key=None)
    assert envelope["data"] == {"rounds": [{"number": 1404}], "account": None}
    assert [(error["message"], error["path"]) for error in envelope["errors"]] == [
        ("Your session is invalid or has expired.", ["account"])
    ]


@pytest.mark.parametrize("key", [None, "", "Token a$b", "Bearer x", "Token nothing"])
def test_without_a_valid_key_the_account_is_closed(practice: Tournament, key: str | None) -> None:
    header = key if key != "" else f"Token {practice.world.options.public_id}$wrong"
    for root in ("account {id}", "apiTokenInfo {name}", "submissions {id}", "v3StakeConfig {address}"):
        assert practice.errors(f"{{{root}}}", key=header) == ["Your session is invalid or has expired."]


GUARDED = [
    ("upload_submission", 'submissionUploadAuth(filename: "a.csv" tournament: 8 modelId: $m) {url}'),
    ("upload_submission", 'diagnosticsUploadAuth(filename: "a.csv" tournament: 8 modelId: $m) {url}'),
    ("upload_submission", 'computePickleUploadAuth(filename: "a.pkl" modelId: $m) {url}'),
    ("read_submission_info", "submissions(modelId: $m) {id}"),
    ("read_submission_info", "diagnostics(modelId: $m) {id}"),
    ("read_submission_info", "computePickles(modelId: $m) {id}"),
    ("read_user_info", "model(modelId: $m) {name}"),
    ("web3_staking", 'v3StakeAuth(submissionId: $m staker: "0x1" maxAmount: "1") {nonce}'),
    ("download_submission", "submissionDownloadAuth(id: $m) {url}"),
]


@pytest.mark.parametrize(("scope", "root"), GUARDED)
def test_a_key_without_the_scope_is_told_which_one_it_lacks(practice: Tournament, scope: str, root: str) -> None:
    practice.world.add_key("NARROW", "secret", [name for name in SCOPES if name != scope])
    variables = {"m": practice.model_id("alpha_model")}
    query = f"query($m: ID!) {{{root}}}"
    messages = practice.errors(query, variables, key="Token NARROW$secret")
    assert len(messages) == 1
    assert messages[0].endswith(scope)
    practice.world.add_key("WIDE", "secret", list(SCOPES))
    assert not any("scope" in message for message in practice.errors(query, variables, key="Token WIDE$secret"))


def test_creating_a_submission_needs_the_upload_scope_and_leaves_nothing_behind(practice: Tournament) -> None:
    name = practice.authorise(practice.csv())
    practice.world.add_key("READER", "secret", ["read_user_info", "read_submission_info"])
    query = "mutation($f: String! $m: ID) {createSubmission(filename: $f tournament: 8 modelId: $m) {id}}"
    variables = {"f": name, "m": practice.model_id("alpha_model")}
    assert practice.errors(query, variables, key="Token READER$secret")[0].endswith("upload_submission")
    assert practice.world.submissions_of("alpha_model") == []


def test_the_read_back_inside_the_account_needs_its_own_scope(practice: Tournament) -> None:
    practice.world.add_key("USER", "secret", ["read_user_info"])
    query = "{account {username models {name latestSubmissions {status}}}}"
    envelope = practice.ask(query, key="Token USER$secret")
    assert [one["latestSubmissions"] for one in envelope["data"]["account"]["models"]] == [None] * 4
    assert {error["message"].rpartition(" ")[2] for error in envelope["errors"]} == {"read_submission_info"}


def test_the_practice_key_can_do_no_more_than_a_daemon_needs(practice: Tournament) -> None:
    info = practice.data("{apiTokenInfo {accountUsername name publicId scopes}}")["apiTokenInfo"]
    needed = {"download_submission", "read_submission_info", "read_user_info", "upload_submission"}
    assert set(info["scopes"]) == needed
    assert info["accountUsername"] == "practice_player"


STAKE_MUTATIONS = [
    'v2ChangeStake(value: "1" type: "increase" tournamentNumber: 8 modelId: $m) {status}',
    'increaseStake(amount: "1" modelId: $m) {status}',
    'releaseStake(amount: "1" drain: true modelId: $m) {status}',
    "cancelPendingStakeRelease(modelId: $m) {status}",
    "v2ChangePayoutSelection(corrMultiplier: 1.0 modelId: $m)",
    "v3ChangePayoutSelection(modelId: $m takeProfit: true tournamentNumber: 8)",
]


@pytest.mark.parametrize("mutation", STAKE_MUTATIONS)
def test_every_stake_mutation_is_refused_whatever_the_key_may_do(practice: Tournament, mutation: str) -> None:
    practice.world.add_key("WIDE", "secret", list(SCOPES))
    variables = {"m": practice.model_id("alpha_model")}
    messages = practice.errors(f"mutation($m: ID!) {{{mutation}}}", variables, key="Token WIDE$secret")
    assert messages == ["Stake changes are disabled for this tournament."]


def test_a_fault_of_our_own_is_logged_and_told_without_details(
    practice: Tournament, caplog: pytest.LogCaptureFixture
) -> None:
    practice.upload(practice.csv())
    practice.after(days=5)
    practice.market.dataset_names = None  # type: ignore[assignment,method-assign] # a market that is broken
    assert practice.errors("{listDatasets}") == ["Internal server error (TypeError)"]
    assert "listDatasets" in caplog.text


def test_the_schema_file_covers_the_schema_that_numerai_published() -> None:
    published = _shared("graphql-schema-2026/numerai_schema_subset.graphql")
    theirs = build_schema(published.read_text())
    text = (Path(__file__).parents[3] / "numebot/practice/graphql/schema.graphql").read_text()
    ours = build_schema(text)
    missing = [
        f"{name}.{field}"
        for name, kind in theirs.type_map.items()
        if not name.startswith("__")
        for field in getattr(kind, "fields", {})
        if field not in getattr(ours.type_map.get(name), "fields", {})
    ]
    assert missing == []


def _shared(name: str) -> Path:
    folder = Path(os.environ.get("NUMEBOT_SHARED_DATA", Path(__file__).parents[3] / "../shared/data"))
    if not (folder / name).exists():
        pytest.skip(f"{name} is not there: set NUMEBOT_SHARED_DATA to the folder that holds it")
    return folder / name


def test_every_answer_is_plain_json(practice: Tournament) -> None:
    status, envelope = practice.api.answer(json.dumps({"query": "{rounds {id openTime}}"}).encode(), None)
    body: dict[str, Any] = json.loads(json.dumps(envelope))
    assert status == 200
    assert len(body["data"]["rounds"]) == 82


def test_others_are_answered_while_a_file_is_made(practice: Tournament) -> None:
    practice.market.may_serve.clear()
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting = pool.submit(practice.data, '{dataset(filename: "v5.3/live.parquet")}')
        assert practice.market.is_asked.wait(10)
        assert practice.data("{rounds(number: 0) {number}}") == {"rounds": [{"number": 1404}]}
        assert not waiting.done()
        practice.market.may_serve.set()
        assert waiting.result(10)["dataset"].endswith("live.parquet")
