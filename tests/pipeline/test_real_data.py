"""The pipeline on real Numerai rows, where a copy of them lies on this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from numebot.core.types import State

SHARED_DATA = Path(os.environ.get("NUMEBOT_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
REAL_ERA = SHARED_DATA / "classic-v5-era0575-small" / "validation_era0575_small_int8.parquet"
REAL_IDS = 5592


@pytest.mark.skipif(
    not REAL_ERA.exists(), reason=f"{REAL_ERA} is not there; set NUMEBOT_SHARED_DATA to a folder with real rows"
)
def test_a_real_era_served_as_live_data_is_confirmed_for_all_its_ids(
    numebot: Callable[..., Any], tmp_path: Path
) -> None:
    served = tmp_path / "served"
    served.mkdir()
    shutil.copy(REAL_ERA, served)
    bot = numebot(data=served)
    bot.configs("alpha,models.feature_mean")
    (row,) = bot.run().submissions
    assert row.state is State.CONFIRMED
    (accepted,) = bot.accepted("alpha")
    assert (accepted.filename, accepted.sha256) == (row.filename, row.sha256)
    lines = (bot.data_folder / "submissions" / "alpha" / f"alpha_submission_{row.round_number}.csv").read_text().split()
    assert lines[0] == "id,prediction"
    ids = [line.split(",")[0] for line in lines[1:]]
    assert len(set(ids)) == len(ids) == REAL_IDS
    assert all(len(id) == 16 and id.startswith("n") for id in ids)
