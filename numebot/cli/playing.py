"""What `numebot run` does once its options are read: play, and show what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from numebot.adapters.lease import Taken
from numebot.app import App, open_app
from numebot.cli.output import (
    answers_only_on_stdout,
    as_document,
    download_progress,
    interruptible,
    print_submissions,
    say,
    set_up_logging,
)
from numebot.cli.train import train_missing
from numebot.core.account import choose
from numebot.core.submissions import as_json
from numebot.core.types import ModelConfig, RoundState, Tournament
from numebot.pipeline import PassResult, Wishes, play_round


def play(
    models: Sequence[str],
    *,
    practice: bool,
    dry_run: bool,
    force: bool,
    wait_s: float,
    scheduled: bool,
    wants_json: bool,
) -> int:
    """Play the open round as the options say and return the exit code."""
    with open_app(practice=practice, say=say) as app, download_progress() as app.progress:
        set_up_logging(app)
        rounds = app.settings.schedule.play if scheduled else "all"
        wishes = Wishes(dry_run=dry_run, force=force, only_due=scheduled, play=rounds)
        try:
            with answers_only_on_stdout(), interruptible(app), app.at_work("run", wait_s=wait_s):
                results = _play(app, models, wishes, is_practice=practice)
        except Taken as taken:
            if not scheduled:
                raise
            say(str(taken))  # the other one does the job
            return 0
    if scheduled and not wants_json:
        pass  # the log has told what happened
    elif wants_json:
        answers = [as_answer(result) for result in results]
        click.echo(as_document(answers[0] if len(answers) == 1 else answers))
    else:
        for result in results:
            _show(result)
    return 0 if all(result.is_done for result in results) else 1


def _play(app: App, names: Sequence[str], wishes: Wishes, *, is_practice: bool) -> list[PassResult]:
    for notice in (*app.registry.notices, *app.registry.problems):
        say(notice)
    results = []
    for tournament, configs in _by_tournament(app, names).items():
        if is_practice:
            train_missing(app, configs)
        results.append(play_round(app.round_tools, tournament, configs, wishes))
    return results


def _by_tournament(app: App, names: Sequence[str]) -> Mapping[Tournament, list[ModelConfig]]:
    """Return the rows to play, by tournament, in the order of the settings; rows of others are told, not played."""
    chosen = choose(app.registry.models, names)
    played = app.settings.tournament.play
    for config in chosen:
        if config.tournament not in played:
            name = Tournament(config.tournament).name.lower()
            say(f"{config.name}: {name} is not in [tournament] play, so it is left out.")
    if not chosen:
        say(f"{app.settings.paths.model_configs}: no model is enabled, so there is nothing to play.")
    return {tournament: [config for config in chosen if config.tournament == tournament] for tournament in played}


def _show(result: PassResult) -> None:
    round_ = result.answer.round
    if result.answer.state is RoundState.UNKNOWN:
        click.echo(f"The state of the round is unknown: {result.answer.reason}")
        return
    if round_ is None:
        click.echo("There is no round yet.")
        return
    name = Tournament(result.tournament).name.capitalize()
    state = "open" if result.answer.state is RoundState.OPEN else "closed"
    title = f"{name}, round {round_.number} ({state}), deadline {round_.deadline:%a %Y-%m-%d %H:%M} UTC"
    print_submissions(result.submissions, title=title + (": dry run, nothing was sent" if result.is_dry_run else ""))


def as_answer(result: PassResult) -> Mapping[str, object]:
    """Return the documented JSON of one tournament's pass. Times are ISO 8601 in UTC."""
    round_ = result.answer.round
    answer: dict[str, object] = {
        "tournament": result.tournament,
        "round": round_.number if round_ else None,
        "state": result.answer.state.value,
        "opens_at": round_.opens_at.isoformat() if round_ else None,
        "closes_at": round_.deadline.isoformat() if round_ else None,
        "models": [as_json(row) for row in result.submissions],
    }
    return answer | ({"dry_run": True} if result.is_dry_run else {})
