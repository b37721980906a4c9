"""numebot on a PostgreSQL: two machines share it, and its password is seen nowhere."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from numebot.adapters.housekeeping import backups
from numebot.adapters.runner.processes import descendants
from numebot.core.types import State
from tests.postgresql import PASSWORD, Server
from tests.waiting import wait_until

Make = Callable[..., Any]
SECRETS = (PASSWORD, quote(PASSWORD, safe=""))

SHOUTS = """import os
        raise RuntimeError("NUMEBOT_STORE__URL is " + os.environ.get("NUMEBOT_STORE__URL", "not here"))"""
"""The body of a plugin that tells what stands in its environment."""


@pytest.fixture
def url(new_database: Callable[[], str]) -> str:
    return new_database()


def assert_clean(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text


def test_a_round_is_played_and_backed_up(
    numebot: Make, url: str, postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{postgresql.programs}{os.pathsep}{os.environ['PATH']}")
    bot = numebot()
    bot.variables["NUMEBOT_STORE__URL"] = url
    answer = bot.command("run")
    assert answer.returncode == 0, answer.stderr
    assert not (bot.data_folder / "numebot.db").exists()
    assert bot.states() == dict.fromkeys(("alpha", "beta"), State.CONFIRMED)
    answer = bot.command("db", "backup")
    assert answer.returncode == 0, answer.stderr
    (backup,) = backups(bot.data_folder)
    assert backup.suffix == ".dump"
    answer = bot.command("db", "restore")
    assert answer.returncode == 2
    assert "pg_restore --clean --if-exists" in answer.stderr


def test_two_machines_that_share_a_database_play_a_round_once(numebot: Make, practice: Make, url: str) -> None:
    server = practice(models=("alpha", "beta"))
    bots = [numebot(server), numebot(server)]
    for bot in bots:
        bot.variables |= {"NUMEBOT_STORE__URL": url, "NUMEBOT_STORE__BUSY_TIMEOUT_S": "60"}
    with bots[0].app() as app:
        app.store.claim_for(app.server_name)
    running = [
        subprocess.Popen(bot.arguments("run"), env=bot.whole_environ(), stderr=subprocess.PIPE, text=True)
        for bot in bots * 2
    ]
    ends = [(process.communicate()[1], process.returncode) for process in running]
    assert any(code == 0 for _, code in ends), ends
    for words, code in ends:
        assert code == 0 or "is at work in this" in words, words
        assert_clean(words)
    assert [len(bots[0].accepted(model)) for model in ("alpha", "beta")] == [1, 1]
    for bot in bots:
        assert bot.command("run").returncode == 0
        assert bot.states() == dict.fromkeys(("alpha", "beta"), State.CONFIRMED)
    assert [len(bots[0].accepted(model)) for model in ("alpha", "beta")] == [1, 1]


def test_the_password_is_seen_nowhere(numebot: Make, url: str) -> None:
    bot = numebot()
    bot.variables |= {"NUMEBOT_STORE__URL": url, "NUMEBOT_LOG__LEVEL": "DEBUG"}
    bot.configs("alpha", f"beta,{bot.plugin('shouts', SHOUTS)}")
    outputs = [bot.command(*words.split()) for words in ("config", "config --json", "run", "status --json", "db check")]
    assert "postgresql://********@127.0.0.1" in outputs[0].stdout
    assert "NUMEBOT_STORE__URL is not here" in outputs[2].stderr
    wrong = url.replace(SECRETS[1], "another-secret")
    bot.variables["NUMEBOT_STORE__URL"] = wrong
    outputs.append(bot.command("status"))
    assert outputs[-1].returncode == 2
    assert "password authentication failed" in outputs[-1].stderr
    assert "another-secret" not in outputs[-1].stderr
    bot.variables["NUMEBOT_STORE__URL"] = url.replace("%2F", "/")
    outputs.append(bot.command("status"))
    assert outputs[-1].returncode == 2
    assert "percent-encoded" in outputs[-1].stderr
    for answer in outputs:
        assert_clean(answer.stdout + answer.stderr)
    written = b"".join(path.read_bytes() for path in bot.data_folder.rglob("*") if path.is_file())
    assert not any(secret.encode() in written for secret in SECRETS)


def test_the_daemon_hands_it_to_its_children_past_their_environment(numebot: Make, url: str) -> None:
    bot = numebot()
    bot.configs("alpha")
    bot.variables |= {
        "NUMEBOT_STORE__URL": url,
        "NUMEBOT_SCHEDULE__POLL_SECONDS": "1",
        "NUMEBOT_DAEMON__KEEP_AWAKE": "false",
        "NUMEBOT_STORE__BUSY_TIMEOUT_S": "10",
    }
    seen: set[bytes] = set()
    process = bot.start("serve")
    try:

        def is_confirmed() -> bool:
            for one in (process.pid, *descendants(process.pid)):
                for name in ("environ", "cmdline"):
                    try:
                        seen.add(Path(f"/proc/{one}/{name}").read_bytes())
                    except OSError:
                        continue
            return bool(bot.states() == {"alpha": State.CONFIRMED})

        with bot.app() as app:
            app.store.claim_for(app.server_name)
        wait_until(is_confirmed, "the daemon's pass confirms")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert_clean((bot.home / "out.txt").read_text())
    late = [one for one in seen if any(secret.encode() in one for secret in SECRETS)]
    # Until a process has read it, what its parent gave it is there for its own user: the daemon's parent is this test.
    assert len(late) <= 1, late
