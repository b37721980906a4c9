"""Downloads: whole, checked and durable, or not at all.

Every attempt asks for a fresh address and begins at byte 0 in a file of its own; nothing is resumed or reused by size,
because two rounds' files have the same name and may have the same length.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import requests

from numebot.adapters.numerai.exchange import WIRE_ERRORS, exchange, no_answer, read_body_into
from numebot.adapters.numerai.formats import check_format, needs_declared_length
from numebot.adapters.numerai.sink import FileSink
from numebot.adapters.numerai.transport import Transport, pause_before_retry
from numebot.adapters.numerai.wire import Limits, Wire
from numebot.core.errors import LocalTrouble, Unavailable
from numebot.core.types import Download
from numebot.durable import whole_file

logger = logging.getLogger(__name__)

DOWNLOAD_TRIES = 3
_MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

Progress = Callable[[str, int, int | None], None]
"""Called with the file's name, the bytes so far and the bytes in all (None when the server does not tell)."""


@dataclass(frozen=True)
class Wanted:
    """One file to fetch. `etag` is that of the file at `destination`, without quotes, when the caller knows it.

    Without `hashes` the sha256 is left for later: for gigabytes it can take longer than the transfer.
    """

    name: str
    destination: Path
    etag: str | None = None
    progress: Progress | None = None
    hashes: bool = True


def download(transport: Transport, wanted: Wanted, address: Callable[[], str]) -> Download:
    """Fetch a file, asking `address` for a fresh signed URL before each attempt, inside one time budget.

    Raises: Unavailable, LocalTrouble, and what `address` raises.
    """
    settings, clock = transport.settings, transport.clock
    end = clock.monotonic() + settings.download_timeout_s
    attempt = 0
    while True:
        attempt += 1
        url = address()
        try:
            return _Attempt(transport, wanted, end - clock.monotonic()).run(url)
        except Unavailable as failure:
            pause = pause_before_retry(attempt, failure.retry_after_s)
            if attempt >= DOWNLOAD_TRIES or clock.monotonic() + pause >= end:
                raise
            logger.info("%s Fetching again in %.1f s.", failure, pause)
            clock.wait(pause)


class _Attempt:
    """One try to fetch one file."""

    def __init__(self, transport: Transport, wanted: Wanted, budget_s: float) -> None:
        settings = transport.settings
        limits = Limits(
            settings.connect_timeout_s,
            settings.read_timeout_s,
            budget_s,
            settings.minimum_rate_bytes_s,
            settings.rate_window_s,
        )
        self._transport = transport
        self._wanted = wanted
        self._wire = Wire(transport.clock, limits, transport.policy)
        # Without a file to compare with, "not modified" would leave us with nothing.
        self._etag = wanted.etag if wanted.destination.is_file() else None

    def run(self, url: str) -> Download:
        """Fetch, check and keep the file."""
        wanted = self._wanted
        with self._opened(url) as response:
            if response.status_code == 304 and self._etag:
                return _unchanged(wanted, self._etag)
            if response.status_code != 200:
                raise Unavailable(f"{wanted.name}: the file server answered {response.status_code}. Fetched again.")
            total_bytes = self._declared_bytes(response)
            with whole_file(wanted.destination) as temporary:
                _check_room(temporary.parent, total_bytes or 0, wanted)
                sha256, size_bytes = self._receive(response, temporary, total_bytes)
                check_format(temporary, wanted.name)
            return Download(wanted.destination, sha256, size_bytes, _bare_etag(response.headers.get("ETag")))

    @contextmanager
    def _opened(self, url: str) -> Iterator[requests.Response]:
        """Yield the answer to a GET, following a few redirects, each to an address that passes the same checks."""
        transport, name = self._transport, self._wanted.name
        # Compressed transfer would hide the length that a cut-off file is recognised by.
        headers = {"Accept-Encoding": "identity"} | ({"If-None-Match": f'"{self._etag}"'} if self._etag else {})
        for _ in range(_MOST_REDIRECTS + 1):
            transport.policy.check_url(url, name)
            with exchange(transport.settings, self._wire, request=("GET", url), headers=headers) as response:
                target = response.headers.get("Location")
                if response.status_code not in _REDIRECTS or not target:
                    yield response
                    return
                url = urljoin(url, target)
        raise Unavailable(f"{name}: more than {_MOST_REDIRECTS} redirects. It is fetched again.")

    def _declared_bytes(self, response: requests.Response) -> int | None:
        wanted = self._wanted
        text = response.headers.get("Content-Length", "")
        total_bytes = int(text) if text.isdigit() else None
        is_framed = total_bytes is not None or response.headers.get("Transfer-Encoding", "").lower() == "chunked"
        if not is_framed and needs_declared_length(wanted.name):
            raise Unavailable(f"{wanted.name}: the server does not say how long the file is. It is fetched again.")
        self._check_size(total_bytes or 0)
        return total_bytes

    def _receive(self, response: requests.Response, temporary: Path, total_bytes: int | None) -> tuple[str | None, int]:
        """Write the body to `temporary` piece by piece; return its sha256, if wanted, and its length."""
        wanted = self._wanted
        with FileSink(temporary, hashlib.sha256() if wanted.hashes else None) as sink:
            self._wire.start_rate()
            while size_bytes := self._read(response, sink.room()):
                self._check_size(sink.size_bytes + size_bytes)
                sink.keep(size_bytes)
                if wanted.progress:
                    wanted.progress(wanted.name, sink.size_bytes, total_bytes)
        return sink.sha256, sink.size_bytes

    def _read(self, response: requests.Response, buffer: memoryview) -> int:
        """Read on; the wire's failures must not be taken for those of the disk, though most are OSErrors, too."""
        try:
            return read_body_into(response, buffer)
        except WIRE_ERRORS as error:
            failure = no_answer(error, self._wanted.name, self._wire, self._transport.settings)
            raise Unavailable(f"{failure} The rest of the file did not come; it is fetched again.") from None

    def _check_size(self, size_bytes: int) -> None:
        most_bytes = self._transport.settings.max_download_bytes
        if size_bytes > most_bytes:
            limit = f"the limit in the settings is {most_bytes} bytes (max_download_bytes)"
            raise Unavailable(f"{self._wanted.name}: too large, {limit}. It was not kept.")


def _check_room(folder: Path, needed_bytes: int, wanted: Wanted) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if needed_bytes > free_bytes:
        raise LocalTrouble(
            f"{folder}: {wanted.name} needs {needed_bytes / 1e6:.0f} MB and {free_bytes / 1e6:.0f} MB are free. "
            "Free some space and run again."
        )


def _unchanged(wanted: Wanted, etag: str) -> Download:
    sha256 = None
    if wanted.hashes:
        with wanted.destination.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Download(wanted.destination, sha256, wanted.destination.stat().st_size, etag, is_new=False)


def _bare_etag(header: str | None) -> str | None:
    return header.removeprefix("W/").strip('"') or None if header else None
