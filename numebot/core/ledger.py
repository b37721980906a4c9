"""The ledger: rounds × models, each on-time, late, queued, missed or skipped, with the reason.

Numerai's word comes first: what it lists as on-time is on-time, whoever uploaded it. Our own rows tell the rest, and
where there is none, what else was written down then: who was asked to play, which rounds were left out, when a round
was seen for the first time. What nobody can know is not made up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from numebot.core.account import IN_MODEL_UPLOADS
from numebot.core.results import RoundFacts
from numebot.core.submissions import ENDINGS
from numebot.core.types import State

PASS = "pass"
"""The kind of the events that tell that a pass begins, and with whom."""
LEFT_OUT = "left-out"
"""The kind of the events that tell that an open round is not played at all."""
WAKE_UP = "wake-up"
"""The kind of the events that tell why the daemon started a pass."""
UNASKED = "round-unknown"
"""The kind of the events that tell that Numerai could not be asked for the round."""
CANNOT_ASK = "Numerai cannot be asked for its rounds"
"""How the alarm begins that says the same after a while."""


class Standing(StrEnum):
    """How a model stands in a round."""

    ON_TIME = "on-time"
    """Numerai counts a submission of this model, whoever uploaded it."""
    LATE = "late"
    """Numerai has one that came after the deadline: scored, not paid."""
    QUEUED = "queued"
    """What came after the deadline waits for the next round."""
    MISSED = "missed"
    """There should have been one, and there is none."""
    SKIPPED = "skipped"
    """Nobody wanted one: disabled, left out, or played by Numerai itself."""
    OPEN = "open"
    """Not decided yet."""
    BEFORE = "before"
    """Before numebot or the model was there: nothing is known, and nothing counts."""


COUNTED = (Standing.ON_TIME, Standing.LATE, Standing.QUEUED, Standing.MISSED)
"""What a share on-time is made of."""
LOST = (Standing.LATE, Standing.QUEUED, Standing.MISSED)
"""What earns nothing."""


@dataclass(frozen=True)
class Roster:
    """Who was in the table when a pass over a round began: the models it played, and the rows enabled and disabled.

    Of a pass that wrote nothing down only the models are known.
    """

    models: frozenset[str]
    enabled: frozenset[str] = frozenset()
    disabled: frozenset[str] = frozenset()


@dataclass(frozen=True)
class KnownRound:
    """A round with what was written down while it was open. `first_seen_at` is when numebot heard of it."""

    facts: RoundFacts
    first_seen_at: datetime | None = None
    rosters: tuple[Roster, ...] = ()
    left_out: str | None = None
    was_unasked: bool = False
    """Whether Numerai could not be asked at some time while it was open."""
    was_watched: bool = False
    """Whether numebot wrote anything down while it was open."""

    @property
    def number(self) -> int:
        """Its number."""
        return self.facts.round.number


@dataclass(frozen=True)
class OwnModel:
    """A model slot. `id` is Numerai's, or the name where the account has no such slot."""

    id: str
    name: str
    first_seen_at: datetime | None = None
    is_listed: bool = True
    is_configured: bool = True
    """Whether a row of the table was ever played under its name."""


@dataclass(frozen=True)
class OwnRow:
    """What we keep of our own submission."""

    state: State
    error: str | None = None
    filename: str | None = None


@dataclass(frozen=True)
class Listed:
    """What Numerai lists for a model in a round."""

    status: str
    filename: str | None = None


@dataclass(frozen=True)
class Evidence:
    """Everything that the ledger is made of. `rows` and `listed` are by round number and model id.

    `began_at` is the oldest trace of numebot.
    """

    tournament: int
    rounds: tuple[KnownRound, ...]
    models: tuple[OwnModel, ...]
    rows: Mapping[tuple[int, str], OwnRow]
    listed: Mapping[tuple[int, str], Listed]
    began_at: datetime | None = None


@dataclass(frozen=True)
class Entry:
    """One cell. `reason` says why it is not simply on-time."""

    round_number: int
    model: OwnModel
    standing: Standing
    reason: str | None = None


@dataclass(frozen=True)
class ModelLedger:
    """One model's entries, oldest round first."""

    model: OwnModel
    entries: tuple[Entry, ...]

    @property
    def counts(self) -> Mapping[Standing, int]:
        """How often each standing."""
        return Counter(entry.standing for entry in self.entries)

    @property
    def share_on_time(self) -> float | None:
        """On-time of all rounds that count, 0 to 1; None when none does."""
        return share(self.entries)

    @property
    def streak(self) -> int:
        """How many of the newest rounds that count are on-time in a row."""
        standings = [entry.standing for entry in self.entries if entry.standing in COUNTED]
        run = 0
        for standing in reversed(standings):
            if standing is not Standing.ON_TIME:
                break
            run += 1
        return run


@dataclass(frozen=True)
class Ledger:
    """The whole: `rounds` oldest first, `models` by name."""

    tournament: int
    rounds: tuple[KnownRound, ...]
    models: tuple[ModelLedger, ...]

    def of_round(self, number: int) -> list[Entry]:
        """Return the entries of one round."""
        return [entry for model in self.models for entry in model.entries if entry.round_number == number]

    def lost(self) -> list[Entry]:
        """Return what earned nothing, newest round first."""
        found = [entry for model in self.models for entry in model.entries if entry.standing in LOST]
        return sorted(found, key=lambda entry: (-entry.round_number, entry.model.name))


