"""Pruning the data folder: what the store says is needed, and what the settings say may stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from numebot.adapters.disk_budget import LEAST_ROUNDS, Needs, over_budget, size_of
from numebot.adapters.housekeeping import removed, tidy
from numebot.app.app import App
from numebot.core.types import Tournament


@dataclass(frozen=True)
class Pruned:
    """What was removed, and by how much the data folder is above its budget still."""

    files: int
    freed_bytes: int
    excess_bytes: int = 0


def prune_data_folder(app: App) -> Pruned:
    """Remove what is old, to be called by the holder of the lease. Raises: LocalTrouble."""
    keep = app.settings.housekeeping
    newest = {t: found.number for t in app.settings.tournament.play if (found := app.store.newest_round(t))}
    done = tidy(
        app.data_folder,
        newest_round=max(newest.values(), default=0),
        keep_rounds=keep.keep_rounds,
        keep_backups=keep.keep_backups,
        now=app.clock.now(),
    )
    if not keep.disk_budget_gb:
        return Pruned(done.files, done.freed_bytes)
    budget_bytes = int(keep.disk_budget_gb * 1e9)
    done += removed(over_budget(app.data_folder, budget_bytes, _needs(app, newest)))
    return Pruned(done.files, done.freed_bytes, size_of(app.data_folder) - budget_bytes)


def _needs(app: App, newest: Mapping[Tournament, int]) -> Needs:
    """Return what recent rounds need. Tournaments number for themselves: the smallest of the newest numbers counts."""
    used = frozenset(
        row.trained_version
        for tournament, number in newest.items()
        for round_number in range(number - LEAST_ROUNDS + 1, number + 1)
        for rows in (app.store.submissions, app.store.nets.of_round)
        for row in rows(tournament, round_number)
        if row.trained_version
    )
    return Needs(min(newest.values(), default=0), used, app.settings.data.version)
