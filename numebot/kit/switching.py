"""Switching models on and off in model_configs.csv."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from numebot.adapters.registry.edit import set_enabled
from numebot.core.account import choose
from numebot.core.errors import ConfigError
from numebot.core.types import ModelConfig


def switch(configs: Path, known: Sequence[ModelConfig], names: Sequence[str], *, wish: bool) -> list[ModelConfig]:
    """Enable or disable every row of the named models; return the rows whose cell was changed.

    Raises: ConfigError for a name without a row, or a row that cannot be enabled; LocalTrouble. Then nothing changed.
    """
    chosen = choose(known, names)
    blank = [config for config in chosen if wish and not config.code]
    if blank:
        lines = ", ".join(f"{config.name} (line {config.line})" for config in blank)
        raise ConfigError(
            f"{configs}: no model_code stands in the row of {lines}. Fill that in first; nothing was changed."
        )
    # A cell that cannot be read counts as True, but is to be mended by either wish.
    changed = [config for config in chosen if config.enabled != wish or "enabled:" in (config.problem or "")]
    changed = [config for config in changed if config.code]
    set_enabled(configs, {config.line: config.name for config in changed}, wish=wish)
    return changed
