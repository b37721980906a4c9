"""What `numebot doctor` says of one thing: is it well, and what is to be done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How one thing is."""

    OK = "ok"
    """As it should be."""
    WARNING = "warning"
    """Rounds are played; it should be looked at all the same."""
    PROBLEM = "problem"
    """Rounds will be missed, or results lost, unless it is mended."""
    UNKNOWN = "not checked"
    """It could not be looked at, or was not to be."""


@dataclass(frozen=True)
class Point:
    """One thing that was looked at: what was found, and what to do about it where something is to be done."""

    name: str
    mark: Mark
    words: str
    advice: str = ""


def ok(name: str, words: str) -> Point:
    """Return a point that is as it should be."""
    return Point(name, Mark.OK, words)


def warning(name: str, words: str, advice: str) -> Point:
    """Return a point to be looked at."""
    return Point(name, Mark.WARNING, words, advice)


def problem(name: str, words: str, advice: str) -> Point:
    """Return a point to be mended."""
    return Point(name, Mark.PROBLEM, words, advice)


def unknown(name: str, words: str) -> Point:
    """Return a point that was not looked at."""
    return Point(name, Mark.UNKNOWN, words)
