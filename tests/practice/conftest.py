"""A server with an API that answers by heart and a real file storage: all of the wire, nothing of the world."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.applications import Starlette
from starlette.routing import Route

from numebot.practice.faults.kinds import Fault, Kind
from numebot.practice.faults.switchboard import Faults
from numebot.practice.graphql.gateway import Gateway, root_fields
from numebot.practice.http.door import Door
from numebot.practice.http.loopback import LoopbackServer, listening_socket
from numebot.practice.storage.routes import StorageRoutes
from numebot.practice.storage.storage import PREFIX, Storage

START = datetime(2026, 11, 21, 12, 0, 7, tzinfo=UTC)


class Now:
    """A practice time that a test moves by hand."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class ApiByHeart:
    """Answers the roots that tests ask for, counts what was executed, and can be told to take its time."""

    def __init__(self) -> None:
        self.executed: list[str] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def answer(self, body: bytes, authorization: str | None, *, remote: str = "") -> tuple[int, dict[str, object]]:
        self.may_answer.wait(10)
        roots = root_fields(body)
        self.executed += [root.name for root in roots]
        return 200, {"data": {root.key: ANSWERS[root.name] for root in roots}}


ANSWERS: dict[str, object] = {
    "rounds": [{"number": 1404, "closeStakingTime": "2026-11-21T14:00:00Z"}],
    "createSubmission": {"id": "one"},
    "submissionUploadAuth": {"filename": "predictions-abc.csv", "url": "http://127.0.0.1/storage/uploads/x"},
    "listDatasets": ["v5.3/live.parquet"],
    "dataset": "http://127.0.0.1/storage/files/x",
    "account": {"models": [{"name": "my_model"}]},
}


@dataclass
class Rig:
    """The running server and everything behind it."""

    server: LoopbackServer
    storage: Storage
    faults: Faults
    api: ApiByHeart
    now: Now
    folder: Path
    earlier: dict[Path, Path] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.server.url

    def ask(self, text: str, **options: Any) -> requests.Response:
        """POST a query."""
        content = json.dumps({"query": text}).encode()
        return requests.post(self.url, data=content, **{"timeout": 5, "allow_redirects": False, **options})

    def strike(self, kind: str, operation: str = "*", **settings: Any) -> None:
        """Switch a fault on."""
        self.faults.switch_on(Fault(Kind(kind), operation, **settings))

    def raw(self, request: bytes, *, until: Callable[[bytes], bool] | None = None) -> bytes:
        """Send bytes and return all that comes back until the end, or until `until` says so. Raises: OSError."""
        received = b""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=5) as client:
            client.sendall(request)
            while (chunk := client.recv(65536)) and not (until and until(received + chunk)):
                received += chunk
        return received + chunk

    def file(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    now, api = Now(), ApiByHeart()
    own_socket = listening_socket(0)
    url = f"http://127.0.0.1:{own_socket.getsockname()[1]}"
    storage = Storage(tmp_path / "storage", secret=b"s" * 32, now=now, base_url=lambda: url)
    faults = Faults(now=now)
    earlier: dict[Path, Path] = {}
    routes = StorageRoutes(storage, faults, earlier.get)
    app = Starlette(
        routes=[
            Route("/", Gateway(api, faults, None).answer, methods=["POST"]),
            Route(f"{PREFIX}files/{{rest:path}}", routes.get, methods=["GET"]),
            Route(f"{PREFIX}uploads/{{rest:path}}", routes.put, methods=["PUT"]),
        ]
    )
    with LoopbackServer(Door(app, now=now), own_socket) as server:
        app.state.refuse_connections = server.refuse_connections
        yield Rig(server, storage, faults, api, now, tmp_path / "files", earlier)
        api.may_answer.set()

