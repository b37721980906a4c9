"""The practice tournament's own switches, under /practice/: its state, its clock and its faults. And the page at /."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from numebot.core.errors import ConfigError
from numebot.practice.faults.file import TABLE, as_table, parse_faults
from numebot.practice.faults.switchboard import Faults
from numebot.practice.world.rounds import PracticeRound, whole_seconds
from numebot.practice.world.world import World

NEXT_OPENING = "next-opening"
DEADLINE = "deadline"
_FARTHEST = timedelta(days=3660)


class Control:
    """Answers the control routes. Only this machine can ask: the server listens nowhere else."""

    def __init__(
        self, world: World, faults: Faults, *, operations: frozenset[str], describe: Callable[[str], str]
    ) -> None:
        self._world = world
        self._faults = faults
        self._operations = operations
        self._describe = describe

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/", self._page, methods=["GET"]),
            Route("/practice/state", self._state, methods=["GET"]),
            Route("/practice/advance", self._advance, methods=["POST"]),
            Route("/practice/faults", self._show_faults, methods=["GET"]),
            Route("/practice/faults", self._set_faults, methods=["PUT", "POST"]),
            Route("/practice/faults", self._clear_faults, methods=["DELETE"]),
        ]

    async def _page(self, request: Request) -> Response:
        return PlainTextResponse(await anyio.to_thread.run_sync(self._describe, request.app.state.url))

    async def _state(self, request: Request) -> Response:
        return JSONResponse(await anyio.to_thread.run_sync(state_of, self._world))

    async def _advance(self, request: Request) -> Response:
        return await _explained(self._advanced, request)

    async def _show_faults(self, request: Request) -> Response:
        return self._fault_list()

    async def _set_faults(self, request: Request) -> Response:
        return await _explained(self._faults_set, request)

    async def _clear_faults(self, request: Request) -> Response:
        self._faults.clear()
        return self._fault_list()

    async def _advanced(self, request: Request) -> Response:
        by = _step(await _json(request), self._world)
        await anyio.to_thread.run_sync(self._world.advance, by)
        return JSONResponse(await anyio.to_thread.run_sync(state_of, self._world))

    async def _faults_set(self, request: Request) -> Response:
        """PUT puts these in place of what was on, POST adds them."""
        faults = parse_faults(await _json(request), operations=self._operations, where="/practice/faults")
        if request.method == "PUT":
            self._faults.replace(faults)
        else:
            self._faults.switch_on(*faults)
        return self._fault_list()

    def _fault_list(self) -> Response:
        return JSONResponse({TABLE: [as_table(switched) for switched in self._faults.switched()]})


def state_of(world: World) -> dict[str, object]:
    """Return the clock, the rounds and every submission, ready for JSON."""
    with world.lock:
        world.tick()
        now = world.now()
        current = world.calendar.current(now)
        upcoming = world.calendar.next_opening(now)
        return {
            "clock": {"now": now.isoformat(), "speed": world.clock.speed},
            "round": {**_round(current), "phase": current.phase(now).value},
            "next_opening": upcoming.isoformat(),
            "models": [
                {
                    "name": model.name,
                    "id": model.id,
                    "tournament": int(model.tournament),
                    "submissions": [
                        {
                            "id": submission.id,
                            "round": submission.round_number,
                            "filename": submission.filename,
                            "sha256": submission.sha256,
                            "status": submission.status,
                            "error": submission.error,
                            "inserted_at": submission.inserted_at.isoformat(),
                            "counts": submission.counts,
                        }
                        for submission in world.submissions_of(model.name)
                    ],
                }
                for model in world.account.models()
            ],
        }


def _round(current: PracticeRound) -> dict[str, object]:
    return {
        "number": current.number,
        "opens_at": whole_seconds(current.opens_at).isoformat(),
        "deadline": whole_seconds(current.deadline).isoformat(),
        "closes_at": whole_seconds(current.closes_at).isoformat(),
        "data_datestamp": current.data_datestamp,
    }


def _step(content: object, world: World) -> timedelta:
    """Return how far to jump. Raises: ConfigError for anything but the two forms."""
    wanted = content if isinstance(content, dict) else {}
    now = world.now()
    if set(wanted) == {"to"}:
        moments = {NEXT_OPENING: world.calendar.next_opening(now), DEADLINE: world.calendar.current(now).deadline}
        if isinstance(wanted["to"], str) and wanted["to"] in moments:
            return max(timedelta(), moments[wanted["to"]] - now)
    seconds = wanted.get("seconds") if set(wanted) == {"seconds"} else None
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds <= _FARTHEST.total_seconds():
        return timedelta(seconds=seconds)
    raise ConfigError(
        f"/practice/advance: {json.dumps(content)[:200]} was sent; allowed are "
        f'{{"seconds": 0 to {_FARTHEST.total_seconds():.0f}}}, {{"to": "{NEXT_OPENING}"}} and {{"to": "{DEADLINE}"}}. '
        "The clock was not moved."
    )


async def _json(request: Request) -> object:
    try:
        content: object = json.loads(await request.body())
    except ValueError as error:
        raise ConfigError(f"{request.url.path}: the body is not JSON ({error}). Nothing was changed.") from error
    return content


async def _explained(handler: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
    try:
        return await handler(request)
    except ConfigError as error:
        return JSONResponse({"error": str(error), "problems": list(error.problems)}, status_code=422)
