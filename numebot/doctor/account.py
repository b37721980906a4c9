"""The way to Numerai, its clock, and what the key may do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from numebot.core.account import HARMLESS_SCOPES, NEEDED_SCOPES, require_scopes
from numebot.core.diagnosis import Point, ok, problem, warning
from numebot.core.errors import AccessDenied
from numebot.core.types import KeyInfo

SMALL_OFFSET = timedelta(seconds=5)
LARGE_OFFSET = timedelta(minutes=2)
EXPIRES_SOON_DAYS = 3


def key_point(source: str | None, trouble: str | None, warnings: Sequence[str], place: Path) -> Point:
    """Judge whether there is a key and how it is kept; `place` is where one is best kept."""
    if trouble:
        return problem("key", trouble, "Correct it there.")
    if source is None:
        scopes = ", ".join(NEEDED_SCOPES)
        advice = f"Make one on numer.ai with the scopes {scopes}, and write it into {place}: README says how."
        return problem("key", "there is none.", advice)
    if warnings:
        return warning("key", " ".join(warnings), "Do what it says there.")
    return ok("key", f"from {source}")


def scopes_point(info: KeyInfo) -> Point:
    """Judge what the key may do, as Numerai tells it."""
    try:
        words = require_scopes(info)
    except AccessDenied as error:
        return problem("scopes", str(error), "Make a new key and put it into .secret.")
    if words:
        return warning("scopes", words, f"No key needs more than {', '.join(sorted(HARMLESS_SCOPES))}.")
    return ok("scopes", f'key "{info.name}" of {info.account}: {", ".join(sorted(info.scopes or ()))}')


def way_point(host: str, addresses: Sequence[str], tls: str, days_left: float | None) -> Point:
    """Judge name, connection and certificate of the server; `tls` is "" for one on this machine without any."""
    words = f"{host} is {addresses[0] if addresses else 'behind a proxy'}"
    if days_left is not None and days_left < EXPIRES_SOON_DAYS:
        advice = "Its owner renews it, or this machine's clock is wrong."
        return warning("network", f"{words}; its certificate ends in {days_left:.1f} days.", advice)
    return ok("network", f"{words}, {tls}" if tls else words)


def clock_point(ours: datetime, theirs: datetime | None) -> Point:
    """Compare this machine's clock with the server's, which is told in whole seconds."""
    if theirs is None:
        return warning("clock", "the server told no time to compare with.", "Look at the clock yourself: timedatectl")
    offset = ours - theirs
    seconds = offset.total_seconds()
    words = f"{abs(seconds):,.0f} s {'ahead of' if seconds > 0 else 'behind'} Numerai's"
    advice = "Let it be set by the network: timedatectl set-ntp true"
    if abs(offset) > LARGE_OFFSET:
        return problem("clock", words, advice)
    if abs(offset) > SMALL_OFFSET:
        return warning("clock", words, advice)
    return ok("clock", "agrees with Numerai's")
