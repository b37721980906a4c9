"""What the commands about rounds ask: the ledger with what losses cost, and one model's cell of it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from numebot.adapters.store import Store
from numebot.adapters.store.reading.ledger import Span
from numebot.core.errors import ConfigError
from numebot.core.ledger import Entry, Evidence, KnownRound, Ledger, entry_of, make_ledger
from numebot.core.losses import Estimate, estimate, rounds_around
from numebot.core.types import Tournament


@dataclass(frozen=True)
class LedgerAnswer:
    """A ledger, and what each lost entry may have cost: by round number and model id, where there is an estimate."""

    ledger: Ledger
    estimates: Mapping[tuple[int, str], Estimate]

    def estimate(self, entry: Entry) -> Estimate | None:
        """Return the estimate of one entry."""
        return self.estimates.get((entry.round_number, entry.model.id))


def answer_ledger(store: Store, tournament: int, span: Span, now: datetime) -> LedgerAnswer:
    """Return the ledger of a span of rounds. Raises: LocalTrouble."""
    ledger = make_ledger(store.ledger.evidence(tournament, span), now)
    return LedgerAnswer(ledger, _estimates(store, ledger))


def _estimates(store: Store, ledger: Ledger) -> dict[tuple[int, str], Estimate]:
    lost = ledger.lost()
    numbers = sorted({entry.round_number for entry in lost})
    weights = store.ledger.payout_weights(ledger.tournament, numbers)
    names = sorted({name for those in weights.values() for name in those})
    around = rounds_around(sorted(weights))
    if around is None or not names:
        return {}
    scores = store.ledger.newest_scores(ledger.tournament, names, Span(*around))
    found = ((entry, estimate(entry, ledger, scores, weights)) for entry in lost)
    return {(entry.round_number, entry.model.id): one for entry, one in found if one is not None}


def only_models(answer: LedgerAnswer, names: Sequence[str]) -> LedgerAnswer:
    """Return the part of some models; all of them without names. Raises: ConfigError for a name that is not there."""
    if not names:
        return answer
    known = {one.model.name: one for one in answer.ledger.models}
    for name in names:
        if name not in known:
            raise ConfigError(f"{unknown_model(name, list(known))} Nothing was shown.")
    models = tuple(one for one in answer.ledger.models if one.model.name in names)
    return replace(answer, ledger=replace(answer.ledger, models=models))


def unknown_model(name: str, known: Sequence[str]) -> str:
    """Return the words for a name that nobody knows."""
    close = difflib.get_close_matches(name, known, n=1)
    hint = f'Did you mean "{close[0]}"? ' if close else ""
    return f'model "{name}": not known. {hint}Known are: {", ".join(sorted(known)) or "none"}.'


def span_of(store: Store, tournament: int, *, last: int, month: datetime | None) -> Span | None:
    """Return the rounds that are asked for: the newest ones, or those of a month. Raises: LocalTrouble."""
    if month is None:
        return store.ledger.last_rounds(tournament, last)
    following = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)
    return store.ledger.rounds_opened(tournament, month, following)


@dataclass(frozen=True)
class Cell:
    """One model in one round, with all that is known of the round."""

    tournament: Tournament
    known: KnownRound
    entry: Entry
    evidence: Evidence


def find_cell(store: Store, tournaments: Sequence[Tournament], round_: str, model: str, now: datetime) -> Cell:
    """Return the cell that is meant. `round_` is a number, "current" or "last".

    Raises: ConfigError that says what there is, when it is unknown or in more than one tournament; LocalTrouble.
    """
    problems: list[str] = []
    found: list[Cell] = []
    for tournament in tournaments:
        try:
            found.append(_cell(store, tournament, round_, model, now))
        except ConfigError as error:
            problems.append(str(error))
    if not found:
        raise ConfigError("\n".join(problems))
    if len(found) > 1:
        names = " or ".join(f"--tournament {cell.tournament.name.lower()}" for cell in found)
        raise ConfigError(f'model "{model}": there is one in more than one tournament. Add {names}.')
    return found[0]


def _cell(store: Store, tournament: Tournament, round_: str, model: str, now: datetime) -> Cell:
    number = _number(store, tournament, round_, now)
    evidence = store.ledger.evidence(tournament, Span(number, number))
    models = {one.name: one for one in evidence.models}
    if model not in models:
        raise ConfigError(unknown_model(model, list(models)))
    (known,) = evidence.rounds
    return Cell(tournament, known, entry_of(known, models[model], evidence, now), evidence)


def _number(store: Store, tournament: Tournament, round_: str, now: datetime) -> int:
    name = tournament.name.lower()
    known = store.ledger.last_rounds(tournament, 1_000_000)
    if known is None:
        words = "no round was seen yet. `numebot run` plays the open one, `numebot sync` reads the past ones."
        raise ConfigError(f"{name}: {words}")
    if round_ == "current":
        return known.last
    if round_ == "last":
        over = store.ledger.last_over(tournament, now)
        if over is None:
            raise ConfigError(f"{name}: no round is over yet; the current one is {known.last}.")
        return over
    if not round_.isdecimal():
        allowed = f'a number from {known.first} to {known.last}, "current" or "last"'
        raise ConfigError(f'round "{round_}": not a round of {name}. Allowed is {allowed}.')
    if not store.ledger.is_known(tournament, int(round_)):
        words = f"not known. Of {name}, rounds {known.first} to {known.last} are"
        raise ConfigError(f"round {round_}: {words}; `numebot sync --full` reads all that Numerai still has.")
    return int(round_)
