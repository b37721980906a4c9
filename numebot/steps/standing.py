"""Reading how we stand: the account, the leaderboards of the day, the days that were missed, the price of NMR."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from numebot.core.errors import Rejected, Unavailable
from numebot.core.ports import ResultsServer, ResultsStore, StandingServer, StandingStore
from numebot.core.results import Leaderboard, LeaderboardRow, Part
from numebot.core.syncing import has_missing_day, kept_rows

MOST_FAILURES = 3
"""After so many models the others are left for the next sync."""


@dataclass(frozen=True)
class Landed:
    """The rows of a part, and what of it is missing in spite of them."""

    read: int
    changed: int
    error: str | None = None


@dataclass(frozen=True)
class Width:
    """Which lines of a leaderboard are kept beside our own: the `top`, and so many `neighbours` on both sides."""

    top: int
    neighbours: int


@dataclass
class StandingReader:
    """Reads the standing of one tournament, one part at a time. `moment` says when the sync began.

    Each part raises: Unavailable, AccessDenied, Rejected, RoundClosed.
    """

    server: StandingServer
    results: ResultsServer
    store: ResultsStore
    standing: StandingStore
    tournament: int
    moment: Callable[[], datetime]
    username: str | None = None
    """The account's name, once it was read."""

    def account(self) -> Landed:
        """Read the account's own figures, and what is staked on its models."""
        figures = self.server.account()
        self.username = figures.username
        changed = self.standing.remember_account(self.tournament, figures, day=self._today())
        return Landed(len(figures.amounts) + len(figures.stakes), changed)

    def leaderboard(self, width: Width) -> Landed:
        """Take the snapshot of the day. One for a day before the newest is refused: a clock must be wrong."""
        board, server_time = self.results.leaderboard(self.tournament)
        newest = self.store.newest_leaderboard_day(self.tournament)
        own = self.store.own_models(self.tournament)
        ids, names = [model.id for model in own], [model.name for model in own]
        snapshot = self._snapshot(board, server_time, newest, own=(ids, names), width=width)
        return Landed(len(board), self.store.remember_leaderboard(snapshot))

    def accounts(self, width: Width) -> Landed:
        """Take the snapshot of the day of the accounts' leaderboard, in the same way."""
        board, server_time = self.server.account_leaderboard(self.tournament)
        newest = self.standing.newest_account_board_day(self.tournament)
        name = [] if self.username is None else [self.username]
        snapshot = self._snapshot(board, server_time, newest, own=([], name), width=width)
        landed = Landed(len(board), self.standing.remember_account_board(snapshot))
        if self.username is None:
            return Landed(landed.read, landed.changed, "our own line is not known, as the account could not be read.")
        return landed

    def history(self, *, full: bool, progress: Callable[[str, int, int | None], None]) -> Landed:
        """Read how our models stood on days without a snapshot, as far as the server tells; nothing when none is."""
        mark, today = self.standing.part_marks(self.tournament).get(Part.HISTORY), self.moment().date()
        since = mark.landed_at.astimezone(UTC).date() if mark is not None and mark.landed_at is not None else None
        taken: Sequence[date] = self.standing.leaderboard_days(self.tournament, since=since) if since else ()
        if not full and not has_missing_day(taken, since, today):
            return Landed(0, 0)
        read = changed = 0
        failures: list[str] = []
        models = self.store.own_models(self.tournament)
        for place, model in enumerate(models):
            progress(Part.HISTORY.value, place, len(models))
            try:
                days = self.server.history(self.tournament, model)
            except (Unavailable, Rejected) as error:
                failures.append(f"{model.name}: {error}")
                if len(failures) == MOST_FAILURES:
                    break
                continue
            read += len(days)
            changed += self.standing.remember_model_days(days)
        return Landed(read, changed, " ".join(failures) or None)

    def price(self) -> Landed:
        """Read what an NMR is worth."""
        price = self.server.nmr_price()
        return Landed(1, self.standing.remember_price(price, day=self._today()))

    def _snapshot(
        self,
        board: Sequence[LeaderboardRow],
        server_time: datetime | None,
        newest: date | None,
        *,
        own: tuple[Sequence[str], Sequence[str]],
        width: Width,
    ) -> Leaderboard:
        taken_at = (server_time or self.moment()).astimezone(UTC)
        if not board:
            raise Unavailable("the leaderboard came without a line.")
        _refuse_earlier(taken_at.date(), newest)
        rows = kept_rows(board, *own, top=width.top, neighbours=width.neighbours)
        return Leaderboard(self.tournament, taken_at, len(board), tuple(rows))

    def _today(self) -> date:
        """Return the day of this sync. Raises: Unavailable when it lies before what is known already."""
        today = self.moment().date()
        _refuse_earlier(today, self.store.newest_leaderboard_day(self.tournament))
        return today


def _refuse_earlier(day: date, newest: date | None) -> None:
    if newest is not None and day < newest:
        raise Unavailable(
            f"by the clock it is {day}, but there is a snapshot of {newest} already. "
            "Nothing was stored; check the clock of this machine."
        )
