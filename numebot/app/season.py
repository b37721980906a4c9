"""A season of the practice tournament, played quickly: round after round without waiting, and then synced.

What is uploaded comes from a few features and some luck instead of the models' code, so seventy rounds take a minute.
All else is as ever: files, uploads, validation, read-back, scores.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from numebot.app.app import App
from numebot.core.errors import Unavailable
from numebot.core.types import AccountModel, Round, State, Submission, Tournament
from numebot.practice.control import DEADLINE, NEXT_OPENING
from numebot.practice.remote import advance_to

FEATURES = 40
"""So many features a model looks at, each at its own."""
MISSED_EVERY, LATE_EVERY = 23, 17
"""Of so many rounds one is left out, and one is uploaded after its deadline: a season without any teaches nothing."""


@dataclass(frozen=True)
class Season:
    """What was played: the first and the last round, and how many submissions there were of each kind."""

    first_round: int
    last_round: int
    on_time: int
    late: int
    missed: int


def play_season(app: App, rounds: int, *, progress: Callable[[str, int, int | None], None]) -> Season:
    """Play the open round and those after it, `rounds` in all, and leave the next one open.

    Raises: Unavailable, Rejected, LocalTrouble when the practice tournament does not take part.
    """
    app.store.claim_for(app.server_name)
    player = _Player(app)
    played: list[Round] = []
    for done in range(rounds):
        progress("rounds", done, rounds)
        played.append(player.play())
        advance_to(app.settings.api.url, NEXT_OPENING)
    return Season(played[0].number, played[-1].number, player.on_time, player.late, player.missed)


class _Player:
    def __init__(self, app: App) -> None:
        self._app = app
        self._models = [one for one in app.server.account_models(last_rounds=1) if one.tournament == Tournament.CLASSIC]
        names = app.server.list_datasets(Tournament.CLASSIC)
        self._live = max(name for name in names if name.endswith("/live.parquet"))
        self.on_time = self.late = self.missed = 0

    def play(self) -> Round:
        """Play one round with every model of the account."""
        round_ = self._app.server.current_round(Tournament.CLASSIC).round
        if round_ is None:
            raise Unavailable("the practice tournament has no round. Start again.")
        on_time, late = self._choose(round_.number)
        with TemporaryDirectory(dir=self._app.data_folder, prefix="season-") as folder:
            live = self._live_rows(Path(folder), round_.number) if on_time or late else None
            if live is not None:
                self._submit(Path(folder), live, round_, on_time)
            if live is not None and late:
                advance_to(self._app.settings.api.url, DEADLINE)
                self._submit(Path(folder), live, round_, late)
        self.on_time += len(on_time)
        self.late += len(late)
        self.missed += len(self._models) - len(on_time) - len(late)
        return round_

    def _choose(self, number: int) -> tuple[Sequence[AccountModel], Sequence[AccountModel]]:
        """Return who submits in time, and who late; in some rounds nobody."""
        if number % MISSED_EVERY == 0:
            return (), ()
        late = [one for place, one in enumerate(self._models) if (number + 5 * place) % LATE_EVERY == 0]
        return [one for one in self._models if one not in late], late

    def _live_rows(self, folder: Path, number: int) -> pd.DataFrame:
        path = folder / "live.parquet"
        self._app.server.download(self._live, path, tournament=Tournament.CLASSIC, round_number=number, hashes=False)
        return pd.read_parquet(path)

    def _submit(self, folder: Path, live: pd.DataFrame, round_: Round, models: Sequence[AccountModel]) -> None:
        for model in models:
            path = folder / f"{model.name}_submission_{round_.number}.csv"
            predictions = _predictions(live, model.name, round_.number)
            predictions.to_csv(path, float_format="%.6f")
            self._upload(path, round_, model)

    def _upload(self, path: Path, round_: Round, model: AccountModel) -> None:
        server = self._app.server
        granted = server.authorise_upload(Tournament.CLASSIC, model.id, path.name)
        server.put_file(granted, path)
        server.create_submission(Tournament.CLASSIC, model.id, granted.filename)


def _predictions(live: pd.DataFrame, name: str, number: int) -> pd.Series[float]:
    """Return ranks in (0, 1): a mean of features that are the model's own, and some luck."""
    own = np.random.default_rng(list(hashlib.sha256(name.encode()).digest()[:8]))
    luck = np.random.default_rng([number, *hashlib.sha256(name.encode()).digest()[:8]])
    features = [column for column in live.columns if column.startswith("feature_")]
    chosen = own.choice(features, size=min(FEATURES, len(features)), replace=False)
    signs = own.choice([-1.0, 1.0], size=len(chosen))
    mixed = live[list(chosen)].to_numpy(dtype=np.float64) @ signs + luck.normal(size=len(live))
    ranks = (pd.Series(mixed, index=live.index).rank(method="first") - 0.5) / len(live)
    return ranks.rename("prediction").rename_axis("id")
