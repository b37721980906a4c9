"""Small working doubles, and made-up data in the shape of the real one."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd

from numebot.core.errors import LocalTrouble, NumebotError, Unavailable
from numebot.core.results import LeaderboardRow, Payout, PayoutSetting, RoundFacts, Score
from numebot.core.scoring import ScoringStatus
from numebot.core.standing import AccountFigures, ModelDay, ModelRound, NmrPrice
from numebot.core.types import (
    AccountModel,
    Download,
    Event,
    KeyInfo,
    RoundAnswer,
    Submission,
    SubmissionRecord,
    UploadAuthorisation,
)
from numebot.durable import write_whole


class FakeDataSource:
    """Serves files from memory: `files` by name, `round_files` by (name, round), with ETags.

    `failures` are raised by the next downloads, first in, first out. `requests` lists what was asked for; a download
    that was answered "not modified" ends in " (304)".
    """

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.files = dict(files or {})
        self.round_files: dict[tuple[str, int], bytes] = {}
        self.failures: list[Exception] = []
        self.requests: list[str] = []

    def list_datasets(self, tournament: int, round_number: int | None = None) -> list[str]:
        self.requests.append("list")
        return sorted({*self.files, *(name for name, _ in self.round_files)})

    def download(
        self,
        name: str,
        destination: Path,
        *,
        tournament: int,
        round_number: int | None = None,
        etag: str | None = None,
        hashes: bool = True,
    ) -> Download:
        self.requests.append(name)
        if self.failures:
            raise self.failures.pop(0)
        content = self.round_files.get((name, round_number or 0), self.files.get(name))
        if content is None:
            raise Unavailable(f"{name}: the server does not have it")
        sha256 = hashlib.sha256(content).hexdigest()
        is_new = etag != sha256[:16]
        if is_new:
            write_whole(destination, content)
        else:
            self.requests[-1] += " (304)"
        return Download(destination, sha256 if hashes else None, len(content), etag=sha256[:16], is_new=is_new)


def made_up_rows(
    eras: list[str], rows_per_era: int = 40, *, features: int = 6, seed: int = 0, targets: bool = True
) -> pd.DataFrame:
    """Return rows like Numerai's: index id, era, data_type, int8 features 0-4, and targets with a clear signal.

    "target" is a copy of target_ender_60; the ids differ with the seed.
    """
    generator = np.random.default_rng(seed)
    rows = len(eras) * rows_per_era
    numbers = generator.integers(0, 5, size=(rows, features), dtype=np.int8)
    frame = pd.DataFrame(numbers, columns=[f"feature_{number}" for number in range(features)])
    frame.insert(0, "era", np.repeat(eras, rows_per_era))
    frame.insert(1, "data_type", "train" if targets else "live")
    if targets:
        for name in ("target_ender_20", "target_ender_60"):
            score = numbers[:, 0] + generator.normal(0, 2, rows)
            frame[name] = (pd.Series(score).rank(pct=True) * 4).round().to_numpy(dtype=np.float32) / 4
        frame["target"] = frame["target_ender_60"]
    return frame.set_index(pd.Index([f"n{seed:05x}{row:010x}" for row in range(rows)], name="id"))


def parquet_bytes(frame: pd.DataFrame, **options: object) -> bytes:
    """Return a frame as the bytes of a parquet file."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, **options)  # type: ignore[call-overload] # options are pandas' own
    return buffer.getvalue()


class FakeClock:
    """A clock that moves only when somebody waits."""

    def __init__(self, start: datetime = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)) -> None:
        self._start = start
        self.waited_s = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.waited_s)

    def monotonic(self) -> float:
        return self.waited_s

    def wait(self, seconds: float) -> None:
        self.waited_s += seconds


class MemoryStore:
    """The step machine's rows in a list, with the compare-and-set of the real store."""

    def __init__(self) -> None:
        self.rows: dict[str, Submission] = {}
        self.events: list[Event] = []

    def change(self, before: Submission, after: Submission, event: Event | None) -> Submission:
        known = self.rows.setdefault(before.model, before)
        if (known.state, known.step, known.attempts) != (before.state, before.step, before.attempts):
            raise LocalTrouble("another numebot changed this row meanwhile")
        self.rows[before.model] = after
        if event is not None:
            self.events.append(event)
        return after

    def record_once(self, event: Event) -> bool:
        if any((known.kind, known.message) == (event.kind, event.message) for known in self.events):
            return False
        self.events.append(event)
        return True


class ScriptedServer:
    """A tournament server whose lists are set by hand; `creations` are the answers to createSubmission, in order."""

    def __init__(self) -> None:
        self.slots: list[AccountModel] = []
        self.records: dict[str, list[SubmissionRecord] | Exception] = {}
        self.creations: list[str | Exception] = []
        self.account_failures: list[Exception] = []
        self.puts: list[str] = []
        self.asked = 0

    def account_models(self, *, last_rounds: int = 5) -> list[AccountModel]:
        self.asked += 1
        if self.account_failures:
            raise self.account_failures.pop(0)
        return self.slots

    def submission_records(self, model_id: str) -> list[SubmissionRecord]:
        found = self.records.get(model_id, [])
        if isinstance(found, Exception):
            raise found
        return found

    def authorise_upload(self, tournament: int, model_id: str, filename: str) -> UploadAuthorisation:
        number = len(self.puts) + 1
        return UploadAuthorisation(filename.replace(".csv", f"-Upload{number:06d}.csv"), "https://storage.invalid/x")

    def put_file(self, authorisation: UploadAuthorisation, path: Path) -> None:
        self.puts.append(authorisation.filename)

    def create_submission(
        self, tournament: int, model_id: str, filename: str, *, data_datestamp: int | None = None
    ) -> str:
        answer = self.creations.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def current_round(self, tournament: int) -> RoundAnswer:
        raise NotImplementedError

    def key_info(self) -> KeyInfo:
        raise NotImplementedError


