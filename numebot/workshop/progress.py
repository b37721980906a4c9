"""How far a training is: a small file in the working folder, which numebot shows on the terminal."""

from __future__ import annotations

import json
import os
from pathlib import Path

FILE = "progress.json"
"""In the working folder of the call: {"done": 120, "of": 2000}."""
VARIABLE = "NUMEBOT_PROGRESS"
"""Names that folder in a plugin's process."""


def report(done: int, of: int | None) -> None:
    """Write it down. A reader sees the old or the new file, never half of one."""
    folder = os.environ.get(VARIABLE)
    if folder is None:
        return  # nobody looks: a test, a notebook
    place = Path(folder, FILE)
    draft = place.with_suffix(".part")
    draft.write_text(json.dumps({"done": int(done), "of": None if of is None else int(of)}))
    draft.replace(place)
