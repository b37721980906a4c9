"""`numebot export`: a table of the database as a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from numebot.adapters.table_files import Progress as Hears
from numebot.adapters.table_files import write_csv, write_csv_file, write_parquet_file
from numebot.app import open_app
from numebot.cli.output import say, set_up_logging
from numebot.core.errors import ConfigError

WRITERS = {".csv": write_csv_file, ".parquet": write_parquet_file}


@click.command(short_help="Write a table of the database to a CSV or parquet file.")
@click.argument("table", required=False)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="FILE.csv or FILE.parquet, else stdout.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--practice", is_flag=True, help="That of the practice tournament instead.")
def command(*, table: str | None, out: Path | None, force: bool, practice: bool) -> int:
    """Write TABLE row by row, as CSV on stdout or into a file; without TABLE list the tables.

    Models and metrics stand there by their names. Times are UTC, amounts of money exact text, null is nothing. The file
    appears when it is whole. The daemon may be at work meanwhile: what it writes is not in the file.
    """
    if out is not None:
        _require_writable(out, force=force)
    with open_app(practice=practice, starts_server=False) as app:
        set_up_logging(app)
        if table is None:
            click.echo("\n".join(app.store.whole_tables.names()))
            return 0
        with app.store.whole_tables.rows(table) as rows, _progress(table) as progress:
            if out is None:
                write_csv(rows, sys.stdout)
                return 0
            written = WRITERS[out.suffix.lower()](rows, out, progress)
    say(f"{out}: {written:,} rows of {table}, {out.stat().st_size:,} bytes")
    return 0


def _require_writable(out: Path, *, force: bool) -> None:
    if out.suffix.lower() not in WRITERS:
        raise ConfigError(f"--out {out}: numebot writes FILE.csv and FILE.parquet. Nothing was written.")
    if out.exists() and not force:
        raise ConfigError(f"--out {out}: is there already. Name a file that is not, or say --force.")


@contextmanager
def _progress(table: str) -> Iterator[Hears]:
    """Yield what shows on a terminal how many rows are written."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task(table, total=None)
        yield lambda rows: bars.update(task, description=f"{table}: {rows:,} rows")
