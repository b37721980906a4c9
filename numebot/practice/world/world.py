"""The practice tournament as a whole: rounds, account, submissions and scores on one clock, kept across restarts."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from numebot.core.errors import ConfigError
from numebot.core.types import Tournament
from numebot.practice.clock import PracticeClock
from numebot.practice.market.market import Market
from numebot.practice.numbering import plausible_number
from numebot.practice.scores.players import Players
from numebot.practice.scores.scorer import Scorer
from numebot.practice.world.account import DAEMON_SCOPES, Account
from numebot.practice.world.desk import Desk
from numebot.practice.world.diagnostics import Diagnostics
from numebot.practice.world.pickles import Pickles
from numebot.practice.world.rounds import Calendar, whole_seconds
from numebot.practice.world.scorebook import Scorebook
from numebot.practice.world.state import Anchor, ApiKey, ModelSlot, State, Verdict, load_state, save_state
from numebot.practice.world.submissions import Submissions
from numebot.practice.world.uploads import ObjectStorage, Uploads


@dataclass(frozen=True)
class WorldOptions:
    """How a practice tournament is set up; all durations run on its own clock.

    A round opens when the tournament first starts (or `open_late_minutes` later) and then once every
    `period_minutes`; it takes on-time submissions for `window_minutes`. With `opens_now` each start opens the next one
    unless the current one has enough time left to be played.
    """

    folder: Path
    models: tuple[str, ...] = ("example_xgboost", "example_lightgbm", "feature_mean")
    window_minutes: float = 60
    period_minutes: float = 1440
    open_late_minutes: float = 0
    opens_now: bool = False
    seed: int = 1
    validation_delay_s: float = 1.0
    public_id: str = "PRACTICEPRACTICEPRACTICEPRACTICE"
    secret_key: str = "PRACTICE-KEYS-OPEN-NOTHING-BUT-THE-PRACTICE-TOURNAMENT"
    scopes: tuple[str, ...] = DAEMON_SCOPES
    signals_models: tuple[str, ...] = ("practice_signals",)
    crypto_models: tuple[str, ...] = ("practice_crypto",)
    stake_nmr: str = "64"

    def __post_init__(self) -> None:
        """Raise ConfigError for durations that do not fit each other."""
        problems = []
        if self.window_minutes <= 0:
            problems.append(f"window_minutes is {self.window_minutes:g}; it must be above 0")
        if self.open_late_minutes < 0:
            problems.append(f"open_late_minutes is {self.open_late_minutes:g}; it must be 0 or more")
        if self.validation_delay_s < 0:
            problems.append(f"validation_delay_s is {self.validation_delay_s:g}; it must be 0 or more")
        if self.open_late_minutes + self.window_minutes > self.period_minutes:
            problems.append(
                f"a round opens {self.open_late_minutes:g} min late and stays open for {self.window_minutes:g} min, "
                f"but the next one comes after period_minutes = {self.period_minutes:g}; make the period longer"
            )
        if problems:
            raise ConfigError("practice tournament: these settings do not work.", problems)


@dataclass(frozen=True)
class UploadedSubmission:
    """One created submission as tests and reports see it.

    `status` is pending, invalid, on-time or late: what became of it by its own time of arrival. `counts` is whether it
    is the one that Numerai would use.
    """

    id: str
    model: str
    round_number: int
    filename: str
    sha256: str
    status: str
    error: str | None
    inserted_at: datetime
    counts: bool


class World:
    """Everything the practice server knows. Take `lock` around anything that is more than one call."""

    def __init__(
        self,
        options: WorldOptions,
        market: Market,
        storage: ObjectStorage,
        scorer: Scorer,
        clock: PracticeClock,
        *,
        players: Players,
    ) -> None:
        """Continue where `options.folder` left off, or begin a tournament now. Raises: ConfigError, LocalTrouble."""
        self.options = options
        self.market = market
        self.clock = clock
        self.players = players
        self.lock = threading.RLock()
        known = load_state(options.folder)
        if known is not None:
            clock.advance_to(known.saved_at)
        self.state = known if known is not None else _new_state(options, clock.now())
        self.state.anchor = _anchor(options, self.state.anchor, clock.now())
        self.calendar = _calendar(self.state.anchor)
        self.account = Account(self.state, seed=options.seed)
        self.uploads = Uploads(self.state, storage, options.folder)
        delay = timedelta(seconds=options.validation_delay_s)
        desk = Desk(self.state, self.calendar, market, self.uploads, delay)
        self.submissions = Submissions(desk)
        self.scorebook = Scorebook(self.calendar, self.submissions, scorer)
        self.diagnostics = Diagnostics(desk)
        self.pickles = Pickles(self.state, self.account, self.uploads)
        self._settle_account()
        self._seen_round = self.calendar.current(clock.now()).number
        self.save()

    def now(self) -> datetime:
        """Return the practice time."""
        return self.clock.now()

    def tick(self) -> None:
        """Bring validations up to the clock and remember a new round; cheap when nothing is due.

        Openings, deadlines, promotions of queued uploads and scores need no event: they follow from the clock.
        """
        with self.lock:
            now = self.clock.now()
            spoke = [self.submissions.validate_due(now), self.diagnostics.validate_due(now)]
            newest = self.calendar.current(now).number
            if any(spoke) or newest != self._seen_round:
                self._seen_round = newest
                self.save()

    @contextmanager
    def unlocked(self) -> Iterator[None]:
        """Let others in while the holder of `lock`, in the middle of a query, waits for something slow."""
        self.lock.release()
        try:
            yield
        finally:
            self.lock.acquire()

    def save(self) -> None:
        """Write the state durably."""
        with self.lock:
            self.state.saved_at = self.clock.now()
            save_state(self.state, self.options.folder)

    def advance(self, by: timedelta) -> None:
        """Jump ahead in time, for good: a restart does not go back behind it."""
        self.clock.advance(by)
        self.tick()
        self.save()

    def advance_to_next_opening(self) -> None:
        """Jump to the moment the next round opens."""
        self.advance(max(timedelta(), self.calendar.next_opening(self.clock.now()) - self.clock.now()))

    def add_model(self, name: str, tournament: int = Tournament.CLASSIC) -> ModelSlot:
        """Make a model slot. Raises: Refusal for a taken name."""
        with self.lock:
            stake = self.options.stake_nmr
            model = self.account.add_model(name, tournament, whole_seconds(self.now()), stake_nmr=stake)
            self.save()
            return model

    def add_key(self, public_id: str, secret: str, scopes: Sequence[str]) -> ApiKey:
        """Add an API key. Raises: ValueError for an unknown scope."""
        with self.lock:
            key = self.account.add_key(public_id, secret, scopes)
            self.save()
            return key

    def assign_pickle(self, model_name: str) -> None:
        """Give a model an assigned model upload, so that uploads through the API are refused."""
        with self.lock:
            model = self.account.named(model_name)
            pickle = self.pickles.invent(model, whole_seconds(self.now()))
            self.account.change_model(model, pickle_id=pickle.id)
            self.save()

    def submissions_of(
        self, model_name: str, round_number: int | None = None, *, tournament: int | None = None
    ) -> list[UploadedSubmission]:
        """Return every submission created for a model (in a round), oldest first, whatever became of it.

        Names repeat across tournaments: without `tournament` the first model of that name is meant. Raises: KeyError.
        """
        with self.lock:
            self.tick()
            now = self.now()
            return [
                UploadedSubmission(
                    id=entry.id,
                    model=model_name,
                    round_number=entry.round_number,
                    filename=entry.filename,
                    sha256=entry.sha256,
                    status=_status(entry.verdict, is_late=entry.is_late),
                    error=entry.error,
                    inserted_at=entry.inserted_at,
                    counts=self.submissions.is_selected(entry, now),
                )
                for entry in reversed(self.submissions.of_model(self.account.named(model_name, tournament).id))
                if round_number in (None, entry.round_number)
            ]

    def _settle_account(self) -> None:
        """Make sure that the key and the models of the options exist; what else the state knows stays."""
        options = self.options
        self.account.add_key(options.public_id, options.secret_key, options.scopes)
        now = whole_seconds(self.now())
        wanted = (
            (Tournament.CLASSIC, options.models),
            (Tournament.SIGNALS, options.signals_models),
            (Tournament.CRYPTO, options.crypto_models),
        )
        for tournament, names in wanted:
            for name in names:
                if self.account.is_name_free(name, tournament):
                    self.account.add_model(name, tournament, now, stake_nmr=options.stake_nmr)


def _status(verdict: Verdict, *, is_late: bool) -> str:
    if verdict is not Verdict.VALID:
        return verdict.value
    return "late" if is_late else "on-time"


def _new_state(options: WorldOptions, now: datetime) -> State:
    return State(saved_at=now, anchor=_fresh_anchor(options, plausible_number(now.date()), now))


def _anchor(options: WorldOptions, known: Anchor, now: datetime) -> Anchor:
    """Return the known anchor; a new one that opens the next number now when the rhythm was changed or `opens_now`."""
    wanted = _fresh_anchor(options, known.number, known.opens_at)
    current = _calendar(known).current(now)
    has_time = current.deadline - now >= min(timedelta(minutes=5), (current.deadline - current.opens_at) / 3)
    if wanted == known and (has_time or not options.opens_now):
        return known
    return _fresh_anchor(options, current.number + 1, now)


def _fresh_anchor(options: WorldOptions, number: int, opens_at: datetime) -> Anchor:
    return Anchor(
        number=number,
        opens_at=whole_seconds(opens_at),
        window_minutes=options.window_minutes,
        period_minutes=options.period_minutes,
        open_late_minutes=options.open_late_minutes,
    )


def _calendar(anchor: Anchor) -> Calendar:
    return Calendar(
        first_number=anchor.number,
        first_opens_at=anchor.opens_at,
        window=timedelta(minutes=anchor.window_minutes),
        period=timedelta(minutes=anchor.period_minutes),
        late=timedelta(minutes=anchor.open_late_minutes),
    )
