"""A practice tournament with a handful of features: a pass takes a fraction of the time that thousands of them need."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROWS, FEATURES = 120, 8
SAME_IDS_EVERY_ROUND = "\n[data]\nexpect_new_ids = false\n"
"""The setting for a market of own files, which are the same in every round."""


def light_numebot(numebot: Callable[..., Any], folder: Path, **options: Any) -> Any:
    """Make a numebot whose practice tournament serves one small live file."""
    served = folder / "v5.3"
    served.mkdir()
    bins = np.random.default_rng(1).integers(0, 5, (ROWS, FEATURES)).astype("int8")
    ids = pd.Index([f"n{number:015x}" for number in range(ROWS)], name="id")
    frame = pd.DataFrame(bins, columns=[f"feature_{number}" for number in range(FEATURES)], index=ids)
    frame.assign(era="X").to_parquet(served / "live.parquet")
    bot = numebot(data=served, **options)
    settings = bot.home / "config" / "numebot.toml"
    settings.write_text(settings.read_text() + SAME_IDS_EVERY_ROUND)
    return bot
