"""Roots about data files and the scoring pipeline: public, no key needed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from ariadne import QueryType

from numebot.core.types import Tournament
from numebot.practice.graphql.rate_limits import PER_MINUTES
from numebot.practice.graphql.resolvers.context import Info, RequestContext, checked_tournament, context_of
from numebot.practice.world.refusals import Refusal

query = QueryType()
bindables = (query,)

_OLD_TICKERS = "signals/v1.0/live.parquet"
"""The path under which numerapi still asks for the ticker universe."""


@query.field("listDatasets")
def resolve_list_datasets(
    _: Any, info: Info, *, round: int | None = None, tournament: int | None = None
) -> list[str]:
    """Return the names of a tournament's files; Signals and Crypto have folders of their own."""
    context = context_of(info)
    _data_round(context, round)
    folders = {Tournament.SIGNALS: "signals/", Tournament.CRYPTO: "crypto/"}
    wanted = folders.get(Tournament(checked_tournament(tournament)))
    names = context.world.market.dataset_names()
    if wanted is not None:
        return [name for name in names if name.startswith(wanted)]
    return [name for name in names if not name.startswith(tuple(folders.values()))]


@query.field("dataset")
def resolve_dataset(
    _: Any, info: Info, *, filename: str, round: int | None = None, tournament: int | None = None
) -> str:
    """Return an address to download a file from. Any tournament may ask for any file."""
    context = context_of(info)
    checked_tournament(tournament)
    number = _data_round(context, round)
    name = filename if filename != _OLD_TICKERS else _newest_tickers(context)
    try:
        with context.world.unlocked():  # a file that is not made yet takes seconds, or many minutes at full scale
            path = context.world.market.dataset_path(name, number)
    except KeyError as error:
        raise Refusal(f"Dataset {filename} not found") from error
    return context.world.uploads.address_of(path, path.name)


def _newest_tickers(context: RequestContext) -> str:
    """Return the live file of Signals that is on offer in place of the old path."""
    names = context.world.market.dataset_names()
    found = [name for name in names if name.startswith("signals/") and name.endswith("/live.parquet")]
    return max(found, default=_OLD_TICKERS)


def _data_round(context: RequestContext, number: int | None) -> int:
    """Return the round whose files are meant. Raises: Refusal for one that has not opened or is not known."""
    current = context.current_round().number
    if number is None or number == 0:
        return current
    listed = context.world.calendar.round(number, context.now)
    if listed is None or not listed.has_opened:
        raise Refusal(f"Round {number} not found")
    return number


@query.field("pipelineStatus")
def resolve_pipeline_status(
    _: Any, info: Info, *, date: str | None = None, tournament: str | None = None
) -> dict[str, Any]:
    """Return when the scoring of a day ran. A day without a scoring has no times."""
    context = context_of(info)
    day = _day(date, context.now)
    scored_at = _scoring_of(context, day)
    steps = {"dataReadyAt": -90, "startedAt": -45, "scoredAt": 0, "resolvedAt": 30}
    etas = {
        "dataP90Eta": -80, "dataP99Eta": -60, "startP90Eta": -40, "scoreP90Eta": 10, "scoreP99Eta": 30,
        "resolveP90Eta": 40, "resolveP99Eta": 60,
    }  # fmt: skip
    status: dict[str, Any] = {"isScoringDay": scored_at is not None, "tournament": tournament or "classic"}
    if scored_at is not None:
        minute = context.current_round().period / 1440
        times = {name: scored_at + offset * minute for name, offset in steps.items()}
        status.update({name: at if at <= context.now else None for name, at in times.items()})
        status.update({name: scored_at + offset * minute for name, offset in etas.items()})
        status["nextStartP90Eta"] = scored_at + context.current_round().period - 40 * minute
    return status


def _day(text: str | None, now: datetime) -> date:
    try:
        return now.date() if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise Refusal(f"{text} is not a date; it must be written YYYY-MM-DD") from error


def _scoring_of(context: RequestContext, day: date) -> datetime | None:
    """Return the newest scoring of a day, the coming one if there was none yet: rounds are scored once a period."""
    current = context.current_round()
    first_scoring = context.world.calendar.first_opens_at
    midnight = datetime(day.year, day.month, day.day, tzinfo=first_scoring.tzinfo) + timedelta(days=1)
    periods = -((first_scoring - midnight) // current.period) - 1
    known = (context.now - first_scoring) // current.period
    scorings = [first_scoring + count * current.period for count in (known, periods)]
    oldest = context.world.calendar.rounds(context.now)[-1].scores_at
    return next((scored_at for scored_at in scorings if scored_at.date() == day and scored_at >= oldest), None)


@query.field("graphqlRateLimits")
def resolve_rate_limits(_: Any, info: Info) -> list[dict[str, Any]]:
    """Return the limits that the server enforces when asked to."""
    return [
        {"operation": name, "limit": count, "periodSeconds": int(window.total_seconds())}
        for name, (count, window) in sorted(PER_MINUTES.items())
    ]
