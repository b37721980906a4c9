"""Models that are made of other models' predictions, end to end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from numebot.core.types import State

Make = Callable[..., Any]
ENSEMBLE = "models.ensemble"


def table(bot: Any, **rows: tuple[str, dict[str, Any]]) -> None:
    """Write model_configs.csv: name = (code, parameters); a row with members is an ensemble."""
    bot.plugin("mean")
    lines = ["numerai_name\tmodel_code\tis_ensemble\tparameters"]
    for name, (code, parameters) in rows.items():
        lines.append(f"{name}\t{code}\t{'members' in parameters}\t{json.dumps(parameters)}")
    frame = pd.DataFrame([line.split("\t") for line in lines[1:]], columns=lines[0].split("\t"))
    frame.to_csv(bot.home / "model_configs.csv", index=False)


def submitted(bot: Any, row: Any) -> pd.Series:
    path = bot.data_folder / "submissions" / row.model / f"{row.model}_submission_{row.round_number}.csv"
    return pd.read_csv(path, index_col="id")["prediction"]


@pytest.fixture
def bot(numebot: Make) -> Any:
    return numebot(models=("alpha", "beta", "gamma", "delta"))


def test_an_ensemble_of_ensembles_comes_after_its_members_wherever_it_stands(bot: Any) -> None:
    mine = bot.plugin("first", "return live.iloc[:, 0] + live.mean(axis=1)")
    table(
        bot,
        alpha=(ENSEMBLE, {"members": {"beta": 1, "gamma": 1}}),
        beta=(ENSEMBLE, {"members": ["gamma", "delta"], "mode": "gaussian"}),
        gamma=("plugins/mean.py", {}),
        delta=(mine, {}),
    )
    rehearsed = bot.run(dry_run=True).submissions
    assert {row.state for row in rehearsed} == {State.CHECKED}
    rows = bot.run().submissions
    assert {row.state for row in rows} == {State.CONFIRMED}
    alpha, beta, gamma, delta = (submitted(bot, row) for row in rows)
    assert beta.corr(gamma) > 0.3
    assert beta.corr(delta) > 0.3
    assert alpha.corr((beta.rank() + gamma.rank()).rank(), method="spearman") > 0.999
    assert [row.sha256 for row in rehearsed] == [row.sha256 for row in rows]
    assert any("of 2 members" in line for line in bot.timeline("alpha"))
    assert bot.run().submissions == rows, "a second pass has nothing to do"


def test_a_failed_member_is_dropped_or_fails_the_ensemble_as_its_row_says(bot: Any) -> None:
    broken = bot.plugin("broken", "raise RuntimeError(2)")
    table(
        bot,
        alpha=("plugins/mean.py", {}),
        beta=(broken, {}),
        gamma=(ENSEMBLE, {"members": ["alpha", "beta"]}),
        delta=(ENSEMBLE, {"members": ["alpha", "beta"], "on_missing": "fail"}),
    )
    alpha, beta, gamma, delta = bot.run().submissions
    assert [row.state for row in (alpha, beta, gamma)] == [State.CONFIRMED, State.FAILED, State.CONFIRMED]
    assert submitted(bot, gamma).corr(submitted(bot, alpha), method="spearman") > 0.999
    assert any("of 1 members, without beta" in line for line in bot.timeline("gamma"))
    assert (delta.state, delta.plugin_failures) == (State.FAILED, 1)
    assert "members without predictions: beta" in delta.error
    bot.plugin("broken", "return -live.mean(axis=1) + live.iloc[:, 0]")
    assert {row.state for row in bot.run().submissions} == {State.CONFIRMED}


def test_a_circle_and_an_ensemble_of_nothing_fail_and_stop_no_other(bot: Any) -> None:
    table(
        bot,
        alpha=(ENSEMBLE, {"members": ["beta"]}),
        beta=(ENSEMBLE, {"members": ["alpha"]}),
        gamma=(ENSEMBLE, {"members": ["unknown"]}),
        delta=("plugins/mean.py", {}),
    )
    alpha, beta, gamma, delta = bot.run().submissions
    assert "members: alpha > beta > alpha is a circle" in alpha.error
    assert "members: beta > alpha > beta is a circle" in beta.error
    assert "none of its members has predictions for this round (yet): unknown" in gamma.error
    assert delta.state is State.CONFIRMED
    with bot.app() as app:
        assert sum("is a circle" in notice for notice in app.registry.notices) == 2
        assert sum('members: "unknown" is none' in notice for notice in app.registry.notices) == 1


def test_an_ensemble_in_a_row_that_does_not_say_so_says_what_to_do(bot: Any) -> None:
    bot.configs(f"alpha,{ENSEMBLE}")
    (row,) = bot.run().submissions
    assert "is_ensemble has to be True in its row" in row.error
