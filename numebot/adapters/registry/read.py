"""The whole table: rows that can run, rows that cannot and why, and remarks for the owner."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from numebot.adapters.registry.code import CodeFinder
from numebot.adapters.registry.rows import COLUMNS, model_of
from numebot.adapters.registry.table import Table, read_table
from numebot.core.ensembles import circles, members_problem
from numebot.core.errors import ConfigError
from numebot.core.fallback import ladder_problem, usable_ladder
from numebot.core.types import ModelConfig

_INFORMATIONAL = frozenset({"stake"})  # in private files of the original numebot; nothing reads it


@dataclass(frozen=True)
class Registry:
    """What model_configs.csv says.

    `models` has every row with a name, in the file's order. One with a `problem` must not be run, and its name must not
    become part of a path. `problems` are the rows that have no name to record them under. `notices` are remarks:
    skipped rows, unknown columns, odd encodings, rungs of a fallback ladder that lead nowhere.
    """

    models: tuple[ModelConfig, ...]
    notices: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def runnable(self) -> tuple[ModelConfig, ...]:
        """Return the enabled models without a problem, ensembles last."""
        usable = [model for model in self.models if model.enabled and model.problem is None]
        return tuple(sorted(usable, key=lambda model: model.is_ensemble))


def read_registry(path: Path, *, home: Path, plugins_folder: Path | None = None) -> Registry:
    """Read the table of models. Files of the original numebot (3 or 7 columns) are read unchanged.

    Plugins are looked for on disk below `home`, in `plugins_folder` and among installed packages; none is imported.
    Raises: ConfigError when the file is missing or unreadable, or has no column numerai_name. A bad row never raises.
    """
    name = str(path.relative_to(home)) if path.is_relative_to(home) else str(path)
    table = read_table(path, name)
    if "numerai_name" not in table.columns:
        raise ConfigError(_no_name_column(table, name))
    finder = CodeFinder(home, plugins_folder)
    read = [model_of(row, finder) for row in table.rows]
    doubled = _doubled([model for model, _ in read])
    rows = [(model, (*problems, *doubled.get(model.line, ()))) for model, problems in read]
    usable = sum(model.enabled and not problems for model, problems in rows)
    rows, ladder_notices = _with_ladders(rows, name)
    return Registry(
        models=tuple(_recorded(model, problems, name, usable) for model, problems in rows if model.name),
        notices=(*table.notices, *_column_notices(table, name), *_skipped(rows, name), *ladder_notices),
        problems=tuple(_in_words(model, problems, name, usable) for model, problems in rows if not model.name),
    )


def _no_name_column(table: Table, name: str) -> str:
    found = ", ".join(table.columns)[:200]
    hint = " Separate the columns by commas." if ";" in found or "\t" in found else ""
    return (
        f"{name}: the first line has no column numerai_name (found: {found}).{hint} "
        f"The columns are {', '.join(COLUMNS)}; only numerai_name must be there."
    )


def _doubled(models: list[ModelConfig]) -> dict[int, tuple[str, ...]]:
    """Return line → problem for rows whose model stands further up: two rows would overwrite each other's upload."""
    first: dict[tuple[int, str], int] = {}
    problems: dict[int, tuple[str, ...]] = {}
    for model in models:
        line = first.setdefault((model.tournament, model.name), model.line)
        if line != model.line and model.name:
            problems[model.line] = (f'numerai_name: "{model.name}" stands already in line {line}.',)
    return problems


def _with_ladders(
    rows: list[tuple[ModelConfig, tuple[str, ...]]], name: str
) -> tuple[list[tuple[ModelConfig, tuple[str, ...]]], list[str]]:
    """Return the rows with the rungs that can be used, and a remark on each ladder that has others: its model runs."""
    played = {(model.tournament, model.name) for model, _ in rows if model.enabled}
    checked, notices = [], list[str]()
    tournaments = {model.tournament for model, _ in rows}
    circle = {
        (tournament, member): words
        for tournament in tournaments
        for member, words in circles(m for m, _ in rows if m.enabled and m.tournament == tournament).items()
    }
    for model, problems in rows:
        beside = {other for tournament, other in played if tournament == model.tournament}
        problem = ladder_problem(model.name, model.fallback, beside)
        remarks = (problem, members_problem(model, beside), circle.get((model.tournament, model.name)))
        if model.enabled:
            notices += [f"{name} line {model.line}, {remark}" for remark in remarks if remark]
        checked.append((replace(model, fallback=usable_ladder(model.name, model.fallback, beside)), problems))
    return checked, notices


def _recorded(model: ModelConfig, problems: tuple[str, ...], name: str, usable: int) -> ModelConfig:
    return replace(model, problem=_in_words(model, problems, name, usable)) if problems else model


def _in_words(model: ModelConfig, problems: tuple[str, ...], name: str, usable: int) -> str:
    if not model.enabled:
        consequence = "The row is not enabled, so nothing else changes."
    elif usable == 0:
        consequence = "No other model is left to run."
    else:
        consequence = "The other model runs." if usable == 1 else f"The other {usable} models run."
    return f"{name} line {model.line}, {' '.join(problems)} {consequence}"


def _skipped(rows: Iterable[tuple[ModelConfig, tuple[str, ...]]], name: str) -> list[str]:
    return [
        f"{name} line {model.line}: {model.name} has no model_code and is skipped."
        for model, problems in rows
        if model.name and not model.code and not problems
    ]


def _column_notices(table: Table, name: str) -> list[str]:
    notices = []
    for column in table.columns:
        if column and column not in COLUMNS and column not in _INFORMATIONAL:
            near = difflib.get_close_matches(column, COLUMNS, n=1, cutoff=0.6)
            hint = f" Did you mean {near[0]}?" if near else ""
            notices.append(f'{name}: the column "{column}" is not known and is ignored.{hint}')
    return notices
