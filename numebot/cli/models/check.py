"""`numebot models check`: does a plugin keep the contract?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

from numebot.app import open_app
from numebot.cli.output import answers_only_on_stdout, as_document, set_up_logging
from numebot.cli.tables import Styled, print_table
from numebot.core.account import choose

if TYPE_CHECKING:
    from numebot.kit.checking import CheckReport

SHOWN = {True: Styled("kept", "green"), False: Styled("BROKEN", "red"), None: Styled("not checked", "yellow")}


@click.command("check", short_help="Check whether a plugin keeps the contract.")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--practice", is_flag=True, help="In the practice tournament.")
@click.option("--json", "wants_json", is_flag=True, help="Print the findings as JSON on stdout.")
def command(*, names: tuple[str, ...], practice: bool, wants_json: bool) -> int:
    """Check the plugin of each NAME, in a process of its own, on the newest live file of this machine.

    Without a live file made-up rows are used; a model that is not trained yet learns from made-up rows.
    Exit code 0: every promise that could be checked is kept. 1: at least one is broken.
    """
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        with answers_only_on_stdout():
            reports = [app.checker.check(config) for config in choose(app.registry.models, names)]
        if wants_json:
            click.echo(app.clean(as_document([_as_answer(report) for report in reports])))
        else:
            for report in reports:
                _show(report, app.clean)
    return 0 if all(report.is_kept for report in reports) else 1


def _as_answer(report: CheckReport) -> Mapping[str, object]:
    findings = [{"promise": one.promise, "kept": one.is_kept, "words": one.words} for one in report.findings]
    return {
        "model": report.model,
        "code": report.code,
        "rows": report.rows,
        "trained_version": report.trained_version,
        "kept": report.is_kept,
        "findings": findings,
    }


def _show(report: CheckReport, clean: Callable[[str], str]) -> None:
    trained = f", version {report.trained_version}" if report.trained_version else ""
    rows: list[list[str | Styled]] = [[one.promise, SHOWN[one.is_kept], clean(one.words)] for one in report.findings]
    print_table(["promise", "", ""], rows, title=f"{report.model} ({report.code}{trained}) on {report.rows}")
