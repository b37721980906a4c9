"""`numebot doctor`: what on this machine keeps rounds from being played."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import click

from numebot.app.doctor import examine
from numebot.cli.output import as_document
from numebot.cli.tables import Styled, print_table
from numebot.core.diagnosis import Mark, Point

COLOURS = {Mark.OK: "green", Mark.WARNING: "yellow", Mark.PROBLEM: "red", Mark.UNKNOWN: ""}


@click.command(short_help="Look for what keeps rounds from being played, and say what to do.")
@click.option("--offline", is_flag=True, help="Ask neither Numerai nor a name server.")
@click.option("--practice", is_flag=True, help="Look at the practice tournament's folder; always offline.")
@click.option("--json", "wants_json", is_flag=True, help="Print the points as JSON on stdout.")
def command(*, offline: bool, practice: bool, wants_json: bool) -> int:
    """Look at this machine, its settings, the key, the database, the models and the way to Numerai.

    Nothing is changed. Exit code 0: there is no problem, though there may be warnings. 1: there is at least one.
    """
    found = examine(os.environ.copy(), practice=practice, is_offline=offline)
    marks = [point.mark for point in found.points]
    if wants_json:
        click.echo(found.clean(as_document({"points": [_as_answer(point) for point in found.points]})))
    else:
        print_table(["point", "state", "found"], [_row(point, found.clean) for point in found.points])
        click.echo(_summary(marks))
    return 1 if Mark.PROBLEM in marks else 0


def _as_answer(point: Point) -> Mapping[str, object]:
    return {"name": point.name, "mark": point.mark.value, "words": point.words, "advice": point.advice or None}


def _row(point: Point, clean: Callable[[str], str]) -> list[str | Styled]:
    words = f"{point.words}\n{point.advice}" if point.advice else point.words
    return [point.name, Styled(point.mark.value, COLOURS[point.mark]), clean(words)]


def _summary(marks: list[Mark]) -> str:
    problems, warnings = marks.count(Mark.PROBLEM), marks.count(Mark.WARNING)
    if not problems and not warnings:
        return "All is well."
    return f"Problems: {problems}, warnings: {warnings}."
