"""What all tests share: no way out of this machine, and a practice tournament to run against."""

from __future__ import annotations

import importlib
import ipaddress
import os
import random
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["tests.figures", "tests.postgresql"]


# Chosen once, before workers are started: each of them repeats the same chance.
os.environ.setdefault("CHAOS_SEED", str(random.SystemRandom().randrange(1_000_000)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of cases that are much alike run a share, another one each time; all of them with CHAOS=full or when named."""
    if os.environ.get("CHAOS") == "full" or any("::" in argument for argument in config.args):
        return
    left = [item for item in items if not is_drawn(item)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if is_drawn(item)]


def is_drawn(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("sampled")
    return marker is None or random.Random(f"{os.environ['CHAOS_SEED']} {item.nodeid}").random() < marker.args[0]


class NetworkBlocked(RuntimeError):
    """A test tried to reach something that is not on this machine."""


def is_loopback(host: object) -> bool:
    if host in ("localhost", "", None):
        return True
    try:
        return ipaddress.ip_address(str(host).split("%")[0]).is_loopback
    except ValueError:
        return False


def guard(event: str, arguments: tuple[Any, ...]) -> None:
    """Stop connections and look-ups that leave the machine; an audit hook also sees those of libraries."""
    if event in ("socket.connect", "socket.sendto"):
        own_socket, address = arguments
        if own_socket.family in (socket.AF_INET, socket.AF_INET6) and not is_loopback(address[0]):
            raise NetworkBlocked(f"tests stay on this machine, and this one wanted to reach {address!r}")
    elif event == "socket.getaddrinfo" and not is_loopback(arguments[0]):
        if str(arguments[0]).endswith((".invalid", ".test")):
            # reserved names that never exist: tests of failing look-ups use them
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        raise NetworkBlocked(f"tests stay on this machine, and this one wanted to look up {arguments[0]!r}")


sys.addaudithook(guard)


@pytest.fixture
def practice(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Start practice tournaments with a tiny market: `practice(window_minutes=5, …)`, any PracticeOptions.

    Each gets a folder of its own unless `folder` is given; all are stopped at the end of the test. The made-up data are
    shared by all tests, as making them takes longer than most tests.
    """
    # loaded here, so that tests which need no tournament do not wait for pandas, ariadne and uvicorn
    server = importlib.import_module("numebot.practice.server")
    with ExitStack() as stack:
        started: list[Any] = []

        def start(**options: Any) -> Any:
            settings = {
                "folder": tmp_path / f"practice-{len(started)}",
                "market_folder": tmp_path_factory.getbasetemp() / "practice-market",
                "scale": "tiny",
                "validation_delay_s": 0.0,
            }
            made = server.PracticeServer(server.PracticeOptions(**{**settings, **options}))
            started.append(stack.enter_context(made))
            return made

        yield start


@pytest.fixture
def numebot(tmp_path: Path, practice: Callable[..., Any]) -> Callable[..., Any]:
    """Make numebots: `numebot()` starts a practice tournament of its own, `numebot(server)` uses one.

    What comes back is a tests.numebot_home.Numebot: an owner's folder and the ways to play with it.
    """
    home = importlib.import_module("tests.numebot_home")
    made: list[Any] = []

    def make(server: Any = None, **options: Any) -> Any:
        server = server or practice(**{"models": ("alpha", "beta", "gamma"), **options})
        made.append(home.Numebot(tmp_path / f"home-{len(made)}", server))
        return made[-1]

    return make
