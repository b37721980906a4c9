"""A season of the practice tournament, played quickly: round after round without waiting, and then synced.

What is uploaded are the example predictions with some luck of each model's own, not the work of the models' code, so
seventy rounds take a minute. All else is as ever: files, uploads, validation, read-back, scores.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from numebot.app.app import App
from numebot.core.errors import Unavailable
from numebot.core.results import SyncReport
from numebot.core.types import AccountModel, Round, Tournament
from numebot.practice.control import DEADLINE, NEXT_OPENING
from numebot.practice.remote import advance_to
from numebot.results import sync_results

EXAMPLE = "/live_example_preds.parquet"
SCORE_EVERY = 4
"""So often the tournament is made to score: seventy rounds at once would take longer than an answer may."""
SYNC_EVERY = 35
"""So often the results are read on the way: a leaderboard is there on its day only."""
MISSED_EVERY, LATE_EVERY = 23, 17
"""Of so many rounds one is left out, and one is uploaded after its deadline: a season without any teaches nothing."""


@dataclass(frozen=True)
class Season:
    """What was played: the first and the last round, how many submissions there were of each kind, the last sync."""

    first_round: int
    last_round: int
    on_time: int
    late: int
    missed: int
    report: SyncReport


def play_season(app: App, rounds: int, *, progress: Callable[[str, int, int | None], None]) -> Season:
    """Play the open round and those after it, `rounds` in all, and leave the next one open.

    Raises: Unavailable, Rejected, LocalTrouble when the practice tournament does not take part.
    """
    app.store.claim_for(app.server_name)
    player = _Player(app)
    report = SyncReport(Tournament.CLASSIC, ())
    played: list[Round] = []
    for done in range(rounds):
        progress("rounds", done, rounds)
        played.append(player.play())
        advance_to(app.settings.api.url, NEXT_OPENING)
        left = rounds - done - 1
        if left % SCORE_EVERY == 0:
            player.look()
        if left % SYNC_EVERY == 0:
            report = sync_results(app.results_tools(), Tournament.CLASSIC)
    return Season(played[0].number, played[-1].number, player.on_time, player.late, player.missed, report)


class _Player:
    def __init__(self, app: App) -> None:
        self._app = app
        self._results = app.results_tools().results
        self._models = [one for one in app.server.account_models(last_rounds=1) if one.tournament == Tournament.CLASSIC]
        names = app.server.list_datasets(Tournament.CLASSIC)
        self._name = max(name for name in names if name.startswith("v") and name.endswith(EXAMPLE))
        self.on_time = self.late = self.missed = 0

    def play(self) -> Round:
        """Play one round with every model of the account."""
        round_ = self._app.server.current_round(Tournament.CLASSIC).round
        if round_ is None:
            raise Unavailable("the practice tournament has no round. Start again.")
        on_time, late = self._choose(round_.number)
        with TemporaryDirectory(dir=self._app.data_folder, prefix="season-") as folder:
            example = self._example(Path(folder), round_.number) if on_time or late else None
            if example is not None:
                self._submit(Path(folder), example, round_, on_time)
            if example is not None and late:
                advance_to(self._app.settings.api.url, DEADLINE)
                self._submit(Path(folder), example, round_, late)
        self.on_time += len(on_time)
        self.late += len(late)
        self.missed += len(self._models) - len(on_time) - len(late)
        return round_

    def look(self) -> None:
        """Ask for the newest scores, which makes them."""
        for model in self._models:
            self._results.model_rounds(Tournament.CLASSIC, model.id, last=SCORE_EVERY + 1, newest_only=True)

    def _choose(self, number: int) -> tuple[Sequence[AccountModel], Sequence[AccountModel]]:
        """Return who submits in time, and who late; in some rounds nobody."""
        if number % MISSED_EVERY == 0:
            return (), ()
        late = [one for place, one in enumerate(self._models) if (number + 5 * place) % LATE_EVERY == 0]
        return [one for one in self._models if one not in late], late

    def _example(self, folder: Path, number: int) -> pd.Series[float]:
        path = folder / "example.parquet"
        self._app.server.download(self._name, path, tournament=Tournament.CLASSIC, round_number=number, hashes=False)
        table = pd.read_parquet(path)
        return (table.set_index("id") if "id" in table.columns else table)["prediction"]

    def _submit(self, folder: Path, example: pd.Series[float], round_: Round, models: Sequence[AccountModel]) -> None:
        for model in models:
            path = folder / f"{model.name}_submission_{round_.number}.csv"
            predictions = _predictions(example, model.name, round_.number)
            predictions.to_csv(path, float_format="%.6f")
            self._upload(path, round_, model)

    def _upload(self, path: Path, round_: Round, model: AccountModel) -> None:
        server = self._app.server
        granted = server.authorise_upload(Tournament.CLASSIC, model.id, path.name)
        server.put_file(granted, path)
        server.create_submission(Tournament.CLASSIC, model.id, granted.filename)


def _predictions(example: pd.Series[float], name: str, number: int) -> pd.Series[float]:
    """Return ranks in (0, 1): the example predictions, more or less blurred, as it is the model's own way."""
    own = list(hashlib.sha256(name.encode()).digest()[:8])
    blur = np.random.default_rng(own).uniform(0.5, 2.0)
    luck = np.random.default_rng([number, *own]).normal(size=len(example))
    ranks = (example.rank() / example.size).to_numpy(dtype=np.float64) - 0.5
    mixed = pd.Series(ranks * 12**0.5 + blur * luck, index=example.index)
    return ((mixed.rank(method="first") - 0.5) / mixed.size).rename("prediction").rename_axis("id")
