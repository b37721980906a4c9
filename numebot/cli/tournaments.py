"""The option --tournament, by name or by number."""

from __future__ import annotations

import click

from numebot.core.types import Tournament


def _meant(context: click.Context, parameter: click.Parameter, value: str | None) -> Tournament | None:
    if value is None:
        return None
    for one in Tournament:
        if value.lower() in (one.name.lower(), str(int(one))):
            return one
    known = ", ".join(f"{one.name.lower()} ({int(one)})" for one in Tournament)
    raise click.BadParameter(f'"{value}" is none. There are: {known}.', context, parameter)


TOURNAMENT = click.option(
    "--tournament", metavar="NAME", callback=_meant, help="Only this one: classic, signals or crypto."
)


def title_of(tournament: int) -> str:
    """Return the name of a tournament, also of one that is new."""
    known = [one.name.capitalize() for one in Tournament if one == tournament]
    return known[0] if known else f"Tournament {tournament}"
