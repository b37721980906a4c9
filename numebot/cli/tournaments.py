"""The --tournament option of the commands that look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from numebot.app import App
from numebot.core.types import Tournament

CHOICES = tuple(one.name.lower() for one in Tournament)

Command = Callable[..., Any]


def tournament_option(command: Command) -> Command:
    """Add --tournament to a command, as `tournament`."""
    option = click.option(
        "--tournament", type=click.Choice(CHOICES), help="Only this tournament; else all of [tournament] play."
    )
    return option(command)


def wanted_tournaments(app: App, tournament: str | None) -> Sequence[Tournament]:
    """Return the tournaments that are asked for."""
    return app.settings.tournament.play if tournament is None else (Tournament[tournament.upper()],)
