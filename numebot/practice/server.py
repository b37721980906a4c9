"""The practice tournament as one running thing: market, world, API, storage and faults behind one loopback address."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from numebot.adapters.clock import SystemClock
from numebot.core.errors import ConfigError
from numebot.core.ports import Clock
from numebot.durable import remove_unfinished
from numebot.practice.clock import PracticeClock
from numebot.practice.control import Control
from numebot.practice.faults.file import read_faults
from numebot.practice.faults.switchboard import Faults
from numebot.practice.folder_lock import folder_lock
from numebot.practice.graphql.api import build_api
from numebot.practice.graphql.gateway import Gateway
from numebot.practice.graphql.rate_limits import RateLimits
from numebot.practice.graphql.schema import root_names
from numebot.practice.guide import guide
from numebot.practice.http.door import Door
from numebot.practice.http.loopback import HOST, LoopbackServer, listening_socket
from numebot.practice.market.folder import FolderMarket
from numebot.practice.market.market import Market
from numebot.practice.market.scale import Scale
from numebot.practice.market.synthetic import GENERATION, SyntheticMarket
from numebot.practice.options import PracticeOptions
from numebot.practice.scores.players import Players
from numebot.practice.scores.scorer import Scorer
from numebot.practice.scores.shelf import ScoreShelf
from numebot.practice.storage.routes import StorageRoutes
from numebot.practice.storage.storage import EXPIRES, PREFIX, Storage
from numebot.practice.world.world import World, WorldOptions

logger = logging.getLogger(__name__)

_WORTH_A_WORD_S = 0.9

SCALES: dict[str, Callable[[], Scale]] = {"small": Scale.small, "full": Scale.full, "tiny": Scale.tiny}
"""Sizes of the synthetic market by name; tiny teaches nothing and is for tests."""


@dataclass(frozen=True)
class _Running:
    """What exists between start and stop."""

    http: LoopbackServer
    world: World
    faults: Faults
    clock: PracticeClock


class PracticeServer:
    """A Numerai on this machine, reachable at `url` between `start` and `stop`; a context manager does both."""

    def __init__(
        self, options: PracticeOptions, *, clock: Clock | None = None, say: Callable[[str], None] = logger.info
    ) -> None:
        """Only remember; `say` is told what takes long."""
        self.options = options
        self._say = say
        self._real_clock = clock if clock is not None else SystemClock()
        self._running: _Running | None = None
        self._stack = ExitStack()

    @property
    def url(self) -> str:
        """The address for NUMEBOT_API_URL, without a slash at the end."""
        return self._parts.http.url

    @property
    def world(self) -> World:
        """Rounds, account, submissions and scores: for looking and for changing."""
        return self._parts.world

    @property
    def faults(self) -> Faults:
        """The switchboard of faults."""
        return self._parts.faults

    @property
    def clock(self) -> PracticeClock:
        """The practice time."""
        return self._parts.clock

    @property
    def public_id(self) -> str:
        """The public id of the practice key."""
        return self.world.options.public_id

    @property
    def secret_key(self) -> str:
        """The secret of the practice key. It opens nothing but this server, and is no secret."""
        return self.world.options.secret_key

    def start(self) -> None:
        """Build everything and answer requests. Raises: ConfigError, LocalTrouble; then nothing is left running."""
        options = self.options
        with ExitStack() as stack:
            stack.enter_context(folder_lock(options.folder))
            own_socket = stack.enter_context(listening_socket(options.port))
            clock = PracticeClock(self._real_clock, speed=options.speed)
            faults = _faults(options, clock)
            storage = _storage(options, clock, f"http://{HOST}:{own_socket.getsockname()[1]}")
            world = _world(options, storage, clock)
            stack.callback(world.save)
            if options.makes_files_first:
                _make_files(world, self._real_clock, self._say)
            app = Starlette(routes=_routes(options, world, storage, faults))
            http = LoopbackServer(Door(app, now=clock.now), own_socket)
            app.state.refuse_connections = http.refuse_connections
            app.state.url = http.url
            stack.enter_context(http)
            self._running = _Running(http, world, faults, clock)
            self._stack = stack.pop_all()

    def stop(self) -> None:
        """Undo `start`, in the opposite order; hung requests are dropped."""
        self._stack.close()
        self._running = None

    def __enter__(self) -> PracticeServer:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    @property
    def _parts(self) -> _Running:
        if self._running is None:
            raise RuntimeError("the practice server is not running: start it, or use it in a with statement")
        return self._running


def _faults(options: PracticeOptions, clock: PracticeClock) -> Faults:
    found = read_faults(options.faults, operations=root_names()) if options.faults is not None else ()
    return Faults(found, now=clock.now, seed=options.seed)


def _storage(options: PracticeOptions, clock: PracticeClock, url: str) -> Storage:
    folder = options.folder / "storage"
    remove_unfinished(folder)
    return Storage(
        folder,
        # addresses die with the server: after a restart everybody has to ask for new ones
        secret=secrets.token_bytes(32),
        now=clock.now,
        base_url=lambda: url,
        # on a fast clock an hour is over before a download has begun
        expires=EXPIRES * max(1.0, options.speed),
    )


def _world(options: PracticeOptions, storage: Storage, clock: PracticeClock) -> World:
    market = _market(options)
    world_options = WorldOptions(
        folder=options.folder,
        window_minutes=options.window_minutes,
        period_minutes=options.period_minutes,
        open_late_minutes=options.open_late_minutes,
        opens_now=options.opens_now,
        seed=options.seed,
        validation_delay_s=options.validation_delay_s,
    )
    if options.models:
        world_options = replace(world_options, models=options.models)
    players = Players(options.seed)
    # Other options make another market, whose scores are not this one's; a folder of real data may change any time.
    shelf = ScoreShelf(options.folder / "scores" / f"{options.scale}-seed{options.seed}-{GENERATION}")
    scorer = Scorer(market, players, shelf=shelf if options.data is None else None)
    return World(world_options, market, storage, scorer, clock, players=players)


def _market(options: PracticeOptions) -> Market:
    folder = options.market_folder or options.folder / "market"
    if options.data is not None:
        return FolderMarket(folder, options.data, seed=options.seed)
    if options.scale not in SCALES:
        raise ConfigError(f'--scale {options.scale}: allowed are "small" and "full". Nothing was started.')
    return SyntheticMarket(folder, seed=options.seed, scale=SCALES[options.scale]())


def _make_files(world: World, clock: Clock, say: Callable[[str], None]) -> None:
    """Have every file of the current round on disk: a client's patience is shorter than their making."""
    number = world.calendar.current(world.now()).number
    for name in world.market.dataset_names():
        began = clock.monotonic()
        size_bytes = world.market.dataset_path(name, number).stat().st_size
        took_s = clock.monotonic() - began
        if took_s > _WORTH_A_WORD_S:
            say(f"made {name} ({size_bytes / 1e6:.1f} MB) in {took_s:.0f} s")


def _routes(options: PracticeOptions, world: World, storage: Storage, faults: Faults) -> list[Route]:
    limits = RateLimits(world.now) if options.has_rate_limits else None
    gateway = Gateway(build_api(world), faults, limits)
    files = StorageRoutes(storage, faults, _round_before(world))
    control = Control(world, faults, operations=root_names(), describe=lambda url: guide(world, url))
    return [
        Route("/", gateway.answer, methods=["POST"]),
        Route(f"{PREFIX}files/{{rest:path}}", files.get, methods=["GET"]),
        Route(f"{PREFIX}uploads/{{rest:path}}", files.put, methods=["PUT"]),
        *control.routes(),
    ]


def _round_before(world: World) -> Callable[[Path], Path | None]:
    """Return how to find a live file as it was one round earlier."""

    def find(path: Path) -> Path | None:
        number = world.calendar.current(world.now()).number
        for name in world.market.dataset_names():
            if name.endswith(path.name) and world.market.dataset_path(name, number) == path:
                earlier = world.market.dataset_path(name, number - 1)
                return earlier if earlier != path else None
        return None

    return find
