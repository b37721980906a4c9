"""Every root of the schema answers, with every field it offers, consistently with the world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from graphql import GraphQLField, GraphQLObjectType, build_schema, get_named_type, is_list_type, is_required_argument
from world_fakes import Tournament, tournament, validation_frame

from numebot.practice.world.account import SCOPES, USERNAME

SCHEMA = build_schema((Path(__file__).parents[3] / "numebot/practice/graphql/schema.graphql").read_text())
DEEPEST = 4


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Tournament:
    """A world in which something of everything has happened."""
    made = tournament(tmp_path_factory.mktemp("roots"))
    made.world.add_key("WIDE", "secret", list(SCOPES))
    made.headers = "Token WIDE$secret"
    for model, number in (("alpha_model", 8), ("practice_signals", 11), ("practice_crypto", 12)):
        made.upload(made.csv(number), model)
    made.after(hours=3)
    made.upload(made.csv(), "beta_model")
    _diagnose(made)
    made.world.assign_pickle("beta_model")
    made.after(days=70)
    made.upload(made.csv())
    made.after(seconds=1)
    trigger = "mutation($m: ID!) {triggerComputePickleUpload(modelId: $m) {id triggerStatus}}"
    answer = made.data(trigger, {"m": made.model_id("beta_model")})
    assert answer["triggerComputePickleUpload"]["triggerStatus"] == "queued"
    return made


def _diagnose(made: Tournament) -> None:
    frame = validation_frame()
    table = pd.DataFrame({"id": frame.index, "prediction": np.linspace(0.1, 0.9, len(frame))})
    query = "query($m: ID) {diagnosticsUploadAuth(filename: \"v.csv\" tournament: 8 modelId: $m) {filename url}}"
    granted = made.data(query, {"m": made.model_id("alpha_model")})["diagnosticsUploadAuth"]
    made.storage.put(granted["url"], table.to_csv(index=False).encode())
    create = "mutation($f: String! $m: ID) {createDiagnostics(filename: $f tournament: 8 modelId: $m) {status}}"
    answer = made.data(create, {"f": granted["filename"], "m": made.model_id("alpha_model")})
    assert answer == {"createDiagnostics": {"status": "pending"}}


def arguments(made: Tournament, root: str, field: GraphQLField) -> str:
    """Return the arguments a root needs, and some more that it takes."""
    state = made.world.state
    known: dict[str, Any] = {
        "modelId": f'"{made.model_id("alpha_model")}"',
        "filename": {"computePickleUploadAuth": '"m.pkl"', "dataset": '"v5.3/live.parquet"'}.get(root, '"a.csv"'),
        "modelName": '"practice_signals"' if root == "v2SignalsProfile" else '"alpha_model"',
        "username": f'"{USERNAME}"',
        "roundNumber": "1404",
        "roundId": '"1404"',
        "submissionId": f'"{made.world.submissions_of("alpha_model")[-1].id}"',
        "id": f'"{next(iter(state.submissions))}"',
        "triggerId": f'"{next(iter(state.triggers))}"',
        "pickleId": f'"{next(iter(state.pickles))}"',
        "staker": '"0x1"',
        "maxAmount": '"1.5"',
        "name": '"a_new_name"',
        "baseSymbol": '"NMR"',
        "targetSymbol": '"USD"',
        "tournament": "8",
    }
    needed = [name for name, argument in field.args.items() if is_required_argument(argument)]
    needed += [name for name in ("modelId",) if name in field.args and name not in needed]
    if root == "submissionUploadSignalsAuth":
        known["modelId"] = f'"{made.model_id("practice_signals")}"'
    if root in {"computePickles", "stakeTransactions"}:
        needed.remove("modelId")
    return f"({' '.join(f'{name}: {known[name]}' for name in needed)})" if needed else ""


def selection(kind: Any, depth: int = 0) -> str:
    """Return every field of a type, some levels deep."""
    if not isinstance(kind, GraphQLObjectType):
        return ""
    parts = []
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        if not isinstance(inner, GraphQLObjectType):
            parts.append(name)
        elif depth < DEEPEST - 1 and not (kind.name == "Tournament" and depth):
            parts.append(f"{name} {selection(inner, depth + 1)}")
    return "{" + " ".join(parts) + "}"


MAY_BE_EMPTY = {"v3StakeClaims"}
"""The asking wallet has nothing to claim."""


@pytest.mark.parametrize("root", SCHEMA.type_map["Query"].fields)  # type: ignore[attr-defined] # Query is an object type
def test_every_root_answers_with_all_of_its_fields(practice: Tournament, root: str) -> None:
    field: GraphQLField = SCHEMA.type_map["Query"].fields[root]  # type: ignore[attr-defined] # Query is an object type
    query = f"{{{root}{arguments(practice, root, field)} {selection(get_named_type(field.type))}}}"
    data = practice.data(query)
    assert data[root] is not None
    if is_list_type(field.type) and root not in MAY_BE_EMPTY:
        assert data[root]


def test_round_details_count_what_was_uploaded(practice: Tournament) -> None:
    query = """{roundDetails(roundNumber: 1404 tournament: 8)
               {status totalSubmitted totalStakes totalAtStake totalPayout payoutFactor roundResolved}}"""
    details = practice.data(query)["roundDetails"]
    assert details.pop("totalPayout") == pytest.approx(0.09)
    assert details == {
        "status": "resolved",
        "totalSubmitted": 2,
        "totalStakes": 1,
        "totalAtStake": 1.0,
        "payoutFactor": "1.0",
        "roundResolved": True,
    }


def test_diagnostics_are_measured_on_the_validation_file(practice: Tournament) -> None:
    query = """query($m: ID) {diagnostics(modelId: $m) {status message erasAcceptedCount erasMissing
               validationCorrMean perEraDiagnostics {era validationCorr}}}"""
    (run,) = practice.data(query, {"m": practice.model_id("alpha_model")})["diagnostics"]
    assert (run["status"], run["erasAcceptedCount"], run["erasMissing"]) == ("done", 3, [])
    eras = [one["validationCorr"] for one in run["perEraDiagnostics"]]
    assert run["validationCorrMean"] == pytest.approx(sum(eras) / 3)


@pytest.mark.parametrize(
    ("rows", "message"),
    [(slice(0, 39), "invalid_submission_eras"), (slice(0, 0), "invalid_submission_values|invalid_submission_ids")],
)
def test_diagnostics_that_do_not_cover_an_era_fail_with_a_reason(tmp_path: Path, rows: slice, message: str) -> None:
    made = tournament(tmp_path)
    frame = validation_frame().iloc[rows]
    table = pd.DataFrame({"id": frame.index, "prediction": np.linspace(0.1, 0.9, len(frame))})
    model = made.world.account.named("alpha_model")
    query = "query($m: ID) {diagnosticsUploadAuth(filename: \"v.csv\" tournament: 8 modelId: $m) {filename url}}"
    granted = made.data(query, {"m": model.id})["diagnosticsUploadAuth"]
    made.storage.put(granted["url"], table.to_csv(index=False).encode())
    create = "mutation($f: String! $m: ID) {createDiagnostics(filename: $f tournament: 8 modelId: $m) {id}}"
    made.data(create, {"f": granted["filename"], "m": model.id})
    made.after(seconds=1)
    (run,) = made.data("query($m: ID) {diagnostics(modelId: $m) {status message}}", {"m": model.id})["diagnostics"]
    assert run["status"] == "failed"
    assert any(run["message"].startswith(one) for one in message.split("|"))


def test_datasets_of_a_round_that_has_not_opened_are_not_served(practice: Tournament) -> None:
    query = 'query($r: Int) {dataset(filename: "v5.3/live.parquet" round: $r tournament: 8)}'
    assert practice.data(query, {"r": practice.number()})["dataset"].endswith("live.parquet")
    assert practice.errors(query, {"r": practice.number() + 1}) == [f"Round {practice.number() + 1} not found"]


def test_models_can_be_made_renamed_and_archived(practice: Tournament) -> None:
    made = practice.data('mutation {addModel(name: "delta" tournament: 12) {id name tournament}}')["addModel"]
    variables = {"m": made["id"]}
    renamed = practice.data('mutation($m: ID!) {renameModel(modelId: $m name: "epsilon") {id name}}', variables)
    assert renamed["renameModel"] == {"id": made["id"], "name": "epsilon"}
    for root, expected in (("archiveModel", True), ("unarchiveModel", False)):
        answer = practice.data(f"mutation($m: ID!) {{{root}(modelId: $m) {{archived}}}}", variables)
        assert answer[root]["archived"] is expected
    assert practice.errors('mutation {addModel(name: "epsilon" tournament: 12) {id}}') == [
        "Model name epsilon is already taken"
    ]
    too_long = 'mutation {addModel(name: "far too long for a model" tournament: 8) {id}}'
    assert "1 to 20 letters" in practice.errors(too_long)[0]
    free = "query($n: String!) {modelNameAvailable(name: $n tournament: 12)}"
    assert practice.data(free, {"n": "epsilon"})["modelNameAvailable"] is False


def test_a_pickle_can_be_assigned_and_taken_away(practice: Tournament) -> None:
    pickle_id = next(iter(practice.world.state.pickles))
    mutation = "mutation($m: String $p: ID) {assignPickleToModel(modelId: $m pickleId: $p)}"
    model_id = practice.model_id("alpha_model")
    assert practice.data(mutation, {"m": model_id, "p": pickle_id})["assignPickleToModel"] == "true"
    assert practice.world.account.model(model_id).pickle_id == pickle_id
    practice.data(mutation, {"m": model_id})
    assert practice.world.account.model(model_id).pickle_id is None


def test_a_webhook_can_be_triggered_once_it_is_set(practice: Tournament) -> None:
    model_id = practice.model_id("practice_crypto")
    trigger = "mutation($m: String!) {triggerModelWebhook(modelId: $m)}"
    assert "no submission webhook" in practice.errors(trigger, {"m": model_id})[0]
    setting = "mutation($m: String $w: String) {setSubmissionWebhook(modelId: $m newSubmissionWebhook: $w)}"
    assert "http" in practice.errors(setting, {"m": model_id, "w": "file:///etc"})[0]
    practice.data(setting, {"m": model_id, "w": "https://example.com/secret"})
    assert practice.data(trigger, {"m": model_id})["triggerModelWebhook"] in practice.world.state.triggers


def test_email_switches_are_remembered(practice: Tournament) -> None:
    answer = practice.data("mutation {updateEmailPreferences(roundOpen: true) {roundOpen deposit}}")
    assert answer["updateEmailPreferences"] == {"roundOpen": True, "deposit": False}
    assert practice.data("{account {emailPreferences {roundOpen}}}")["account"]["emailPreferences"]["roundOpen"] is True


def test_performances_can_be_asked_for_piece_by_piece(practice: Tournament) -> None:
    variables = {"m": practice.model_id("alpha_model")}

    def rows(filters: str) -> list[dict[str, Any]]:
        call = f"v2RoundModelPerformances(modelId: $m {filters})"
        answer = practice.data(f"query($m: ID!) {{{call} {{roundNumber roundResolved submissionId}}}}", variables)
        found: list[dict[str, Any]] = answer["v2RoundModelPerformances"]
        return found

    newest = practice.number()
    assert [row["roundNumber"] for row in rows("submittedOnly: true")] == [newest, 1404]
    assert [row["roundNumber"] for row in rows("roundNumberGte: 1403 roundNumberLte: 1404")] == [1404, 1403]
    assert [row["roundNumber"] for row in rows("roundNumberEq: 1404")] == [1404]
    assert all(row["roundResolved"] for row in rows("resolvedOnly: true"))
    assert [row["roundNumber"] for row in rows("limit: 2 offset: 1")] == [newest - 1, newest - 2]
    assert len(rows("resolvedWithinLastNDays: 2")) in (2, 3)
    assert rows("roundDataDatestampGte: 20990101") == []


def test_the_other_tournaments_models_are_not_taken_for_an_upload(practice: Tournament) -> None:
    query = 'query($m: ID) {submissionUploadAuth(filename: "a.csv" tournament: 8 modelId: $m) {url}}'
    assert practice.errors(query, {"m": practice.model_id("practice_crypto")}) == [
        "practice_crypto is a model of tournament 12, not of 8"
    ]
    unknown = query.replace("tournament: 8", "tournament: 9")
    assert practice.errors(unknown, {"m": practice.model_id("alpha_model")}) == ["Tournament 9 not found"]
