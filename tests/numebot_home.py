"""A whole numebot against a practice tournament, in this process and with short waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numebot.app import App, open_app
from numebot.core.account import choose
from numebot.core.types import Submission, Tournament
from numebot.pipeline import PassResult, Wishes, play_round

PLUGIN = '''
from numebot.plugin import Model


class {name}(Model):
    """Made for a test."""

    feature_set = "small"

    def predict(self, live):
        {body}
'''

MEAN = "return live.mean(axis=1)"

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
        (home / "config").mkdir(parents=True)
        (home / "config" / "numebot.toml").write_text(IMPATIENT)
        self.configs("alpha", "beta")

    def plugin(self, name: str, body: str = MEAN) -> str:
        path = self.home / "plugins" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(PLUGIN.format(name=name.title().replace("_", ""), body=body))
        return f"plugins/{name}.py"

    def configs(self, *rows: str) -> None:
        """Write model_configs.csv; a bare name is a model with the mean plugin, else the row as it stands."""
        code = self.plugin("mean")
        lines = [row if "," in row else f"{row},{code}" for row in rows]
        (self.home / "model_configs.csv").write_text("\n".join(["numerai_name,model_code", *lines, ""]))

    def environ(self) -> dict[str, str]:
        public_id, secret_key = self.key
        return {
            "NUMEBOT_HOME": str(self.home),
            "NUMERAI_DATA_FOLDER": str(self.data_folder),
            "NUMEBOT_API_URL": self.server.url,
            **({"NUMERAI_PUBLIC_ID": public_id} if public_id else {}),
            **({"NUMERAI_SECRET_KEY": secret_key} if secret_key else {}),
        }

    @contextmanager
    def app(self) -> Iterator[App]:
        with open_app(environ=self.environ()) as app:
            yield app

    def run(self, *names: str, dry_run: bool = False, force: bool = False) -> PassResult:
        with self.app() as app:
            configs = choose(app.registry.models, names)
            return play_round(app.round_tools, Tournament.CLASSIC, configs, Wishes(dry_run=dry_run, force=force))

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
