"""`numebot status`: the newest round, from the database alone."""

from __future__ import annotations

from collections.abc import Mapping

import click

from numebot.app import App, open_app
from numebot.cli.output import as_document, print_submissions, set_up_logging
from numebot.core.rounds import round_state, spoken
from numebot.core.submissions import as_json
from numebot.core.types import Round, RoundState, Tournament


@click.command(short_help="Show the newest round and where each model stands.")
@click.option("--practice", is_flag=True, help="Show the practice tournament instead.")
@click.option("--json", "wants_json", is_flag=True, help="Print the answer as JSON on stdout.")
def command(*, practice: bool, wants_json: bool) -> int:
    """Show the newest round that numebot saw, its deadline, and where each model stands. Asks no server."""
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        found = [(tournament, app.store.newest_round(tournament)) for tournament in app.settings.tournament.play]
        if wants_json:
            answers = [_as_answer(app, tournament, round_) for tournament, round_ in found]
            click.echo(as_document(answers[0] if len(answers) == 1 else answers))
        else:
            for tournament, round_ in found:
                _show(app, tournament, round_)
    return 0


def _show(app: App, tournament: Tournament, round_: Round | None) -> None:
    name = tournament.name.capitalize()
    if round_ is None:
        click.echo(f"{name}: no round was seen yet. `numebot run` plays the open one.")
        return
    now = app.clock.now()
    if round_state(round_, now) is RoundState.OPEN:
        state = f"open, {spoken(round_.deadline - now)} left"
    else:
        state = f"closed {spoken(now - round_.deadline)} ago"
    title = f"{name}, round {round_.number} ({state}), deadline {round_.deadline:%a %Y-%m-%d %H:%M} UTC"
    print_submissions(app.store.submissions(tournament, round_.number), title=title)
    if round_.closes_at:
        click.echo(f"Round {round_.number + 1} is expected at {round_.closes_at:%a %Y-%m-%d %H:%M} UTC or later.")


def _as_answer(app: App, tournament: Tournament, round_: Round | None) -> Mapping[str, object]:
    rows = app.store.submissions(tournament, round_.number) if round_ else ()
    expected = round_.closes_at if round_ else None
    return {
        "tournament": int(tournament),
        "round": round_.number if round_ else None,
        "opens_at": round_.opens_at.isoformat() if round_ else None,
        "closes_at": round_.deadline.isoformat() if round_ else None,
        "models": [as_json(row) for row in rows],
        "next_round": {"number": round_.number + 1, "opens_at": expected.isoformat()} if round_ and expected else None,
    }
