"""Plugins that write where answers belong, or hold on to Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

Make = Callable[..., Any]


def numebot_run(bot: Any, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "numebot", "run", *arguments],
        env={**os.environ, **bot.environ()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_what_a_plugin_prints_does_not_spoil_the_json(numebot: Make) -> None:
    bot = numebot()
    noise = "print('PRINTED'); import os; os.system('echo ECHOED'); return live.mean(axis=1)"
    bot.configs(f"alpha,{bot.plugin('noisy', noise)}")
    with numebot_run(bot, "--json") as running:
        answer, told = running.communicate(timeout=60)
    assert json.loads(answer)["models"][0]["state"] == "confirmed"
    kept = (bot.data_folder / "logs" / "alpha.log").read_text()
    for noise in ("PRINTED", "ECHOED"):
        assert noise in kept
        assert noise not in told


def test_ctrl_c_inside_a_plugin_that_swallows_it_still_stops_the_round(numebot: Make) -> None:
    bot = numebot()
    body = (
        "import threading, sys; print('READY', file=sys.stderr, flush=True)\n"
        "        try:\n            threading.Event().wait(20)\n        except:\n            pass\n"
        "        return live.mean(axis=1)"
    )
    bot.configs(f"alpha,{bot.plugin('deaf', body)}", "beta")
    with numebot_run(bot) as running:
        log, patience = bot.data_folder / "logs" / "alpha.log", threading.Event()
        while not (log.exists() and "READY" in log.read_text()):
            assert running.poll() is None
            patience.wait(0.05)
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "Interrupted" in told
    assert bot.server.world.submissions_of("alpha") == []
    assert bot.server.world.submissions_of("beta") == []
