"""Scores that were worked out once, on disk: a round takes a second, and a season has seventy."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from numebot.core.errors import LocalTrouble
from numebot.durable import write_whole
from numebot.practice.scores.metrics import Score

logger = logging.getLogger(__name__)


_SCORES = TypeAdapter(list[Score])


class ScoreShelf:
    """One file per round and predictions below `folder`, which must be of one market: its rules are in the scores."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def scores(self, name: str) -> list[Score] | None:
        """Return the scores of a name; None when they are not there or cannot be read."""
        try:
            return _SCORES.validate_json((self._folder / f"{name}.json").read_bytes())
        except (OSError, ValidationError):
            return None

    def keep(self, name: str, scores: Sequence[Score]) -> None:
        """Put scores there. A disk that takes none costs the time of working them out again, and a warning."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._folder / f"{name}.json", _SCORES.dump_json(list(scores)))
        except (OSError, LocalTrouble) as error:
            logger.warning("%s: scores are not kept (%s).", self._folder, error)
