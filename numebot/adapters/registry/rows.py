"""One row of the table as a ModelConfig, with every problem of the row and what Numerai would not accept."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from numebot.adapters.registry.code import CodeFinder
from numebot.adapters.registry.parameters import read_parameters
from numebot.adapters.registry.table import Row
from numebot.core.retraining import parse_retraining
from numebot.core.types import ModelConfig, Tournament

COLUMNS = (
    "numerai_name",
    "model_code",
    "description",
    "enabled",
    "is_ensemble",
    "parameters",
    "tournament",
    "fallback",
    "time_limit_minutes",
    "memory_limit_mb",
    "network",
    "readable",
    "retrain",
)
"""The columns that numebot knows; only the first must be there."""

_NAME = re.compile(r"(?!\.)[A-Za-z0-9_.-]{1,64}")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_YES = frozenset({"true", "1", "1.0", "yes", "y", "on", "x"})
_NO = frozenset({"false", "0", "0.0", "no", "n", "off"})
_TOURNAMENTS: Mapping[str, Tournament] = MappingProxyType(
    {
        **{tournament.name.lower(): tournament for tournament in Tournament},
        **{str(int(tournament)): tournament for tournament in Tournament},
        **{f"{int(tournament)}.0": tournament for tournament in Tournament},  # a whole column that pandas wrote
        "numerai": Tournament.CLASSIC,
    }
)


def model_of(row: Row, finder: CodeFinder) -> tuple[ModelConfig, tuple[str, ...]]:
    """Return the row's model and all its problems as "column: what is wrong." sentences.

    A cell that cannot be read leaves its default in the model; a model with problems is never run.
    """
    cells = _Cells(row)
    name, code = cells.name(), cells.code(finder)
    model = ModelConfig(
        name=name,
        code=code,
        description=cells.text("description"),
        enabled=bool(code) and cells.flag("enabled", default=True),
        is_ensemble=cells.flag("is_ensemble", default=False),
        parameters=cells.parameters(),
        tournament=cells.tournament(),
        fallback=cells.text("fallback"),
        time_limit_minutes=cells.limit("time_limit_minutes", most=7 * 24 * 60),
        memory_limit_mb=cells.whole_limit("memory_limit_mb", most=100_000_000),
        network=cells.flag("network", default=False),
        readable=cells.places("readable", finder.home),
        retrain=cells.retrain(),
        line=row.line,
    )
    return model, tuple(cells.problems)


class _Cells:
    """Reads the cells of one row and collects what is wrong with them."""

    def __init__(self, row: Row) -> None:
        self._cells = row.cells
        self.problems: list[str] = [] if row.problem is None else [f"the row {row.problem}."]

    def text(self, column: str) -> str:
        return self._cells.get(column, "")

    def name(self) -> str:
        text = self.text("numerai_name")
        if not text and not self.problems:
            self._refuse("numerai_name", "is blank. It must be the name of a model of your account.")
        elif text and not _NAME.fullmatch(text):
            allowed = "allowed are letters, digits, _ - and . (not first), at most 64."
            self._refuse("numerai_name", f"{_shown(text)} is not the name of a model; {allowed}")
        return _UNPRINTABLE.sub("", text)[:64]

    def code(self, finder: CodeFinder) -> str:
        text = self.text("model_code")
        problem = finder.problem(text) if text else None
        if problem is not None:
            self._refuse("model_code", problem)
        return text

    def flag(self, column: str, *, default: bool) -> bool:
        text = self.text(column).lower()
        if text and text not in _YES | _NO:
            self._refuse(column, f"{_shown(text)} is neither True nor False.")
        return text in _YES if text in _YES | _NO else default

    def parameters(self) -> dict[str, object]:
        try:
            return read_parameters(self.text("parameters"))
        except ValueError as error:
            self._refuse("parameters", f"{_shown(self.text('parameters'))} {error}.")
            return {}

    def tournament(self) -> Tournament:
        text = self.text("tournament").lower()
        if text and text not in _TOURNAMENTS:
            self._refuse("tournament", f"{_shown(text)} is none of 8 (classic), 11 (signals), 12 (crypto).")
        return _TOURNAMENTS.get(text, Tournament.CLASSIC)

    def limit(self, column: str, *, most: float) -> float | None:
        text = self.text(column)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if 0 < value <= most:
            return value
        self._refuse(column, f"{_shown(text)} is not a number above 0 and up to {most:,}; blank means the default.")
        return None

    def whole_limit(self, column: str, *, most: int) -> int | None:
        value = self.limit(column, most=most)
        if value is not None and value != int(value):
            self._refuse(column, f"{_shown(self.text(column))} is not a whole number.")
            return None
        return None if value is None else int(value)

    def places(self, column: str, home: Path) -> tuple[Path, ...]:
        """Return paths that are separated as those of PATH are."""
        found = tuple(Path(text.strip()) for text in self.text(column).split(os.pathsep) if text.strip())
        for path in found:
            if not path.is_absolute():
                self._refuse(column, f"{_shown(str(path))} is not a whole path such as /opt/julia.")
            elif home.is_relative_to(path):
                self._refuse(column, f"{_shown(str(path))} holds numebot's own settings; name the plugin's folder.")
        return found

    def retrain(self) -> str:
        text = self.text("retrain")
        try:
            parse_retraining(text)
        except ValueError as error:
            self._refuse("retrain", str(error))
            return ""
        return text

    def _refuse(self, column: str, sentence: str) -> None:
        self.problems.append(f"{column}: {sentence}")


def _shown(text: str) -> str:
    """Return a cell as a message shows it: one line, quoted, cut when it is long."""
    plain = _UNPRINTABLE.sub("?", " ".join(text.split()))
    return f'"{plain}"' if len(plain) <= 60 else f'"{plain[:60]}…"'
