"""The practice account: its keys, what they may do, and its model slots."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from numebot.core.types import Tournament
from numebot.practice.market.ids import stable_id
from numebot.practice.world.refusals import Refusal, missing_scope, model_not_found, not_authenticated
from numebot.practice.world.state import ApiKey, ModelSlot, State

USERNAME = "practice_player"
MAXIMUM_MODEL_SLOTS = 160
LONGEST_NAME = 20

SCOPES = {
    "upload_submission": "Upload submissions, diagnostics and models",
    "download_submission": "Download submissions",
    "read_submission_info": "See submission history and diagnostics",
    "read_user_info": "See user info: balance, models, withdrawal history",
    "write_user_info": "Change names and settings",
    "stake": "Make, increase or decrease stakes",
    "web3_staking": "Authorize stakes on chain",
    "delete": "Delete submissions and models",
}
"""Every scope with its description."""

DAEMON_SCOPES = ("upload_submission", "read_submission_info", "read_user_info", "download_submission")
"""What the practice key may do: no more than a daemon needs."""

TOURNAMENT_NAMES = {Tournament.CLASSIC: "numerai", Tournament.SIGNALS: "signals", Tournament.CRYPTO: "crypto"}


class Account:
    """Keys and models."""

    def __init__(self, state: State, *, seed: int) -> None:
        self._state = state
        self._seed = seed

    @property
    def id(self) -> str:
        """The account's id, the same for equal seeds."""
        return self.stable_id("account")

    def stable_id(self, *parts: object) -> str:
        """Return a UUID that depends on the seed and `parts` only."""
        return stable_id(self._seed, *parts)

    def add_key(self, public_id: str, secret: str, scopes: Sequence[str], *, name: str = "practice") -> ApiKey:
        """Add a key, or replace the one with the same public id. Raises: ValueError for an unknown scope."""
        unknown = sorted(set(scopes) - set(SCOPES))
        if unknown:
            raise ValueError(f"unknown scopes {unknown}; known are {sorted(SCOPES)}")
        key = ApiKey(name, public_id, secret, tuple(scopes))
        self._state.keys = [kept for kept in self._state.keys if kept.public_id != public_id] + [key]
        return key

    def key_of(self, authorization: str | None) -> ApiKey | None:
        """Return the key of a header `Token PUBLIC$SECRET`; None for no header, another form or a wrong secret."""
        match = re.fullmatch(r"Token ([^$]+)\$(.+)", authorization or "")
        if match is None:
            return None
        wanted = (match[1], match[2])
        return next((key for key in self._state.keys if (key.public_id, key.secret) == wanted), None)

    def models(self) -> list[ModelSlot]:
        """Return every slot in the order of its making, archived ones too."""
        return list(self._state.models.values())

    def add_model(self, name: str, tournament: int, now: datetime, *, stake_nmr: str = "0") -> ModelSlot:
        """Make a slot. Raises: Refusal for a name that is taken or too long."""
        if not self.is_name_free(name, tournament):
            raise Refusal(f"Model name {name} is already taken")
        model = ModelSlot(self.stable_id(tournament, name), name, tournament, now, stake_nmr)
        self._state.models[model.id] = model
        return model

    def is_name_free(self, name: str, tournament: int) -> bool:
        """Whether a tournament has no model of that name yet; names repeat across tournaments."""
        return not any(model.name == name and model.tournament == tournament for model in self.models())

    def model(self, model_id: str | None) -> ModelSlot:
        """Return a slot by id; without an id the only slot there is. Raises: Refusal."""
        if model_id is None:
            if len(self._state.models) == 1:
                return self.models()[0]
            raise Refusal("modelId is required for accounts with multiple models")
        if model_id not in self._state.models:
            raise model_not_found()
        return self._state.models[model_id]

    def named(self, name: str, tournament: int | None = None) -> ModelSlot:
        """Return a slot by name. Raises: KeyError."""
        for model in self.models():
            if model.name == name and tournament in (None, model.tournament):
                return model
        raise KeyError(f"no model {name!r}; there are {sorted(model.name for model in self.models())}")

    def change_model(self, model: ModelSlot, **changes: object) -> ModelSlot:
        """Replace fields of a slot and return it."""
        changed = replace(model, **changes)  # type: ignore[arg-type] # the callers name real fields
        self._state.models[model.id] = changed
        return changed


def check_name(name: str) -> None:
    """Raise Refusal for a name that Numerai would not take."""
    if not re.fullmatch(rf"[A-Za-z0-9_\-]{{1,{LONGEST_NAME}}}", name):
        raise Refusal(f"Model name must have 1 to {LONGEST_NAME} letters, digits, _ or -")


def require(key: ApiKey | None, scope: str | None = None) -> ApiKey:
    """Return the key if it is one and has the scope. Raises: Refusal that names the missing scope."""
    if key is None:
        raise not_authenticated()
    if scope is not None and scope not in key.scopes:
        raise missing_scope(scope)
    return key
