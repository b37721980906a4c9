"""A misbehaving server, a clock that does not wait, and clients for the two."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from numebot.adapters.clock import SystemClock
from numebot.adapters.numerai.api_settings import ApiSettings
from numebot.adapters.numerai.client import NumeraiClient

from .fault_server import FaultServer

PUBLIC_ID = "CANARYPUBLICID0123456789"
SECRET_KEY = "CANARYSECRETKEYABCDEFGHIJ"


class HurriedClock(SystemClock):
    """Real time between the waits; a wait only moves the clock and is written down. `today` replaces the wall clock."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []
        self.today: datetime | None = None

    def now(self) -> datetime:
        return self.today or super().now()

    def monotonic(self) -> float:
        return super().monotonic() + sum(self.waits)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture
def clock() -> HurriedClock:
    return HurriedClock()


@pytest.fixture
def make_client(server: FaultServer, clock: HurriedClock) -> Callable[..., NumeraiClient]:
    """Return a maker of clients for the server: short timeouts, canary keys; settings as keywords."""

    def make(**settings: object) -> NumeraiClient:
        values: dict[str, object] = {
            "url": server.url,
            "public_id": PUBLIC_ID,
            "secret_key": SECRET_KEY,
            "connect_timeout_s": 1.0,
            "read_timeout_s": 0.3,
            "total_timeout_s": 20.0,
            **settings,
        }
        return NumeraiClient(ApiSettings(**values), clock)  # type: ignore[arg-type]

    return make


@pytest.fixture
def client(make_client: Callable[..., NumeraiClient]) -> NumeraiClient:
    return make_client()


@pytest.fixture(scope="session")
def own_certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key, made anew for each run."""
    folder = tmp_path_factory.mktemp("certificate")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-keyout", str(key), "-out", str(certificate), "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key
