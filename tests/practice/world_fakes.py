"""A small market, a scorer and a storage by heart, and a world built on them: no server, no files of gigabytes."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from numebot.practice.clock import PracticeClock
from numebot.practice.graphql.api import Api, build_api
from numebot.practice.market.market import Outcome
from numebot.practice.scores.metrics import Score
from numebot.practice.scores.players import Players
from numebot.practice.world.world import World, WorldOptions

START = datetime(2026, 11, 21, 12, 0, 7, tzinfo=UTC)
"""A Saturday: round 1404 opens."""
ROWS = 120


class HandClock:
    """A real clock that a test moves by hand; it satisfies the port."""

    def __init__(self, start: datetime = START) -> None:
        self.time = start
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.time + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        self.seconds += seconds


class SmallMarket:
    """A hundred rows a round, new ids every round; making a file can be held up."""

    version = "v5.3"
    seed = 1

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.is_asked, self.may_serve = threading.Event(), threading.Event()
        self.may_serve.set()

    def dataset_names(self) -> list[str]:
        return ["v5.3/live.parquet", "v5.3/validation.parquet", "signals/v2.1/live.parquet", "crypto/v2.0/live.parquet"]

    def dataset_path(self, name: str, round_number: int) -> Path:
        if name not in self.dataset_names():
            raise KeyError(name)
        self.is_asked.set()
        self.may_serve.wait(10)
        path = self._folder / str(round_number) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.startswith("v5.3/validation"):
            frame = validation_frame()
        elif name.startswith("v5.3/"):
            frame = pd.DataFrame({"era": "X", "feature_a": 2}, index=self.ids(8, round_number))
        else:
            key = "numerai_ticker" if name.startswith("signals") else "symbol"
            frame = pd.DataFrame({key: self.ids(11 if key == "numerai_ticker" else 12, round_number)})
        if not path.exists():
            frame.to_parquet(path)
        return path

    def ids(self, tournament: int, round_number: int) -> pd.Index:
        texts = [hashlib.sha256(f"{tournament} {round_number} {row}".encode()).hexdigest() for row in range(ROWS)]
        return pd.Index([f"n{text[:15]}" for text in texts], name="id")

    def outcome(self, tournament: int, round_number: int) -> Outcome:
        raise NotImplementedError("the scorer of these tests needs no outcomes")


def validation_frame() -> pd.DataFrame:
    """Return three eras of forty rows with targets."""
    random = np.random.default_rng(5)
    eras = [era for era in ("0575", "0576", "0577") for _ in range(40)]
    targets = random.choice([0, 0.25, 0.5, 0.75, 1], size=120, p=[0.05, 0.2, 0.5, 0.2, 0.05])
    index = pd.Index([f"v{row:015d}" for row in range(120)], name="id")
    return pd.DataFrame({"era": eras, "target": targets.astype("float32")}, index=index)


class MeanScorer:
    """Scores the mean prediction: no market needed, and the value says which file was scored."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int, int]] = []

    def scores(
        self, tournament: int, round_number: int, predictions: pd.Series[float], *, days: int
    ) -> list[Score]:
        self.asked.append((tournament, round_number, days))
        names = {11: ("alpha", "mpc"), 12: ("corr", "mmc")}.get(tournament, ("corr60", "mmc60", "v2_corr20"))
        value = float(predictions.mean()) / 100
        return [Score(name, "v1", day, value, 0.5) for day in range(1, days + 1) for name in names]


@dataclass
class MemoryStorage:
    """Objects in memory; an address is the key."""

    objects: dict[str, bytes] = field(default_factory=dict)
    offered: dict[str, Path] = field(default_factory=dict)

    def put_url(self, key: str) -> str:
        return f"memory://put/{key}"

    def get_url(self, path: Path, name: str) -> str:
        self.offered[f"memory://get/{name}"] = path
        return f"memory://get/{name}"

    def read(self, key: str) -> bytes | None:
        return self.objects.get(key)

    def put(self, url: str, content: bytes) -> None:
        self.objects[url.removeprefix("memory://put/")] = content


class Refused(AssertionError):
    """The API answered with errors where a test did not expect any."""


