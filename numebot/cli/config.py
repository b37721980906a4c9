"""`numebot config`: the settings in effect and where each value comes from."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from numebot.adapters.settings import (
    LoadedKey,
    LoadedSettings,
    ShownSetting,
    find_home,
    load_api_key,
    load_settings,
    missing_key_message,
    shown_settings,
)
from numebot.core.errors import ConfigError

MASK = "********"


@click.command("config")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def command(as_json: bool) -> None:
    """Show the settings in effect and where each value comes from."""
    loaded, key = _read()
    warnings = (*loaded.warnings, *key.warnings)
    if as_json:
        click.echo(json.dumps(_document(loaded, key, warnings), indent=2, ensure_ascii=False))
        return
    _print_rows([("setting", "value", "from"), *_rows(loaded, key)])
    click.echo(f"Home: {loaded.home}", err=True)
    for warning in warnings:
        click.echo(click.style("warning: ", fg="yellow", bold=True) + warning, err=True)
    if key.key is None:
        click.echo(missing_key_message(loaded.home), err=True)


def _read() -> tuple[LoadedSettings, LoadedKey]:
    """Read settings and key; when both have problems, say them together."""
    home = find_home(os.environ, Path.cwd())
    try:
        loaded = load_settings(home, os.environ)
    except ConfigError as of_settings:
        try:
            load_api_key(home, os.environ)
        except ConfigError as of_key:
            problems = dict.fromkeys((*of_settings.problems, *of_key.problems))  # both read .env
            message = "The settings and the API key have problems; correct and run again."
            raise ConfigError(message, tuple(problems)) from None
        raise
    return loaded, load_api_key(home, os.environ)


def _rows(loaded: LoadedSettings, key: LoadedKey) -> list[tuple[str, str, str]]:
    rows = [(f"{one.section}.{one.key}", _text(one), one.origin) for one in shown_settings(loaded)]
    shown, source = ("not set", "") if key.key is None else (MASK, key.key.source)
    return [*rows, ("PUBLIC_ID", shown, source), ("SECRET_KEY", shown, source)]


def _text(setting: ShownSetting) -> str:
    if isinstance(setting.value, list):
        return ", ".join(setting.value) or "-"
    if isinstance(setting.value, float):
        return f"{setting.value:.12g}"
    return str(setting.value) or "-"


def _print_rows(rows: list[tuple[str, str, str]]) -> None:
    """Print a table that folds long values on a terminal and keeps each row on one line in a pipe."""
    console = Console(highlight=False)
    if console.is_terminal:
        header, *body = rows
        table = Table(*header, box=None, header_style="bold")
        for column in table.columns:
            column.overflow = "fold"
            column.no_wrap = console.width >= 80 and column.header != "value"
        for row in body:
            table.add_row(*(Text(cell) for cell in row))
        console.print(table)
        return
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for name, value, origin in rows:
        click.echo(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {origin}".rstrip())


def _document(loaded: LoadedSettings, key: LoadedKey, warnings: tuple[str, ...]) -> dict[str, object]:
    settings: dict[str, dict[str, object]] = {}
    for one in shown_settings(loaded):
        settings.setdefault(one.section, {})[one.key] = {"value": one.value, "from": one.origin}
    api_key = None if key.key is None else {"public_id": MASK, "secret_key": MASK, "from": key.key.source}
    return {"home": str(loaded.home), "settings": settings, "api_key": api_key, "warnings": list(warnings)}
