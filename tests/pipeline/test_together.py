"""Several models in one pass: their plugins run beside each other, and none waits for another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numebot.core.types import State
from tests.waiting import PATIENCE_S, wait_until

Make = Callable[..., Any]

UNTIL_TOLD = """
        import time
        from pathlib import Path
        while not Path(__file__).with_name("go_on").exists():
            time.sleep(0.05)
        return live.mean(axis=1)
"""


SIGNS = [("same", ""), ("other", "-")]


def test_a_quick_model_is_submitted_while_a_slow_one_still_predicts(numebot: Make) -> None:
    bot = numebot()
    bot.configs(f"alpha,{bot.plugin('slow', UNTIL_TOLD.strip())}", "beta")
    process = bot.start("run")
    try:
        wait_until(lambda: bot.accepted("beta") != [] or process.poll() is not None, "beta is submitted")
        assert bot.accepted("alpha") == []
        assert {row.model: row.begun_at is not None for row in bot.rows()} == {"alpha": True, "beta": False}
        (bot.home / "plugins" / "go_on").touch()
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
    assert bot.states() == {"alpha": State.CONFIRMED, "beta": State.CONFIRMED}
    with bot.app() as app:
        assert app.store.run_times(8)["alpha"][0] > app.store.run_times(8)["beta"][0]


def test_the_same_plugin_with_the_same_parameters_runs_once_for_several_slots(numebot: Make) -> None:
    bot = numebot()
    same, other = (bot.plugin(name, f"print('RAN'); return {sign}live.mean(axis=1)") for name, sign in SIGNS)
    bot.configs(f"alpha,{same}", f"beta,{same}", f"gamma,{other}")
    alpha, beta, gamma = bot.run().submissions
    assert {alpha.state, beta.state, gamma.state} == {State.CONFIRMED}
    assert alpha.sha256 == beta.sha256 != gamma.sha256
    ran = sorted(path.stem for path in (bot.data_folder / "logs").glob("*.log") if "RAN" in path.read_text())
    assert ran in (["alpha", "gamma"], ["beta", "gamma"])
    words = [line for name in ("alpha", "beta") for line in bot.timeline(name) if "run once" in line]
    assert len(words) == 1


def test_a_failure_is_told_to_every_slot_that_shares_it_and_to_no_other(numebot: Make) -> None:
    bot = numebot()
    broken = bot.plugin("broken", "raise RuntimeError(2)")
    bot.configs(f"alpha,{broken}", f"beta,{broken}", "gamma")
    rows = bot.run().submissions
    assert [(row.state, row.plugin_failures) for row in rows] == [
        (State.FAILED, 1),
        (State.FAILED, 1),
        (State.CONFIRMED, 0),
    ]


def test_a_plugin_that_cannot_be_loaded_stops_no_other(numebot: Make) -> None:
    bot = numebot()
    (bot.home / "plugins" / "odd.py").write_text("import nothing_of_that_name\n")
    bot.configs("alpha,plugins/odd.py", "beta", "gamma")
    alpha, beta, gamma = bot.run().submissions
    assert (alpha.state, beta.state, gamma.state) == (State.FAILED, State.CONFIRMED, State.CONFIRMED)
    assert "nothing_of_that_name" in alpha.error
