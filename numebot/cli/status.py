"""`numebot status`: where everything stands, in one screen, from the database and this machine alone."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import click

from numebot.adapters.lease import DAEMON_LOCK, holder_of
from numebot.app import App, open_app
from numebot.cli.output import as_document, print_submissions, set_up_logging
from numebot.core.openings import next_opening, parse_opening
from numebot.core.order import UNKNOWN_RUN, latest_start, p95
from numebot.core.rounds import round_state, spoken
from numebot.core.submissions import ENDINGS, as_json
from numebot.core.types import Round, RoundState, Submission, Tournament

OVERDUE = timedelta(minutes=5)
"""So long after the announced time a wake-up is called overdue."""


@click.command(short_help="Show the newest round and where each model stands.")
@click.option("--practice", is_flag=True, help="Show the practice tournament instead.")
@click.option("--json", "wants_json", is_flag=True, help="Print the answer as JSON on stdout.")
def command(*, practice: bool, wants_json: bool) -> int:
    """Show the newest round that numebot saw, where each model stands, and how the daemon is. Asks no server."""
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        found = [(tournament, app.store.newest_round(tournament)) for tournament in app.settings.tournament.play]
        daemon = daemon_state(app)
        if wants_json:
            answers = [{**_as_answer(app, tournament, round_), "daemon": daemon} for tournament, round_ in found]
            click.echo(as_document(answers[0] if len(answers) == 1 else answers))
            return 0
        for tournament, round_ in found:
            _show(app, tournament, round_)
        for line in _machine(app, daemon):
            click.echo(line)
    return 0


def daemon_state(app: App) -> Mapping[str, object]:
    """Return whether the daemon lives, by its lock, and what it noted at its last finished wake-up."""
    holder = holder_of(app.data_folder, DAEMON_LOCK)
    beacon = app.store.noted("daemon") or {}
    known = ("started_at", "finished_at", "next_look_at", "reason", "trouble", "states")
    return {
        "is_alive": holder is not None,
        "pid": holder.pid if holder else None,
        **{name: beacon.get(name) for name in known},
    }


def _show(app: App, tournament: Tournament, round_: Round | None) -> None:
    name, now = tournament.name.capitalize(), app.clock.now()
    if round_ is None:
        click.echo(f"{name}: no round was seen yet. `numebot run` plays the open one.")
        coming = _next_opening(app, None, now)
        if coming is not None:
            click.echo(f"The next round is expected at {coming:%a %Y-%m-%d %H:%M} UTC or later.")
        return
    is_open = round_state(round_, now) is RoundState.OPEN
    when = f"open, {spoken(round_.deadline - now)} left" if is_open else f"closed {spoken(now - round_.deadline)} ago"
    title = f"{name}, round {round_.number} ({when}), deadline {round_.deadline:%a %Y-%m-%d %H:%M} UTC"
    rows = app.store.submissions(tournament, round_.number)
    print_submissions(rows, title=title, notes=_notes(app, round_, rows, now) if is_open else {})
    coming = _next_opening(app, round_, now)
    if coming is not None:
        click.echo(f"Round {round_.number + 1} is expected at {coming:%a %Y-%m-%d %H:%M} UTC or later.")


def _next_opening(app: App, round_: Round | None, now: datetime) -> datetime | None:
    """Return when the next round is expected: by the server's word where it lies ahead, else by the settings."""
    if round_ is not None and round_.closes_at is not None and round_.closes_at > now:
        return round_.closes_at
    return next_opening([parse_opening(text) for text in app.settings.schedule.openings], now)


def _notes(app: App, round_: Round, rows: Sequence[Submission], now: datetime) -> Mapping[str, str]:
    """Return what comes next for each model that is not done: the next attempt and the latest safe start."""
    runs = app.store.run_times(round_.tournament)
    margin = timedelta(seconds=app.settings.submission.deadline_margin_s)
    notes = {}
    for row in rows:
        if row.state in ENDINGS:
            continue
        start = latest_start(round_.deadline, p95(runs.get(row.model, ())) or UNKNOWN_RUN, margin=margin)
        again = row.next_attempt_at
        words = "tried again now" if again is None or again <= now else f"tried again at {again:%H:%M:%S}"
        notes[row.model] = f"{words}, latest safe start {start:%H:%M:%S} UTC"
    return notes


def _machine(app: App, daemon: Mapping[str, object]) -> list[str]:
    now = app.clock.now()
    lines = [_daemon_line(daemon, now)]
    finished, coming = _time(daemon["finished_at"]), _time(daemon["next_look_at"])
    if finished is not None:
        lines.append(f"Last finished wake-up: {finished:%a %Y-%m-%d %H:%M:%S} UTC, {spoken(now - finished)} ago.")
    if daemon["is_alive"] and coming is not None and now - coming > OVERDUE:
        lines.append(f"Its next look was due at {coming:%H:%M:%S} UTC: it is at work, or it hangs (see its log).")
    if daemon["trouble"]:
        lines.append(f"It complains: {daemon['trouble']}")
    for event in app.store.events(kinds=("alarm", "pass-killed", "chore-failed"), limit=1):
        lines.append(f"Last alarm: {event.at:%a %Y-%m-%d %H:%M:%S} UTC, {event.message}")
    lines.append(_disk_line(app.data_folder))
    return lines


def _daemon_line(daemon: Mapping[str, object], now: datetime) -> str:
    started = _time(daemon["started_at"])
    if not daemon["is_alive"]:
        return "The daemon is not running (numebot serve); rounds are played by hand or by a timer only."
    since = f" for {spoken(now - started)}" if started is not None else ""
    return f"The daemon is alive{since}, process {daemon['pid']}."


def _disk_line(folder: Path) -> str:
    there = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    usage = shutil.disk_usage(there)
    return f"Disk: {usage.free / 1e9:,.1f} GB free of {usage.total / 1e9:,.1f} GB, data in {folder}"


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None


def _as_answer(app: App, tournament: Tournament, round_: Round | None) -> Mapping[str, object]:
    rows = app.store.submissions(tournament, round_.number) if round_ else ()
    expected = _next_opening(app, round_, app.clock.now())
    return {
        "tournament": int(tournament),
        "round": round_.number if round_ else None,
        "opens_at": round_.opens_at.isoformat() if round_ else None,
        "closes_at": round_.deadline.isoformat() if round_ else None,
        "models": [as_json(row) for row in rows],
        "next_round": {"number": round_.number + 1, "opens_at": expected.isoformat()} if round_ and expected else None,
    }
