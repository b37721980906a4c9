"""What the key and the account allow: scopes, model slots, names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from numebot.core.errors import AccessDenied, ConfigError
from numebot.core.types import AccountModel, KeyInfo, ModelConfig, Tournament

NEEDED_SCOPES = ("upload_submission", "read_submission_info", "read_user_info")
"""Without these no round can be played."""

HARMLESS_SCOPES = frozenset({*NEEDED_SCOPES, "download_submission"})
"""Anything wider than this is more than numebot will ever use."""


def require_scopes(key: KeyInfo) -> str | None:
    """Return a warning when the key may do more than numebot needs, or nobody knows; None when it fits.

    Raises: AccessDenied naming the scopes that are missing. Never for scopes that the server did not tell.
    """
    if key.scopes is None:
        return (
            f"the scopes of the API key are unknown: Numerai did not tell them. It needs {_list(NEEDED_SCOPES)}; "
            "numebot goes on, and the uploads themselves will show whether the key may make them."
        )
    missing = [scope for scope in NEEDED_SCOPES if scope not in key.scopes]
    if missing:
        raise AccessDenied(
            f'API key "{key.name}" of {key.account}: it lacks {_list(missing)} (it has {_list(sorted(key.scopes))}). '
            "Scopes cannot be added later: make a new key on numer.ai, Settings, API keys, and put it into .secret."
        )
    wide = sorted(key.scopes - HARMLESS_SCOPES)
    if not wide:
        return None
    return (
        f'API key "{key.name}" may also do {_list(wide)}, which numebot never needs. Whoever steals the key from this '
        f"machine gets that too: make a key with {_list(NEEDED_SCOPES)} only."
    )


IN_MODEL_UPLOADS = "a model upload (pickle) is assigned to this slot"
"""Said of a slot that Numerai itself plays; numebot leaves it alone, and nothing is missed by that."""


def slot_problem(config: ModelConfig, slots: Mapping[str, AccountModel]) -> str | None:
    """Return why `config` cannot be played with the account's `slots` (of its tournament, by name); None if it can."""
    if config.problem:
        return config.problem
    slot = slots.get(config.name)
    if slot is None:
        tournament = Tournament(config.tournament).name.lower()
        return (
            f"model_configs.csv line {config.line}, numerai_name: the account has no {tournament} model "
            f'"{config.name}". '
            f"{_suggestion(config.name, slots)}It has: {_list(sorted(slots)) or 'none'}. The other models run."
        )
    if slot.has_pickle:
        return (
            f"{config.name}: {IN_MODEL_UPLOADS}, and Numerai refuses API uploads while "
            "it is. Unassign it on numer.ai, then run again."
        )
    return None


def choose(configs: Sequence[ModelConfig], names: Iterable[str]) -> list[ModelConfig]:
    """Return the rows to play: the enabled ones, or exactly those that were named (enabled or not), in file order.

    Raises: ConfigError for a name that no row has.
    """
    wanted = list(names)
    known = {config.name: config for config in configs}
    problems = [
        f'model "{name}": no row of model_configs.csv has this numerai_name. {_suggestion(name, known)}'.strip()
        for name in wanted
        if name not in known
    ]
    if problems:
        raise ConfigError("\n".join([*problems, f"Rows are there for: {_list(sorted(known)) or 'no model'}."]))
    return [config for config in configs if (config.name in wanted if wanted else config.enabled)]


def _suggestion(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f'Did you mean "{close[0]}"? ' if close else ""


def _list(words: Iterable[str]) -> str:
    return ", ".join(words)