class FakeResults:
    """Numerai's results as lists that a test changes; `failures` by method name, raised once each, first in first out.

    `asked` lists what was asked for: the method, then what it was asked with.
    """

    def __init__(self) -> None:
        self.rounds: list[RoundFacts] = []
        self.settings: list[PayoutSetting] = []
        self.all_scores: list[Score] = []
        self.all_payouts: list[Payout] = []
        self.at_risk: dict[tuple[str, int], Decimal] = {}
        self.board: list[LeaderboardRow] = []
        self.account_board: list[LeaderboardRow] = [LeaderboardRow(1, "owner", "owner-id")]
        self.figures = AccountFigures("owner", {"availableNmr": Decimal("1.5")})
        self.days: list[ModelDay] = []
        self.price = NmrPrice(Decimal("12.50"))
        self.status = ScoringStatus()
        self.server_time: datetime | None = None
        self.failures: dict[str, list[NumebotError | KeyboardInterrupt]] = {}
        self.asked: list[tuple[object, ...]] = []

    def past_rounds(self, tournament: int, *, last: int | None) -> Sequence[RoundFacts]:
        self._heard("rounds", last)
        return self.rounds

    def payout_settings(self, tournament: int, *, last: int | None) -> Sequence[PayoutSetting]:
        self._heard("settings", last)
        return self.settings

    def scores(
        self, tournament: int, model_id: str, *, metric: str | None, last: int | None, newest_only: bool
    ) -> Sequence[Score]:
        self._heard("scores", model_id, metric, last, newest_only)
        found = [score for score in self.all_scores if score.model_id == model_id and metric in (None, score.metric)]
        kept = sorted({score.round_number for score in found}, reverse=True)[:last]
        found = sorted((score for score in found if score.round_number in kept), key=lambda score: score.day)
        if newest_only:
            found = list({(score.round_number, score.metric): score for score in found}.values())
        return found

    def model_rounds(
        self,
        tournament: int,
        model_id: str,
        *,
        last: int | None = None,
        among: tuple[int, int] | None = None,
        newest_only: bool,
    ) -> Sequence[ModelRound]:
        self._heard("model_rounds", model_id, last, among, newest_only)
        numbers = sorted({facts.round.number for facts in self.rounds}, reverse=True)
        numbers = numbers[:last] if among is None else [one for one in numbers if among[0] <= one <= among[1]]
        found = []
        for number in numbers:
            scores = [one for one in self.all_scores if (one.model_id, one.round_number) == (model_id, number)]
            scores.sort(key=lambda score: score.day)
            if newest_only:
                scores = list({(score.metric, score.version): score for score in scores}.values())
            found.append(ModelRound(tournament, number, model_id, self.at_risk.get((model_id, number)), tuple(scores)))
        return found

    def account_leaderboard(self, tournament: int) -> tuple[Sequence[LeaderboardRow], datetime | None]:
        self._heard("account_leaderboard")
        return self.account_board, self.server_time

    def account(self) -> AccountFigures:
        self._heard("account")
        return self.figures

    def history(self, tournament: int, model: AccountModel) -> Sequence[ModelDay]:
        self._heard("history", model.name)
        return [day for day in self.days if day.model_id == model.id]

    def nmr_price(self) -> NmrPrice:
        self._heard("price")
        return self.price

    def scoring(self, tournament: int, day: date) -> tuple[ScoringStatus, datetime | None]:
        self._heard("scoring", day)
        return self.status, self.server_time

    def payouts(self, tournament: int) -> Sequence[Payout]:
        self._heard("payouts")
        return self.all_payouts

    def leaderboard(self, tournament: int) -> tuple[Sequence[LeaderboardRow], datetime | None]:
        self._heard("leaderboard")
        return self.board, self.server_time

    def _heard(self, *what: object) -> None:
        self.asked.append(what)
        waiting = self.failures.get(str(what[0]))
        if waiting:
            raise waiting.pop(0)


class RoundInMemory:
    """The live data of round 1404 without a server: rows in memory, files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.tournament, self.round_number, self.version = 8, 1404, "v5.3"
        self.folder = folder
        whole = made_up_rows(["X"], targets=False)
        self.rows = whole.drop(columns=["era", "data_type"])
        folder.mkdir(parents=True)
        whole.to_parquet(folder / "live.parquet")
        self.benchmarks = pd.DataFrame({"v52_lgbm": self.rows.mean(axis=1)})
        self.benchmarks.to_parquet(folder / "live_benchmark_models.parquet")

    def features(self, wanted: str | Sequence[str], trained: object = None) -> tuple[str, ...]:
        return tuple(self.rows.columns) if isinstance(wanted, str) else tuple(wanted)

    def frame(self, wanted: str | Sequence[str], trained: object = None) -> pd.DataFrame:
        return self.rows[list(self.features(wanted))]

    def file(self, name: str) -> Path:
        return self.folder / name
