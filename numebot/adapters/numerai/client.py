"""The tournament client: what the stories call. Light to import (no pandas, no numerapi), so that the daemon may poll.

It is one object behind two ports of the core: `TournamentServer` and `DataSource`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from numebot.adapters.numerai import account, rounds, submissions
from numebot.adapters.numerai.answers import root_of
from numebot.adapters.numerai.api_settings import ApiSettings
from numebot.adapters.numerai.files import Progress, Wanted, download
from numebot.adapters.numerai.network import AddressPolicy
from numebot.adapters.numerai.transport import Operation, Transport
from numebot.core.errors import Unavailable
from numebot.core.ports import Clock
from numebot.core.types import (
    AccountModel,
    Download,
    KeyInfo,
    RoundAnswer,
    SubmissionRecord,
    Tournament,
    UploadAuthorisation,
)

LIST_DATASETS = Operation(
    "listDatasets",
    "query($round: Int, $tournament: Int) { listDatasets(round: $round, tournament: $tournament) }",
)
DATASET = Operation(
    "dataset",
    """query($filename: String!, $round: Int, $tournament: Int) {
      dataset(filename: $filename, round: $round, tournament: $tournament) }""",
)
SUBMISSION_FILE = Operation(
    "submissionDownloadAuth",
    "query($id: ID!) { submissionDownloadAuth(id: $id) { filename url } }",
    needs_key=True,
)


class NumeraiClient:
    """Numerai, or a practice tournament that speaks like it.

    Safe to use from several threads: every call has a connection of its own and nothing is kept between calls.
    """

    def __init__(
        self,
        settings: ApiSettings,
        clock: Clock,
        *,
        progress: Progress | None = None,
        policy: AddressPolicy | None = None,
    ) -> None:
        """`progress` hears of every download's bytes; `policy` is made from the settings unless it is given."""
        self.settings = settings
        self.clock = clock
        self.transport = Transport(settings, clock, policy)
        self._progress = progress

    def current_round(self, tournament: int) -> RoundAnswer:
        """Return the current round, three-valued. Never raises for an unreachable server: that is UNKNOWN."""
        return rounds.current_round(self.transport, tournament)

    def key_info(self) -> KeyInfo:
        """Return the account and the scopes of the key in use."""
        return account.key_info(self.transport)

    def account_models(self, *, last_rounds: int = 5) -> Sequence[AccountModel]:
        """Return every model slot of the account with its latest submissions, newest round first."""
        return account.account_models(self.transport, last_rounds=last_rounds)

    def stakes(self) -> Mapping[str, float]:
        """Return what is at stake on each slot, by its id, in NMR; nothing when the server does not tell."""
        return account.stakes(self.transport)

    def submission_records(self, model_id: str) -> Sequence[SubmissionRecord]:
        """Return every upload of a model that the server knows, also the ones that never became valid."""
        return account.submission_records(self.transport, model_id)

    def authorise_upload(self, tournament: int, model_id: str, filename: str) -> UploadAuthorisation:
        """Return a fresh permission to PUT one file; the server makes the filename unique."""
        return submissions.authorise(self.transport, tournament, model_id=model_id, filename=filename)

    def put_file(self, authorisation: UploadAuthorisation, path: Path) -> None:
        """Send the bytes of `path`, streamed. Returns only after the storage answered 200."""
        submissions.put_file(self.transport, authorisation, path)

    def create_submission(
        self,
        tournament: int,
        model_id: str,
        filename: str,
        *,
        data_datestamp: int | None = None,
        trigger_id: str | None = None,
    ) -> str:
        """Turn uploaded bytes into a submission and return its id. Sent once: never repeated on an ambiguous answer.

        `trigger_id` links the submission to a webhook call of Numerai; it comes from the caller or not at all.
        """
        variables = {
            "filename": filename,
            "tournament": tournament,
            "modelId": model_id,
            "triggerId": trigger_id,
            "source": submissions.SOURCE,
            "dataDatestamp": data_datestamp,
        }
        return submissions.create(self.transport, submissions.creation(tournament), variables)

    def list_datasets(
        self, tournament: int = Tournament.CLASSIC, round_number: int | None = None
    ) -> Sequence[str]:
        """Return the names on offer, e.g. "v5.3/train.parquet". The server allows 10 of these calls a minute."""
        answer = self.transport.query(LIST_DATASETS, {"round": round_number, "tournament": tournament})
        names = root_of(answer.data, LIST_DATASETS.root)
        if not isinstance(names, list):
            raise Unavailable("listDatasets: the answer is not a list. It is asked again later.")
        return [name for name in names if isinstance(name, str)]

    def download(
        self,
        name: str,
        destination: Path,
        *,
        tournament: int = Tournament.CLASSIC,
        round_number: int | None = None,
        etag: str | None = None,
        hashes: bool = True,
    ) -> Download:
        """Fetch the dataset `name` into `destination`, whole or not at all.

        With `etag` (of the file that stands at `destination`) an unchanged file is not sent again. Without `hashes` the
        answer has no sha256: for gigabytes it can take longer than the transfer.
        """
        variables = {"filename": name, "round": round_number, "tournament": tournament}

        def address() -> str:
            return _address(root_of(self.transport.query(DATASET, variables).data, DATASET.root), DATASET.root)

        return self._fetch(Wanted(name, destination, etag, self._progress, hashes), address)

    def download_submission(self, submission_id: str, destination: Path) -> Download:
        """Fetch the bytes of one of our submissions, to compare them. Needs the scope download_submission."""

        def address() -> str:
            granted = root_of(self.transport.query(SUBMISSION_FILE, {"id": submission_id}).data, SUBMISSION_FILE.root)
            return _address(granted.get("url") if isinstance(granted, dict) else None, SUBMISSION_FILE.root)

        return self._fetch(Wanted(f"submission {submission_id}", destination, None, self._progress), address)

    def _fetch(self, wanted: Wanted, address: Callable[[], str]) -> Download:
        return download(self.transport, wanted, address)


def _address(value: object, root: str) -> str:
    if not isinstance(value, str):
        raise Unavailable(f"{root}: the answer holds no address. It is asked again later.")
    return value
