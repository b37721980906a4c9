"""numerapi's classes on our wire, for what it knows and `client` does not: scores, leaderboards, payouts, profiles.

What numerapi does well (queries, parsing) is inherited. What it does to the network, to files, to logging and to the
environment is replaced here; a test compares the source of everything replaced with the version that was read. Heavy to
import (numerapi brings pandas): whoever polls uses `client`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numerapi
from numerapi import base_api

from numebot.adapters.numerai import submissions
from numebot.adapters.numerai.client import NumeraiClient
from numebot.adapters.numerai.transport import Operation
from numebot.core.errors import ConfigError, Unavailable
from numebot.core.types import RoundState, Tournament

_PIPELINE_NAMES = {Tournament.CLASSIC: "classic", Tournament.SIGNALS: "signals", Tournament.CRYPTO: "crypto"}
_PIPELINE = Operation(
    "pipelineStatus",
    """query($date: String, $tournament: String) { pipelineStatus(date: $date, tournament: $tournament) {
      dataReadyAt isScoringDay resolvedAt scoredAt startedAt tournament } }""",
)
_TEXT = re.compile(r'"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\])*"|#[^\n]*', re.DOTALL)
_MONEY = re.compile(r"stake|payout|withdraw|drain", re.IGNORECASE)


class _OnOurWire(base_api.Api):
    """Replaces the parts of numerapi that touch the world; stands in front of its class in the order of look-up."""

    tournament_id: int

    def __init__(self, client: NumeraiClient) -> None:
        """Take a ready client: no logging set-up, no .env, no environment, and never half a key."""
        self.logger = logging.getLogger(__name__)
        self.token = None  # type: ignore[assignment]  # numerapi sets None, too
        """Stays empty: the key belongs to the client, which adds it where a query needs it."""
        self.show_progress_bars = False
        self.global_data_dir = "."
        self._client = client

    def raw_query(
        self, query: str, variables: Mapping[str, object] | None = None, authorization: bool = False, **ignored: object
    ) -> dict[str, Any]:
        """Send any document: queries with retries, mutations once. numerapi's retry arguments are ignored.

        Raises: Unavailable, Ambiguous (mutations), AccessDenied, RoundClosed, Rejected; ConfigError for money.
        """
        operation = Operation(_root(query), query, needs_key=authorization)
        if not is_mutation(query):
            return {"data": dict(self._client.transport.query(operation, variables or {}).data)}
        if _MONEY.search(_TEXT.sub(" ", query)):
            _refuse("A mutation that moves money")
        return {"data": dict(self._client.transport.mutate(operation, variables or {}).data)}

    def download_dataset(
        self, filename: str, dest_path: str | None = None, round_num: int | None = None, filters: object = None
    ) -> str:
        """Fetch a dataset, whole or not at all; a destination is needed, the server's name is not one."""
        if filters is not None:
            _refuse("filters=", "Download the file, then read the rows and columns that you need.")
        if dest_path is None:
            _refuse("A download without dest_path", "Say where the file belongs.")
        destination = Path(self.global_data_dir) / dest_path
        self._client.download(filename, destination, tournament=self.tournament_id, round_number=round_num)
        return str(destination)

    def download_submission(self, submission_id: str | None = None, model_id: str = "", dest_path: str = "") -> str:
        """Fetch the bytes of a submission, by its id or the newest of a model."""
        if not dest_path:
            _refuse("A download without dest_path", "Say where the file belongs.")
        if not submission_id and not model_id:
            raise ConfigError("download_submission: give submission_id or model_id.")
        if not submission_id:
            records = [row for row in self._client.submission_records(model_id) if row.inserted_at is not None]
            if not records:
                raise Unavailable(f"download_submission: the server lists no submission of model {model_id}.")
            submission_id = max(records, key=lambda row: (row.inserted_at is not None, row.inserted_at)).id
        return str(self._client.download_submission(submission_id, Path(dest_path)).path)

    def upload_predictions(
        self,
        file_path: str = "predictions.csv",
        model_id: str | None = None,
        df: object = None,
        data_datestamp: int | None = None,
        timeout: object = None,
    ) -> str:
        """Upload a checked file and return the submission id. `timeout` is ignored: the settings hold the limits."""
        if df is not None:
            _refuse("upload_predictions(df=…)", "It drops the ids when they are the index; write a file and upload it.")
        if not model_id:
            raise ConfigError("upload_predictions: model_id is missing. It names the model slot to upload for.")
        client, path = self._client, Path(file_path)
        authorisation = client.authorise_upload(self.tournament_id, model_id, path.name)
        client.put_file(authorisation, path)
        return client.create_submission(
            self.tournament_id, model_id, authorisation.filename, data_datestamp=data_datestamp
        )

    def upload_diagnostics(
        self,
        file_path: str = "predictions.csv",
        tournament: int | None = None,
        model_id: str | None = None,
        df: object = None,
    ) -> str:
        """Upload validation predictions for diagnostics and return the id of the diagnostics."""
        if df is not None:
            _refuse("upload_diagnostics(df=…)", "It drops the ids when they are the index; write a file and upload it.")
        if not model_id:
            raise ConfigError("upload_diagnostics: model_id is missing. It names the model slot to upload for.")
        transport, path = self._client.transport, Path(file_path)
        number = self.tournament_id if tournament is None else tournament
        authorisation = submissions.authorise(
            transport, number, model_id=model_id, filename=path.name, operation=submissions.AUTHORISE_DIAGNOSTICS
        )
        submissions.put_file(transport, authorisation, path)
        variables = {"filename": authorisation.filename, "tournament": number, "modelId": model_id}
        return submissions.create(transport, submissions.CREATE_DIAGNOSTICS, variables)

    def model_upload(self, *arguments: object, **options: object) -> NoReturn:
        """Refuse: numebot runs models itself."""
        _refuse("model_upload", "numebot runs the models itself and uploads their predictions.")

    def check_round_open(self) -> bool:
        """Say whether the round is open. Raises: Unavailable when that cannot be known."""
        answer = self._client.current_round(self.tournament_id)
        if answer.state is RoundState.UNKNOWN:
            raise Unavailable(f"Whether the round is open is not known: {answer.reason}")
        return answer.state is RoundState.OPEN

    def check_new_round(self, hours: int = 12) -> NoReturn:
        """Refuse: it takes closed rounds and rounds to come for new ones."""
        _refuse("check_new_round", "Ask current_round of the client.")

    def pipeline_status(self, date: str | None = None) -> dict[str, Any]:
        """Return the state of the scoring; the default day is the UTC day, the times stay text."""
        day = date or self._client.clock.now().date().isoformat()
        tournament = _PIPELINE_NAMES[Tournament(self.tournament_id)]
        answer = self._client.transport.query(_PIPELINE, {"date": day, "tournament": tournament})
        return dict(answer.data.get("pipelineStatus") or {})

    def stake_change(self, *arguments: object, **options: object) -> NoReturn:
        """Refuse: numebot never moves money."""
        _refuse("stake_change")

    def stake_increase(self, *arguments: object, **options: object) -> NoReturn:
        """Refuse: numebot never moves money."""
        _refuse("stake_increase")

    def stake_decrease(self, *arguments: object, **options: object) -> NoReturn:
        """Refuse: numebot never moves money."""
        _refuse("stake_decrease")

    def stake_drain(self, *arguments: object, **options: object) -> NoReturn:
        """Refuse: numebot never moves money."""
        _refuse("stake_drain")

    def stake_set(self, *arguments: object, **options: object) -> NoReturn:
        """Refuse: numebot never moves money."""
        _refuse("stake_set")

    def v3_stake_auth(self, *arguments: object, **options: object) -> NoReturn:
        """Refuse: what it returns authorises a stake."""
        _refuse("v3_stake_auth")


