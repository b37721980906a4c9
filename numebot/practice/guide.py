"""The practice tournament in words: what it is, where it stands, how to use it."""

from __future__ import annotations

import shlex
from datetime import datetime

from numebot.practice.world.rounds import Phase, PracticeRound
from numebot.practice.world.world import World

CLIENT_FOLDER = "numerai_data"
"""In the tournament's folder: what a numebot that plays here is told to keep its own data in."""


def guide(world: World, url: str) -> str:
    """Return a short page for a person, ending with a line break."""
    now = world.now()
    current = world.calendar.current(now)
    options = world.options
    return f"""numebot practice tournament
A Numerai on this machine: play data, play keys, play money. It listens on 127.0.0.1 only; nothing leaves the machine.

address   {url}
keys      {options.public_id} (public id)
          {options.secret_key} (secret key; it opens nothing but this server)
clock     {_moment(now)}{_speed(world.clock.speed)}
{standing(current, now, world.calendar.next_opening(now))}
models    {", ".join(model.name for model in world.account.models())}

numebot   NUMEBOT_API_URL={url} NUMERAI_PUBLIC_ID={options.public_id} \\
          NUMERAI_SECRET_KEY={options.secret_key} \\
          NUMERAI_DATA_FOLDER={shlex.quote(str(options.folder.absolute() / CLIENT_FOLDER))} numebot run
          (a data folder of its own: practice and real results must not mix)
numerapi  import numerapi, numerapi.base_api
          numerapi.base_api.API_TOURNAMENT_URL = "{url}"
          api = numerapi.NumerAPI("{options.public_id}", "{options.secret_key}")

state     curl {url}/practice/state
time      curl {url}/practice/advance -d '{{"to": "next-opening"}}'     (or "deadline", or {{"seconds": 3600}})
faults    curl {url}/practice/faults -d '{{"fault": [{{"kind": "reset", "operation": "account", "times": 1}}]}}'
          curl {url}/practice/faults -X DELETE
"""


def standing(current: PracticeRound, now: datetime, next_opening: datetime) -> str:
    """Return the line about the round: its number and the next moment that matters."""
    if current.phase(now) is Phase.OPEN:
        return f"round     {current.number} is open, deadline {_moment(current.deadline)}"
    return f"round     {current.number} is closed, round {current.number + 1} opens {_moment(next_opening)}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _speed(speed: float) -> str:
    return "" if speed == 1 else f", {speed:g} times as fast as real time"
