"""Upload authorisations and what became of them: unique names, addresses to PUT to, and the server's own copies."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Protocol

from numebot.durable import write_whole
from numebot.practice.world.refusals import Refusal
from numebot.practice.world.state import ModelSlot, Purpose, State, Upload

SUFFIX_LENGTH = 12
_SUFFIX_LETTERS = string.ascii_letters + string.digits
_REMEMBERED = 2000
"""Authorisations kept in the state; older ones are as good as expired."""


class ObjectStorage(Protocol):
    """The file storage as the world needs it."""

    def put_url(self, key: str) -> str:
        """Return an address to PUT the bytes of `key` to; it expires."""

    def get_url(self, path: Path, name: str) -> str:
        """Return an address to GET `path` from, under `name`; it expires."""

    def read(self, key: str) -> bytes | None:
        """Return the bytes that were PUT under `key`, None when there are none."""


@dataclass(frozen=True)
class Grant:
    """The answer to an upload authorisation."""

    filename: str
    url: str


@dataclass(frozen=True)
class KeptFile:
    """The server's copy of an upload, as it was when it was turned into something."""

    path: Path
    sha256: str
    size_bytes: int


class Uploads:
    """Grants uploads and keeps copies of those that were used: a later PUT to the same address changes nothing."""

    def __init__(self, state: State, storage: ObjectStorage, folder: Path) -> None:
        self._state = state
        self._storage = storage
        self._folder = folder

    def grant(self, model: ModelSlot, purpose: Purpose, filename: str, now: datetime) -> Grant:
        """Return a unique name made from `filename` and where its bytes go."""
        upload = Upload(unique_name(filename), purpose, model.id, model.tournament, now)
        self._state.uploads[upload.filename] = upload
        for forgotten in list(self._state.uploads)[:-_REMEMBERED]:
            del self._state.uploads[forgotten]
        return Grant(upload.filename, self._storage.put_url(upload.key))

    def take(self, filename: str, purpose: Purpose, model: ModelSlot) -> KeptFile:
        """Keep a copy of the uploaded bytes. Raises: Refusal for a name not granted, or never PUT."""
        upload = self._state.uploads.get(filename)
        if upload is None or upload.purpose != purpose or upload.model_id != model.id:
            raise Refusal(f"No upload authorization found for {filename}")
        content = self._storage.read(upload.key)
        if content is None:
            raise Refusal(f"File not found: {filename} was authorized but never uploaded")
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.path(sha256)
        if not path.exists():
            write_whole(path, content)
        return KeptFile(path, sha256, len(content))

    def path(self, sha256: str) -> Path:
        """Return where the copy with this content lies."""
        return self._folder / "kept" / sha256

    def download_url(self, sha256: str, filename: str) -> str:
        """Return an address to GET a kept file from, under its Numerai name."""
        return self.address_of(self.path(sha256), filename)

    def address_of(self, path: Path, name: str) -> str:
        """Return an address to GET any file of this machine from; it expires."""
        return self._storage.get_url(path, name)


def unique_name(filename: str) -> str:
    """Return the base name with a random part of 12 letters and digits before the ending.

    Random and not seeded on purpose: a new tournament must never repeat a name that a client remembers.
    """
    base = PurePosixPath(filename.replace("\\", "/"))
    stem = re.sub(r"[^A-Za-z0-9._-]", "_", base.stem) or "upload"
    ending = re.sub(r"[^A-Za-z0-9.]", "", base.suffix)
    suffix = "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(SUFFIX_LENGTH))
    return f"{stem[:100]}-{suffix}{ending[:10]}"
