"""A whole numebot against a practice tournament, in this process and with short waits."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numebot.adapters.runner.processes import descendants
from numebot.app import App, open_app
from numebot.core.account import choose
from numebot.core.types import State, Submission, Tournament
from numebot.pipeline import PassResult, Wishes, play_round
from tests.waiting import is_alive, wait_until

PLUGIN = '''
from numebot.plugin import Model


class {name}(Model):
    """Made for a test."""

    feature_set = "small"

    def predict(self, live):
        {body}
'''

MEAN = "return live.mean(axis=1)"
MARK = "begun"
"""The file that tells that a plugin runs; it may write to its working folder alone."""
WAITS = f"import pathlib, time; pathlib.Path('{MARK}').touch(); time.sleep(120)"
"""The body of a plugin that says that it runs, and does not come back for long."""

IMPATIENT = """
[api]
connect_timeout_s = 2
read_timeout_s = 1
total_timeout_s = 4

[store]
busy_timeout_s = 0.2

[submission]
retry_s = 0
settle_s = 0
confirm_timeout_s = 1.5
confirm_poll_s = 0.1
"""


class Numebot:
    """An owner's folder with settings, keys, plugins and data, and the ways to play with it."""

    def __init__(self, home: Path, server: Any) -> None:
        self.home = home
        self.server = server
        self.data_folder = home / "numerai_data"
        self.key = (server.public_id, server.secret_key)
        self.variables: dict[str, str] = {}
        """Settings of a test, e.g. NUMEBOT_SCHEDULE__SAFETY_NET."""
        (home / "config").mkdir(parents=True)
        (home / "config" / "numebot.toml").write_text(IMPATIENT)
        self.configs("alpha", "beta")

    def plugin(self, name: str, body: str = MEAN) -> str:
        path = self.home / "plugins" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(PLUGIN.format(name=name.title().replace("_", ""), body=body))
        return f"plugins/{name}.py"

    def configs(self, *rows: str) -> None:
        """Write model_configs.csv: a bare name is a model with the mean plugin, else `name,code[,fallback]`."""
        code = self.plugin("mean")
        lines = [row if "," in row else f"{row},{code}" for row in rows]
        (self.home / "model_configs.csv").write_text("\n".join(["numerai_name,model_code,fallback", *lines, ""]))

    def environ(self) -> dict[str, str]:
        public_id, secret_key = self.key
        return {
            "NUMEBOT_HOME": str(self.home),
            "NUMERAI_DATA_FOLDER": str(self.data_folder),
            "NUMEBOT_API_URL": self.server.url,
            **({"NUMERAI_PUBLIC_ID": public_id} if public_id else {}),
            **({"NUMERAI_SECRET_KEY": secret_key} if secret_key else {}),
            **self.variables,
        }

    @contextmanager
    def app(self) -> Iterator[App]:
        with open_app(environ=self.environ()) as app:
            yield app

    def run(self, *names: str, **wishes: Any) -> PassResult:
        """Make one pass in this process; `wishes` as in numebot.pipeline.Wishes."""
        with self.app() as app:
            configs = choose(app.registry.models, names)
            return play_round(app.round_tools, Tournament.CLASSIC, configs, Wishes(**wishes))

    def states(self) -> dict[str, State]:
        """Where each model stands in the newest round."""
        return {row.model: row.state for row in self.rows()}

    def nets(self, round_number: int) -> Sequence[Submission]:
        """The uploads that were made after the deadline of a round."""
        with self.app() as app:
            return app.store.nets.of_round(Tournament.CLASSIC, round_number)

    def events(self, *kinds: str) -> list[str]:
        """The timeline's lines of some kinds."""
        with self.app() as app:
            return [event.message for event in app.store.events(kinds=kinds)]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `numebot ARGUMENTS` in a process of its own and wait for its end."""
        return subprocess.run(self.arguments(*arguments), capture_output=True, text=True, timeout=300, check=False,
                              env=self.whole_environ())  # fmt: skip

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `numebot ARGUMENTS` in a process of its own; its output goes to out.txt in the home folder."""
        with (self.home / "out.txt").open("ab") as out:
            return subprocess.Popen(self.arguments(*arguments), env=self.whole_environ(), stdout=out, stderr=out)

    def is_running(self) -> bool:
        """Whether a plugin with the body `WAITS` is at it."""
        return next(self.data_folder.glob(f"scratch/run-*/call-*/{MARK}"), None) is not None

    def kill_while_running(self, *arguments: str) -> None:
        """Run `numebot ARGUMENTS` until a plugin waits, and kill it then; all that it started must be gone after it."""
        shutil.rmtree(self.data_folder / "scratch", ignore_errors=True)
        process = self.start(*arguments)
        try:
            wait_until(lambda: self.is_running() or process.poll() is not None, "the plugin is running")
            assert process.poll() is None, (self.home / "out.txt").read_text()
            below = descendants(process.pid)
            assert len(below) >= 3, "the server, a watching process and the plugin's"
        finally:
            process.kill()
            process.wait()
        wait_until(lambda: not any(map(is_alive, below)), "nothing is left of the plugins' processes")

    def arguments(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "numebot", *arguments]

    def whole_environ(self) -> dict[str, str]:
        """The environment of a process of its own: this one's, without what it says of numebot, and ours."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("NUMERAI", "NUMEBOT"))}
        return {**kept, **self.environ()}

    def rows(self) -> Sequence[Submission]:
        with self.app() as app:
            round_ = app.store.newest_round(Tournament.CLASSIC)
            return app.store.submissions(Tournament.CLASSIC, round_.number) if round_ else ()

    def timeline(self, model: str) -> list[str]:
        with self.app() as app:
            return [event.message for event in app.store.events(model=model)]

    def accepted(self, model: str) -> list[Any]:
        """What the server holds as valid submissions of a model in the current round."""
        number = self.server.world.calendar.current(self.server.clock.now()).number
        return [entry for entry in self.server.world.submissions_of(model, number) if entry.error is None]
