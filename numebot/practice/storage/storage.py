"""File storage with addresses like presigned S3 ones: signed, for one object and one verb, and they expire."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode

from numebot.durable import whole_file

PREFIX = "/storage/"
"""Every address of the storage begins with this path."""
EXPIRES = timedelta(hours=1)

_STAMP = "%Y%m%dT%H%M%SZ"
_ALGORITHM = "AWS4-HMAC-SHA256"
_CREDENTIAL = "PRACTICE/practice/s3/aws4_request"
_HASHED_WHOLE = 64 * 2**20
"""Files up to this many bytes have an ETag of their content, larger ones of size and time: hashing takes too long."""


class Verb(StrEnum):
    """What an address allows."""

    GET = "GET"
    """Read one file."""
    PUT = "PUT"
    """Write one object."""


class Refused(Exception):
    """The storage says no: an HTTP status and S3's code and words for it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Stored:
    """A file on offer. `etag` carries its quotes, `modified_at` has whole seconds."""

    path: Path
    size_bytes: int
    etag: str
    modified_at: datetime


class Storage:
    """Signs addresses, checks them, and keeps what was PUT.

    Uploads lie in `folder`, each under a name made from its key; files to GET may lie anywhere: their addresses hold a
    number that only this object can turn back into a path, so no address ever names a path of this machine.
    """

    def __init__(
        self,
        folder: Path,
        *,
        secret: bytes,
        now: Callable[[], datetime],
        base_url: Callable[[], str],
        expires: timedelta = EXPIRES,
    ) -> None:
        self.folder = folder
        self._secret = secret
        self._now = now
        self._base_url = base_url
        self._expires = expires
        self._offered: dict[str, Path] = {}
        self._etags: dict[tuple[Path, int, int], str] = {}

    def put_url(self, key: str) -> str:
        """Return an address to PUT the bytes of `key` to; it expires."""
        return self._signed(Verb.PUT, f"{PREFIX}uploads/{quote(key)}")

    def get_url(self, path: Path, name: str) -> str:
        """Return an address to GET `path` from, under `name`; it expires."""
        number = hashlib.blake2b(os.fsencode(path), key=self._secret[:64], digest_size=8).hexdigest()
        self._offered[number] = path
        return self._signed(Verb.GET, f"{PREFIX}files/{number}/{quote(name)}")

    def read(self, key: str) -> bytes | None:
        """Return the bytes that were PUT under `key`, None when there are none."""
        try:
            return self.path_of(key).read_bytes()
        except FileNotFoundError:
            return None

    def keep(self, key: str, received: Path) -> None:
        """Make the received file the object `key`, whole and durable. Raises: LocalTrouble."""
        with whole_file(self.path_of(key)) as temporary:
            os.replace(received, temporary)

    def path_of(self, key: str) -> Path:
        """Return where the bytes of `key` lie: a name that no key can use to leave the folder."""
        readable = re.sub(r"[^A-Za-z0-9._-]", "_", key.rpartition("/")[2])[-80:]
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}-{readable}"

    def key_for(self, raw_path: str, query: str) -> str:
        """Return the key that a PUT address is for. Raises: Refused when it is forged, expired or for another use."""
        self._check(Verb.PUT, raw_path, query)
        return unquote(raw_path.removeprefix(f"{PREFIX}uploads/"))

    def path_for(self, raw_path: str, query: str) -> Path:
        """Return the file that a GET address is for. Raises: Refused."""
        self._check(Verb.GET, raw_path, query)
        number = raw_path.removeprefix(f"{PREFIX}files/").partition("/")[0]
        if number not in self._offered:
            raise Refused(404, "NoSuchKey", "The specified key does not exist.")
        return self._offered[number]

    def stored(self, path: Path) -> Stored:
        """Describe a file on offer. Raises: Refused when it is gone."""
        try:
            status = path.stat()
            etag = self._etag(path, status.st_size, status.st_mtime_ns)
        except FileNotFoundError as error:
            raise Refused(404, "NoSuchKey", "The specified key does not exist.") from error
        return Stored(path, status.st_size, etag, datetime.fromtimestamp(int(status.st_mtime), UTC))

    def _signed(self, verb: Verb, raw_path: str) -> str:
        parameters = {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": _CREDENTIAL,
            "X-Amz-Date": self._now().astimezone(UTC).strftime(_STAMP),
            "X-Amz-Expires": str(int(self._expires.total_seconds())),
            "X-Amz-SignedHeaders": "host",
        }
        parameters["X-Amz-Signature"] = self._signature(verb, raw_path, parameters)
        return f"{self._base_url()}{raw_path}?{urlencode(parameters)}"

    def _signature(self, verb: Verb, raw_path: str, parameters: Mapping[str, str]) -> str:
        # unquoted, so that a client which quotes other letters than we do still holds a valid address
        text = "\n".join([verb, unquote(raw_path), urlencode(sorted(parameters.items()))])
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()

    def _check(self, verb: Verb, raw_path: str, query: str) -> None:
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        signature = parameters.pop("X-Amz-Signature", "")
        if not signature:
            raise Refused(403, "AccessDenied", "Access Denied")
        if not hmac.compare_digest(signature.encode(), self._signature(verb, raw_path, parameters).encode()):
            raise Refused(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method.",
            )
        signed_at = datetime.strptime(parameters["X-Amz-Date"], _STAMP).replace(tzinfo=UTC)
        if self._now() >= signed_at + timedelta(seconds=int(parameters["X-Amz-Expires"])):
            raise Refused(403, "AccessDenied", "Request has expired")

    def _etag(self, path: Path, size_bytes: int, changed_ns: int) -> str:
        key = (path, size_bytes, changed_ns)
        if key not in self._etags:
            self._etags[key] = f'"{content_tag(path, size_bytes, changed_ns)}"'
        return self._etags[key]


def content_tag(path: Path, size_bytes: int, changed_ns: int) -> str:
    """Return 32 hex digits for a file's content; for a large one of its size and time, with "-2" like a multipart."""
    if size_bytes > _HASHED_WHOLE:
        return hashlib.blake2b(f"{path.name} {size_bytes} {changed_ns}".encode(), digest_size=16).hexdigest() + "-2"
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
