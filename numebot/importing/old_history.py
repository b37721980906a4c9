"""The history that the original numebot kept in CSV files, as scores and lines of the timeline."""

from __future__ import annotations

import csv
import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from numebot.core.results import Score
from numebot.core.types import Event, Tournament

SOURCE = "original"
"""The version of imported metrics, and the beginning of the ids of imported slots: nothing of Numerai's looks so."""
STATUS, LEADERBOARD, SUBMISSION = "original-status", "original-leaderboard", "original-submission"

_SUBMISSION = re.compile(r"(.+)_submission_(\d{1,6})\.csv")
_LONG_AGO = datetime(2016, 1, 1, tzinfo=UTC)


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file; none where there is no file. Raises: OSError, csv.Error, UnicodeDecodeError."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{str(name): value or "" for name, value in row.items() if name} for row in csv.DictReader(file)]


def scores_of(path: Path) -> list[Score]:
    """Return round_details.csv as scores: each of its numbers is a metric, each further date of a round a day."""
    dates: dict[tuple[str, int], set[str]] = {}
    rows = [(row, _whole(row.get("round"))) for row in rows_of(path) if row.get("username")]
    for row, number in rows:
        if number is not None:
            dates.setdefault((row["username"], number), set()).add(row.get("date", ""))
    found = []
    for row, number in rows:
        if number is None:
            continue
        day = sorted(dates[row["username"], number]).index(row.get("date", "")) + 1
        for metric, text in row.items():
            value = _number(text)
            if metric not in ("username", "round", "date", "timestamp") and value is not None:
                found.append(
                    Score(
                        Tournament.CLASSIC,
                        number,
                        f"{SOURCE}:{row['username']}"[:64],
                        metric[:64],
                        day,
                        value,
                        version=SOURCE,
                        scored_at=_time(row.get("date")),
                    )
                )
    return found


def lines_of(models: Path) -> Iterator[Event]:
    """Yield what stands in the two history files of each model, below the old folder models/."""
    for folder in sorted(models.iterdir()) if models.is_dir() else ():
        name = folder.name
        for row in rows_of(folder / f"{name}_submission_status_info.csv"):
            number = _whole(row.get("round"))
            if number is not None:
                told = ", ".join(f"{key} {value}" for key, value in row.items() if value and key != "round")
                yield _line(STATUS, f"status: {told}"[:500], row, name, number)
        for row in rows_of(folder / f"{name}_leaderboard_info.csv"):
            if row.get("date"):
                yield _line(
                    LEADERBOARD, f"{row['date']}: rank {row.get('rank') or '?'}", row, name, _whole(row.get("round"))
                )


def submissions_of(folder: Path) -> Iterator[Event]:
    """Yield the prediction files in both places where the original kept them; the newer place wins."""
    found: dict[tuple[str, int], Path] = {}
    for pattern in ("models/*/submissions/*.csv", "submissions/*/*.csv"):
        for path in sorted(folder.glob(pattern)):
            match = _SUBMISSION.fullmatch(path.name)
            if match:
                found[match[1], int(match[2])] = path
    for (name, number), path in sorted(found.items()):
        content = path.read_bytes()
        rows = max(0, content.count(b"\n") - 1)
        sha256 = hashlib.sha256(content).hexdigest()
        details = {"path": str(path), "sha256": sha256, "rows": rows}
        at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        words = f"file {path.name}, {rows:,} predictions, sha256 {sha256[:12]}…"
        yield Event(at, SUBMISSION, words, Tournament.CLASSIC, number, name[:64], details)


def _line(kind: str, words: str, row: Mapping[str, str], model: str, round_number: int | None) -> Event:
    at = _time(row.get("timestamp")) or _time(row.get("date")) or _LONG_AGO
    return Event(at, kind, words, Tournament.CLASSIC, round_number, model[:64], dict(row))


def _time(text: str | None) -> datetime | None:
    """Return a naive local time of the original as UTC: what its zone was, nobody wrote down."""
    try:
        found = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _whole(text: str | None) -> int | None:
    value = _number(text)
    return int(value) if value is not None and value == int(value) and 0 < value < 1_000_000 else None


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
