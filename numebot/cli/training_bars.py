"""How far a training is, on a terminal: rows read and steps of the plugin, memory that is free, time left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from numebot.adapters.datasets.parquet import available_memory_bytes


@contextmanager
def training_bars() -> Iterator[Callable[[str, int, int | None], None]]:
    """Yield a function that draws a bar per kind of step; elsewhere than on a terminal it draws nothing."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[memory]}"),
        TimeRemainingColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:

        def show(what: str, done: int, of: int | None) -> None:
            memory = f"{available_memory_bytes() / 1e9:.1f} GB of memory free"
            if what not in tasks or done < bars.tasks[tasks[what]].completed:
                if what in tasks:
                    bars.remove_task(tasks[what])
                tasks[what] = bars.add_task(what, total=of, memory=memory)
            bars.update(tasks[what], completed=done, total=of, memory=memory)
            if of is not None and done >= of:
                bars.update(tasks[what], visible=False)

        yield show
