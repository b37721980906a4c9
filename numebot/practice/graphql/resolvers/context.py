"""What every resolver gets: the world, the moment, and whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from graphql import GraphQLResolveInfo

from numebot.core.types import Tournament
from numebot.practice.world.account import require
from numebot.practice.world.refusals import Refusal
from numebot.practice.world.rounds import PracticeRound, whole_seconds
from numebot.practice.world.state import ApiKey, ModelSlot
from numebot.practice.world.world import World


@dataclass(frozen=True)
class RequestContext:
    """One request. `key` is None without a valid key; `remote` is the address of the client."""

    world: World
    now: datetime
    key: ApiKey | None
    remote: str = ""

    def require(self, scope: str | None = None) -> ApiKey:
        """Return the key. Raises: Refusal when there is none or it lacks the scope."""
        return require(self.key, scope)

    def model(self, model_id: str | None, tournament: int | None = None) -> ModelSlot:
        """Return a model of the account. Raises: Refusal, also for a model of another tournament."""
        model = self.world.account.model(model_id)
        if tournament is not None and model.tournament != tournament:
            raise Refusal(f"{model.name} is a model of tournament {model.tournament}, not of {tournament}")
        return model

    def moment(self) -> datetime:
        """Return the time of the request in whole seconds."""
        return whole_seconds(self.now)

    def current_round(self) -> PracticeRound:
        """Return the last opened round."""
        return self.world.calendar.current(self.now)

    def round_id(self, tournament: int, number: int) -> str:
        """Return the id of a round, the same for equal seeds."""
        return self.world.account.stable_id("round", tournament, number)


Info = GraphQLResolveInfo[RequestContext]
"""What graphql-core hands to a resolver here."""


def context_of(info: Info) -> RequestContext:
    """Return the context of a running request."""
    return info.context


def checked_tournament(tournament: int | None) -> int:
    """Return the tournament asked for, Classic by default. Raises: Refusal for an unknown number."""
    number = Tournament.CLASSIC.value if tournament is None else tournament
    if number not in {known.value for known in Tournament}:
        raise Refusal(f"Tournament {number} not found")
    return number
