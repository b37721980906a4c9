"""Diagnostics: predictions for the validation data, judged and measured on the file the practice market serves."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from numebot.core.metrics import contribution, numerai_corr, summary
from numebot.core.types import Tournament
from numebot.practice.market.crowd import EXAMPLE, META_MODEL
from numebot.practice.recent import Recent
from numebot.practice.world.desk import Desk, judged, newest_first
from numebot.practice.world.state import DiagnosticsEntry, ModelSlot, Purpose, Verdict
from numebot.practice.world.validator import Invalid, read_values

_REPORTS_KEPT = 16


@dataclass(frozen=True)
class EraFigures:
    """One validation era; nan where it cannot be computed."""

    era: str
    corr: float
    mmc: float
    example_corr: float


@dataclass(frozen=True)
class Report:
    """Figures of a finished run. `corr` and `mmc` hold mean, std, sharpe and max_drawdown over the eras."""

    eras: tuple[EraFigures, ...]
    corr: Mapping[str, float]
    mmc: Mapping[str, float]
    corr_plus_mmc: Mapping[str, float]
    example_corr_mean: float
    missing_eras: tuple[str, ...]


class Diagnostics:
    """All diagnostics runs of the account. Classic only: Signals and Crypto files are kept and declined."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._state = desk.state
        self._reports: Recent[str, Report] = Recent(_REPORTS_KEPT)

    def create(self, model: ModelSlot, filename: str, now: datetime) -> DiagnosticsEntry:
        """Turn uploaded bytes into a run. Raises: Refusal for a file that is not there."""
        kept = self._desk.uploads.take(filename, Purpose.DIAGNOSTICS, model)
        entry = DiagnosticsEntry(
            id=str(uuid.uuid4()),
            model_id=model.id,
            tournament=model.tournament,
            filename=filename,
            sha256=kept.sha256,
            inserted_at=now,
            validates_at=now + self._desk.validation_delay,
        )
        self._state.diagnostics[entry.id] = entry
        return entry

    def validate_due(self, now: datetime) -> bool:
        """Judge every run whose time has come; True when there was one."""
        due = [
            entry
            for entry in self._state.diagnostics.values()
            if entry.verdict is Verdict.PENDING and entry.validates_at <= now
        ]
        for entry in due:
            self._state.diagnostics[entry.id] = judged(entry, lambda one: self._accepted(one, now))
        return bool(due)

    def of_model(self, model_id: str) -> list[DiagnosticsEntry]:
        """Return every run of a model, newest first."""
        return newest_first(self._state.diagnostics, model_id)

    def report(self, entry: DiagnosticsEntry, now: datetime) -> Report | None:
        """Return the figures of a valid run, None for any other."""
        if entry.verdict is not Verdict.VALID:
            return None
        return self._reports.get(entry.id, lambda: self._measured(entry, now))

    def _accepted(self, entry: DiagnosticsEntry, now: datetime) -> DiagnosticsEntry:
        if entry.tournament != Tournament.CLASSIC:
            raise Invalid("diagnostics are computed for tournament 8 only")
        self._predictions(entry, self._validation(now))
        return entry

    def _predictions(self, entry: DiagnosticsEntry, validation: pd.DataFrame) -> pd.Series[float]:
        """Return the uploaded values on validation ids. Raises: Invalid, also for an era that is only partly there."""
        values = read_values(self._desk.content(entry), entry.tournament)
        known = values[values.index.isin(validation.index)]
        if known.empty:
            raise Invalid("invalid_submission_ids: no id of the current validation data found")
        covered = validation["era"].groupby(validation["era"].isin(validation.loc[known.index, "era"]))
        wanted = len(covered.get_group(True))
        if len(known) < wanted:
            lost = wanted - len(known)
            raise Invalid(f"invalid_submission_eras: incomplete eras, {lost} of {wanted} ids are missing")
        return known

    def _measured(self, entry: DiagnosticsEntry, now: datetime) -> Report:
        validation = self._validation(now)
        predictions = self._predictions(entry, validation)
        meta = self._column("meta_model.parquet", META_MODEL, now)
        example = self._column("validation_example_preds.parquet", EXAMPLE, now)
        eras = []
        for era, rows in validation.loc[predictions.index].dropna(subset=["target"]).groupby("era"):
            target = rows["target"].astype(float)
            mine = predictions[rows.index]
            theirs, shown = meta.reindex(rows.index).dropna(), example.reindex(rows.index).dropna()
            eras.append(
                EraFigures(
                    era=str(era),
                    corr=numerai_corr(mine, target),
                    mmc=contribution(mine, theirs, target) if len(theirs) == len(rows) else float("nan"),
                    example_corr=float(mine.rank().corr(shown.rank())) if len(shown) == len(rows) else float("nan"),
                )
            )
        missing = sorted(set(validation["era"].astype(str)) - {era.era for era in eras})
        return _report(eras, tuple(missing))

    def _validation(self, now: datetime) -> pd.DataFrame:
        """Return era and target of the validation rows, indexed by id."""
        path = self._path("validation.parquet", now)
        return pd.read_parquet(path, columns=["era", "target"])

    def _column(self, name: str, column: str, now: datetime) -> pd.Series[float]:
        """Return a column of another served file, empty when the market has no such file."""
        try:
            path = self._path(name, now)
        except KeyError:
            return pd.Series(dtype=float)
        return pd.read_parquet(path)[column].astype(float)

    def _path(self, name: str, now: datetime) -> Path:
        """Return a file of the data version that is served now. Raises: KeyError."""
        market = self._desk.market
        return market.dataset_path(f"{market.version}/{name}", self._desk.calendar.current(now).number)


def _report(eras: list[EraFigures], missing: tuple[str, ...]) -> Report:
    corr = pd.Series([era.corr for era in eras], dtype=float)
    mmc = pd.Series([era.mmc for era in eras], dtype=float).dropna()
    both = pd.Series([era.corr + era.mmc for era in eras], dtype=float).dropna()
    examples = pd.Series([era.example_corr for era in eras], dtype=float).dropna()
    return Report(
        eras=tuple(eras),
        corr=summary(corr),
        mmc=summary(mmc),
        corr_plus_mmc=summary(both),
        example_corr_mean=float(examples.mean()) if len(examples) else float("nan"),
        missing_eras=missing,
    )
