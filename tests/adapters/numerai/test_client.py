"""The client as a whole: against the schema that Numerai publishes, and against the practice tournament."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import graphql
import pandas as pd
import pytest

from numebot.adapters.clock import SystemClock
from numebot.adapters.numerai import account, api, client, rounds, submissions
from numebot.adapters.numerai.api_settings import ApiSettings
from numebot.adapters.numerai.client import NumeraiClient
from numebot.adapters.numerai.transport import Operation
from numebot.core.errors import AccessDenied
from numebot.core.ports import DataSource, TournamentServer
from numebot.core.types import RoundState

SHARED = Path(os.environ.get("NUMEBOT_SHARED_DATA") or Path(__file__).parents[3] / "../shared/data")
SCHEMA = SHARED / "graphql-schema-2026" / "numerai_schema_subset.graphql"
OPERATIONS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": value
    for module in (account, api, client, rounds, submissions)
    for name, value in vars(module).items()
    if isinstance(value, Operation)
}


@pytest.mark.skipif(not SCHEMA.exists(), reason=f"{SCHEMA} is absent; set NUMEBOT_SHARED_DATA to its data folder")
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_document_fits_the_published_schema(name: str) -> None:
    schema = graphql.build_schema(SCHEMA.read_text())

    assert graphql.validate(schema, graphql.parse(OPERATIONS[name].text)) == []


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_document_asks_for_the_root_that_it_names(name: str) -> None:
    operation = OPERATIONS[name]
    document = graphql.parse(operation.text).definitions[0]

    assert [field.name.value for field in document.selection_set.selections] == [operation.root]


def test_the_client_is_what_the_core_asks_for(client: NumeraiClient) -> None:
    server: TournamentServer = client
    source: DataSource = client

    for port in (TournamentServer, DataSource):
        for name in (name for name in vars(port) if not name.startswith("_")):
            assert callable(getattr(client, name))
    assert server is source


def test_a_round_is_played_against_the_practice_tournament(practice: Callable[..., Any], tmp_path: Path) -> None:
    tournament = practice(validation_delay_s=0.0)
    settings = ApiSettings(
        url=tournament.url, public_id=tournament.public_id, secret_key=tournament.secret_key, read_timeout_s=60
    )
    client = NumeraiClient(settings, SystemClock())

    answer = client.current_round(8)
    assert answer.state is RoundState.OPEN
    assert answer.round is not None
    number = answer.round.number
    assert "upload_submission" in client.key_info().scopes
    model = next(model for model in client.account_models() if model.tournament == 8)

    name = next(name for name in client.list_datasets(8) if name.endswith("/live.parquet"))
    live = client.download(name, tmp_path / "live.parquet", tournament=8, round_number=number)
    again = client.download(name, tmp_path / "live.parquet", tournament=8, round_number=number, etag=live.etag)
    assert (again.is_new, again.sha256) == (False, live.sha256)

    ids = pd.read_parquet(live.path).index
    predictions = pd.DataFrame({"id": ids, "prediction": [(row + 0.5) / len(ids) for row in range(len(ids))]})
    predictions.to_csv(tmp_path / "predictions.csv", index=False)
    authorisation = client.authorise_upload(8, model.id, "predictions.csv")
    client.put_file(authorisation, tmp_path / "predictions.csv")
    id = client.create_submission(8, model.id, authorisation.filename)

    listed = next(slot for slot in client.account_models() if slot.id == model.id).submissions
    row = next(row for row in listed if row.filename == authorisation.filename)
    assert (row.round_number, row.status, row.id) == (number, "on-time", id)
    assert authorisation.filename in [record.filename for record in client.submission_records(model.id)]


def test_a_wrong_key_is_denied_by_the_practice_tournament(practice: Callable[..., Any]) -> None:
    tournament = practice()
    client = NumeraiClient(ApiSettings(url=tournament.url, public_id="WRONG", secret_key="WRONG"), SystemClock())

    with pytest.raises(AccessDenied):
        client.account_models()
    assert client.current_round(8).state is RoundState.OPEN


def test_the_bytes_of_a_practice_submission_come_back_unchanged(practice: Callable[..., Any], tmp_path: Path) -> None:
    tournament = practice()
    settings = ApiSettings(url=tournament.url, public_id=tournament.public_id, secret_key=tournament.secret_key)
    client = NumeraiClient(settings, SystemClock())
    model = next(model for model in client.account_models() if model.tournament == 8)
    sent = tmp_path / "predictions.csv"
    sent.write_text("id,prediction\nn1,0.5\n")
    authorisation = client.authorise_upload(8, model.id, "predictions.csv")
    client.put_file(authorisation, sent)
    id = client.create_submission(8, model.id, authorisation.filename)

    download = client.download_submission(id, tmp_path / "back.csv")

    assert download.sha256 == hashlib.sha256(sent.read_bytes()).hexdigest()