@dataclass
class Tournament:
    """A world with its API and the fakes under it."""

    world: World
    api: Api
    storage: MemoryStorage
    scorer: MeanScorer
    clock: PracticeClock
    market: SmallMarket
    headers: str

    def ask(self, query: str, variables: Mapping[str, Any] | None = None, *, key: str | None = "") -> dict[str, Any]:
        """Return the whole envelope; `key` is the header, None for none."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        status, envelope = self.api.answer(body, self.headers if key == "" else key, remote="127.0.0.1")
        assert status == 200
        json.dumps(envelope)
        return envelope

    def data(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the data of an answer without errors."""
        envelope = self.ask(query, variables)
        if "errors" in envelope:
            raise Refused(envelope["errors"])
        data: dict[str, Any] = envelope["data"]
        return data

    def errors(self, query: str, variables: Mapping[str, Any] | None = None, *, key: str | None = "") -> list[str]:
        """Return the messages of the errors."""
        return [error["message"] for error in self.ask(query, variables, key=key).get("errors", [])]

    def model_id(self, name: str) -> str:
        return self.world.account.named(name).id

    def number(self) -> int:
        return self.world.calendar.current(self.clock.now()).number

    def upload(self, content: bytes, model: str = "alpha_model", *, filename: str = "predictions.csv") -> str:
        """Authorise, PUT and create; return the submission's id."""
        return self.create(self.authorise(content, model, filename=filename), model)

    def authorise(self, content: bytes, model: str = "alpha_model", *, filename: str = "predictions.csv") -> str:
        """Authorise and PUT; return Numerai's filename."""
        slot = self.world.account.named(model)
        root = "submissionUploadSignalsAuth" if slot.tournament == 11 else "submissionUploadAuth"
        call = f"{root}(filename: $f tournament: $t modelId: $m)"
        query = f"query($f: String! $t: Int! $m: String) {{{call} {{filename url}}}}"
        granted = self.data(query, {"f": filename, "t": slot.tournament, "m": slot.id})[root]
        self.storage.put(granted["url"], content)
        name: str = granted["filename"]
        return name

    def create(self, filename: str, model: str = "alpha_model") -> str:
        """Create a submission; return its id."""
        slot = self.world.account.named(model)
        root = "createSignalsSubmission" if slot.tournament == 11 else "createSubmission"
        query = f"mutation($f: String! $t: Int! $m: String) {{{root}(filename: $f tournament: $t modelId: $m) {{id}}}}"
        created: str = self.data(query, {"f": filename, "t": slot.tournament, "m": slot.id})[root]["id"]
        return created

    def listed(self, model: str = "alpha_model", rounds: int = 5) -> list[dict[str, Any]]:
        """Return the rows of latestSubmissions."""
        query = """query($n: Int) {account {models {name latestSubmissions(latestNRounds: $n)
                   {id filename roundNumber roundOpen roundCloseStaking roundClose status timestamp}}}}"""
        models = self.data(query, {"n": rounds})["account"]["models"]
        rows: list[dict[str, Any]] = next(one["latestSubmissions"] for one in models if one["name"] == model)
        return rows

    def statuses(self, model: str = "alpha_model", rounds: int = 3) -> list[tuple[int, str]]:
        """Return (round, status) pairs of latestSubmissions."""
        return [(row["roundNumber"], row["status"]) for row in self.listed(model, rounds)]

    def csv(self, tournament: int = 8, number: int | None = None, *, mean: float = 0.5) -> bytes:
        """Return a legal file for a round."""
        ids = self.market.ids(tournament, self.number() if number is None else number)
        column = {11: "numerai_ticker", 12: "symbol"}.get(tournament, "id")
        values = np.linspace(mean - 0.2, mean + 0.2, len(ids))
        return pd.DataFrame({column: ids, "prediction": values}).to_csv(index=False).encode()

    def after(self, **duration: float) -> None:
        """Let practice time pass."""
        self.world.advance(timedelta(**duration))


def tournament(
    folder: Path, *, clock: PracticeClock | None = None, players: Players | None = None, **options: Any
) -> Tournament:
    """Return a running tournament in `folder`, continuing the one that is there."""
    settings = {"models": ("alpha_model", "beta_model"), "window_minutes": 60, "period_minutes": 1440, **options}
    own_clock = clock if clock is not None else PracticeClock(HandClock())
    market, storage, scorer = SmallMarket(folder / "data"), MemoryStorage(), MeanScorer()
    others = players if players is not None else Players(count=0)
    world = World(WorldOptions(folder=folder, **settings), market, storage, scorer, own_clock, players=others)
    headers = f"Token {world.options.public_id}${world.options.secret_key}"
    return Tournament(world, build_api(world), storage, scorer, own_clock, market, headers)
