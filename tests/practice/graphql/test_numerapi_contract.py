"""The unmodified numerapi 3.1.1 against the practice server: every public method of its three classes.

Calls that cannot work at Numerai either are asserted to fail as they do there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numerapi
import numpy as np
import pandas as pd
import pytest
from numerapi import base_api

from numebot.practice.options import PracticeOptions
from numebot.practice.server import PracticeServer
from numebot.practice.world.account import SCOPES, USERNAME

APIS = {8: numerapi.NumerAPI, 11: numerapi.SignalsAPI, 12: numerapi.CryptoAPI}
MODELS = {8: "contract_model", 11: "practice_signals", 12: "practice_crypto"}
ID_COLUMNS = {8: "id", 11: "numerai_ticker", 12: "symbol"}
REFUSAL = r"^Stake changes are disabled for this tournament\.$"


@dataclass
class Session:
    """One numerapi object with what its calls need."""

    api: Any
    tournament: int
    server: PracticeServer
    folder: Path

    @property
    def model(self) -> str:
        return MODELS[self.tournament]

    @property
    def model_id(self) -> str:
        return self.server.world.account.named(self.model, self.tournament).id

    def number(self) -> int:
        return self.server.world.calendar.current(self.server.clock.now()).number

    def predictions(self) -> pd.DataFrame:
        """Return a legal submission for the current round."""
        ids = self.server.world.market.ids(self.tournament, self.number())
        values = np.random.default_rng(3).uniform(0.1, 0.9, len(ids))
        return pd.DataFrame({ID_COLUMNS[self.tournament]: ids, "prediction": values})

    def uploaded(self) -> str:
        submission_id: str = self.api.upload_predictions(df=self.predictions(), model_id=self.model_id)
        return submission_id

    def file(self, name: str, content: bytes = b"content") -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeServer]:
    """A tournament whose round is open now, on the real clock."""
    with _server(tmp_path_factory.mktemp("open")) as server:
        yield server


@pytest.fixture(scope="module")
def resolved_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeServer]:
    """A tournament in which every model played one round that has resolved, and one that is being scored."""
    with _server(tmp_path_factory.mktemp("resolved")) as server, pytest.MonkeyPatch.context() as patch:
        for days in (66, 8):
            for tournament in APIS:
                _session(patch, server, tournament, server.options.folder).uploaded()
            server.world.advance(timedelta(days=days))
        yield server


def _server(folder: Path) -> PracticeServer:
    return PracticeServer(PracticeOptions(folder, scale="tiny", models=(MODELS[8],), validation_delay_s=0))


def _session(patch: pytest.MonkeyPatch, server: PracticeServer, tournament: int, folder: Path) -> Session:
    for name in ("TRIGGER_ID", "NUMERAI_COMPUTE_ID", "HTTP_PROXY", "http_proxy"):
        patch.delenv(name, raising=False)
    patch.setattr(base_api, "API_TOURNAMENT_URL", server.url)
    server.world.add_key("CONTRACT", "secret", list(SCOPES))
    return Session(APIS[tournament]("CONTRACT", "secret", "CRITICAL", False), tournament, server, folder)


def check_current_round(session: Session) -> None:
    assert session.api.get_current_round() == session.number()


def check_round_open(session: Session) -> None:
    assert session.api.check_round_open() is True


def check_new_round(session: Session) -> None:
    assert session.api.check_new_round() is True


def check_rounds(session: Session) -> None:
    rounds = session.api.list_rounds(status="resolved", limit=3)
    assert len(rounds) == 3
    assert all(one["resolvedGeneral"] and isinstance(one["payoutFactor"], Decimal) for one in rounds)
    current = session.api.list_rounds(number=0)[0]
    assert current["number"] == session.number()
    assert isinstance(current["closeStakingTime"], datetime)
    assert any(config["isPayout"] for config in current["roundScoreConfigs"])
    assert isinstance(current["roundScoreConfigs"][0]["scoringStart"], datetime)
    assert [one["number"] for one in session.api.list_rounds(status="upcoming")] == [session.number() + 1]


def check_competitions(session: Session) -> None:
    found = session.api.get_competitions()
    assert found[0]["number"] == session.number() + 1
    assert found[-1]["resolvedStaking"] is True


def check_pipeline_status(session: Session) -> None:
    assert session.api.pipeline_status()["tournament"] == ("classic" if session.tournament == 8 else "signals")
    status = session.api.pipeline_status(session.server.clock.now().date().isoformat())
    assert status["isScoringDay"] is True
    assert isinstance(status["scoredAt"], datetime)
    assert session.api.pipeline_status("1999-01-01")["isScoringDay"] is False


def check_list_datasets(session: Session) -> None:
    prefix = {8: "v5.3/", 11: "signals/", 12: "crypto/"}[session.tournament]
    names = session.api.list_datasets()
    assert names
    assert all(name.startswith(prefix) for name in names)
    assert session.api.list_datasets(session.number() - 1) == names


def check_download_dataset(session: Session) -> None:
    name = next(name for name in session.api.list_datasets() if name.endswith("live.parquet"))
    path = session.api.download_dataset(name, str(session.folder / "live.parquet"))
    frame = pd.read_parquet(path).reset_index()
    ids = session.server.world.market.ids(session.tournament, session.number())
    assert list(frame[ID_COLUMNS[session.tournament]]) == list(ids)
    with pytest.raises(ValueError, match="not found"):
        session.api.download_dataset("v0/nothing.parquet", str(session.folder / "nothing"))
    with pytest.raises(ValueError, match="not found"):
        session.api.download_dataset(name, str(session.folder / "future"), round_num=session.number() + 1)


def check_global_data_dir(session: Session) -> None:
    session.api.set_global_data_dir(str(session.folder / "data"))
    name = next(name for name in session.api.list_datasets() if name.endswith("live.parquet"))
    assert session.api.download_dataset(name, "live.parquet") == str(session.folder / "data" / "live.parquet")


def check_ticker_universe(session: Session) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(session.folder)
        tickers = session.api.ticker_universe()
    assert tickers == list(session.server.world.market.ids(11, session.number()))


def check_upload_predictions(session: Session) -> None:
    submission_id = session.uploaded()
    rows = session.server.world.submissions_of(session.model, session.number())
    assert (rows[-1].id, rows[-1].status, rows[-1].counts) == (submission_id, "on-time", True)
    bare = session.predictions().set_index(ID_COLUMNS[session.tournament])
    session.api.upload_predictions(df=bare, model_id=session.model_id)
    refused = session.server.world.submissions_of(session.model, session.number())[-1]
    assert refused.status == "invalid"
    assert str(refused.error).startswith("invalid_submission_headers")
    with pytest.raises(ValueError, match="modelId is required"):
        session.api.upload_predictions(df=session.predictions())


def check_submission_ids(session: Session) -> None:
    submission_id = session.uploaded()
    newest = session.api.submission_ids(session.model_id)[0]
    assert newest["id"] == submission_id
    assert newest["insertedAt"].endswith("Z")
    assert newest["filename"].startswith("predictions-")


def check_download_submission(session: Session) -> None:
    frame = session.predictions()
    submission_id = session.api.upload_predictions(df=frame, model_id=session.model_id)
    destination = str(session.folder / "mine.csv")
    assert session.api.download_submission(submission_id, dest_path=destination) == destination
    assert Path(destination).read_bytes() == frame.to_csv(index=False).encode()


def check_submission_filenames(session: Session) -> None:
    session.uploaded()
    found = session.api.get_submission_filenames(8, session.number(), session.model_id)
    assert [(one["round_num"], one["tournament"]) for one in found] == [(session.number(), 8)]


def check_webhook(session: Session) -> None:
    assert session.api.set_submission_webhook(session.model_id, "https://example.com/wake") is True
    assert session.server.world.account.model(session.model_id).webhook == "https://example.com/wake"
    assert session.api.set_submission_webhook(session.model_id) is True
    assert session.server.world.account.model(session.model_id).webhook is None


def check_diagnostics(session: Session) -> None:
    frame = session.predictions()
    if session.tournament == 8:
        market = session.server.world.market
        validation = pd.read_parquet(market.dataset_path(f"{market.version}/validation.parquet", session.number()))
        frame = pd.DataFrame({"id": validation.index, "prediction": np.linspace(0.1, 0.9, len(validation))})
    diagnostics_id = session.api.upload_diagnostics(df=frame, model_id=session.model_id)
    (run,) = session.api.diagnostics(session.model_id, diagnostics_id)
    if session.tournament == 8:
        assert (run["status"], run["message"]) == ("done", None)
        assert len(run["perEraDiagnostics"]) == run["erasAcceptedCount"] > 0
        assert abs(run["validationCorrMean"]) < 0.2
    else:
        assert (run["status"], run["message"]) == ("failed", "diagnostics are computed for tournament 8 only")


def check_model_upload(session: Session) -> None:
    pickle = session.file("model.pkl")
    if session.tournament != 8:
        with pytest.raises(ValueError, match="tournament"):
            session.api.model_upload(pickle, model_id=session.model_id)
        return
    image = next(iter(session.api.model_upload_docker_images()))
    upload_id = session.api.model_upload(pickle, data_version="v5.3", docker_image=image)
    assert upload_id in session.server.world.state.pickles


def check_model_upload_data_versions(session: Session) -> None:
    assert list(session.api.model_upload_data_versions()) == [session.server.world.market.version]


def check_model_upload_docker_images(session: Session) -> None:
    assert "Python 3.11" in session.api.model_upload_docker_images()


def check_account(session: Session) -> None:
    account = session.api.get_account()
    assert account["username"] == USERNAME
    assert isinstance(account["availableNmr"], Decimal)
    assert isinstance(account["insertedAt"], datetime)
    assert {model["name"] for model in account["models"]} == set(MODELS.values())
    assert "CONTRACT" in {token["public_id"] for token in account["apiTokens"]}


def check_models(session: Session) -> None:
    assert session.api.get_models() == {session.model: session.model_id}


def check_model_name(session: Session) -> None:
    assert session.api.modelid_to_modelname(session.model_id) == session.model
    with pytest.raises(ValueError, match="Model not found"):
        session.api.modelid_to_modelname("unknown")


def check_wallet(session: Session) -> None:
    (deposit,) = session.api.wallet_transactions()
    assert (deposit["type"], deposit["amount"]) == ("deposit", Decimal(3 * 64))


def check_bio(session: Session) -> None:
    assert session.api.set_bio(session.model_id, "Practice makes perfect.") is True
    assert session.api.public_user_profile(session.model)["bio"] == "Practice makes perfect."


def check_link(session: Session) -> None:
    assert session.api.set_link(session.model_id, "here", "https://example.com") is True
    assert session.server.world.account.model(session.model_id).link_url == "https://example.com"


def check_public_profile(session: Session) -> None:
    profile = session.api.public_user_profile(session.model)
    assert (profile["id"], profile["username"]) == (session.model_id, session.model)
    assert isinstance(profile["startDate"], datetime)
    assert session.api.public_user_profile("nobody_here") is None


def check_stake_get(session: Session) -> None:
    assert session.api.stake_get(session.model) == Decimal(64)
    with pytest.raises(TypeError):  # a null profile: numerapi looks into it
        session.api.stake_get("nobody_here")


def check_models_of_account(session: Session) -> None:
    assert session.api.models_of_account(USERNAME) == {session.model: session.model_id}


def check_raw_query(session: Session) -> None:
    answer = session.api.raw_query("query($n: Int) {rounds(number: $n) {number}}", {"n": 0})
    assert answer == {"data": {"rounds": [{"number": session.number()}]}}
    with pytest.raises(ValueError, match=r'^Variable "n" is never used\.$'):
        session.api.raw_query("query($n: Int) {rounds(number: 0) {number}}", {"n": 0})


def check_stake_change(session: Session) -> None:
    with pytest.raises(ValueError, match=REFUSAL):
        session.api.stake_change(1, "increase", session.model_id)


def check_stake_increase(session: Session) -> None:
    with pytest.raises(ValueError, match=REFUSAL):
        session.api.stake_increase(1, session.model_id)


def check_stake_decrease(session: Session) -> None:
    with pytest.raises(ValueError, match=REFUSAL):
        session.api.stake_decrease(1, session.model_id)


def check_stake_set(session: Session) -> None:
    with pytest.raises(ValueError, match=REFUSAL):
        session.api.stake_set(100, session.model_id)
    assert session.api.stake_set(64, session.model_id) is None


def check_stake_drain(session: Session) -> None:
    with pytest.raises(ValueError, match='"bool"'):  # broken at Numerai as well: no schema knows this type
        session.api.stake_drain(session.model_id)


def check_v3_stake_config(session: Session) -> None:
    assert session.api.v3_stake_config()["paused"] is True


def check_v3_stake_round(session: Session) -> None:
    found = session.api.v3_stake_round(session.number())
    assert (found["roundId"], found["resolved"]) == (str(session.number()), False)


def check_v3_stake_auth(session: Session) -> None:
    submission_id = session.uploaded()
    granted = session.api.v3_stake_auth(submission_id, "0x1", max_amount="1")
    assert (granted["submissionId"], granted["amount"]) == (submission_id, "1")
    session.server.world.tick()
    later = session.uploaded()
    with pytest.raises(ValueError, match="not the selected submission"):
        session.api.v3_stake_auth(submission_id, "0x1", amount=1)
    assert session.api.v3_stake_auth(later, "0x1", amount=1)["maxAmount"] == "1"


def check_submission_scores(session: Session) -> None:
    scores = session.api.submission_scores(session.model_id)
    assert {score["resolved"] for score in scores} == {True, False}
    assert all(isinstance(score["date"], datetime) for score in scores)
    name = scores[0]["displayName"]
    newest = session.api.submission_scores(session.model_id, name, last_n_rounds=1, distinct_on_round=True)
    assert [(score["displayName"], score["resolved"]) for score in newest] == [(name, False)]
    days = {score["day"] for score in session.api.submission_scores(session.model_id, name, day=2)}
    assert days == {2}
    assert session.api.submission_scores("unknown") == []


def check_performances(session: Session) -> None:
    with pytest.warns(DeprecationWarning, match="round_model_performances_v2"):
        rows = session.api.round_model_performances_v2(session.model_id)
    _expect_one_resolved(rows)


def check_old_performances(session: Session) -> None:
    with pytest.warns(DeprecationWarning, match="round_model_performances_v2"):
        rows = session.api.round_model_performances(session.model_id)
    _expect_one_resolved(rows)


def _expect_one_resolved(rows: list[dict[str, Any]]) -> None:
    resolved = [row for row in rows if row["roundResolved"] and row["submissionScores"]]
    assert len(resolved) == 1
    assert resolved[0]["atRisk"] > 0
    assert {one["multiplier"] > 0 for one in resolved[0]["payoutMultipliers"]} == {True}
    assert any(score["payoutSettled"] is not None for score in resolved[0]["submissionScores"])
    assert rows[0]["submissionScores"] is None


def check_intra_round_scores(session: Session) -> None:
    rows = session.api.intra_round_scores(session.model_id)
    scored = [row for row in rows if row["intraRoundSubmissionScores"]]
    assert len(scored) == 2
    assert {1, 2} <= {score["day"] for score in scored[0]["intraRoundSubmissionScores"]}


def check_pending_payouts(session: Session) -> None:
    payouts = session.api.pending_model_payouts()
    assert [one["modelName"] for one in payouts["actual"]] == [session.model]
    assert len(payouts["pending"]) <= 1
    paid = payouts["actual"][0]
    assert isinstance(paid["payoutNmr"], Decimal)
    assert isinstance(paid["roundResolveTime"], datetime)


def check_v3_stake_claim(session: Session) -> None:
    number = session.server.world.submissions_of(session.model, tournament=session.tournament)[0].round_number
    claim = session.api.v3_stake_claim(number, session.model_id, "0x1")
    assert (claim["roundId"], claim["apiModelId"]) == (str(number), session.model_id)
    with pytest.raises(ValueError, match="No claim found"):
        session.api.v3_stake_claim(session.number(), session.model_id, "0x1")


def check_daily_performances(session: Session) -> None:
    if session.tournament == 11:
        with pytest.raises(ValueError, match="Cannot query field"):  # asks for fields that the schema has lost
            session.api.daily_model_performances(session.model)
        return
    rows = session.api.daily_model_performances(session.model)
    assert isinstance(rows[0]["date"], datetime)
    assert isinstance(rows[0]["corrRep"], float)


def check_leaderboard(session: Session) -> None:
    rows = session.api.get_leaderboard(5000)
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert session.model in {row["username"] for row in rows}
    assert len(session.api.get_leaderboard(limit=1, offset=0)) == 1


def check_account_leaderboard(session: Session) -> None:
    rows = session.api.get_account_leaderboard(5000)
    assert USERNAME in {row["username"] for row in rows}
    assert isinstance(rows[0]["nmrStaked"], Decimal)


OPEN: dict[str, Callable[[Session], None]] = {
    "check_new_round": check_new_round,
    "check_round_open": check_round_open,
    "diagnostics": check_diagnostics,
    "download_dataset": check_download_dataset,
    "download_submission": check_download_submission,
    "get_account": check_account,
    "get_competitions": check_competitions,
    "get_current_round": check_current_round,
    "get_models": check_models,
    "get_submission_filenames": check_submission_filenames,
    "list_datasets": check_list_datasets,
    "list_rounds": check_rounds,
    "model_upload": check_model_upload,
    "model_upload_data_versions": check_model_upload_data_versions,
    "model_upload_docker_images": check_model_upload_docker_images,
    "modelid_to_modelname": check_model_name,
    "models_of_account": check_models_of_account,
    "pipeline_status": check_pipeline_status,
    "public_user_profile": check_public_profile,
    "raw_query": check_raw_query,
    "set_bio": check_bio,
    "set_global_data_dir": check_global_data_dir,
    "set_link": check_link,
    "set_submission_webhook": check_webhook,
    "stake_change": check_stake_change,
    "stake_decrease": check_stake_decrease,
    "stake_drain": check_stake_drain,
    "stake_get": check_stake_get,
    "stake_increase": check_stake_increase,
    "stake_set": check_stake_set,
    "submission_ids": check_submission_ids,
    "ticker_universe": check_ticker_universe,
    "upload_diagnostics": check_diagnostics,
    "upload_predictions": check_upload_predictions,
    "v3_stake_auth": check_v3_stake_auth,
    "v3_stake_config": check_v3_stake_config,
    "v3_stake_round": check_v3_stake_round,
    "wallet_transactions": check_wallet,
}
"""What is called while a round is open."""

RESOLVED: dict[str, Callable[[Session], None]] = {
    "daily_model_performances": check_daily_performances,
    "get_account_leaderboard": check_account_leaderboard,
    "get_leaderboard": check_leaderboard,
    "intra_round_scores": check_intra_round_scores,
    "pending_model_payouts": check_pending_payouts,
    "round_model_performances": check_old_performances,
    "round_model_performances_v2": check_performances,
    "submission_scores": check_submission_scores,
    "v3_stake_claim": check_v3_stake_claim,
}
"""What is called when scores are there."""


def public_methods(api: type) -> list[str]:
    return [name for name, _ in inspect.getmembers(api, inspect.isfunction) if not name.startswith("_")]


@pytest.mark.parametrize("api", APIS.values())
def test_every_public_method_of_numerapi_has_its_check(api: type) -> None:
    assert sorted(set(public_methods(api)) - set(OPEN) - set(RESOLVED)) == []


@pytest.mark.parametrize(
    ("tournament", "method"),
    [(number, name) for number, api in APIS.items() for name in public_methods(api) if name in OPEN],
)
def test_numerapi_works_while_a_round_is_open(
    open_server: PracticeServer, tournament: int, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    OPEN[method](_session(monkeypatch, open_server, tournament, tmp_path))


@pytest.mark.parametrize(
    ("tournament", "method"),
    [(number, name) for number, api in APIS.items() for name in public_methods(api) if name in RESOLVED],
)
def test_numerapi_works_on_resolved_rounds(
    resolved_server: PracticeServer, tournament: int, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RESOLVED[method](_session(monkeypatch, resolved_server, tournament, tmp_path))
