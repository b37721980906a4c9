"""One timeline of a model in a round: what happened, how long it took, what was said, and what was decided then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from numebot.core.ledger import PASS, WAKE_UP
from numebot.core.rounds import spoken
from numebot.core.types import Event, Round

ROUND = "round"
"""The kind of the moments that the round itself brings."""
TRY = "try"
"""The kind of attempts inside a step that failed and were made again."""


@dataclass(frozen=True)
class Moment:
    """One line. `words` are as they were written down, the server's own among them; `decided` is what followed.

    `lasted_s` is how long it took up to `at`, None where nobody measured it.
    """

    at: datetime
    kind: str
    words: str
    decided: str = ""
    lasted_s: float | None = None
    state: str | None = None

    def as_json(self, round_: Round) -> Mapping[str, object]:
        """Return the documented form."""
        return {
            "at": self.at.isoformat(),
            "since_opening_s": round((self.at - round_.opens_at).total_seconds(), 1),
            "until_deadline_s": round((round_.deadline - self.at).total_seconds(), 1),
            "kind": self.kind,
            "words": self.words,
            "decided": self.decided or None,
            "took_s": self.lasted_s,
            "state": self.state,
        }


def timeline(round_: Round, model: str, events: Sequence[Event], *, seen_at: datetime | None) -> list[Moment]:
    """Return what is known of a model in a round, in order. `events` are those that concern it, in order of writing."""
    moments = [
        Moment(round_.opens_at, ROUND, f"round {round_.number} opened"),
        Moment(round_.deadline, ROUND, "deadline"),
    ]
    if seen_at is not None:
        moments.append(Moment(seen_at, ROUND, "numebot heard of the round for the first time"))
    for event in events:
        moments += _moments(event, model)
    # Stable: what was written down at the same moment keeps its order.
    return _joined(sorted(moments, key=lambda moment: moment.at))


def _moments(event: Event, model: str) -> Iterable[Moment]:
    details = event.details
    names = details.get("missing") if event.kind == WAKE_UP else details.get("models") if event.kind == PASS else None
    if isinstance(names, list) and names and model not in names:
        return  # it concerns others alone
    for one in _list_of(details.get("tries")):
        yield _try(one, event.at)
    yield Moment(event.at, event.kind, _words(event, model), _decided(event), _seconds(details), _state(details))


def _try(one: Mapping[str, Any], otherwise: datetime) -> Moment:
    times = one.get("times", 1)
    words = f"{one.get('words', '')}{f' ({times} times)' if times != 1 else ''}"
    return Moment(
        _time(one.get("at")) or otherwise, TRY, words, str(one.get("decided", "")), _seconds(one), "failed"
    )


def _words(event: Event, model: str) -> str:
    names = event.details.get("models")
    if event.kind != PASS or not isinstance(names, list) or model not in names:
        return event.message
    place = f"; {model} is number {names.index(model) + 1} of them" if len(names) > 1 else ""
    return f"{event.message}{place}"


def _decided(event: Event) -> str:
    """Return what followed from an event, in words: when the next attempt is made, which rung is taken and why."""
    details = event.details
    again = _time(details.get("next_attempt_at"))
    if again is not None and event.kind == "state":
        wait = again - event.at
        when = f"in {spoken(wait)}, at {again:%H:%M:%S}" if wait > timedelta() else "at once"
        attempts = details.get("attempts")
        which = f" (after {attempts} failed {'attempt' if attempts == 1 else 'attempts'})" if attempts else ""
        return f"looked at again {when}{which}"
    if details.get("state") == "rejected":
        return "not tried again: Numerai's word is final"
    if details.get("state") == "failed":
        return "no further attempt fits before the deadline"
    if details.get("rung"):
        return f'the fallback "{details["rung"]}" took the place of the model itself, which had failed'
    return ""


def _joined(moments: Sequence[Moment]) -> list[Moment]:
    """Let beginnings that led to nothing new stand once: while data are late, a pass begins every minute."""
    kept: list[Moment] = []
    run: dict[str, tuple[int, int]] = {}
    for moment in moments:
        if moment.kind not in (WAKE_UP, PASS):
            run = {}
        elif moment.kind in run:
            place, times = run[moment.kind]
            run[moment.kind] = place, times + 1
            decided = f"the same {times} times more, until {moment.at:%H:%M:%S}"
            kept[place] = replace(kept[place], decided=decided)
            continue
        else:
            run[moment.kind] = len(kept), 1
        kept.append(moment)
    return kept


def _seconds(details: Mapping[str, Any]) -> float | None:
    for name in ("took_s", "lasted_s"):
        if isinstance(details.get(name), int | float):
            return float(details[name])
    return None


def _state(details: Mapping[str, Any]) -> str | None:
    return str(details["state"]) if isinstance(details.get("state"), str) else None


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _list_of(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