class ClassicApi(_OnOurWire, numerapi.NumerAPI):
    """numerapi.NumerAPI on our wire."""

    tournament_id = int(Tournament.CLASSIC)


class SignalsApi(_OnOurWire, numerapi.SignalsAPI):
    """numerapi.SignalsAPI on our wire."""

    tournament_id = int(Tournament.SIGNALS)

    def ticker_universe(self) -> NoReturn:
        """Refuse: it writes into the working directory, and the file it wants is from an old data version."""
        _refuse("ticker_universe", "Download the live file of the current data version; it holds the tickers.")


class CryptoApi(_OnOurWire, numerapi.CryptoAPI):
    """numerapi.CryptoAPI on our wire."""

    tournament_id = int(Tournament.CRYPTO)


def is_mutation(document: str) -> bool:
    """Say whether any operation of a GraphQL document is not a plain query; texts and comments do not count."""
    depth = 0
    for token in re.findall(r"[{}()]|\w+", _TEXT.sub(" ", document)):
        if token in "{(":
            depth += 1
        elif token in "})":
            depth -= 1
        elif depth == 0 and token in ("mutation", "subscription"):
            return True
    return False


def _root(document: str) -> str:
    """Return the first root field of a document, for messages and to find a mutation's result."""
    body = re.sub(r"\([^)]*\)", "", _TEXT.sub(" ", document)).partition("{")[2]
    found = re.search(r"\w+", body)
    return found.group() if found else "query"


def _refuse(what: str, instead: str = "numebot never moves money; stake on numer.ai.") -> NoReturn:
    raise ConfigError(f"{what} is not available here. {instead}")
