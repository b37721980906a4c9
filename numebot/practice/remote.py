"""Moves the clock of a practice tournament that runs in another process on this machine."""

from __future__ import annotations

import json
import urllib.request
from urllib.error import URLError

from numebot.core.errors import LocalTrouble

TIMEOUT_S = 60.0

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Without the environment's proxies: the way leads to this machine."""


def advance_to(url: str, moment: str) -> None:
    """Jump ahead to "next-opening" or "deadline". Raises: LocalTrouble when the tournament does not answer."""
    body = json.dumps({"to": moment}).encode()
    request = urllib.request.Request(f"{url}/practice/advance", body, {"Content-Type": "application/json"})
    try:
        with _opener.open(request, timeout=TIMEOUT_S) as answer:
            answer.read()
    except (URLError, OSError) as error:
        raise LocalTrouble(f"The practice tournament at {url} did not move its clock ({error}). Try again.") from None
