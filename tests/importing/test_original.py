from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from numebot.core.types import State

Make = Callable[..., Any]

MODEL = """
from numebot.models.numerai_model import NumeraiModel


class MeanModel(NumeraiModel):
    def load_model(self):
        self.model_ready = True

    def predict(self, data, to_be_saved_for_submission=False):
        rows = data.tournament
        return rows[data.features].astype("float32").mean(axis=1).to_frame("prediction")
"""
STUBBORN = """
import no_such_library
from numebot.models.numerai_model import NumeraiModel


class Stubborn(NumeraiModel):
    def __init__(self, config_row, file_names, napi, testing=False):
        super().__init__(config_row, file_names, napi, testing)

    def load_model(self):
        return self.names.model_path("other", suffix="pkl")

    def predict(self, data, to_be_saved_for_submission=False):
        self.train_model(data.train)
"""
TABLE = """numerai_name,model_code,parameters,description,stake
alpha,private.models.mean_model,"{´hours´: 13*3600}","two
lines",1
beta,private.models.stubborn,,,
gamma,,,,
delta,private.models.gone,,,
"""

BOARD = "date,username,round,rank,prevRank\n2021-07-01,alpha,270,812,790\n"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder as the original numebot left it, with predictions in both places."""
    folder = tmp_path / "old"
    data = folder / "numerai"
    files = {
        folder / ".env": 'NUMERAI_DATA_FOLDER="/home/gone/numerai"\nMODEL_CONFIGS_PATH=/home/gone/configs.csv\n',
        folder / ".secret": "PUBLIC_ID='OLDPUBLIC'\nSECRET_KEY='OLDSECRET'\n",
        folder / "configs.csv": TABLE,
        folder / "private/models/mean_model.py": MODEL,
        folder / "private/models/stubborn.py": STUBBORN,
        folder / ".venv/lib/thing.py": "",
        data / "models/round_details.csv": "username,round,date,correlation,mmc\n"
        "alpha,270,2021-07-01,0.01,\nalpha,270,2021-07-02,0.02,0.003\nalpha,271,2021-07-08,-0.01,\nalpha,x,?,1,\n",
        data / "models/alpha/alpha_submission_status_info.csv": "round,filename,concordance,timestamp\n"
        "270,alpha-x.csv,True,2021-07-01 10:00:00.123\n271,alpha-y.csv,,2021-07-08 10:00:00\n",
        data / "models/alpha/alpha_leaderboard_info.csv": BOARD,
        data / "models/alpha/submissions/alpha_submission_270.csv": "id,prediction\nn1,0.1\nn2,0.2\n",
        data / "submissions/my_model/my_model_submission_300.csv": "id,prediction\nn1,0.5\n",
        data / "submissions/my_model/notes.csv": "nothing\n",
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / ".secret").chmod(0o644)
    return folder


def state_of(folder: Path) -> dict[str, tuple[float, str]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mtime, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files}


def test_everything_is_reported_and_the_old_folder_stays(numebot: Make, old: Path) -> None:
    bot = numebot()
    bot.configs("gamma")
    before = state_of(old)
    table = (bot.home / "model_configs.csv").read_bytes()
    rehearsed = bot.command("import", "numebot", str(old), "--dry-run")
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert "4 scores (0 new), 2 status lines, 1 leaderboard lines, 2 submission lines (0 new)" in rehearsed.stdout
    assert (bot.home / "model_configs.csv").read_bytes() == table
    answer = bot.command("import", "numebot", str(old))
    assert "4 scores (4 new), 2 status lines, 1 leaderboard lines, 2 submission lines (5 new)" in answer.stdout
    for words in (
        "alpha: private.models.mean_model, generation 3: numebot train alpha",
        "beta: private.models.stubborn, generation 2: numebot train beta; it trains in every round",
        "beta: needs no_such_library, not installed here",
        "beta: reads the files of other",
        "gamma: has no model_code",
        '"private.models.gone" does not exist',
        "API key: this numebot has one already, which stays",
    ):
        assert words in answer.stdout, answer.stdout
    assert "OLDSECRET" not in answer.stdout + answer.stderr
    assert state_of(old) == before
    done = (bot.home / "model_configs.csv").read_bytes()
    again = bot.command("import", "numebot", str(old))
    assert "4 scores (0 new), 2 status lines, 1 leaderboard lines, 2 submission lines (0 new)" in again.stdout
    assert (bot.home / "model_configs.csv").read_bytes() == done


def test_history_stands_in_the_database(numebot: Make, old: Path) -> None:
    bot = numebot()
    assert bot.command("import", "numebot", str(old)).returncode == 0
    with bot.app() as app:
        submissions = app.store.events(kinds=["original-submission"])
        board = app.store.events(kinds=["original-leaderboard"])
        newest = app.store.results.newest_days(8, "original:alpha", since_round=1)
    assert [(event.model, event.round_number, event.details["rows"]) for event in submissions] == [
        ("alpha", 270, 2),
        ("my_model", 300, 1),
    ]
    assert (board[0].model, board[0].round_number, board[0].details["prevRank"]) == ("alpha", 270, "790")
    assert dict(newest) == {
        (270, "correlation", "original"): 2,
        (270, "mmc", "original"): 2,
        (271, "correlation", "original"): 1,
    }


def test_an_old_model_is_trained_anew_and_plays(numebot: Make, old: Path) -> None:
    bot = numebot()
    bot.configs("gamma")
    assert bot.command("import", "numebot", str(old)).returncode == 0
    path = bot.home / "model_configs.csv"
    path.write_text(path.read_text().replace("False", "True"))
    trained = bot.command("train", "alpha")
    assert trained.returncode == 0, trained.stderr
    bot.run("alpha")
    assert bot.states()["alpha"] is State.CONFIRMED


def test_a_numebot_without_a_key_gets_the_old_one(numebot: Make, old: Path) -> None:
    bot = numebot()
    bot.key = ("", "")
    answer = bot.command("import", "numebot", str(old))
    assert answer.returncode == 0, answer.stderr
    secret = bot.home / ".secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert "SECRET_KEY=OLDSECRET" in secret.read_text()
    assert "OLDSECRET" not in answer.stdout + answer.stderr
    assert "chmod 600" in answer.stdout


def test_another_folder_is_told_apart(numebot: Make, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    answer = numebot().command("import", "numebot", str(tmp_path / "empty"))
    assert answer.returncode == 2
    assert "Is it the original numebot's folder?" in answer.stderr
