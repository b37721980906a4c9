"""How a practice tournament is to be run. Light: nothing else is loaded for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PracticeOptions:
    """How to run a practice tournament in `folder`; durations are practice time, `speed` is practice per real second.

    Port 0 is any free one. `data` is a folder with real parquet files to serve in place of made-up ones. Empty
    `models` leave the world's defaults. With `opens_now` the next round opens at the start unless one has time left.
    With `makes_files_first` nothing is answered before every file on offer has been made, once; otherwise the first one
    to ask for a file waits for it. They lie in `market_folder`, by default inside `folder`; several tournaments can
    share one.
    """

    folder: Path
    port: int = 0
    seed: int = 1
    scale: str = "small"
    window_minutes: float = 60
    period_minutes: float = 1440
    open_late_minutes: float = 0
    opens_now: bool = False
    speed: float = 1.0
    data: Path | None = None
    faults: Path | None = None
    models: tuple[str, ...] = ()
    validation_delay_s: float = 1.0
    has_rate_limits: bool = False
    makes_files_first: bool = False
    market_folder: Path | None = None