def share(entries: Sequence[Entry]) -> float | None:
    """Return the share of on-time entries among those that count; None when none does."""
    counted = [entry for entry in entries if entry.standing in COUNTED]
    on_time = sum(entry.standing is Standing.ON_TIME for entry in counted)
    return on_time / len(counted) if counted else None


def monthly(ledger: Ledger, entries: Sequence[Entry]) -> dict[str, float | None]:
    """Return the share on-time of each calendar month ("2026-11", by the opening in UTC), oldest first."""
    months = {known.number: f"{known.facts.round.opens_at:%Y-%m}" for known in ledger.rounds}
    found: dict[str, list[Entry]] = {month: [] for month in dict.fromkeys(months.values())}
    for entry in entries:
        found[months[entry.round_number]].append(entry)
    return {month: share(those) for month, those in found.items()}


def make_ledger(evidence: Evidence, now: datetime) -> Ledger:
    """Return the ledger as it stands at `now`."""
    models = []
    for model in sorted(evidence.models, key=lambda one: (one.name, one.id)):
        entries = tuple(entry_of(known, model, evidence, now) for known in evidence.rounds)
        models.append(ModelLedger(model, entries))
    return Ledger(evidence.tournament, evidence.rounds, tuple(models))


def entry_of(known: KnownRound, model: OwnModel, evidence: Evidence, now: datetime) -> Entry:
    """Return how a model stands in a round."""
    row = evidence.rows.get((known.number, model.id))
    listed = evidence.listed.get((known.number, model.id))
    is_over = now >= known.facts.round.deadline
    found = _by_numerai(row, listed, is_over=is_over) or _by_row(row, is_over=is_over)
    if found is None and not is_over:
        found = _still_open(known, model)
    if found is None:
        found = _without_row(known, model, evidence)
    return Entry(known.number, model, *found)


_Found = tuple[Standing, str | None]


def _by_numerai(row: OwnRow | None, listed: Listed | None, *, is_over: bool) -> _Found | None:
    status = listed.status if listed is not None else "none"
    if listed is not None and status == "on-time":
        is_ours = row is not None and row.filename is not None and listed.filename in (None, row.filename)
        if is_ours:
            return Standing.ON_TIME, None
        who = _played_by_numerai(row) or f"uploaded elsewhere ({listed.filename or 'no filename'})"
        return Standing.ON_TIME, who
    if row is not None and row.state is State.CONFIRMED:
        return Standing.ON_TIME, row.error
    if not is_over:
        return None
    if status == "late":
        return Standing.LATE, _words(row) or "Numerai lists it as late"
    if status == "queued":
        return Standing.QUEUED, _words(row) or "Numerai lists it as queued for the next round"
    return None


def _by_row(row: OwnRow | None, *, is_over: bool) -> _Found | None:
    if row is None:
        return None
    if row.state is State.LATE:
        return Standing.LATE, row.error
    if row.state is State.QUEUED:
        return Standing.QUEUED, row.error
    if not is_over:
        return Standing.OPEN, _words(row)
    played = _played_by_numerai(row)
    if played is not None:
        return Standing.SKIPPED, played
    if row.state in ENDINGS or row.state is not State.SUBMITTED:
        return Standing.MISSED, _words(row) or f"the deadline passed while it was {row.state.value}"
    return Standing.OPEN, row.error or "submitted; Numerai has not decided yet"


def _words(row: OwnRow | None) -> str | None:
    if row is None:
        return None
    if row.state is State.REJECTED:
        return f"rejected: {row.error}" if row.error else "rejected"
    return row.error


def _played_by_numerai(row: OwnRow | None) -> str | None:
    """Return the words for a slot in Model Uploads, where our row stopped for that reason."""
    is_there = row is not None and row.error is not None and IN_MODEL_UPLOADS in row.error
    return "in Model Uploads: Numerai runs this model itself" if is_there else None


def _still_open(known: KnownRound, model: OwnModel) -> _Found:
    skipped = _why_skipped(known, model)
    return (Standing.SKIPPED, skipped) if skipped else (Standing.OPEN, None)


def _without_row(known: KnownRound, model: OwnModel, evidence: Evidence) -> _Found:
    """Say why there is no submission and no row of ours, as far as it can be known."""
    deadline = known.facts.round.deadline
    skipped = _why_skipped(known, model)
    if skipped is not None:
        return Standing.SKIPPED, skipped
    if evidence.began_at is None or evidence.began_at >= deadline:
        return Standing.BEFORE, "before numebot's time"
    if model.first_seen_at is not None and model.first_seen_at >= deadline:
        return Standing.BEFORE, "before the model was there"
    if any(model.name in roster.enabled for roster in known.rosters):
        return Standing.MISSED, "enabled, but only other models were asked to play"
    if known.was_unasked:
        return Standing.MISSED, "Numerai could not be asked for the round while it was open"
    if known.was_watched or (known.first_seen_at is not None and known.first_seen_at < deadline):
        return Standing.MISSED, "numebot knew of the round, but nothing was begun in it"
    return Standing.MISSED, "numebot was not running while the round was open"


def _why_skipped(known: KnownRound, model: OwnModel) -> str | None:
    if not model.is_configured:
        return "not in model_configs.csv"
    if any(model.name in roster.models | roster.enabled for roster in known.rosters):
        return None
    if any(model.name in roster.disabled for roster in known.rosters):
        return "disabled at the time"
    if any(roster.enabled or roster.disabled for roster in known.rosters):
        return "had no row in model_configs.csv at the time"
    if known.rosters:
        return "not among the models that were played"
    return f"the round was left out: {known.left_out}" if known.left_out else None
